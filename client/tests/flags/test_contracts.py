"""What every evaluator has to answer, in whatever language."""

import json
from pathlib import Path

import pytest

from daytwo.flags import Ruleset

CONTRACT = json.loads((Path(__file__).parents[3] / "contracts" / "flag-evaluations.json").read_text())
RULESET = Ruleset(CONTRACT["snapshot"])


@pytest.mark.parametrize("key", [one["key"] for one in CONTRACT["snapshot"]["flags"]])
def test_answers_are_those_that_are_pinned(key):
    cases = [one for one in CONTRACT["cases"] if one["flag"] == key]
    assert len(cases) > 10
    for case in cases:
        found = RULESET.evaluate(key, case["context"])
        shown = {name: getattr(found, name) for name in ("variant", "enabled", "reason", "source", "rule", "error")}
        assert shown == {name: case[name] for name in shown}, case["context"]
