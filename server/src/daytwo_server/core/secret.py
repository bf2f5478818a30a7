"""The installation's one secret and what is derived from it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def load_or_create(path: Path) -> str:
    """The secret in `path`; made at first start, readable by its owner only.

    Two processes that start at once agree: the file is linked into place whole, and the loser reads the winner's.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def derive(secret: str, *purpose: str) -> bytes:
    """32 bytes that belong to `purpose`: the same for the same secret and words, unguessable without the secret."""
    return hmac.new(secret.encode(), "\x00".join(purpose).encode(), hashlib.sha256).digest()
