import argparse
import json
import sys
from typing import Any

from daytwo_server.main.cli.start import Unusable, migrate_stores, start_django

ENVIRONMENT = "production"


def run(parsed: argparse.Namespace) -> int:
    """`daytwo setup`: owner, project and keys. The same call always prints the same, with or without a server."""
    from django.core.exceptions import ValidationError

    start_django(log_to=sys.stderr)  # stdout is for what is asked for
    from daytwo_server.accounts.services import AccountsError
    from daytwo_server.catalog.services import CatalogError
    from daytwo_server.core.conf import ConfError
    from daytwo_server.main import stores

    try:
        migrate_stores()
        with stores.alone_everywhere():  # machines that are set up together all call this
            found = ensure(url=parsed.url, email=parsed.email, password=parsed.password, project=parsed.project)
    except (Unusable, AccountsError, CatalogError, ConfError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except ValidationError as problem:
        print(*problem.messages, sep="\n", file=sys.stderr)
        return 1
    print(json.dumps(found) if parsed.json else _readable(found))
    return 0


def ensure(*, url: str, email: str, password: str, project: str) -> dict[str, Any]:
    """Make what is missing and return what `--json` prints.

    Keys are derived from the installation's secret, so none has to be kept to be shown again, and none is revoked.
    """
    from django.conf import settings
    from django.core.validators import validate_email

    from daytwo_server.accounts import services as accounts
    from daytwo_server.accounts import tokens
    from daytwo_server.catalog import services as catalog
    from daytwo_server.core.conf import parse_url
    from daytwo_server.core.secret import derive

    public = parse_url(url)
    validate_email(email)
    owner = accounts.ensure_owner(email, password)
    kept = catalog.ensure_project(project)
    secret = settings.SECRET_KEY
    key = catalog.ensure_derived_key(kept, derive(secret, "dsn", kept.slug).hex()[:32])
    token = tokens.text((derive(secret, "api-token", "1") + derive(secret, "api-token", "2"))[: tokens.MATERIAL_BYTES])
    accounts.ensure_derived_token("Setup", token)
    server_key = catalog.ensure_derived_server_key(kept, ENVIRONMENT)
    return {
        "url": public,
        "email": owner.email,
        "workspace": accounts.workspace().name,
        "project": {"id": kept.pk, "slug": kept.slug},
        "environment": ENVIRONMENT,
        "dsn": catalog.dsn(key, public),
        "identity_secret": catalog.identity_secret(kept),
        "server_key": server_key,
        "flags_server_key": server_key,  # the same one: a server speaks for its customers and reads flags by it
        "flags_client_key": catalog.ensure_derived_client_key(kept, ENVIRONMENT),
        "api_token": token,
    }


def _readable(found: dict[str, Any]) -> str:
    rows = {**found, "project": found["project"]["slug"]}
    return "\n".join(f"{name:17} {value}" for name, value in rows.items())
