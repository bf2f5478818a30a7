"""Sends a task within a request and works on it in the same process, over Celery's in-memory broker."""

from celery import Celery
from celery.contrib.testing.worker import start_worker

import daytwo
from daytwo.integrations import celery

daytwo.init()
log = daytwo.get_logger("shop")
app = Celery("shop", broker="memory://", backend="cache+memory://")
celery.install()


@app.task
def ship(number):
    log.info("shipped", number=number)


@app.task
def lose(number):
    raise ValueError("lost")


with (
    start_worker(app, perform_ping_check=False, pool="solo"),
    daytwo.scope.request(request_id="r-1", user_id="u1", password="hunter2"),
):
    ship.delay(5).get(timeout=10)
    lose.delay(6).get(timeout=10, propagate=False)
