"""Rules about the source that no linter sees."""

import ast
import re
from pathlib import Path

import pytest

import daytwo_server

PACKAGE = Path(daytwo_server.__file__).parent
ROOMS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
TEMPLATE_USE = re.compile(r"{%\s*(?:include|extends)\s+[\"']([^\"']+)[\"']")
FOREIGN_HOST = re.compile(r"(?:src|href)=[\"'](?:https?:)?//", re.IGNORECASE)


def _templates() -> list[Path]:
    return sorted(PACKAGE.glob("*/templates/**/*.*"))


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def test_templates_use_only_their_own_room_and_ui():
    foreign = [
        f"{path.relative_to(PACKAGE)} uses {used}"
        for path in _templates()
        for used in TEMPLATE_USE.findall(path.read_text())
        if used.split("/")[0] in ROOMS - {_room(path), "ui"}
    ]
    assert foreign == []


def test_templates_hold_no_inline_script_no_handler_and_no_foreign_host():
    guilty = []
    for path in _templates():
        text = path.read_text()
        if (
            re.search(r"<script(?![^>]*\bsrc=)", text)
            or re.search(r"\son[a-z]+=[\"']", text)
            or FOREIGN_HOST.search(text)
        ):
            guilty.append(str(path.relative_to(PACKAGE)))
    assert guilty == []


def test_nothing_asks_json_what_only_one_database_can_answer():
    guilty = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"ArrayField|contrib\.postgres|__contained_by", path.read_text())
    ]
    assert guilty == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_now_is_asked_of_the_clock(path):
    if path.name == "clock.py" or "migrations" in path.parts:
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {ast.unparse(call.func) for call in calls}
    assert not names & {"datetime.now", "dt.datetime.now", "timezone.now", "datetime.utcnow"}


def test_no_file_is_a_god():
    long = {
        str(path.relative_to(PACKAGE)): lines
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 450
    }
    assert long == {}


def test_numbers_in_addresses_are_ones_a_database_can_hold():
    assert [str(path) for path in PACKAGE.rglob("*.py") if "<int:" in path.read_text()] == []
