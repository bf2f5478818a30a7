import asyncio

import make
import pytest
from django.db import connections
from django.test import Client

from daytwo_server.accounts import live
from daytwo_server.accounts.models import Membership

# Streams are authorized on a thread of their own, which sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def leave_no_connection_behind():
    yield
    live._thread.submit(connections.close_all).result()


def may_listen(client: Client) -> bool:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    scope = {"type": "http", "headers": [(b"host", b"testserver"), (b"cookie", cookies.encode())]}
    return asyncio.run(live.authorize(scope, ("errors",)))


def test_members_may_listen_and_charlie_and_visitors_may_not(signed_in):
    assert may_listen(signed_in(make.bob()))
    assert not may_listen(signed_in(make.charlie()))
    assert not may_listen(Client())


def test_a_forged_session_may_not_listen():
    client = Client()
    client.cookies["daytwo_session"] = "x" * 32
    assert not may_listen(client)


def test_a_stream_that_is_opened_again_after_leaving_is_refused(signed_in):
    bob = make.bob()
    client = signed_in(bob)
    assert may_listen(client)
    Membership.objects.filter(user=bob).delete()
    assert not may_listen(client)


def test_a_session_from_before_the_password_was_changed_may_not_listen(signed_in):
    bob = make.bob()
    client = signed_in(bob)
    bob.set_password("another fine phrase")
    bob.save()
    assert not may_listen(client)
