import pytest

from daytwo_server.customers.identity import fingerprint, key_of

SECRET, OTHER = b"s" * 32, b"o" * 32


@pytest.mark.parametrize(
    ("user", "key"),
    [
        ({"id": "42", "email": "dana@example.com", "username": "dana"}, "id:42"),
        ({"id": 42}, "id:42"),
        ({"id": 0}, "id:0"),
        ({"id": " 4 2\n"}, "id:4 2"),
        ({"email": "Dana@Example.COM", "username": "dana"}, "email:dana@example.com"),
        ({"username": "dana"}, "name:dana"),
        ({"id": "", "email": " ", "username": "dana"}, "name:dana"),
        ({"email": "no address", "username": "dana"}, "name:dana"),
        ({"id": "x" * 500}, "id:" + "x" * 200),
        ({"id": "a\x00b"}, "id:ab"),
        ({"id": "\ud800"}, "id:?"),
    ],
)
def test_a_customer_is_known_by_id_else_email_else_user_name(user, key):
    assert key_of(user) == key


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"ip_address": "192.0.2.1"},
        {"id": None},
        {"id": True},
        {"id": ["42"]},
        {"id": {"a": 1}},
        {"id": 1.5},
        {"id": "[Filtered]", "email": "[Filtered]", "username": "[Filtered]"},
        {"id": "undefined"},
    ],
)
def test_who_has_only_an_address_or_was_scrubbed_is_no_customer(user):
    assert key_of(user) is None


def test_a_user_name_cannot_pose_as_an_id():
    assert key_of({"username": "id:42"}) != key_of({"id": "42"})
    assert key_of({"id": "dana@example.com"}) != key_of({"email": "dana@example.com"})


def test_visitors_are_told_apart_by_their_address_without_naming_it():
    one, two = ({"ip_address": ip} for ip in ("192.0.2.1", "192.0.2.2"))
    assert fingerprint(one, "", SECRET) == fingerprint(one, "203.0.113.9", SECRET) != fingerprint(two, "", SECRET)
    assert len(fingerprint(one, "", SECRET)) == 32
    assert fingerprint(one, "", SECRET) != fingerprint(one, "", OTHER), "the secret is needed to try addresses out"
    assert fingerprint({"ip_address": "{{auto}}"}, "192.0.2.1", SECRET) == fingerprint(one, "", SECRET)


def test_a_customer_has_one_fingerprint_whatever_address_they_come_from():
    there = {"id": "42", "ip_address": "192.0.2.1"}
    assert fingerprint(there, "", SECRET) == fingerprint({"id": 42}, "203.0.113.9", SECRET)


def test_nobody_has_no_fingerprint():
    assert fingerprint({}, "192.0.2.1", SECRET) == ""
    assert fingerprint({"ip_address": "{{auto}}"}, "", SECRET) == ""
