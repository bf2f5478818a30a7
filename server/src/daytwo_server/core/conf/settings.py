"""The settings themselves, in the order of the reference table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from daytwo_server.core.conf import values
from daytwo_server.core.conf.providers import mail_url
from daytwo_server.core.conf.setting import setting as _setting
from daytwo_server.core.conf.values import Choice, Integer, Keep, Network, cron, keep

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, kw_only=True)
class Conf:
    """The settings, in the order of the reference table."""

    data_dir: Path = _setting(
        "DAYTWO_DATA_DIR",
        "Server",
        "Where the embedded databases, the spool and the secret key live.",
        Path("daytwo-data"),
        lambda value: Path(value).expanduser(),
    )
    host: str = _setting("DAYTWO_HOST", "Server", "Address to listen on.", "127.0.0.1")
    port: int = _setting("DAYTWO_PORT", "Server", "Port to listen on.", 8000, Integer(0, 65535))
    url: str = _setting(
        "DAYTWO_URL",
        "Server",
        "Public address of this installation, used in links and DSNs. Default: http://HOST:PORT.",
        "",
        values.url("http", "https"),
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "DAYTWO_ALLOWED_HOSTS",
        "Server",
        "Further host names that pages answer to, separated by commas. The host of DAYTWO_URL and loopback always do.",
        (),
        values.words,
    )
    secret_key: str = _setting(
        "DAYTWO_SECRET_KEY",
        "Server",
        "Signs sessions and derives keys. Default: the file secret-key in the data directory, made at first start.",
        "",
        values.text,
        secret=True,
    )
    secret_key_fallbacks: tuple[str, ...] = _setting(
        "DAYTWO_SECRET_KEY_FALLBACKS", "Server",
        "Secret keys from before the present one, separated by commas: what they signed or sealed is still believed.",
        (), values.words, secret=True,
    )  # fmt: skip
    trusted_proxies: tuple[Network, ...] = _setting(
        "DAYTWO_TRUSTED_PROXIES",
        "Server",
        "Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
        (),
        values.networks,
    )
    web_threads: int = _setting("DAYTWO_WEB_THREADS", "Server", "Threads that render pages.", 4, Integer(1, 64))
    job_threads: int = _setting(
        "DAYTWO_JOB_THREADS",
        "Server",
        "Threads that run jobs and reactions. 0 leaves them to `daytwo worker`.",
        2,
        Integer(0, 16),
    )
    support_email: str = _setting(
        "SUPPORT_EMAIL", "General",
        "Your team's address: members who cannot sign in are sent there, and it is told of new tickets. Customers "
        "write to DAYTWO_MAIL_INBOUND; only where that is not set are they shown this one.",
        "", values.email, page="Support e-mail",
    )  # fmt: skip
    flags_require_comment: bool = _setting(
        "DAYTWO_FLAGS_REQUIRE_COMMENT",
        "General",
        "Whether each change of a feature flag needs a reason: yes or no.",
        False,
        values.boolean,
        page="A reason for each change of a flag",
    )
    hidden: tuple[str, ...] = _setting(
        "DAYTWO_HIDDEN",
        "General",
        "Pages that this team does not use, by their names in the navigation, separated by commas: deploys,components. "
        "They are left out there and in the palette; their addresses go on working.",
        (),
        values.words,
        page="Left out of the navigation",
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "Stores",
        "What people write. Default: the embedded SQLite file daytwo.db.",
        "",
        values.url("postgres", "postgresql", "sqlite"),
        secret=True,
    )
    telemetry_url: str = _setting(
        "DAYTWO_TELEMETRY_URL",
        "Stores",
        "What machines send. Default: telemetry.db, or the schema `telemetry` of DATABASE_URL on PostgreSQL.",
        "",
        values.url("postgres", "postgresql", "sqlite"),
        secret=True,
    )
    mail_url: str = _setting(
        "DAYTWO_MAIL_URL",
        "Mail",
        "Mail server: smtp://host:25, smtp://user:password@host:587 (then with STARTTLS) or smtps://host:465; "
        "or a provider, such as resend://KEY or postmark://TOKEN.",
        "",
        mail_url,
        secret=True,
    )
    mail_from: str = _setting(
        "DAYTWO_MAIL_FROM", "Mail", "Sender of all mail.", "Daytwo <daytwo@localhost>", values.email
    )
    mail_inbound: str = _setting(
        "DAYTWO_MAIL_INBOUND",
        "Mail",
        "Address that customers write to, such as support@example.com. "
        "Mail to it and to support+anything@example.com has to arrive here.",
        "",
        values.inbound,
    )
    smtp_port: int = _setting(
        "DAYTWO_SMTP_PORT",
        "Mail",
        "Port on which mail to that address is taken by SMTP, at DAYTWO_HOST. 0: none is.",
        0,
        Integer(0, 65535),
    )
    imap_url: str = _setting(
        "DAYTWO_IMAP_URL",
        "Mail",
        "Mailbox that is read for mail to that address: imaps://user:password@host:993/INBOX. "
        "Nothing in it is changed.",
        "",
        values.url("imaps", "imap"),
        secret=True,
    )
    imap_oauth: str = _setting(
        "DAYTWO_IMAP_OAUTH",
        "Mail",
        "Where that mailbox takes tokens instead of a password (Microsoft 365, Gmail): "
        "https://CLIENT_ID:CLIENT_SECRET@HOST/TOKEN_PATH?scope=...&refresh_token=..., or without refresh_token the "
        "client's own right.",
        "",
        values.url("https", "http"),
        secret=True,
    )
    mail_webhook_secret: str = _setting(
        "DAYTWO_MAIL_WEBHOOK_SECRET",
        "Mail",
        "user:password that a mail provider has to send (HTTP basic authentication) when it tells of mail: "
        "https://user:password@HOST/mail/PROVIDER/inbound/. Without it, only providers that sign are let in.",
        "",
        values.user_and_password,
        secret=True,
    )
    mail_webhook_keys: tuple[tuple[str, str], ...] = _setting(
        "DAYTWO_MAIL_WEBHOOK_KEYS",
        "Mail",
        "Keys by which providers sign what they tell, as django-anymail calls them, with commas between: "
        "RESEND_INBOUND_SECRET=whsec_...,RESEND_SIGNING_SECRET=whsec_...",
        (),
        values.keys,
        secret=True,
    )
    mail_authserv: str = _setting(
        "DAYTWO_MAIL_AUTHSERV",
        "Mail",
        "Name that your own mail server gives itself in the Authentication-Results it adds; those of others prove "
        "nothing. Default: whether a sender is genuine is not known.",
        "",
    )
    mail_per_sender: int = _setting(
        "DAYTWO_MAIL_PER_SENDER",
        "Mail",
        "Mails an hour that are taken from one sender; what is above waits for a person.",
        60,
        Integer(1, 1_000_000),
        page="Mails an hour from one sender",
    )
    ingest_rate: int = _setting(
        "DAYTWO_INGEST_RATE",
        "Intake",
        "Requests a second that each DSN key may sustain.",
        2000,
        Integer(1, 1_000_000),
        page="Requests a second",
    )
    ingest_burst: int = _setting(
        "DAYTWO_INGEST_BURST", "Intake", "Requests that each DSN key may send at once above the rate.", 60_000,
        Integer(1, 10_000_000), page="Requests at once",
    )  # fmt: skip
    portal: str = _setting(
        "DAYTWO_PORTAL", "Support",
        "The pages at /help, where customers ask, follow and answer without a password: on or off. When off, mails "
        "lead to none of them, and nobody is asked how it went.",
        "on", Choice(("on", "off")), page="Customer portal",
    )  # fmt: skip
    csat: str = _setting(
        "DAYTWO_CSAT", "Support", "Ask customers by mail how it went after their ticket was resolved: on or off.", "on",
        Choice(("on", "off")), page="Ask how it went",
    )  # fmt: skip
    csat_delay_minutes: int = _setting(
        "DAYTWO_CSAT_DELAY_MINUTES", "Support",
        "Minutes from resolving a ticket to asking how it went; one that was opened again meanwhile is not asked.",
        60, Integer(0, 60 * 24 * 30), page="Minutes before it is asked",
    )  # fmt: skip
    take_by_writing: str = _setting(
        "DAYTWO_TAKE_BY_WRITING", "Support",
        "Who begins to write an answer in a ticket of nobody gets it: on or off.", "on", Choice(("on", "off")),
        page="Writing an answer takes the ticket",
    )  # fmt: skip
    ticket_rate: int = _setting(
        "DAYTWO_TICKET_RATE", "Intake",
        "Tickets and replies a minute, and ratings a minute, that one customer may send through the support API.",
        60, Integer(1, 100_000), page="Tickets a minute from one customer",
    )  # fmt: skip
    spool_max_mb: int = _setting(
        "DAYTWO_SPOOL_MAX_MB",
        "Intake",
        "Size of the spool past which intake answers 429.",
        2048,
        Integer(1, 10_000_000),
        page="Largest spool (MB)",
    )
    min_free_disk_mb: int = _setting(
        "DAYTWO_MIN_FREE_DISK_MB",
        "Intake",
        "Free disk below which intake answers 429.",
        500,
        Integer(0, 10_000_000),
        page="Least free disk (MB)",
    )
    digest: str = _setting(
        "DAYTWO_DIGEST",
        "Intake",
        "Where accepted events are digested: a child process, a thread, or off (elsewhere).",
        "process",
        Choice(("process", "thread", "off")),
    )
    scrub: bool = _setting(
        "DAYTWO_SCRUB",
        "Privacy",
        "Remove secrets and card numbers from events before they are stored.",
        True,
        values.boolean,
    )
    scrub_keys: tuple[str, ...] = _setting(
        "DAYTWO_SCRUB_KEYS",
        "Privacy",
        "Further names whose values are removed from events, separated by commas.",
        (),
        values.words,
        page="Further names to remove",
    )
    allow_private_addresses: bool = _setting(
        "DAYTWO_ALLOW_PRIVATE_ADDRESSES",
        "Privacy",
        "Let targets that users name (webhooks, checks) be private or loopback addresses.",
        False,
        values.boolean,
    )
    allowed_addresses: tuple[Network, ...] = _setting(
        "DAYTWO_ALLOWED_ADDRESSES",
        "Privacy",
        "Private networks that such targets may use, when the setting above is off.",
        (),
        values.networks,
    )
    require_second_factor: str = _setting(
        "DAYTWO_REQUIRE_SECOND_FACTOR",
        "Sign-in",
        "Who must add a passkey or an authenticator app before anything else: off, admins (and owners), everyone.",
        "off",
        Choice(("off", "admins", "everyone")),
        page="Second factor required of",
    )
    connect_by_email: bool = _setting(
        "DAYTWO_CONNECT_BY_EMAIL",
        "Sign-in",
        "Let a GitHub or OIDC account in as the member with the same e-mail address, if the provider has verified it.",
        False,
        values.boolean,
    )
    github_client_id: str = _setting(
        "DAYTWO_GITHUB_CLIENT_ID", "Sign-in", "Client id of the OAuth app at GitHub; its button appears with it.", ""
    )
    github_client_secret: str = _setting(
        "DAYTWO_GITHUB_CLIENT_SECRET", "Sign-in", "Client secret of that app.", "", values.text, secret=True
    )
    github_url: str = _setting(
        "DAYTWO_GITHUB_URL",
        "Sign-in",
        "Address of a GitHub Enterprise Server, in place of github.com.",
        "https://github.com",
        values.url("http", "https"),
    )
    oidc_url: str = _setting(
        "DAYTWO_OIDC_URL",
        "Sign-in",
        "Issuer of an OpenID Connect provider, such as https://login.example.com/realms/main.",
        "",
        values.url("http", "https"),
    )
    oidc_client_id: str = _setting("DAYTWO_OIDC_CLIENT_ID", "Sign-in", "Client id at that provider.", "")
    oidc_client_secret: str = _setting(
        "DAYTWO_OIDC_CLIENT_SECRET", "Sign-in", "Client secret at that provider.", "", values.text, secret=True
    )
    oidc_name: str = _setting("DAYTWO_OIDC_NAME", "Sign-in", "What its button calls that provider.", "single sign-on")
    retention_events_days: int = _setting(
        "DAYTWO_RETENTION_EVENTS_DAYS",
        "Retention",
        "Days that errors are kept: every event, and an issue once none of its events is left.",
        90,
        Integer(1, 3650),
        page="Errors",
    )
    retention_mail_days: int = _setting(
        "DAYTWO_RETENTION_MAIL_DAYS",
        "Retention",
        "Days that mail is kept as it arrived and as it was sent. What tickets took from it stays with them.",
        90,
        Integer(7, 3650),
        page="Mail",
    )
    retention_tickets_days: int = _setting(
        "DAYTWO_RETENTION_TICKETS_DAYS",
        "Retention",
        "Days that closed tickets are kept, with what was said in them and its files. Others stay.",
        1095,
        Integer(30, 3650),
        page="Closed tickets",
    )
    retention_intake_days: int = _setting(
        "DAYTWO_RETENTION_INTAKE_DAYS",
        "Retention",
        "Days that the counts of what arrived and what was dropped are kept.",
        90,
        Integer(7, 3650),
        page="Intake counts",
    )
    retention_flags_days: int = _setting(
        "DAYTWO_RETENTION_FLAGS_DAYS",
        "Retention",
        "Days that the counts of what feature flags answered are kept.",
        90,
        Integer(31, 3650),
        page="Flag exposures",
    )
    retention_facts_days: int = _setting(
        "DAYTWO_RETENTION_FACTS_DAYS",
        "Retention",
        "Days that facts are kept, which reactions and webhooks are made from. Those with a pending reaction stay.",
        30,
        Integer(1, 3650),
        page="Facts",
    )
    retention_dead_jobs_days: int = _setting(
        "DAYTWO_RETENTION_DEAD_JOBS_DAYS",
        "Retention",
        "Days that jobs which failed for good can be looked at and tried again.",
        30,
        Integer(1, 3650),
        page="Dead jobs",
    )
    retention_audit_days: int = _setting(
        "DAYTWO_RETENTION_AUDIT_DAYS",
        "Retention",
        "Days that the audit log is kept.",
        365,
        Integer(30, 3650),
        page="Audit log",
    )
    backup_dir: str = _setting(
        "DAYTWO_BACKUP_DIR",
        "Backup",
        "Folder that scheduled backups are written to; better not on the disk of the data. Default: none are made.",
        "",
        lambda value: str(Path(value).expanduser()),
    )
    backup_every: str = _setting(
        "DAYTWO_BACKUP_EVERY",
        "Backup",
        "When a backup is made: a cron expression in UTC.",
        "17 3 * * *",
        cron,
        page="When",
    )
    backup_keep: Keep = _setting(
        "DAYTWO_BACKUP_KEEP",
        "Backup",
        "Which backups stay: the newest of each of so many days, weeks and months, and all of the last 24 hours.",
        Keep(7, 4, 6),
        keep,
        page="Keep",
    )
    health_token: str = _setting(
        "DAYTWO_HEALTH_TOKEN",
        "Own health",
        "Bearer token that shows details at /api/health and opens /metrics to addresses that are not private.",
        "",
        values.text,
        secret=True,
    )
    log_level: str = _setting(
        "LOG_LEVEL",
        "Own health",
        "Least level that is logged.",
        "info",
        Choice(LOG_LEVELS),
        page="Log from this level on",
    )
    sentry_dsn: str = _setting(
        "SENTRY_DSN",
        "Own health",
        "Where Daytwo reports errors of its own pages and jobs.",
        "",
        values.url("http", "https"),
        secret=True,
    )
    sentry_environment: str = _setting(
        "SENTRY_ENVIRONMENT", "Own health", "Environment named in those reports.", "production"
    )
    app_version: str = _setting(
        "APP_VERSION",
        "Own health",
        "Version shown by health answers and reports. Default: the package's version.",
        "",
    )

    # Not a setting: the names of those that the environment gave, which no page may change.
    given: frozenset[str] = dataclasses.field(default=frozenset(), compare=False, repr=False)

    @property
    def public_url(self) -> str:
        """`url`, or the listening address when none is set. No trailing slash."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return self.url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
