import re

import make
import pytest

from daytwo_server.accounts import services
from daytwo_server.accounts.models import ApiToken, Membership

pytestmark = pytest.mark.django_db
URL = "/settings/tokens/"


def test_a_new_token_is_shown_once(alice, signed_in):
    client = signed_in(alice)
    page = client.post(URL, {"label": "deploys", "lifetime": "90", "everything": "on"})
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    [raw] = set(re.findall(r"dt_[0-9a-f]{8}_[\w-]{43}", page.text))
    assert services.authenticate(raw)
    assert raw not in client.get(URL).text
    token = ApiToken.objects.get()
    assert (token.label, token.scopes, token.created_by) == ("deploys", ["*"], alice)
    assert 89 <= (token.expires_at - token.created_at).days <= 90


def test_a_token_can_be_limited_to_single_actions(alice, signed_in):
    signed_in(alice).post(URL, {"label": "reader", "lifetime": "", "scopes": ["projects.view", "customers.view"]})
    token = ApiToken.objects.get()
    assert token.scopes == ["customers.view", "projects.view"]
    assert token.expires_at is None


def test_a_token_without_label_or_scope_is_refused_beside_the_fields(alice, signed_in):
    part = signed_in(alice).post(URL, {"lifetime": "90"}, headers={"HX-Request-Type": "partial"})
    assert part.status_code == 422
    assert "Choose at least one, or everything" in part.text
    assert 'id="id_label_error"' in part.text
    assert "<!doctype" not in part.text
    assert ApiToken.objects.count() == 0


def test_revoking_offers_its_undo_and_both_work_without_scripts(alice, signed_in):
    client = signed_in(alice)
    raw = make.token(alice)
    token = ApiToken.objects.get()
    page = client.post(f"{URL}{token.pk}/revoke/", follow=True)
    assert "Script was revoked" in page.text
    assert f'action="{URL}{token.pk}/restore/"' in page.text
    assert services.authenticate(raw) is None
    assert "Script works again" in client.post(f"{URL}{token.pk}/restore/", follow=True).text
    assert services.authenticate(raw)


@pytest.mark.parametrize("role", ["engineer", "agent", "viewer"])
def test_who_may_not_manage_tokens_is_told_the_role_that_may(signed_in, role):
    client = signed_in(make.member(role=role))
    token = make.token()
    page = client.get(URL)
    assert page.status_code == 403
    assert "Owner or Admin" in page.text
    assert client.post(URL, {"label": "x", "everything": "on"}).status_code == 403
    assert client.post(f"{URL}{ApiToken.objects.get().pk}/revoke/").status_code == 403
    part = client.post(URL, headers={"HX-Request-Type": "partial"})
    assert (part.status_code, part["Content-Type"]) == (403, "text/plain")
    assert part.text == "This needs the role Owner or Admin."
    assert services.authenticate(token)


def test_the_list_costs_the_same_for_many_tokens(alice, signed_in, django_assert_num_queries):
    client = signed_in(alice)
    for _ in range(10):
        make.token(make.member(role=Membership.Role.ADMIN))
    with django_assert_num_queries(3):  # session, viewer, tokens
        client.get(URL)
