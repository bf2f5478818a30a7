"""What the browser is given: small, ours, unchanged, and nothing that a strict security policy would refuse."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

import daytwo_server.ui
from daytwo_server.ui.storage import shrink_css, shrink_js

UI = Path(daytwo_server.ui.__file__).parent
STATIC = UI / "static/ui"
SHEETS = sorted((STATIC / "css").glob("*.css"))
SCRIPTS = sorted((STATIC / "js").glob("*.js"))
TEMPLATES = sorted((UI / "templates").rglob("*.html"))
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![\w-])|\b(?:rgba?|hsla?|hwb|lab|lch)\(")
FOREIGN = re.compile(r"(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)


def name(path: Path) -> str:
    return path.name


def without_comments(text: str) -> str:
    return re.sub(r"\{#.*?#\}|/\*.*?\*/", "", text, flags=re.DOTALL)


def test_shrinking_a_sheet_keeps_its_strings_and_its_meaning():
    sheet = """a > b { content: " {;,  } /* x */ "; /* gone */ margin: calc(1px + 2px) ; }
        @media (width < 4rem) { p :is(i, b) { top: 0 } }"""
    assert shrink_css(sheet) == (
        'a > b{content: " {;,  } /* x */ ";margin: calc(1px + 2px)}@media (width < 4rem){p :is(i,b){top: 0}}'
    )


@pytest.mark.parametrize("path", SHEETS, ids=name)
def test_shrinking_twice_changes_nothing_more_and_braces_balance(path):
    once = shrink_css(path.read_text())
    assert shrink_css(once) == once
    assert once.count("{") == once.count("}") == without_comments(path.read_text()).count("{")


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_shrinking_a_script_keeps_every_string_and_template_as_it_was_written(path):
    text = re.sub(r"^\s*//.*$|^/\*.*?\*/$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    once = shrink_js(path.read_text())
    assert shrink_js(once) == once
    for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`', text):
        assert literal in once
        assert literal[0] == '"' or "`" not in literal[1:-1]


@pytest.mark.parametrize("path", [path for path in SHEETS if path.name != "tokens.css"], ids=name)
def test_only_the_tokens_name_a_colour(path):
    assert COLOUR.findall(without_comments(path.read_text())) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_has_no_colour_no_inline_code_and_no_foreign_host(path):
    text = without_comments(path.read_text())
    assert [found for found in COLOUR.findall(text) if not re.search(rf'href="{found}"', text)] == []
    assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|javascript:|hx-on|js:", text) == []
    assert FOREIGN.findall(text) == []


@pytest.mark.parametrize("path", SCRIPTS + SHEETS, ids=name)
def test_scripts_and_sheets_name_no_foreign_host_and_evaluate_nothing(path):
    text = without_comments(path.read_text())
    assert FOREIGN.findall(text) == []
    assert (
        re.findall(r"\beval\(|new Function|\.(?:inner|outer)HTML|insertAdjacentHTML|document\.write|@import", text)
        == []
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_stands_alone(path):
    """Hashed names are not written into `import` statements, so a module that imports would load a stale copy."""
    assert re.findall(r"^(?:import|export)\b", path.read_text(), re.MULTILINE) == []


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")) + TEMPLATES + SCRIPTS, ids=name)
def test_ui_knows_no_word_of_the_domain(path):
    nouns = r"\b(?:issues?|tickets?|incidents?|alerts?|monitors?|deploys?|customers?|escalation|severity)\b"
    prose = r'"""[\s\S]*?"""|#[^\n]*' if path.suffix == ".py" else r"\{#.*?#\}|/\*[\s\S]*?\*/"
    code = re.sub(prose, "", path.read_text()).replace('role="alert"', "")
    assert re.findall(nouns, code, re.IGNORECASE) == []


@pytest.mark.parametrize(
    "entry", json.loads((STATIC / "vendor/MANIFEST.json").read_text()), ids=lambda entry: entry["file"]
)
def test_a_file_of_somebody_else_is_exactly_what_its_package_holds(entry):
    assert hashlib.sha256((STATIC / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


def test_every_file_of_somebody_else_is_in_the_manifest():
    listed = {entry["file"] for entry in json.loads((STATIC / "vendor/MANIFEST.json").read_text())}
    present = {
        f"{path.parent.name}/{path.name}" for folder in ("vendor", "fonts") for path in (STATIC / folder).iterdir()
    }
    assert present - {"vendor/MANIFEST.json"} == listed


def test_collected_files_have_hashed_names_inside_the_sheets_too(tmp_path):

    storages = {"staticfiles": {"BACKEND": "daytwo_server.ui.storage.StaticStorage"}}
    with override_settings(
        STATIC_ROOT=tmp_path, STORAGES=storages, STATICFILES_DIRS=[UI / "static"],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
    ):  # fmt: skip
        call_command("collectstatic", interactive=False, verbosity=0)
    paths = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    tokens = (tmp_path / paths["ui/css/tokens.css"]).read_text()
    assert paths["ui/fonts/inter-latin-wght-normal.woff2"].rpartition("/")[2] in tokens
    assert "/*" not in tokens
    keys = (tmp_path / paths["ui/js/keys.js"]).read_text()
    assert "/*" not in keys
    htmx = (tmp_path / paths["ui/vendor/htmx.min.js"]).read_bytes()
    assert htmx == (STATIC / "vendor/htmx.min.js").read_bytes()
    assert (tmp_path / (paths["ui/css/tokens.css"] + ".gz")).exists()
