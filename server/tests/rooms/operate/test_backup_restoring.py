"""A restore that is cut off: whoever comes next finishes it, or is told."""

import pytest

from daytwo_server.operate.backup import archive, files, restoring
from daytwo_server.operate.backup.problems import BackupError, Busy, Damaged

NEW = {"daytwo.db": "new", "telemetry.db": "new", "secret-key": "new"}
OLD = {"daytwo.db": "old", "telemetry.db": "old", "notes": "old"}


@pytest.fixture
def data_dir(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def put(folder, content):
    folder.mkdir(exist_ok=True)
    for name, text in content.items():
        (folder / name).write_text(text)


def read(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def check_all_is_in_place(data_dir):
    assert restoring.finish(data_dir) == ""
    assert read(data_dir) == NEW
    [aside] = [path for path in data_dir.iterdir() if path.is_dir()]
    assert aside.name.startswith("before-restore-20")
    assert read(aside) == OLD


@pytest.mark.parametrize("moved", range(len(OLD) + 1))
def test_cut_off_while_the_old_moves_aside_the_next_start_goes_on(data_dir, moved):
    put(data_dir / ".replacing", NEW)
    put(data_dir, dict(list(OLD.items())[moved:]))
    if moved:
        put(data_dir / "before-restore-unfinished", dict(list(OLD.items())[:moved]))
    check_all_is_in_place(data_dir)


@pytest.mark.parametrize("moved", range(len(NEW) + 1))
def test_cut_off_while_the_new_moves_in_the_next_start_goes_on(data_dir, moved):
    put(data_dir / "before-restore-20261123T031700Z", OLD)
    put(data_dir / ".restored", dict(list(NEW.items())[moved:]))
    put(data_dir, dict(list(NEW.items())[:moved]))
    check_all_is_in_place(data_dir)


def test_cut_off_before_anything_was_put_in_place_the_next_start_is_refused(data_dir):
    put(data_dir, OLD)
    put(data_dir / ".restoring", NEW)
    assert "was cut off before anything was put in place" in restoring.finish(data_dir)
    assert read(data_dir) == OLD


def test_the_next_restore_begins_anew(data_dir, tmp_path):
    put(data_dir / ".restoring", {"daytwo.db": "half"})
    with restoring.into(data_dir, tmp_path / "file", force=False) as building:
        assert list(building.iterdir()) == []
        put(building, NEW)
        assert restoring.settle(data_dir, tmp_path / "file") is None
    assert read(data_dir) == NEW


def test_an_untouched_directory_starts(data_dir):
    put(data_dir, OLD)
    assert restoring.finish(data_dir) == ""
    assert restoring.finish(data_dir / "missing") == ""


def test_two_at_once_are_refused_by_name(data_dir, tmp_path):
    with files.alone(data_dir), pytest.raises(Busy, match=r"A backup or restore of .* is under way"):  # noqa: SIM117
        with restoring.into(data_dir, tmp_path / "file", force=False):
            pass


def test_a_directory_with_nothing_but_the_backup_itself_counts_as_empty(data_dir):
    put(data_dir, {"daytwo.tar.zst": "the archive"})
    file = data_dir / "daytwo.tar.zst"
    with restoring.into(data_dir, file, force=False) as building:
        put(building, NEW)
        restoring.settle(data_dir, file)
    assert read(data_dir) == NEW | {"daytwo.tar.zst": "the archive"}


def test_a_refused_restore_leaves_no_directory_behind(tmp_path):
    def give_up():
        raise BackupError("no")

    with pytest.raises(BackupError, match="no"), restoring.into(tmp_path / "new", tmp_path / "file", force=False):
        give_up()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../secret-key", "/etc/passwd", "spool/../../x", "a/b/c/d", ".hidden", "spool//x"])
def test_an_archive_that_names_a_strange_file_is_refused(tmp_path, name):
    content = tmp_path / "content"
    content.write_text("x")
    manifest = archive.Manifest(
        format=1, version="0.1.0", taken_at=restoring.clock.now(), holds_key=True, fingerprint="", stores={},
        members=[archive.Member(name, 1, "0" * 64)],
    )  # fmt: skip
    with files.draft(tmp_path / "partial") as handle:
        archive.write(handle, manifest, [archive.Staged(name, content)], restoring_progress())
        (tmp_path / "partial").rename(tmp_path / "file")
    with pytest.raises(Damaged, match="names a file that no backup has"), archive.opened(tmp_path / "file"):
        pass


def restoring_progress():
    from daytwo_server.operate.backup.progress import Progress

    return Progress()
