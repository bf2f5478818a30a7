import argparse
import datetime as dt
import signal
import threading

from daytwo_server.main.cli.start import log, settle, start_django


def run(_parsed: argparse.Namespace) -> int:
    """`daytwo worker`: run jobs and reactions until SIGTERM."""
    conf = start_django()
    from daytwo_server.core import jobs
    from daytwo_server.mail import jobs as mail
    from daytwo_server.main import reporting
    from daytwo_server.main.follow import FOLLOW_S, follower

    reporting.start(conf)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settle()
    mail.begin()
    worker = jobs.Worker(threads=max(1, conf.job_threads))
    worker.start()
    log.info("the worker runs")
    follow = follower(conf)
    while not stop.wait(FOLLOW_S):
        follow()
    worker.stop(dt.timedelta(seconds=3))
    return 0
