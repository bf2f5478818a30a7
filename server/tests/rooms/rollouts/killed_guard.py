"""A process that is killed while a guard acts, before anything of it is written down: `python killed_guard.py`."""

import os
import signal

if __name__ == "__main__":
    import django

    django.setup()
    from daytwo_server.core.jobs import run_due_jobs
    from daytwo_server.rollouts import services

    act = services.killing.kill

    def killed(*args, **kwargs):
        act(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    services.killing.kill = killed
    run_due_jobs(tick=False)
