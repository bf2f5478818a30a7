"""How good the grouping is, in numbers, on a corpus whose answers are known."""

from __future__ import annotations

from collections import Counter
from random import Random

from bug_sites import SITES

from daytwo_server.errors.grouping import group
from daytwo_server.errors.normalize import normalize
from daytwo_server.errors.scrub import scrub

PER_SITE = 50
NOW = 1_795_410_060.0


def test_of_two_events_in_one_issue_98_of_100_pairs_are_one_bug_and_of_two_of_one_bug_95_share_an_issue():
    rng = Random(20261123)
    events = [(number, site(rng)) for number, site in enumerate(SITES) for _ in range(PER_SITE)]
    rng.shuffle(events)
    issue_of_hash: dict[str, int] = {}
    found = Counter((number, _issue(raw, issue_of_hash)) for number, raw in events)
    together = _pairs(found.values())
    by_site, by_issue = Counter[int](), Counter[int]()
    for (number, issue), count in found.items():
        by_site[number] += count
        by_issue[issue] += count
    precision, recall = together / _pairs(by_issue.values()), together / _pairs(by_site.values())
    assert len(SITES) >= 60
    assert precision >= 0.98
    assert recall >= 0.95
    assert len(by_issue) < 2 * len(SITES)


def _issue(raw, issue_of_hash):
    """The issue an event belongs to, by the rule in `grouping.rules.group`."""
    event, _ = scrub(normalize(raw, received=NOW))
    hashes = [one.hash for one in group(event).hashes]
    for digest in hashes:
        if digest in issue_of_hash:
            issue_of_hash.setdefault(hashes[0], issue_of_hash[digest])
            return issue_of_hash[digest]
    issue = len(set(issue_of_hash.values()))
    issue_of_hash.update(dict.fromkeys(hashes, issue))
    return issue


def _pairs(sizes):
    return sum(size * (size - 1) // 2 for size in sizes)
