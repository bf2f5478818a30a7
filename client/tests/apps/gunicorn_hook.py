"""For --preload with threads: the app is imported in the master, and probes are answered in other threads."""

from daytwo import health


def post_worker_init(_worker):
    health.drain_on_sigterm(3)
