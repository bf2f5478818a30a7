"""Which scheduled backups stay."""

import datetime as dt

import pytest

from daytwo_server.core import conf
from daytwo_server.core.conf import Keep
from daytwo_server.operate.backup import archive, files, rotation
from daytwo_server.operate.backup.progress import Progress

NIGHT = dt.datetime(2026, 11, 23, 3, 17, tzinfo=dt.UTC)


def nights(number):
    return [NIGHT - dt.timedelta(days=back) for back in range(number)]


def test_the_newest_of_each_day_week_and_month_stays():
    stay = rotation.kept(nights(400), Keep(7, 4, 6))
    days = [f"{at:%m-%d}" for at in sorted(stay, reverse=True)]
    assert days[:7] == ["11-23", "11-22", "11-21", "11-20", "11-19", "11-18", "11-17"]
    assert days[7:] == ["11-15", "11-08", "10-31", "09-30", "08-31", "07-31", "06-30"], "Sundays, then ends of months"


def test_of_several_on_an_earlier_day_the_newest_stays_and_all_of_the_last_24_hours():
    noon, days = dt.timedelta(hours=9), dt.timedelta(days=3)
    today, earlier = [NIGHT, NIGHT + noon], [NIGHT - days, NIGHT - days + noon]
    assert rotation.kept(today + earlier, Keep(7, 0, 0)) == {*today, earlier[1]}


def test_while_none_is_made_none_is_removed():
    old = [at - dt.timedelta(days=1000) for at in nights(7)]
    assert rotation.kept(old, Keep(7, 4, 6)) == set(old)


def test_the_newest_stays_whatever_is_asked_for():
    assert rotation.kept(nights(3), Keep(0, 0, 1)) == {NIGHT}
    assert rotation.kept([], Keep(7, 4, 6)) == set()


def write(folder, at, fingerprint):
    path = folder / rotation.name_of(at)
    manifest = archive.Manifest(
        format=1, version="0.1.0", taken_at=at, holds_key=True, fingerprint=fingerprint, stores={}, members=[]
    )
    with files.draft(folder / "partial") as handle:
        archive.write(handle, manifest, [], Progress())
        (folder / "partial").rename(path)
    return path


def test_only_what_this_installation_made_is_ever_removed(tmp_path):
    mine = [write(tmp_path, at, name) for at, name in zip(nights(3), ["mine", "mine", "mine before"], strict=True)]
    others = write(tmp_path, NIGHT - dt.timedelta(days=90), "another installation")
    unreadable = tmp_path / rotation.name_of(NIGHT - dt.timedelta(days=91))
    unreadable.write_bytes(b"cut off")
    notes = tmp_path / "daytwo-before-upgrade.tar.zst"
    notes.touch()
    assert rotation.rotate(tmp_path, Keep(2, 0, 0), {"mine", "mine before"}) == [mine[2]]
    assert sorted(tmp_path.iterdir()) == sorted([*mine[:2], others, unreadable, notes])


@pytest.mark.parametrize("text", ["7d 4w 6m", "7d,4w,6m", "7D, 4w,6m"])
def test_what_is_kept_is_written_in_days_weeks_and_months(text):
    configured = conf.load({"DAYTWO_BACKUP_KEEP": text})
    assert configured.backup_keep == Keep(7, 4, 6)
    assert conf.as_text(configured.backup_keep) == "7d 4w 6m"


@pytest.mark.parametrize(("name", "text"), [
    ("DAYTWO_BACKUP_KEEP", "everything"), ("DAYTWO_BACKUP_KEEP", "0d 0w 0m"),
    ("DAYTWO_BACKUP_EVERY", "nightly"), ("DAYTWO_BACKUP_EVERY", "17 25 * * *"),
])  # fmt: skip
def test_a_wrong_schedule_stops_the_start_and_is_named(name, text):
    with pytest.raises(conf.ConfError, match=f"{name} is '{text.replace('*', '.')}'; allowed is"):
        conf.load({name: text})
