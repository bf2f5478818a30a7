"""No secret that was sent is ever stored."""

from __future__ import annotations

import copy
import time

import captured
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daytwo_server.errors.normalize import normalize
from daytwo_server.errors.scrub import scrub

KNOWN = (b"hunter2", b"4111", b"token=abc", b"token=secret", b"secret = 'x'", b"a=1&token=s")


@pytest.mark.parametrize("name", captured.names())
def test_no_captured_event_leaks_what_the_sdk_let_through(name):
    event, _ = scrub(normalize(captured.event(name), received=captured.RECEIVED))
    stored = msgspec.json.encode(event)
    assert [secret for secret in KNOWN if secret in stored] == []


@pytest.mark.parametrize("name", captured.names())
def test_scrubbing_twice_changes_and_counts_nothing(name):
    event, _ = scrub(normalize(captured.event(name), received=captured.RECEIVED))
    assert scrub(copy.deepcopy(event)) == (event, 0)


@pytest.mark.parametrize("name", captured.names())
def test_an_event_is_scrubbed_just_as_well_before_it_is_normalised(name):
    event, _ = scrub(captured.event(name))
    stored = msgspec.json.encode(event)
    assert [secret for secret in KNOWN if secret in stored] == []


def test_a_name_without_letters_hides_nothing_from_scrubbing():
    for section in ("request", "contexts", "extra", "user", "tags"):
        event, hidden = scrub({section: {"": {"password": "hunter2"}}})
        assert (section, hidden, b"hunter2" in msgspec.json.encode(event)) == (section, 1, False)


def test_what_is_needed_to_understand_the_error_is_still_there():
    event, hidden = scrub(normalize(captured.event("py-django-2"), received=captured.RECEIVED))
    frame = event["exception"]["values"][0]["stacktrace"]["frames"][-1]
    assert frame["vars"]["order"] == {"id": "12"}
    assert frame["vars"]["card"] == {"number": "[Filtered]", "exp": "[Filtered]", "password": "[Filtered]"}
    assert frame["pre_context"][3] == '    card = {"number": "[Filtered]", "exp": "12/30", "password": "[Filtered]"}'
    assert event["request"]["query_string"] == "a=1&token=[Filtered]"
    assert event["request"]["data"] == {"card": "[Filtered]", "password": "[Filtered]"}
    assert event["transaction"] == "/boom/"
    assert hidden == 11


SECRET_KEYS = st.sampled_from(
    ["password", "db_password", "X-Api-Key", "stripeSecretKey", "access_token", "Authorization", "csrftoken", "card",
     "cvv", "private_key", "session_id", "credentials", "client_secret", "MYSQL_PWD", "ssn", "auth", "jwt"]
)  # fmt: skip
ANY_KEYS = st.text(st.characters(codec="ascii", categories=["Ll", "Lu", "Nd"]), max_size=9)
EVENT_KEYS = st.sampled_from(
    ["event_id", "level", "exception", "values", "type", "stacktrace", "frames", "function", "context_line", "vars",
     "modules", "request", "cookies", "headers", "data", "name", "value", "extra", "contexts", "tags", "release"]
)  # fmt: skip
SECRETS = st.text(st.characters(codec="ascii", categories=["Ll", "Lu", "Nd"]), min_size=6, max_size=20).map(
    "zq".__add__
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=12)


def wrapped(inner, keys):
    return (
        st.tuples(keys, inner, LEAVES).map(lambda t: {"other": t[2], t[0]: t[1]})
        | st.tuples(inner, LEAVES).map(list)
        | inner.map(lambda value: [value])
    )


@st.composite
def planted(draw):
    """A secret under a secret name, as an object or as text of one, anywhere in something like an event."""
    secret = draw(SECRETS)
    value = draw(st.sampled_from([secret, [secret], {"deep": secret}, {"deep": [{"er": secret}]}]))
    tree = {draw(SECRET_KEYS): value, "n": 1}
    spelled = draw(
        st.sampled_from([None, msgspec.json.encode(tree).decode(), repr(tree), f"failed with {tree!r} at once"])
    )
    # Texts of some fields (types, functions, release) are never altered, so text goes under names of no meaning.
    keys = ANY_KEYS if spelled else ANY_KEYS | EVENT_KEYS
    planted_tree = spelled or tree
    for _ in range(draw(st.integers(0, 7))):
        planted_tree = draw(wrapped(st.just(planted_tree), keys))
    return secret, planted_tree if isinstance(planted_tree, dict) else {"extra": planted_tree}


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(planted())
def test_a_secret_under_a_secret_name_survives_nowhere(case):
    secret, event = case
    kept, hidden = scrub(event)
    assert secret.encode() not in msgspec.json.encode(kept)
    assert hidden >= 1
    assert scrub(copy.deepcopy(kept)) == (kept, 0)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(planted())
def test_nor_when_the_event_is_normalised_first(case):
    secret, tree = case
    raw = {
        "extra": tree,
        "contexts": {"state": tree},
        "breadcrumbs": [{"data": tree}],
        "request": {"data": tree},
        "exception": {"values": [{"type": "E", "stacktrace": {"frames": [{"function": "f", "vars": tree}]}}]},
    }
    kept, _ = scrub(normalize(copy.deepcopy(raw), received=captured.RECEIVED))
    assert secret.encode() not in msgspec.json.encode(kept)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("aToken:=\"'\\{}[](),&?<>- \n%3DBearer4111eyJ.@/"), max_size=300))
def test_no_text_makes_scrubbing_raise_and_a_second_run_finds_nothing(text):
    line = {"context_line": text, "vars": {"a": text, text: text}}
    event, _ = scrub({"message": text, "extra": {"x": text}, "stacktrace": {"frames": [line]}})
    assert scrub(copy.deepcopy(event)) == (event, 0)


@pytest.mark.parametrize(
    "piece",
    ["token={", "token=[", "token='", "a-", "password=", "eyJ", "://a:", "4111 ", "%3D", "--a ", "x=y&", "((", '{"a":'],
)
def test_hostile_text_costs_time_in_proportion_to_its_length(piece):
    def seconds(size):
        text = (piece * size)[: size * 4]
        start = time.thread_time()  # of the processor: what else the machine does is no matter
        scrub({"extra": {"x": text}, "stacktrace": {"frames": [{"context_line": text}]}})
        return time.thread_time() - start

    seconds(64)
    # 16 times the length may take 16 times as long; squared it would be 256 times. The floor is noise.
    assert min(seconds(32_768) for _ in range(2)) < max(min(seconds(2_048) for _ in range(3)), 0.002) * 80


def test_nesting_beyond_any_real_event_is_hidden_whole():
    tree: dict = {"password": "hunter2"}
    for _ in range(500):
        tree = {"in": [tree]}
    event, hidden = scrub({"extra": tree, "stacktrace": {"frames": [{"frames": tree}]}})
    assert b"hunter2" not in msgspec.json.encode(event)
    assert hidden == 2
