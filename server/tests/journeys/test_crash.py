"""kill -9 loses nothing that was acknowledged and counts nothing twice."""

import crash
import pytest
from installation import Installation

ROUNDS = 3  # `make bench` does 100


@pytest.mark.slow
def test_killed_in_a_storm_every_acknowledged_event_is_there_and_none_twice(tmp_path):
    site = Installation(tmp_path / "data")
    keys = site.setup()
    acked = set()
    try:
        for seconds in (0.5, 1.0, 1.5)[:ROUNDS]:
            acked |= crash.storm(site, keys["dsn"], seconds=seconds)
        site.start()
        verdict = crash.check(site, acked)
    finally:
        site.stop()
    assert verdict["acked"] > 100
    assert (verdict["lost"], verdict["twice"], verdict["miscounted"]) == (0, 0, 0)
