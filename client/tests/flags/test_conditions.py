"""What a condition says of what an app knows: true, false or unknown."""

import time
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

import pytest
from flag_server import flag, snapshot

from daytwo.flags import Ruleset
from daytwo.flags.conditions import OPERATORS, canonical


class Plan(Enum):
    PRO = "pro"


def holds(operator, values, context, **more):
    """True, false or None, as the explanation has it."""
    condition = {"attribute": "it", "operator": operator, "values": values, **more}
    found = Ruleset(snapshot(flag(rules=[{"conditions": [condition]}]))).evaluate("new-checkout", context, explain=True)
    return found.steps[-2]["conditions"][0]["holds"]


TABLE = [
    ("in", ["a", "b"], "a", True), ("in", ["a", "b"], "A", False), ("in", ["5", "true"], 5, True),
    ("in", [5, True], "5", True), ("in", ["1"], True, False), ("in", ["true"], True, True), ("in", ["2.5"], 2.5, True),
    ("in", ["2"], 2.0, True), ("in", ["pro"], Plan.PRO, True), ("in", [str(uuid.UUID(int=1))], uuid.UUID(int=1), True),
    ("in", ["admin"], ["user", "admin"], True), ("in", ["admin"], ["user"], False), ("in", ["admin"], [], False),
    ("in", ["a"], {"a": 1}, None), ("in", ["a"], b"a", None), ("in", ["a"], object(), None), ("in", ["a"], None, None),
    ("in", ["a"], [{"a": 1}], None), ("in", ["a"], ["a", {"a": 1}], True),
    ("not_in", ["a"], "b", True), ("not_in", ["a"], "a", False), ("not_in", ["a"], None, None),
    ("not_in", ["admin"], ["user"], True), ("not_in", ["admin"], ["user", "admin"], False),
    ("str_contains", ["ell", "x"], "hello", True), ("str_starts_with", ["he"], "hello", True),
    ("str_ends_with", ["LO"], "hello", False), ("str_contains", ["5"], 150, True), ("str_contains", ["5"], {}, None),
    ("num_eq", [5], 5, True), ("num_eq", ["5.0"], "5", True), ("num_gt", [5], 5, False), ("num_gte", [5], 5, True),
    ("num_lt", [5], "4.9", True), ("num_lte", [5], Decimal("5.1"), False), ("num_gt", [5], "old", None),
    ("num_gt", [5], True, None), ("num_gt", [5], float("nan"), None), ("num_gt", [5], "1_0", None),
    ("num_gt", [5], "inf", None), ("num_gt", [2**70], 2**70 + 1, True), ("num_gt", [5], [1, 9], True),
    ("date_before", ["2026-03-01T00:00:00Z"], "2026-02-28T23:59:59Z", True),
    ("date_after", ["2026-03-01T00:00:00+01:00"], "2026-02-28T23:30:00Z", True),
    ("date_after", ["2026-03-01"], datetime(2026, 3, 1, 1, tzinfo=UTC), True),
    ("date_after", ["2026-03-01"], date(2026, 3, 1), False), ("date_before", ["2026-03-01"], 0, True),
    ("date_before", ["2026-03-01"], "soon", None), ("date_before", ["2026-03-01"], True, None),
    ("date_before", ["2026-03-01"], 1e400, None),
    ("semver_eq", ["1.2.3"], "v1.2.3+build.5", True), ("semver_gt", ["1.2.3-rc.1"], "1.2.3", True),
    ("semver_lt", ["1.0.0-alpha.10"], "1.0.0-alpha.9", True), ("semver_lt", ["1.0.0-beta"], "1.0.0-alpha.beta", True),
    ("semver_gte", ["1.10.0"], "1.9.0", False), ("semver_lte", ["2.0.0"], "2.0", None), ("semver_gt", ["1.0.0"], 2, None),
    ("semver_lt", ["1.0.0-1"], "1.0.0-1.1", False), ("semver_gt", ["1.0.0"], "01.0.0", None),
    ("cidr", ["192.0.2.0/24"], "192.0.2.77", True), ("cidr", ["192.0.2.0/24"], "::ffff:192.0.2.77", True),
    ("cidr", ["2001:db8::/32", "10.0.0.1"], "2001:db8::5", True), ("cidr", ["192.0.2.0/24"], "198.51.100.1", False),
    ("cidr", ["192.0.2.0/24"], "localhost", None), ("cidr", ["192.0.2.0/24"], 5, None),
    ("regex", ["^a.*@shop\\.example$"], "anna@shop.example", True), ("regex", ["^a"], "ba", False),
    ("regex", ["a"], "x" * 513, None), ("regex", ["a"], {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "values", "found", "expected"), TABLE)
def test_a_condition_holds_does_not_or_is_unknown(operator, values, found, expected):
    context = {"it": found}
    assert holds(operator, values, context) is expected
    inverted = None if expected is None else not expected
    assert holds(operator, values, context, inverted=True) is inverted, "unknown stays unknown"


def test_every_operator_is_in_the_table():
    assert {row[0] for row in TABLE} | {"is_set", "is_not_set", "segment"} == OPERATORS


@pytest.mark.parametrize("operator", sorted(OPERATORS - {"is_set", "is_not_set", "segment"}))
def test_what_is_missing_is_unknown_also_the_other_way_round(operator):
    values = {"cidr": "10.0.0.0/8", "semver": "1.0.0", "date": "2026-01-01", "num": 1}.get(operator.split("_")[0], "a")
    for inverted in (False, True):
        assert holds(operator, [values], {}, inverted=inverted) is None


def test_whether_something_is_known_is_always_known():
    assert [holds("is_set", [], {"it": one}) for one in ("a", "", 0, False, None)] == [True, True, True, True, False]
    assert [holds("is_not_set", [], one) for one in ({}, {"it": 1})] == [True, False]
    assert holds("is_set", [], {}, inverted=True) is True


def test_case_may_be_let_be():
    more = {"caseInsensitive": True}
    assert holds("in", ["PRO"], {"it": "pro"}, **more) is True
    assert holds("str_ends_with", ["@Shop.example"], {"it": "A@SHOP.EXAMPLE"}, **more) is True
    assert holds("regex", ["^[a-c]+$"], {"it": "ABC"}, **more) is True


def test_who_asks_is_an_attribute_too():
    conditions = [
        {"attribute": "userId", "operator": "in", "values": ["u1"]},
        {"attribute": "targetingKey", "operator": "in", "values": ["u1"]},
        {"attribute": "organizationId", "operator": "in", "values": ["o1"]},
        {"attribute": "plan", "operator": "in", "values": ["pro"]},
    ]
    ruleset = Ruleset(snapshot(flag(rules=[{"conditions": conditions}], rolloutPercentage=0)))
    context = {"targetingKey": "u1", "organizationId": "o1", "plan": "pro"}
    assert ruleset.evaluate("new-checkout", context).enabled
    for name in context:
        assert not ruleset.evaluate("new-checkout", context | {name: "other"}).enabled


def test_the_current_time_is_known_unless_it_is_given():
    def asked(seconds, **context):
        moment = datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
        condition = {"attribute": "currentTime", "operator": "date_after", "values": [moment]}
        rule = {"conditions": [condition]}
        return Ruleset(snapshot(flag(rules=[rule], rolloutPercentage=0))).evaluate("new-checkout", context).enabled

    assert [asked(-60), asked(60), asked(60, currentTime="2999-01-01T00:00:00Z")] == [True, False, True]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("NOT_IN", "not_in"), ("notIn", "not_in"), ("STR_STARTS_WITH", "str_starts_with"), ("in", "in"),
     ("semver-gte", "semver_gte"), ("isNotSet", "is_not_set"), ("resembles", None), ("", None)],
)  # fmt: skip
def test_operators_are_known_by_how_others_write_them(written, meant):
    assert canonical(written) == meant
