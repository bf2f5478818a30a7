"""A worker that is about to ask a customer how it went, killed by itself: `python killed_asking.py before|after`.

Before, or after, the transaction in which the mail is written ends.
"""

import os
import signal
import sys


def die(*_args, **_kwargs) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    import django

    django.setup()
    from django.db import transaction

    from daytwo_server.core.jobs import run_due_jobs
    from daytwo_server.portal import jobs, services

    genuine = services.ask

    def ask(*args):
        done = genuine(*args)
        if sys.argv[1] == "before":
            die()
        transaction.on_commit(die)
        return done

    jobs.services.ask = ask
    run_due_jobs()
