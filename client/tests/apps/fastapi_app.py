import sys

import uvicorn
from fastapi import FastAPI

import daytwo
from daytwo.integrations import fastapi

daytwo.init()
log = daytwo.get_logger("shop")
app = FastAPI()
fastapi.install(app)


@app.get("/orders/{number}")
def order(number: int) -> dict[str, int]:
    log.set(plan="pro")
    log.info("order shown", number=number)
    return {"number": number}


@app.get("/fail")
async def fail() -> None:
    daytwo.set_user("u1", plan="pro")
    raise ValueError("no stock")


uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
