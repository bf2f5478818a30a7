import argparse
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from daytwo_server.core import conf as configuration
from daytwo_server.main.cli.start import start_django
from daytwo_server.operate.backup.problems import BackupError
from daytwo_server.operate.backup.progress import Progress

if TYPE_CHECKING:
    from daytwo_server.operate.backup.checking import Checked
    from daytwo_server.operate.backup.taking import Taken

QUIET_S = 1.0  # what is done by then needs no progress


def run(parsed: argparse.Namespace) -> int:
    """`daytwo backup FILE`: one file with everything; `--verify` proves that an existing one can be restored."""
    leave_nothing_when_stopped()
    file: Path = parsed.file.absolute()
    data_dir = configuration.current().data_dir
    if not parsed.verify and not data_dir.is_dir():
        print(f"There is nothing to back up: {data_dir} does not exist. Is it the right directory?", file=sys.stderr)
        return 1
    try:
        start_django(log_to=sys.stderr)
        print(_verified(file) if parsed.verify else _taken(file, force=parsed.force))
    except BackupError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def leave_nothing_when_stopped() -> None:
    """End by an exception, so that what is unfinished is removed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: sys.exit(128 + which))


def _taken(file: Path, *, force: bool) -> str:
    from daytwo_server.core import preferences
    from daytwo_server.operate.backup import files, runs, taking

    files.in_background()  # a running server goes first
    reserve = preferences.current().min_free_disk_mb * files.MIB
    with shown(Progress()) as progress:
        taken = taking.take(file, progress, reserve=reserve, force=force)
    runs.note_command(taken)
    return _words(taken)


def _words(taken: "Taken") -> str:
    size = f"{taken.bytes / 1e6:,.1f} MB" if taken.bytes >= 1e6 else f"{taken.bytes / 1e3:,.0f} kB"
    lines = [f"{taken.path} holds everything as of now: {size} in {taken.seconds:.1f} s."]
    if configuration.current().secret_key:
        lines.append("It does not hold the secret key, which DAYTWO_SECRET_KEY gives: keep that one safe as well.")
    else:
        lines.append("It holds the secret key: whoever can read it can do everything here. Keep it like a password.")
    return "\n".join(lines)


def _verified(file: Path) -> str:
    from daytwo_server.operate.backup import checking

    with shown(Progress()) as progress:
        return words_of(file, checking.check(file, progress))


def words_of(file: Path, checked: "Checked") -> str:
    """What a check found, for people."""
    counts = ", ".join(f"{count:,} {what}" for what, count in checked.counts.items())
    taken = f"{file} was taken at {checked.manifest.taken_at:%Y-%m-%d %H:%M} UTC by Daytwo {checked.manifest.version}"
    if checked.how == "restored":
        return f"{taken} and can be restored: it was, and everything in it is whole ({counts})."
    return (
        f"{taken}. All checksums are right. It was not restored: that needs PostgreSQL as "
        "it is set up here, and a role that may create a database (ALTER ROLE ... CREATEDB)."
    )


@contextlib.contextmanager
def shown(progress: Progress) -> Iterator[Progress]:
    """Tell on stderr how far it is, once it takes longer than a second."""
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=[progress, over], daemon=True)
    teller.start()
    try:
        yield progress
    finally:
        over.set()
        teller.join()


def _tell(progress: Progress, over: threading.Event) -> None:
    on_terminal = sys.stderr.isatty()
    began = time.monotonic()
    pause_s, told = QUIET_S, 0
    while not over.wait(pause_s):
        line = f"{progress.percent:3d} %  {progress.mb_per_s:6.0f} MB/s  {progress.step}"
        told = max(told, len(line))
        print(line.ljust(told), end="\r" if on_terminal else "\n", file=sys.stderr, flush=True)
        # A log is no terminal: a line for each second would bury what else is in it.
        pause_s = 0.2 if on_terminal else min(10.0, 1 + (time.monotonic() - began) / 4)
    if on_terminal and told:
        print(" " * told, end="\r", file=sys.stderr, flush=True)
