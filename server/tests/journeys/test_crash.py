"""kill -9 loses nothing that was acknowledged and counts nothing twice."""

import crash
import pytest

ROUNDS = 3  # `make bench` does 100


@pytest.mark.slow
def test_killed_in_a_storm_every_acknowledged_event_is_there_and_none_twice(shop):
    site = shop()
    acked = set()
    for seconds in (0.5, 1.0, 1.5)[:ROUNDS]:
        acked |= crash.storm(site, site.keys["dsn"], seconds=seconds)
    site.start()
    verdict = crash.check(site, acked)
    assert verdict["acked"] > 100
    assert (verdict["lost"], verdict["twice"], verdict["miscounted"]) == (0, 0, 0)
