"""Static files, collected once per version into the data directory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from daytwo_server.main import stores


def collect_if_stale() -> bool:
    """Collect when the files of this version differ from what was collected; tells whether it did."""
    stamp = Path(settings.STATIC_ROOT) / ".stamp"
    wanted = _fingerprint()
    with stores.alone(settings.CONF.data_dir):
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    digest = hashlib.blake2b(digest_size=16)
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: found[0]):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
