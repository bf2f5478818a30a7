"""Keys that end, projects that are archived, and how both sides of a key's use are counted."""

from __future__ import annotations

import dataclasses
import time

from intake import EVENT, KEY, Intake, envelope

from daytwo_server.ingest.spool import Counts


def change(intake: Intake, **fields: object) -> None:
    """Change the key as people do, and wait until intake has read it."""
    loads = intake.loads
    intake.keys[KEY] = dataclasses.replace(intake.keys[KEY], **fields)
    intake.version += 1
    while intake.loads == loads:
        time.sleep(0.02)
    time.sleep(0.05)


def uses(intake: Intake) -> dict[tuple[str, bool], int]:
    found: dict[tuple[str, bool], int] = {}
    for record in intake.records():
        if isinstance(record.content, Counts):
            for use in record.content.uses:
                found[use.key, use.let_in] = found.get((use.key, use.let_in), 0) + use.n
    return found


def test_a_key_lets_events_in_until_the_moment_it_ends(intake: Intake):
    change(intake, ends_at=time.time() + 3)
    assert intake.post(envelope(("event", EVENT))).status_code == 200
    time.sleep(3.1)
    refused = intake.post(envelope(("event", EVENT)))
    assert (refused.status_code, refused.json()["detail"]) == (403, "The key has ended; another one replaces it.")
    assert len(intake.envelopes()) == 1
    intake.stop()
    assert uses(intake) == {(KEY, True): 1, (KEY, False): 1}
    assert {row[4] for row in intake.counted()} >= {"ended_key"}


def test_an_archived_project_takes_nothing_whatever_its_key_says(intake: Intake):
    change(intake, archived=True)
    refused = intake.post(envelope(("event", EVENT)))
    assert (refused.status_code, refused.json()["detail"]) == (403, "The project is archived.")
    change(intake, archived=False)
    assert intake.post(envelope(("event", EVENT))).status_code == 200
    intake.stop()
    assert {row[4] for row in intake.counted()} >= {"archived_project"}


def test_a_key_nobody_knows_is_not_counted(intake: Intake):
    intake.post(envelope(("event", EVENT)), headers={"X-Sentry-Auth": f"Sentry sentry_key={'f' * 32}"})
    intake.stop()
    assert uses(intake) == {}
