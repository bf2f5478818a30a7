import argparse
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from daytwo_server.core.conf import Conf
from daytwo_server.main.cli.start import log, start_django

if TYPE_CHECKING:
    from daytwo_server.ingest.digest import Digester

LOCK_PATIENCE_S = 10


def run(_parsed: argparse.Namespace) -> int:
    """`daytwo digest`: digest this data directory's spool until SIGTERM, or until the parent is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent = os.getppid()
    conf = start_django()
    digester = build(conf)
    log.info("the digest runs", pid=os.getpid())
    # A child must not outlive a killed server: the next one could not take the spool.
    digester.run(lambda: stop.is_set() or os.getppid() != parent)
    return 0


def build(conf: Conf) -> "Digester":
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
    return Digester(reader, node=node_of(spool), conf=conf, folder=spool)
