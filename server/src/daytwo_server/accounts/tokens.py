"""The text of API tokens, `dt_<prefix>_<secret>`, and of one-time links, and the digests under which both are kept.

Pure functions.
"""

import base64
import hashlib
import re

from daytwo_server.core import secret

# The prefix finds the row and is public; 43 characters of the secret are 256 bits.
_TEXT = re.compile(r"dt_(?P<prefix>[0-9a-f]{8})_(?P<secret>[\w-]{43})", re.ASCII)
MATERIAL_BYTES = 36


def text(material: bytes) -> str:
    """A token made of 36 random or derived bytes: 4 for the prefix, 32 for the secret."""
    if len(material) != MATERIAL_BYTES:
        raise ValueError(f"A token is made of {MATERIAL_BYTES} bytes, not {len(material)}")
    rest = base64.urlsafe_b64encode(material[4:]).rstrip(b"=").decode()
    return f"dt_{material[:4].hex()}_{rest}"


def invitation_link(secret_key: str, nonce: str) -> str:
    """The 43 characters of the link `/join/<link>/`: the same for the same nonce, unguessable without the secret."""
    return base64.urlsafe_b64encode(secret.derive(secret_key, "invitation", nonce)).rstrip(b"=").decode()


def prefix(raw: str) -> str:
    """The public part of a token; empty when `raw` is none."""
    match = _TEXT.fullmatch(raw)
    return match["prefix"] if match else ""


def digest(raw: str) -> str:
    """SHA-256 in 64 hexadecimal digits. No salt and no stretching: 256 random bits cannot be guessed offline."""
    return hashlib.sha256(raw.encode()).hexdigest()
