"""The keys by which the doors let apps in, as the store has them."""

from __future__ import annotations

import hashlib

import make
import pytest
from rooms.flags import flagged

from daytwo_server.catalog import services
from daytwo_server.core import live
from daytwo_server.flags.selectors.keys import key_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return flagged.place()


def version():
    return live.versions([services.KEYS_TOPIC])


def test_both_kinds_are_there_until_they_are_revoked(where, alice):
    raw = services.create_server_key(where, actor=alice)
    client = services.create_client_key(where, allowed_origins=["https://shop.example"], actor=alice)
    found = key_table()
    server = found[raw[:12]]
    assert (server.environment, server.is_server, server.allowed_origins) == (where.pk, True, ())
    assert server.digest == hashlib.sha256(raw.encode()).hexdigest()
    public = found[client.public_key]
    assert (public.environment, public.is_server, public.allowed_origins) == (
        where.pk,
        False,
        ("https://shop.example",),
    )
    before = version()
    services.revoke_client_key(client, actor=alice)
    between = version()
    services.revoke_server_key(where.server_keys.get(), actor=alice)
    assert key_table() == {}
    assert len({str(before), str(between), str(version())}) == 3  # each is heard of


def test_those_of_an_archived_project_are_not(where, alice):
    services.create_server_key(where, actor=alice)
    before = version()
    services.archive_project(where.project, actor=alice)
    assert key_table() == {}
    assert version() != before


def test_it_is_two_queries_however_many_keys_there_are(where, alice, django_assert_num_queries):
    for number in range(3):
        services.create_server_key(make.environment(where.project, f"e{number}"), actor=alice)
    with django_assert_num_queries(2):
        assert len(key_table()) == 3
