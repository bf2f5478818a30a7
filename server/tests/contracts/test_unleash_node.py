"""The released Unleash client of node, fed by the doors."""

from __future__ import annotations

import json
import random

import npm
import pytest
import random_flags
from doors import SERVER_KEY, running, until

from daytwo.flags import Ruleset

SCRIPT = """
const { initialize } = require("unleash-client");
const { readFileSync } = require("fs");
const [url, key, file] = process.argv.slice(2);
const unleash = initialize({
  url: `${url}/unleash/api/`, appName: "shop", customHeaders: { Authorization: key }, metricsInterval: 300,
  backupPath: process.cwd(),
});
unleash.on("error", (error) => { console.error(error); process.exit(2); });
unleash.on("synchronized", () => {
  for (const [flag, context] of JSON.parse(readFileSync(file))) {
    const found = unleash.getVariant(flag, context);
    console.log(JSON.stringify([found.feature_enabled, found.enabled ? found.name : "off"]));
  }
  setTimeout(() => { unleash.destroy(); process.exit(0); }, 1000);
});
"""


def theirs(context):
    return {"userId" if name == "targetingKey" else name: value for name, value in context.items()}


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return npm.installed(tmp_path_factory.mktemp("unleash"), "unleash-client@6.12.1")


def test_random_answers_agree_and_its_counts_arrive(modules):
    dice = random.Random(7)
    flags = random_flags.flags(dice, 100)
    ruleset = Ruleset({"format": 1, "flags": flags, "segments": random_flags.SEGMENTS})
    with running(*flags, segments=random_flags.SEGMENTS) as doors:
        known = [one["name"] for one in doors.ask("/unleash/api/client/features").json()["features"]]
        asked = [(dice.choice(known), random_flags.context(dice)) for _ in range(2000)]
        questions = modules / "asked.json"
        questions.write_text(json.dumps([(key, theirs(context)) for key, context in asked]))
        said = npm.run(modules, SCRIPT, doors.url, SERVER_KEY, str(questions))
        for (key, context), (is_on, variant) in zip(asked, said, strict=True):
            ours = ruleset.evaluate(key, context)
            is_text = ruleset.written[key].get("type") == "string"
            expected = (ours.enabled, ours.variant if is_text else "off")
            assert (is_on, variant) == expected, (key, context, ruleset.written[key])
        until(lambda: sum(doors.counted().values()) == len(asked))
        assert {batch.service for batch in doors.batches} == {"shop"}
