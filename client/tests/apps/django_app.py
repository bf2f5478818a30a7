import sys

import django
from django.conf import settings

import daytwo

daytwo.init()
log = daytwo.get_logger("shop")
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x", MIDDLEWARE=["daytwo.integrations.django.Middleware"],
    LOGGING_CONFIG=None,
)  # fmt: skip
django.setup()

from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402


def order(request: HttpRequest, number: int) -> JsonResponse:
    log.set(plan="pro")
    log.info("order shown", number=number)
    return JsonResponse({"number": number})


async def order_async(request: HttpRequest, number: int) -> JsonResponse:
    return order(request, number)


def fail(request: HttpRequest) -> JsonResponse:
    daytwo.set_user("u1", plan="pro")
    raise ValueError("no stock")


urlpatterns = [
    path("orders/<int:number>", order if sys.argv[2] == "wsgi" else order_async),
    path("fail", fail),
    path("", include("daytwo.integrations.django.urls")),
]

if sys.argv[2] == "wsgi":
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), handler_class=Quiet).serve_forever()
else:
    import uvicorn
    from django.core.asgi import get_asgi_application

    uvicorn.run(get_asgi_application(), port=int(sys.argv[1]), log_level="warning", lifespan="off")
