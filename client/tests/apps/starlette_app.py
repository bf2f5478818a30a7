import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

import daytwo
from daytwo import health

daytwo.init()
log = daytwo.get_logger("shop")


def order(request: Request) -> JSONResponse:
    log.set(plan="pro")
    log.info("order shown", number=int(request.path_params["number"]))
    return JSONResponse({"number": int(request.path_params["number"])})


async def fail(request: Request) -> None:
    daytwo.set_user("u1", plan="pro")
    raise ValueError("no stock")


routes = [Route("/orders/{number}", order), Route("/fail", fail), Mount("/health", health.asgi)]
app = daytwo.asgi(Starlette(routes=routes))
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
