import argparse
import datetime as dt
import smtplib
import sqlite3
import stat
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

from daytwo_server.core import clock
from daytwo_server.core import conf as configuration
from daytwo_server.core.conf import Conf
from daytwo_server.core.conf.providers import lacking_extra, mail_provider

MIB = 1024 * 1024
DAMAGE_TOLD = dt.timedelta(days=7)
MAIL_LATE = dt.timedelta(minutes=15)
PROBE_BYTES = 64 * 1024
Finding = tuple[bool, str]  # fine, and the sentence


def run(_parsed: argparse.Namespace) -> int:
    """`daytwo doctor`: what is wrong, in plain words. Exit 1 if anything is."""
    conf = configuration.current()
    findings = list(examine(conf))
    for fine, sentence in findings:
        print(f"{'ok   ' if fine else 'WRONG'} {sentence}")
    wrong = sum(1 for fine, _ in findings if not fine)
    print(f"{wrong} of {len(findings)} need attention." if wrong else "Nothing is wrong.")
    return 1 if wrong else 0


def examine(conf: Conf) -> Iterator[Finding]:
    """Each finding as it is made. Nothing is created or changed."""
    yield from _configuration(conf)
    if not conf.data_dir.exists():
        yield False, f"The data directory {conf.data_dir} does not exist; `daytwo serve` creates it."
        return
    yield from _data_dir(conf.data_dir)
    yield from _clock(conf)
    yield from _mail(conf)
    yield from _issuer(conf)
    yield from _stores(conf)


def _configuration(conf: Conf) -> Iterator[Finding]:
    yield True, "The configuration can be read."
    public = urllib.parse.urlsplit(conf.public_url)
    if public.scheme == "http" and public.hostname not in {"localhost", "127.0.0.1", "::1", "testserver"}:
        yield (
            False,
            f"DAYTWO_URL is {conf.public_url}: passwords travel unencrypted. Put HTTPS in front and set https://.",
        )
    if public.scheme == "https" and not conf.trusted_proxies:
        yield (
            False,
            (
                "DAYTWO_URL is https but DAYTWO_TRUSTED_PROXIES is empty: Daytwo takes the proxy for every client. "
                "Set it to the proxy's address."
            ),
        )


def _data_dir(folder: Path) -> Iterator[Finding]:
    yield _private(folder, "data directory", "700")
    if (key := folder / "secret-key").exists():
        yield _private(key, "secret key", "600")
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
    except OSError as problem:
        yield False, f"The data directory cannot be written: {problem.strerror}."
    else:
        yield True, "The data directory can be written."


def _private(path: Path, name: str, mode: str) -> Finding:
    found = stat.S_IMODE(path.stat().st_mode)
    if found & 0o077:
        return False, f"The {name} is open to others (mode {found:o}); `chmod {mode} {path}` closes it."
    return True, f"The {name} is for its owner only."


def _disk(conf: Conf) -> Iterator[Finding]:
    import shutil

    free = shutil.disk_usage(conf.data_dir).free // MIB
    enough = free >= conf.min_free_disk_mb
    consequence = "" if enough else f"; intake answers 429 below {conf.min_free_disk_mb} MB, so make room"
    yield enough, f"{free} MB of disk are free{consequence}."


def _clock(conf: Conf) -> Iterator[Finding]:
    """A clock that went backwards makes new events look old: compare with the newest thing we wrote."""
    newest = max((path.stat().st_mtime for path in conf.data_dir.rglob("*") if path.is_file()), default=0.0)
    ahead = newest - time.time()
    if ahead > 60:
        yield False, f"Files here were written {ahead / 60:.0f} minutes in the future: the clock was set back."
        return
    year = clock.now().year
    yield (2025 < year < 2100, f"The clock says {clock.now():%Y-%m-%d %H:%M} UTC.")


def _mail(conf: Conf) -> Iterator[Finding]:
    if not conf.mail_url:
        yield True, "No mail server is set (DAYTWO_MAIL_URL): nobody is mailed, password reset is off."
        return
    if mail_provider(conf.mail_url):
        yield _provider(conf.mail_url)
        return
    parts = urllib.parse.urlsplit(conf.mail_url)
    where = f"{parts.hostname}:{parts.port or (465 if parts.scheme == 'smtps' else 587)}"
    try:
        _sign_in(parts)
    except (OSError, smtplib.SMTPException) as problem:
        yield False, f"The mail server {where} does not take our mail: {_plain(problem)}. Check DAYTWO_MAIL_URL."
    else:
        yield True, f"The mail server {where} answers and lets us in."


def _provider(url: str) -> Finding:
    """Whether mail can be given to it; its key is tried by the test mail of the settings."""
    name = url.partition("://")[0]
    if extra := lacking_extra(url):
        return False, f"Mail goes out by {name}, which needs an extra: pip install 'daytwo-server[{extra}]'."
    return True, f"Mail goes out by {name}."


def _sign_in(parts: urllib.parse.SplitResult) -> None:
    secure = parts.scheme == "smtps"
    kind: Callable[..., smtplib.SMTP] = smtplib.SMTP_SSL if secure else smtplib.SMTP
    with kind(parts.hostname or "", parts.port or (465 if secure else 587), timeout=5) as server:
        server.ehlo()
        if not secure and server.has_extn("starttls"):
            server.starttls()
            server.ehlo()
        if parts.username:
            server.login(urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))


def _issuer(conf: Conf) -> Iterator[Finding]:
    if not conf.oidc_url:
        return
    import httpx

    back = f"{conf.public_url}/login/with/oidc/callback/"
    try:
        answer = httpx.get(f"{conf.oidc_url}/.well-known/openid-configuration", timeout=5, follow_redirects=True)
        told = answer.raise_for_status().json()
        named, keys = str(told["issuer"]).rstrip("/"), httpx.get(told["jwks_uri"], timeout=5).raise_for_status()
        _ = keys.json()["keys"], told["authorization_endpoint"], told["token_endpoint"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as problem:
        reason = f"{type(problem).__name__}: {_plain(problem)}"
        yield False, f"The issuer {conf.oidc_url} does not answer as such ({reason}). Check DAYTWO_OIDC_URL."
        return
    if named != conf.oidc_url:
        yield False, f"The issuer calls itself {named}, so set DAYTWO_OIDC_URL to that; it is {conf.oidc_url}."
    else:
        yield True, f"The issuer {conf.oidc_url} answers. It has to send people back to {back}"


def _stores(conf: Conf) -> Iterator[Finding]:
    import django

    django.setup()
    from django.conf import settings
    from django.db import DatabaseError

    from daytwo_server.core import preferences
    from daytwo_server.main import stores

    usable = True
    for alias, database in settings.DATABASES.items():
        if "sqlite" in database["ENGINE"] and not Path(database["NAME"]).exists():
            yield False, f"The store {alias} does not exist yet; `daytwo serve` or `daytwo migrate` creates it."
            usable = False
            continue
        try:
            if "sqlite" in database["ENGINE"]:
                yield _sqlite_health(alias, Path(database["NAME"]))
            state = stores.schema(alias)
        except (DatabaseError, sqlite3.Error) as problem:
            yield False, f"The store {alias} cannot be used: {_plain(problem)}."
            usable = False
            continue
        if state.unknown:
            yield False, f"The store {alias} was written by a newer Daytwo; install that version again."
            usable = False
        elif state.pending:
            yield False, f"The store {alias} needs {len(state.pending)} migrations; `daytwo migrate` applies them."
            usable = False
        else:
            yield True, f"The store {alias} has this version's schema."
    yield from _disk(preferences.current() if usable else conf)
    if usable:
        yield from _intake(preferences.current())
        yield from _mail_that_waits()


def _sqlite_health(alias: str, path: Path) -> Finding:
    with sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=2) as connection:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as problem:
            return False, f"The store {alias} cannot be written now ({problem}): does another program hold it?"
    connection.close()
    if verdict != "ok":
        return False, f"The store {alias} is damaged ({verdict}); restore a backup."
    return True, f"The store {alias} is intact."


def _intake(conf: Conf) -> Iterator[Finding]:
    from daytwo_server.core import jobs
    from daytwo_server.ingest import selectors as ingest

    state = ingest.state(conf)
    if state.refusing:
        yield False, f"Intake answers 429: {state.refusing}."
    else:
        yield True, "Nothing keeps intake from taking events."
    if state.digest_error:
        yield False, f"The digest cannot write: {state.digest_error}. Events wait in the spool, nothing is lost."
    elif state.lag_s > 60:
        yield False, f"Events wait {state.lag_s:.0f} s in the spool: is `daytwo serve` or `daytwo digest` running?"
    else:
        yield True, "The digest keeps up."
    if lost := ingest.damaged(clock.now() - DAMAGE_TOLD):
        yield False, f"{lost} requests of the last 7 days were lost because the spool was damaged: check the disk."
    if state.quarantined:
        yield (
            False,
            f"{state.quarantined} records could not be digested; they are kept in {conf.data_dir}/spool/quarantine.",
        )
    if dead := jobs.stats().dead:
        yield False, f"{dead} jobs failed for good; see Settings > Jobs."


def _mail_that_waits() -> Iterator[Finding]:
    from daytwo_server.mail import selectors

    mail = selectors.standing()
    where = "see Settings > Mail in and out"
    if mail.outage:
        since = f"{mail.outage.since:%Y-%m-%d %H:%M} UTC"
        words = _plain(Exception(mail.outage.problem))
        yield False, f"No mail goes out since {since} ({words}). {mail.to_send} wait and will go out in order."
    elif mail.oldest_to_send and mail.oldest_to_send > MAIL_LATE:
        yield False, f"{mail.to_send} mails wait to be sent, the oldest for {_minutes(mail.oldest_to_send)}; {where}."
    if mail.oldest_unread and mail.oldest_unread > MAIL_LATE:
        late = f"{mail.unread} mails wait to be read, the oldest for {_minutes(mail.oldest_unread)}"
        yield False, f"{late}: is `daytwo serve` or `daytwo worker` running?"
    if mail.undecided:
        yield False, f"{mail.undecided} mails could not be read, or came too often, and wait for a decision; {where}."


def _minutes(age: dt.timedelta) -> str:
    return f"{age.total_seconds() / 60:,.0f} minutes"


def _plain(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200] or type(problem).__name__
