"""The page that says whether everything could be restored, and the runs behind it."""

import dataclasses
import datetime as dt
import threading

import make
import pytest
import time_machine

from daytwo_server.core import clock, conf, jobs, preferences
from daytwo_server.core.models import AuditEntry, Fact, Job
from daytwo_server.operate.backup import runs
from daytwo_server.operate.models import BackupRun

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

MORNING = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where backups go, on an installation that has one. Its schedule is the default: every night at 3:17."""
    preferences.reset()
    monkeypatch.setattr(conf, "_current", dataclasses.replace(conf.current(), backup_dir=str(tmp_path / "nightly")))
    (tmp_path / "nightly").mkdir()
    return tmp_path / "nightly"


@pytest.fixture
def look(alice, signed_in):
    client = signed_in(alice)

    def page(method="get"):
        response = getattr(client, method)("/settings/backup/", follow=True)
        assert response.status_code == 200
        return response.content.decode()

    return page


def ran(ago=dt.timedelta(hours=6), *, state=BackupRun.State.DONE, checked="restored", **fields):
    began = clock.now() - ago
    told = {"cause": "scheduled", "planned_at": began, "bytes": 5_000_000, "file": f"/safe/{began:%d}.tar.zst"} | fields
    return BackupRun.objects.create(
        state=state, checked=checked, started_at=began, finished_at=began + dt.timedelta(seconds=8), heard_at=began, **told
    )  # fmt: skip


def test_without_a_folder_the_page_says_how_to_turn_it_on(look):
    page = look()
    assert "No backups are made by themselves" in page
    assert "DAYTWO_BACKUP_DIR=/var/backups/daytwo" in page
    assert "Back up now" not in page
    assert "Nothing was begun" in look("post")


def test_a_good_backup_is_shown_with_what_is_known_of_it(look, folder):
    with time_machine.travel(MORNING, tick=False):
        ran(dt.timedelta(hours=6))
        page = look()
    assert "Restore-tested" in page
    assert "4.8" in page
    assert "daytwo restore /safe/23.tar.zst --data-dir /var/lib/daytwo" in page
    assert "there should be a newer one" not in page


@pytest.mark.parametrize(("days", "late"), [(1, False), (2, True), (30, True)])
def test_a_backup_that_is_older_than_two_intervals_is_a_warning(look, folder, days, late):
    with time_machine.travel(MORNING, tick=False):
        ran(days * DAY + dt.timedelta(hours=5, minutes=30))
        assert ("there should be a newer one" in look()) is late


def test_a_failed_backup_says_why_and_that_an_older_one_is_good(look, folder):
    with time_machine.travel(MORNING, tick=False):
        ran(DAY)
        ran(state=BackupRun.State.FAILED, checked="", error="The backup needs 900 MB; 3 MB are free.", file="")
        page = look()
    assert "The last backup failed." in page
    assert "3 MB are free" in page
    assert "is good" in page


def test_the_button_asks_for_one_and_who_pressed_it_is_noted(look, folder, alice):
    assert "The backup begins" in look("post")
    run = BackupRun.objects.get()
    assert (run.cause, run.state, run.actor) == ("manual", "waiting", alice)
    assert Job.objects.filter(kind="operate.back_up").count() == 1
    entry = AuditEntry.objects.get(action="operate:backup:started")
    assert entry.actor_id == str(alice.pk)
    assert "It begins in a moment" in look()
    assert "under way already" in look("post")
    assert BackupRun.objects.count() == 1


def test_one_that_runs_is_shown_with_how_far_it_is(look, folder):
    ran(dt.timedelta(0), state=BackupRun.State.RUNNING, percent=41, step="copying telemetry")
    BackupRun.objects.update(finished_at=None, heard_at=clock.now())
    page = look()
    assert "41 %, copying telemetry" in page
    assert 'aria-valuenow="41"' in page


def test_the_number_of_queries_does_not_grow(look, folder, django_assert_max_num_queries):
    for back in range(25):
        ran(back * DAY)
    with django_assert_max_num_queries(12):
        look()


def test_the_first_one_is_planned_at_once_and_the_next_by_the_schedule(folder):
    with time_machine.travel(MORNING, tick=False) as now:
        assert runs.begin_if_due() is not None
        assert runs.begin_if_due() is None, "one is under way"
        BackupRun.objects.update(state=BackupRun.State.DONE)
        now.move_to(MORNING + dt.timedelta(hours=18, minutes=16))
        assert runs.begin_if_due() is None
        now.shift(dt.timedelta(minutes=5))
        assert runs.begin_if_due() is not None


def test_nights_that_were_missed_are_one_backup(folder):
    with time_machine.travel(MORNING, tick=False) as now:
        ran(10 * DAY)
        assert runs.begin_if_due() is not None
        BackupRun.objects.update(state=BackupRun.State.DONE)
        now.shift(dt.timedelta(minutes=5))
        assert runs.begin_if_due() is None


def test_a_schedule_that_was_changed_on_a_page_holds_from_then_on(folder, alice):
    with time_machine.travel(MORNING, tick=False) as now:
        ran()
        preferences.change({"backup_every": "*/30 * * * *"}, versions={}, actor=alice)
        preferences.reset()
        now.shift(dt.timedelta(minutes=1))
        assert runs.begin_if_due() is not None
    preferences.reset()


def test_without_a_folder_nothing_is_planned():
    assert runs.begin_if_due() is None
    jobs.run_due_jobs()
    assert not BackupRun.objects.exists()


def test_a_run_whose_process_is_gone_stands_in_nobodys_way(look, folder, alice):
    ran(dt.timedelta(hours=1), state=BackupRun.State.RUNNING)
    BackupRun.objects.update(finished_at=None)
    assert runs.begin_now(alice) is not None


def test_a_failure_is_recorded_as_a_fact_and_not_tried_again_within_seconds(folder, tmp_path, monkeypatch, alice):
    gone = dataclasses.replace(conf.current(), data_dir=tmp_path / "gone")
    monkeypatch.setattr(conf, "_current", gone)
    runs.begin_now(alice)
    jobs.run_due_jobs(tick=False)
    run = BackupRun.objects.get()
    assert run.state == "failed"
    assert "There is nothing to back up" in run.error
    assert Fact.objects.filter(name="BackupFailed").count() == 1
    assert not Job.objects.filter(kind="operate.back_up").exists()


def test_a_process_without_a_folder_leaves_the_job_to_another(folder, alice, monkeypatch):
    runs.begin_now(alice)
    monkeypatch.setattr(conf, "_current", dataclasses.replace(conf.current(), backup_dir=""))
    jobs.run_due_jobs(tick=False)
    assert Job.objects.get(kind="operate.back_up").state == Job.State.READY
    assert BackupRun.objects.get().state == "waiting"


def test_who_may_not_manage_backups_is_told_who_may(bob, charlie, signed_in):
    assert "Owner or Admin" in signed_in(bob).get("/settings/backup/").text
    assert signed_in(charlie).get("/settings/backup/").status_code == 404
    assert signed_in(make.member("Ann", role=make.Role.ADMIN)).get("/settings/backup/").status_code == 200


def test_no_thread_is_left_behind():
    assert not [thread for thread in threading.enumerate() if thread.name == "backup"]
