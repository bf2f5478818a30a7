import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from flask import Flask

import daytwo
from daytwo.integrations import flask

daytwo.init()
log = daytwo.get_logger("shop")
app = Flask("shop")
flask.install(app)


@app.get("/orders/<int:number>")
def order(number: int) -> dict[str, int]:
    log.set(plan="pro")
    log.info("order shown", number=number)
    return {"number": number}


@app.get("/fail")
def fail() -> str:
    daytwo.set_user("u1", plan="pro")
    raise ValueError("no stock")


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


make_server("127.0.0.1", int(sys.argv[1]), app, handler_class=Quiet).serve_forever()
