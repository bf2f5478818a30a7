"""The signature of a call, as the Standard Webhooks specification has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hmac

from daytwo_server.core import clock, secret, signing
from daytwo_server.webhooks.models import Endpoint


def shown(endpoint: Endpoint) -> str:
    """The secret as receivers are given it."""
    return f"whsec_{base64.b64encode(_keys(endpoint)[0]).decode()}"


def headers(endpoint: Endpoint, uid: str, body: bytes) -> dict[str, str]:
    """Those of one attempt: which call, when, and a signature by each secret that holds."""
    at = str(int(clock.now().timestamp()))
    signed = b".".join((uid.encode(), at.encode(), body))
    proofs = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in _keys(endpoint))
    return {
        "webhook-id": uid,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(f"v1,{proof}" for proof in proofs),
    }


def _keys(endpoint: Endpoint) -> list[bytes]:
    """The present one first. Those before it hold while they overlap, and while the secret key before is named."""
    overlaps = endpoint.overlaps_until is not None and endpoint.overlaps_until > clock.now()
    generations = [endpoint.generation, endpoint.generation - 1] if overlaps else [endpoint.generation]
    return [
        secret.derive(key, "webhook", str(endpoint.pk), str(one))
        for key in signing.secret_keys()
        for one in generations
    ]
