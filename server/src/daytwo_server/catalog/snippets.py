"""What people paste into their app to see a first error. Any Sentry SDK works; these three stand for most."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Snippet:
    """One tab. `code` holds `{dsn}` once; running it reports one error."""

    key: str
    label: str
    install: str
    language: str
    code: str

    def with_dsn(self, dsn: str) -> str:
        return self.code.replace("{dsn}", dsn)


SNIPPETS = (
    Snippet(
        "python",
        "Python",
        "pip install sentry-sdk",
        "python",
        """import sentry_sdk

sentry_sdk.init(
    dsn="{dsn}",
    environment="production",
    release="1.0.0",
)

sentry_sdk.capture_exception(RuntimeError("Hello from Python"))
""",
    ),
    Snippet(
        "node",
        "Node",
        "npm install @sentry/node",
        "javascript",
        """const Sentry = require("@sentry/node");

Sentry.init({
  dsn: "{dsn}",
  environment: "production",
  release: "1.0.0",
});

Sentry.captureException(new Error("Hello from Node"));
""",
    ),
    Snippet(
        "browser",
        "Browser",
        "npm install @sentry/browser",
        "javascript",
        """import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: "{dsn}",
  environment: "production",
  release: "1.0.0",
});

Sentry.captureException(new Error("Hello from the browser"));
""",
    ),
)


def snippet(key: str) -> Snippet:
    """The one of this name, else the first."""
    return next((one for one in SNIPPETS if one.key == key), SNIPPETS[0])
