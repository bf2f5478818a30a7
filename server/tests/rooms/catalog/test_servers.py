"""What a project's own servers hold, and how it is taken from whoever stole it."""

import datetime as dt
import re

import jwt
import make
import pytest
import time_machine
from django.test import Client

from daytwo_server.catalog import services
from daytwo_server.catalog.models import Environment, Project, ServerKey
from daytwo_server.core import clock
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    shop = make.project("Shop")
    Environment.objects.create(project=shop, name="production", kind="production", first_seen=clock.now())
    return shop


def asks(bearer):
    return Client(headers={"Authorization": f"Bearer {bearer}"}).get("/api/support/tickets?userId=dana").status_code


def token(secret):
    return jwt.encode({"sub": "dana", "exp": clock.now() + dt.timedelta(days=30)}, secret, algorithm="HS256")


def test_a_new_key_is_shown_once_and_works_until_it_is_revoked(shop, alice, signed_in):
    client = signed_in(alice)
    where = Environment.objects.get()
    page = client.post("/projects/shop/servers/", {"environment": where.pk})
    [raw] = set(re.findall(r"dts_[0-9a-f]{8}_[\w-]{43}", page.text))
    assert "no-store" in page["Cache-Control"]
    assert asks(raw) == 200
    assert raw not in client.get("/projects/shop/servers/").text
    key = ServerKey.objects.get()
    answer = client.post(f"/projects/shop/servers/{key.pk}/revoke/", follow=True)
    assert "is refused from now on" in answer.text
    assert asks(raw) == 401
    client.post(f"/projects/shop/servers/{key.pk}/restore/")
    assert asks(raw) == 200
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "catalog:server_key:created", "catalog:server_key:revoked", "catalog:server_key:restored",
    ]  # fmt: skip
    assert raw not in str(list(AuditEntry.objects.values()))


def test_a_key_for_no_environment_of_the_project_is_not_made(shop, alice, signed_in):
    other = Environment.objects.create(project=make.project("Other"), name="production", first_seen=clock.now())
    for wrong in ("", "x", other.pk):
        assert signed_in(alice).post("/projects/shop/servers/", {"environment": wrong}).status_code == 422
    assert ServerKey.objects.count() == 0


def test_a_replaced_identity_secret_is_believed_for_seven_days_and_then_no_more(shop, alice):
    old = services.identity_secret(shop)
    services.replace_identity_secret(shop, actor=alice)
    new = services.identity_secret(shop)
    assert old != new
    assert (asks(token(old)), asks(token(new))) == (200, 200)
    with time_machine.travel(clock.now() + dt.timedelta(days=7, seconds=1), tick=False):
        assert (asks(token(old)), asks(token(new))) == (401, 200)
    services.replace_identity_secret(shop, actor=alice)
    assert asks(token(old)) == 401, "two generations back"


def test_tokens_are_believed_while_the_secret_key_before_is_named(shop, alice, signed_in, settings):
    old = services.identity_secret(shop)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another one", [settings.SECRET_KEY]
    assert services.identity_secret(shop) != old
    assert (asks(token(old)), asks(token(services.identity_secret(shop)))) == (200, 200)
    assert "are believed until" not in signed_in(alice).get("/projects/shop/servers/").text
    settings.SECRET_KEY_FALLBACKS = []
    assert asks(token(old)) == 401


def test_a_leaked_identity_secret_can_be_stopped_at_once(shop, alice, signed_in):
    client = signed_in(alice)
    old = services.identity_secret(shop)
    client.post("/projects/shop/servers/identity/")
    assert "are believed until" in client.get("/projects/shop/servers/").text
    client.post("/projects/shop/servers/identity/", {"do": "end"})
    assert "are believed until" not in client.get("/projects/shop/servers/").text
    assert asks(token(old)) == 401
    assert asks(token(services.identity_secret(Project.objects.get()))) == 200


def test_the_identity_secret_is_shown_to_whoever_asks_and_may_and_that_is_noted(shop, alice, bob, signed_in):
    secret = services.identity_secret(shop)
    assert secret not in signed_in(alice).get("/projects/shop/servers/").text
    assert secret in signed_in(alice).post("/projects/shop/servers/", {"do": "show"}).text
    assert signed_in(bob).post("/projects/shop/servers/", {"do": "show"}).status_code == 403
    assert list(AuditEntry.objects.values_list("action", "actor_id")) == [
        ("catalog:identity_secret:shown", str(alice.pk))
    ]


def test_two_who_replace_the_secret_at_once_replace_it_once(shop, alice):
    seen_by_another = Project.objects.get(pk=shop.pk)
    services.replace_identity_secret(shop, actor=alice)
    services.replace_identity_secret(seen_by_another, actor=alice)
    assert Project.objects.get().identity_generation == 1
