"""Mail providers, by the DAYTWO_MAIL_URL that names one: resend://KEY, mailgun://KEY@DOMAIN."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from daytwo_server.core.conf.values import BadValue, url

# How such an address goes on, and what django-anymail calls its parts in their order. What follows an @ may be a host
# with a port and a path.
MAIL_PROVIDERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # The names are boto3's. Without a key it takes that of the machine, as everything does there.
    "amazon_ses": {
        "KEY_ID:SECRET@REGION": ("aws_access_key_id", "aws_secret_access_key", "region_name"),
        "REGION": ("region_name",),
    },
    "brevo": {"KEY": ("BREVO_API_KEY",)},
    "mailersend": {"TOKEN": ("MAILERSEND_API_TOKEN",)},
    "mailgun": {"KEY@DOMAIN": ("MAILGUN_API_KEY", "MAILGUN_SENDER_DOMAIN")},
    "mailjet": {"KEY:SECRET": ("MAILJET_API_KEY", "MAILJET_SECRET_KEY")},
    "mailtrap": {"TOKEN": ("MAILTRAP_API_TOKEN",)},
    "mandrill": {"KEY": ("MANDRILL_API_KEY",)},
    "postal": {"KEY@HOST": ("POSTAL_API_KEY", "POSTAL_API_URL")},
    "postmark": {"TOKEN": ("POSTMARK_SERVER_TOKEN",)},
    "resend": {"KEY": ("RESEND_API_KEY",)},
    "scaleway": {
        "SECRET:PROJECT": ("SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID"),
        "SECRET:PROJECT@REGION": ("SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID", "SCALEWAY_REGION"),
    },
    "sendgrid": {"KEY": ("SENDGRID_API_KEY",)},
    "sparkpost": {"KEY": ("SPARKPOST_API_KEY",)},
    "unisender_go": {"KEY@HOST/PATH": ("UNISENDER_GO_API_KEY", "UNISENDER_GO_API_URL")},
}
_EXTRAS = {"amazon_ses": ("boto3", "ses")}  # what anymail needs beside itself, and where that is


def mail_url(value: str) -> str:
    """Where mail is given to: a mail server or a provider."""
    if value.partition("://")[0] in MAIL_PROVIDERS:
        mail_provider(value)
        return value.rstrip("/")
    try:
        return url("smtp", "smtps")(value)
    except BadValue as allowed:
        raise BadValue(f"{allowed} or a provider such as resend://KEY ({', '.join(MAIL_PROVIDERS)})") from None


def mail_provider(value: str) -> dict[str, Any]:
    """Django-anymail's settings for such an address; empty when it is a mail server's. Raises `BadValue`."""
    provider, _, rest = value.partition("://")
    if provider not in MAIL_PROVIDERS:
        return {}
    for form, names in MAIL_PROVIDERS[provider].items():
        if found := re.fullmatch(_pattern(form), rest.rstrip("/")):
            given = map(urllib.parse.unquote, found.groups())
            return _settings(provider, dict(zip(names, given, strict=True)))
    raise BadValue(" or ".join(f"{provider}://{form}" for form in MAIL_PROVIDERS[provider]))


def lacking_extra(value: str) -> str:
    """The extra of daytwo-server that has to be installed before this provider can be given mail; empty for none."""
    provider = value.partition("://")[0]
    module, extra = _EXTRAS.get(provider, ("anymail", "mail"))
    is_there = find_spec("anymail") is not None and find_spec(module) is not None
    return extra if provider in MAIL_PROVIDERS and not is_there else ""


def _pattern(form: str) -> str:
    """An upper-case word stands for what has neither `:` nor `@`; behind the @ for all that follows."""
    before, at, _ = form.partition("@")
    return re.sub("[A-Z_]+", "([^:@]+)", before) + ("@([^@]+)" if at else "")


def _settings(provider: str, given: dict[str, str]) -> dict[str, Any]:
    if provider == "amazon_ses":
        return {"AMAZON_SES_CLIENT_PARAMS": given}
    return {name: f"https://{part}" if name.endswith("_API_URL") else part for name, part in given.items()}
