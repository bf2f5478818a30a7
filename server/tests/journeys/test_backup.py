"""One file that holds everything: made while events arrive, restored elsewhere, and nothing is missing."""

import itertools
import random
import re
import sqlite3
import subprocess
import time

import past
import psycopg
import pytest
from backups import back_up, leftovers, manifest, refused, restore, run
from installation import MODULE, Installation
from postgres import create_database
from storm import Storm, check_nothing_lost, doctor, eventually, signed_in

_names = itertools.count()


@pytest.fixture
def stores(request, store):
    """`stores()` is the environment of empty stores of the kind under test."""
    if store == "sqlite":
        return dict
    server = request.getfixturevalue("postgres")
    return lambda: {"DATABASE_URL": create_database(server.url("daytwo"), f"restored{next(_names)}")}


@pytest.fixture
def site(request, shop, store):
    """A furnished installation on the kind of store under test. `elsewhere()` is one with nothing in it yet."""
    return shop(env={"DATABASE_URL": request.getfixturevalue("database")} if store == "postgres" else {})


@pytest.fixture
def elsewhere(site, stores, tmp_path):
    made = []

    def build():
        other = Installation(tmp_path / f"elsewhere{len(made)}", env=site.env | stores())
        other.keys = site.keys
        made.append(other)
        return other

    yield build
    for other in made:
        other.stop()


@pytest.fixture
def file(tmp_path):
    (tmp_path / "safe").mkdir()
    return tmp_path / "safe" / "daytwo.tar.zst"


def test_what_was_acknowledged_before_a_backup_in_a_storm_is_in_it_and_all_counters_agree(site, elsewhere, file):
    site.start()
    with Storm(site, 1200, rate_per_s=300, groups=20) as storm:
        eventually(lambda: storm.outcome.codes["200"] > 400)
        before = storm.acked
        back_up(site, file)
        was_in_the_middle = not storm.is_over()  # unless the machine is very slow
    assert storm.outcome.codes == {"200": 1200}
    check_nothing_lost(site, storm.acked)
    other = elsewhere()
    restore(other, file)
    other.start()
    check_nothing_lost(other, before)
    assert other.events() < 1200 or not was_in_the_middle
    assert doctor(other) == []
    assert leftovers(file.parent, site.data_dir, other.data_dir) == []


def test_a_restored_installation_goes_on_as_if_nothing_had_happened(site, elsewhere, file):
    memory = past.live_through(site)
    back_up(site, file)
    other = elsewhere()
    said = restore(other, file)
    assert f"{other.data_dir} is as it was at " in said
    assert (other.data_dir / "secret-key").stat().st_mode & 0o777 == 0o600
    other.start()
    past.check_kept(other, memory)
    with Storm(other, 20, rate_per_s=200) as storm:
        pass
    check_nothing_lost(other, storm.acked | set(memory.acked))
    assert doctor(other) == []


def test_a_check_restores_aside_and_says_what_it_found(site, file):
    site.start()
    with Storm(site, 30, rate_per_s=300) as storm:
        pass
    site.wait_for_events(len(storm.acked))
    back_up(site, file)
    done = run(site, "backup", "--verify", file)
    assert done.returncode == 0, done.stderr
    assert "can be restored: it was" in done.stdout
    assert "30 events, 30 event bodies" in done.stdout
    assert leftovers(file.parent, site.data_dir) == []


def test_the_file_is_for_its_owner_only_and_can_be_unpacked_by_hand(site, file, tmp_path):
    back_up(site, file)
    assert file.stat().st_mode & 0o777 == 0o600
    told = manifest(file)
    assert told["holds_key"] is True
    by_hand = tmp_path / "by-hand"
    by_hand.mkdir()
    if subprocess.run(["tar", "--zstd", "-xf", file, "-C", by_hand], capture_output=True).returncode:
        pytest.skip("this tar knows no zstd: GNU tar 1.31 with zstd does")
    assert {member["name"] for member in told["members"]} | {"manifest.json"} == {
        str(path.relative_to(by_hand)) for path in by_hand.rglob("*") if path.is_file()
    }
    assert (by_hand / "secret-key").read_text() == (site.data_dir / "secret-key").read_text()


def test_every_file_of_a_data_directory_is_in_the_backup_or_made_anew(site, file):
    """Who adds another kind of file has to decide which of the two it is."""
    site.start()
    with Storm(site, 5, rate_per_s=100):
        pass
    back_up(site, file)
    kept = {member["name"].partition("/")[0] for member in manifest(file)["members"]}
    anew = {"static", "start.lock"} | {f"{name}.db-{end}" for name in ("daytwo", "telemetry") for end in ("wal", "shm")}
    if "DATABASE_URL" in site.env:
        anew |= {"daytwo.db", "telemetry.db"}  # left by the furnished installation, which was on SQLite
    assert {path.name for path in site.data_dir.iterdir()} <= kept | anew
    spool = {path.name for path in (site.data_dir / "spool").iterdir() if path.suffix != ".seg"}
    assert spool <= {"node", "quarantine", "digest.json", "writer.lock", "digest.lock"}


def test_a_key_from_the_environment_is_not_in_the_file_and_the_restore_says_so(site, elsewhere, file):
    done = run(site, "backup", file, env={"DAYTWO_SECRET_KEY": "from outside"})
    assert "It does not hold the secret key" in done.stdout
    names = {member["name"] for member in manifest(file)["members"]}
    assert ("secret-key" in names, len(names) > 1) == (False, True)
    assert "DAYTWO_SECRET_KEY gave it. Set it to the same value" in restore(elsewhere(), file)
    wrong = run(elsewhere(), "restore", file, env={"DAYTWO_SECRET_KEY": "another"})
    assert "DAYTWO_SECRET_KEY is another one than when the backup was made" in wrong.stdout
    right = run(elsewhere(), "restore", file, env={"DAYTWO_SECRET_KEY": "from outside"})
    assert "DAYTWO_SECRET_KEY" not in right.stdout


def test_what_would_overwrite_something_is_refused(site, elsewhere, file):
    site.start()
    back_up(site, file)
    assert "exists already" in refused(site, "backup", file)
    back_up(site, file, "--force")
    assert "Daytwo runs on" in refused(site, "restore", file, "--force")
    site.stop()
    told = refused(site, "restore", file)
    assert "is not empty" in told
    assert "--force" in told
    assert "does not exist" in refused(elsewhere(), "backup", file.with_name("other"))
    assert "Make it" in refused(site, "backup", file.parent / "missing" / "file")


def test_force_moves_what_was_there_aside_and_deletes_nothing(site, file):
    site.start()
    with Storm(site, 10, rate_per_s=100):
        pass
    site.wait_for_events(10)
    back_up(site, file)
    with Storm(site, 10, rate_per_s=100):
        pass
    site.wait_for_events(20)
    site.stop()
    said = restore(site, file, "--force")
    assert site.events() == 10
    [aside] = site.data_dir.glob("before-restore-*")
    assert str(aside) in said
    assert (aside / "secret-key").exists()
    if "DATABASE_URL" in site.env:
        [schema] = re.findall(r"before_restore_\w+_default", said)
        assert site.query(f"SELECT count(*) FROM {schema}.errors_event") == [(20,)]
    else:
        with sqlite3.connect(aside / "daytwo.db") as before:
            assert before.execute("SELECT count(*) FROM errors_event").fetchone() == (20,)
        before.close()
    site.start()
    assert doctor(site) == []


def test_a_full_disk_is_told_before_anything_is_written(site, file):
    told = refused(site, "backup", file, env={"DAYTWO_MIN_FREE_DISK_MB": "9000000"})
    assert "The backup needs" in told
    assert "MB are free" in told
    assert not file.exists()
    assert leftovers(file.parent, site.data_dir) == []


@pytest.mark.parametrize("damage", ["a bit", "the end", "the beginning"])
def test_a_damaged_file_is_refused_and_leaves_nothing(site, elsewhere, file, damage):
    raw = bytearray(back_up(site, file).read_bytes())
    if damage == "a bit":
        raw[len(raw) * 2 // 3] ^= 1
    elif damage == "the end":
        del raw[-len(raw) // 4 :]
    else:
        raw[:4] = b"junk"
    file.write_bytes(raw)
    other = elsewhere()
    told = refused(other, "restore", file).splitlines()[-1]  # lines before it say how far it was
    assert "damaged" in told or "cut off" in told or "no backup" in told
    assert not other.data_dir.exists()
    assert refused(site, "backup", "--verify", file).splitlines()[-1] == told
    assert leftovers(file.parent) == []


def test_a_backup_of_the_other_kind_of_store_is_refused(site, elsewhere, file, request):
    back_up(site, file)
    other = elsewhere()
    if "DATABASE_URL" in site.env:
        del other.env["DATABASE_URL"]
        assert "from PostgreSQL, but this installation keeps it in SQLite" in refused(other, "restore", file)
    else:
        other.env["DATABASE_URL"] = "postgres://daytwo@127.0.0.1:1/nowhere"
        assert "from SQLite, but this installation keeps it in PostgreSQL" in refused(other, "restore", file)
    assert not other.data_dir.exists()


def test_a_backup_of_a_newer_version_is_refused(site, elsewhere, file):
    later = "INSERT INTO django_migrations (app, name, applied) VALUES ('errors', '9999_later', '2030-01-01')"
    if "DATABASE_URL" in site.env:
        with psycopg.connect(site.env["DATABASE_URL"]) as connection:
            connection.execute(later)
    else:
        with sqlite3.connect(site.data_dir / "daytwo.db") as connection:
            connection.execute(later)
        connection.close()
    back_up(site, file)
    other = elsewhere()
    told = refused(other, "restore", file)
    assert "newer than this one" in told
    assert "errors.9999_later" in told
    assert not other.data_dir.exists()


def test_a_kill_at_any_moment_of_a_backup_leaves_nothing_that_could_be_taken_for_one(site, file):
    site.start()
    with Storm(site, 200, rate_per_s=400):
        pass
    took = _seconds(lambda: back_up(site, file.with_name("first")))
    for _ in range(8):
        _kill_after(random.uniform(0.3, took), site, "backup", file, "--force")
        if file.exists():  # the rename was faster
            assert run(site, "backup", "--verify", file).returncode == 0
    back_up(site, file, "--force")
    assert leftovers(file.parent, site.data_dir) == []
    assert run(site, "backup", "--verify", file).returncode == 0


def test_a_kill_at_any_moment_of_a_restore_leaves_nothing_that_serves_half(site, elsewhere, file):
    site.start()
    with Storm(site, 200, rate_per_s=400) as storm:
        pass
    site.wait_for_events(200)
    back_up(site, file)
    took = _seconds(lambda: restore(elsewhere(), file))
    for _ in range(5):
        other = elsewhere()
        _kill_after(random.uniform(0.3, took), other, "restore", file)
        started = run(other, "migrate") if other.data_dir.exists() and any(other.data_dir.iterdir()) else None
        if started is None or started.returncode:
            assert started is None or "was cut off" in started.stderr
            restore(other, file, "--force")
        other.start()
        check_nothing_lost(other, storm.acked)
        other.stop()
        assert leftovers(other.data_dir) == []


def test_a_server_with_a_folder_for_backups_makes_and_tests_the_first_one_by_itself(elsewhere, tmp_path):
    site = elsewhere()  # one that has not run yet: it looks at once, and every five minutes from then on
    site.setup()
    site.env["DAYTWO_BACKUP_DIR"] = str(tmp_path / "nightly")
    site.start()
    found = "SELECT cause, checked, file FROM operate_backuprun WHERE state = 'done'"
    [(cause, checked, file)] = eventually(lambda: site.query(found))
    assert (cause, checked) == ("scheduled", "restored")
    with signed_in(site) as alice:
        page = alice.get("/settings/backup/").text
    assert "Restore-tested" in page
    assert file in page
    assert site.query("SELECT count(*) FROM core_fact WHERE name = 'BackupTaken'") == [(1,)]
    other = elsewhere()
    restore(other, file)
    assert other.query("SELECT count(*) FROM operate_backuprun") == [(0,)], "the one that was being made is forgotten"


@pytest.mark.parametrize("name", past.names())
def test_a_backup_of_an_earlier_schema_is_brought_to_this_one(tmp_path, stores, file, name):
    """As before an upgrade: the new version is installed, the databases are still the old one's."""
    site, other = (Installation(tmp_path / folder, env=stores()) for folder in ("data", "later"))
    memory = past.unpack(f"{name}-{'postgres' if 'DATABASE_URL' in site.env else 'sqlite'}", tmp_path)
    if "DATABASE_URL" in site.env:
        past.load_stores(tmp_path, site.env["DATABASE_URL"])
    back_up(site, file)
    assert run(site, "backup", "--verify", file).returncode == 0
    restore(other, file)
    other.start()
    try:
        past.check_kept(other, memory)
        assert doctor(other) == []
    finally:
        other.stop()


def test_where_the_role_may_make_no_database_the_listing_is_checked_and_told(shop, database, file):
    site = shop(env={"DATABASE_URL": database})
    with psycopg.connect(site.env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE ROLE modest LOGIN")
        connection.execute("GRANT daytwo TO modest")
    address = site.env["DATABASE_URL"].replace("daytwo@", "modest@")
    back_up(site, file)
    done = run(site, "backup", "--verify", file, env={"DATABASE_URL": address})
    assert done.returncode == 0, done.stderr
    assert "All checksums are right. It was not restored" in done.stdout
    assert "CREATEDB" in done.stdout


def _seconds(act):
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _kill_after(seconds, site, verb, *arguments):
    command = [*MODULE, verb, *map(str, arguments), "--data-dir", str(site.data_dir)]
    started = subprocess.Popen(command, env=site.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    started.kill()
    started.wait()
