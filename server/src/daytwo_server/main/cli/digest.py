import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from daytwo_server.core.conf import Conf
from daytwo_server.main.cli.start import log, settle, start_django

if TYPE_CHECKING:
    from daytwo_server.ingest.digest import Digester

LOCK_PATIENCE_S = 10


def run(parsed: argparse.Namespace) -> int:
    """`daytwo digest`: digest this data directory's spool until SIGTERM; as a child of `serve` until that is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    conf = start_django()
    from daytwo_server.main.follow import follower

    follow = follower(conf)

    def stopped() -> bool:
        follow()
        # A child must not outlive a killed server: the next one could not take the spool.
        return stop.is_set() or (parsed.child is not None and os.getppid() != parsed.child)

    with digesting(conf) as digester:
        settle()
        log.info("the digest runs", pid=os.getpid())
        digester.run(stopped)
    log.info("stopped")
    return 0


@contextlib.contextmanager
def digesting(conf: Conf) -> "Iterator[Digester]":
    """A digester of this data directory. Waits a moment for a predecessor that is still stopping."""
    from daytwo_server.ingest.digest import Digester, node_of
    from daytwo_server.ingest.spool import Reader, SpoolLocked

    spool = conf.data_dir / "spool"
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            reader = Reader(spool)
            break
        except SpoolLocked as locked:
            if time.monotonic() > deadline:
                sys.exit(str(locked))
            time.sleep(0.1)
    with contextlib.closing(reader):
        yield Digester(reader, node=node_of(spool), folder=spool)
