"""`daytwo flags`, against a server that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daytwo_server.main.cli.flags import pushing
from daytwo_server.main.cli.flags.remote import Remote

FILE = """
segments:
  nordic:
    conditions:
    - {attribute: country, operator: in, values: [SE, NO]}
flags:
  banner:
    type: string
    variants: [{name: on, value: big}, {name: off, value: none}]
    environments:
      production:
        enabled: true
        prerequisites: [{flag: zebra}]
        rules: [{name: Nordic, conditions: [{operator: segment, values: [nordic]}], variant: on}]
  zebra:
    environments:
      production: {enabled: true, rolloutPercentage: 12.5}
      staging: {enabled: false}
"""


@pytest.fixture
def site(shop):
    site = shop()
    site.start()
    return site


def flags(site: Any, *arguments: str | Path, token: str | None = None) -> Any:
    """`daytwo flags ...` with the token that setup made."""
    env = {"DAYTWO_URL": site.url, "DAYTWO_TOKEN": site.keys["api_token"] if token is None else token}
    return subprocess.run(
        [sys.executable, "-m", "daytwo_server.main", "flags", *map(str, arguments)],
        capture_output=True, text=True, env={**site.env, **env}, check=False, timeout=60,
    )  # fmt: skip


def test_what_is_pushed_is_what_is_pulled_and_a_second_push_changes_nothing(site, tmp_path):
    file = tmp_path / "flags.yaml"
    file.write_text(FILE)
    looked = flags(site, "push", file, "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert "banner in production (new)" in looked.stdout
    assert "3 would change, 0 refused" in looked.stdout
    pushed = flags(site, "push", file, "--reason", "From git")
    assert pushed.returncode == 0, pushed.stderr
    assert "3 changed, 0 refused" in pushed.stdout
    again = flags(site, "push", file)
    assert again.stdout.splitlines()[-1] == "0 changed, 0 refused"
    pulled = tmp_path / "pulled.yaml"
    done = flags(site, "pull", pulled, "--environment", "production", "--environment", "staging")
    assert done.returncode == 0, done.stderr
    assert "rolloutPercentage: 12.5" in pulled.read_text()
    assert flags(site, "push", pulled).stdout.splitlines()[-1] == "0 changed, 0 refused"
    pulled.write_text(pulled.read_text().replace("12.5", "50"))
    raised = flags(site, "push", pulled)
    assert "zebra in production\n  - rolloutPercentage: 12.5\n  + rolloutPercentage: 50\n" in raised.stdout


def test_what_is_refused_is_said_with_its_field_and_ends_with_one(site, tmp_path):
    file = tmp_path / "flags.yaml"
    file.write_text("flags: {a: {environments: {production: {rules: [{conditions: [{operator: like}]}]}}}}")
    done = flags(site, "push", file)
    assert done.returncode == 1
    assert "a is refused: rules[0].conditions[0].operator: there is no operator 'like'" in done.stderr


def test_a_file_of_another_system_is_imported_and_what_is_left_out_is_named(site, tmp_path):
    file = tmp_path / "flags.json"
    rows = [{"name": "new-export", "enabled": True, "allowedPlans": ["pro"]}, {"name": "no key!", "enabled": True}]
    file.write_text(json.dumps(rows))
    done = flags(site, "import", file, "--format", "reference")
    assert done.stdout == "imported new-export\n"
    assert done.stderr.startswith("left out no key!: its name is no key")
    assert done.returncode == 1


def test_a_wrong_token_a_wrong_file_and_no_server_are_said_in_words(site, tmp_path):
    file = tmp_path / "flags.yaml"
    file.write_text("[1, 2]")
    assert "401" in flags(site, "pull", tmp_path / "x.yaml", token="dt_wrong").stderr
    assert "DAYTWO_TOKEN" in flags(site, "pull", tmp_path / "x.yaml", token="").stderr
    assert flags(site, "push", file).stderr == "The file has `segments` and `flags` at its top, and nothing else.\n"
    site.stop()
    gone = flags(site, "pull", tmp_path / "x.yaml")
    assert "does not answer" in gone.stderr
    assert "Traceback" not in gone.stderr


class Counting(Remote):
    """Says what it was asked for."""

    def __init__(self, *where: str) -> None:
        super().__init__(*where)
        self.asked: list[str] = []

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        self.asked.append(f"{method} {path}")
        return super()._ask(method, path, **more)


def test_a_push_asks_again_for_the_flag_that_it_changed_and_for_no_other(site, capsys):
    wanted = {f"flag-{n}": {"kind": "ops", "environments": {"production": {}, "staging": {}}} for n in range(3)}
    with Counting(site.url, site.keys["api_token"], "") as remote:
        assert pushing.push({"segments": {}, "flags": wanted}, remote, reason="", dry_run=False) == 0
        wanted["flag-1"]["kind"] = "release"
        remote.asked.clear()
        assert pushing.push({"segments": {}, "flags": wanted}, remote, reason="", dry_run=False) == 0
    assert capsys.readouterr().out.endswith("1 changed, 0 refused\n")
    assert remote.asked == ["GET /flags", "GET /flags", "PUT /flags/flag-1", "GET /flags/flag-1"]


def test_the_values_of_variants_come_through_a_file_as_they_are(site, tmp_path):
    values = {"limits": {"per_day": None, "plans": [], "note": ""}, "none": {"limits": [None, {}]}}
    variants = [{"name": name, "value": value} for name, value in values.items()]
    body = {"type": "object", "variants": variants, "defaultVariant": "limits", "offVariant": "none"}
    with Remote(site.url, site.keys["api_token"], "") as remote:
        remote.put_flag("limits", "production", body, revision=None)
        file = tmp_path / "flags.yaml"
        assert flags(site, "pull", file).returncode == 0
        assert flags(site, "push", file).stdout.endswith("0 changed, 0 refused\n")
        file.write_text(file.read_text() + "    description: Pushed\n")
        assert "1 changed, 0 refused" in flags(site, "push", file).stdout
        [now] = remote.flags("production").values()
    assert (now["variants"], now["description"]) == (variants, "Pushed")
