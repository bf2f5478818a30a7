"""Keys by which browsers and phones ask for flags."""

from __future__ import annotations

import make
import pytest

from daytwo_server.catalog import services
from daytwo_server.catalog.models import ClientKey
from daytwo_server.core import live
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None):
    made = make.project("Shop")
    make.environment(made)
    return made


def page(shop) -> str:
    return f"/projects/{shop.slug}/client-keys/"


def test_a_key_is_made_limited_revoked_and_let_in_again(alice, shop, signed_in):
    browser = signed_in(alice)
    form = {"environment": shop.environments.get().pk, "allowed_origins": "https://app.example.com/\nhttps://*.b.io"}
    assert browser.post(f"{page(shop)}new/", form).status_code == 302
    key = ClientKey.objects.get()
    assert key.allowed_origins == ["https://app.example.com", "https://*.b.io"]
    shown = browser.get(page(shop)).text
    assert key.public_key in shown
    assert ">production</option>" in shown
    browser.post(f"{page(shop)}{key.pk}/", {"allowed_origins": ""})
    browser.post(f"{page(shop)}{key.pk}/revoke/")
    key.refresh_from_db()
    assert (key.allowed_origins, key.revoked_at is not None) == ([], True)
    assert "Let in again" in browser.get(page(shop)).text
    browser.post(f"{page(shop)}{key.pk}/restore/")
    key.refresh_from_db()
    assert key.revoked_at is None
    verbs = AuditEntry.objects.filter(action__startswith="catalog:client_key:").order_by("pk")
    assert [one.action.rpartition(":")[2] for one in verbs] == ["created", "limited", "revoked", "restored"]


def test_what_is_no_origin_is_said_beside_its_field(alice, shop, signed_in):
    form = {"environment": shop.environments.get().pk, "allowed_origins": "app.example.com/path"}
    answer = signed_in(alice).post(f"{page(shop)}new/", form)
    assert answer.status_code == 422
    assert "is no origin" in answer.text
    assert not ClientKey.objects.exists()


def test_every_change_is_told_to_whoever_holds_the_keys_in_memory(alice, shop):
    def version() -> int:
        return live.versions([services.KEYS_TOPIC]).get(services.KEYS_TOPIC, 0)

    before = version()
    key = services.create_client_key(shop.environments.get(), actor=alice)
    made = version()
    services.limit_client_key(key, allowed_origins=["*"], actor=alice)
    limited = version()
    services.revoke_client_key(key, actor=alice)
    revoked = version()
    services.revoke_client_key(key, actor=alice)
    assert before < made < limited < revoked == version()


def test_the_derived_key_is_the_same_each_time_and_does_not_come_back_once_it_was_revoked(alice, shop):
    text = services.ensure_derived_client_key(shop, "production")
    assert services.ensure_derived_client_key(shop, "production") == text
    assert services.ensure_derived_client_key(shop, "staging") != text
    assert text.startswith("dtc_")
    services.revoke_client_key(ClientKey.objects.get(public_key=text), actor=alice)
    with pytest.raises(services.CatalogError, match="was revoked"):
        services.ensure_derived_client_key(shop, "production")
