"""Identity tokens and server keys: who is believed."""

import base64
import datetime as dt
import json

import jwt
import make
import pytest
from rooms.tickets.asking import Desk, identity

from daytwo_server.catalog.models import Project, ServerKey
from daytwo_server.catalog.services import CatalogError, ensure_derived_server_key, identity_secret
from daytwo_server.core import clock
from daytwo_server.customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    return make.project("Shop")


def refused(token):
    return Desk(token).get("", 401)["detail"]


def unsigned(claims, **header):
    parts = [{"alg": "none", "typ": "JWT"} | header, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def test_without_a_token_there_is_nothing(shop):
    answer = Desk().raw()
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert set(answer.json()) == {"detail", "fields"}


def test_a_token_that_the_project_signed_is_believed(shop):
    assert Desk(identity(shop)).get() == []


def test_without_a_kid_every_project_is_tried(shop):
    other = make.project("Blog")
    assert Desk(identity(other, kid=None)).get() == []
    assert "signed" in refused(identity(other, kid="shop"))
    assert "signed" in refused(identity(shop, kid="no-such-project"))


def test_a_token_without_an_end_is_refused(shop):
    assert "exp" in refused(identity(shop, exp=None))


def test_a_token_that_is_over_is_refused(shop):
    assert "expired" in refused(identity(shop, exp=clock.now() - dt.timedelta(minutes=2)))
    assert "not valid" in refused(identity(shop, nbf=clock.now() + dt.timedelta(minutes=2)))


def test_an_unsigned_token_is_refused_however_it_says_so(shop):
    claims = {"sub": "dana", "exp": 4_000_000_000}
    for header in ({}, {"kid": "shop"}, {"alg": "None"}, {"alg": "NONE", "kid": "shop"}):
        assert refused(unsigned(claims, **header))


def test_a_token_of_another_algorithm_is_refused(shop):
    claims = {"sub": "dana", "exp": clock.now() + dt.timedelta(hours=1)}
    token = jwt.encode(claims, identity_secret(shop) * 2, algorithm="HS512", headers={"kid": "shop"})
    assert refused(token)


def test_a_token_that_somebody_else_signed_is_refused(shop):
    assert "signed" in refused(identity(shop, key="x" * 43))
    good = identity(shop)
    head, _, signature = good.split(".")
    forged = base64.urlsafe_b64encode(json.dumps({"sub": "eve", "exp": 4_000_000_000}).encode()).rstrip(b"=").decode()
    assert "signed" in refused(f"{head}.{forged}.{signature}")


@pytest.mark.parametrize("sub", [None, "", " dana", "a\nb", "x" * 201, True, ["dana"], {"id": 1}, 4.5])
def test_a_token_that_names_nobody_is_refused(shop, sub):
    assert refused(identity(shop, sub))
    assert not Customer.objects.exists()


@pytest.mark.parametrize("exp", [float("inf"), "soon", [1], 10**400])
def test_an_end_that_is_no_time_is_refused_or_far_away(shop, exp):
    assert Desk(jwt.encode({"sub": "dana", "exp": exp}, identity_secret(shop), "HS256")).raw().status_code in (200, 401)


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "..", "dts_00000000_" + "x" * 43, "dt_00000000_" + "x" * 43, "é", "x" * 9000]
)
def test_what_is_no_token_is_refused(shop, token):
    assert Desk(token).raw().status_code == 401


@pytest.mark.parametrize("kid", [5, ["shop"], "sh\x00op", "\ud800", None])
def test_a_kid_that_is_no_slug_is_refused_or_left_aside(shop, kid):
    token = jwt.encode({"sub": "d", "exp": 4_000_000_000}, identity_secret(shop), "HS256")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": kid}).encode()).rstrip(b"=").decode()
    assert Desk(".".join([head, *token.split(".")[1:]])).raw().status_code == 401


def test_an_archived_project_lets_nobody_in(shop):
    token, key = identity(shop), make.server_key(shop)
    Project.objects.update(archived_at=clock.now())
    assert refused(token)
    assert Desk(key, userId="dana").raw().status_code == 401


def test_an_api_token_of_ours_is_no_servers_key(shop):
    assert refused(make.token(None))


def test_a_revoked_key_is_refused_and_does_not_come_back_by_setup(shop):
    key = make.server_key(shop)
    assert Desk(key, userId="dana").get() == []
    ServerKey.objects.update(revoked_at=clock.now())
    assert "revoked" in refused(key)
    with pytest.raises(CatalogError, match="revoked"):
        ensure_derived_server_key(shop, "production")


def test_each_environment_has_a_key_of_its_own_and_only_its_digest_is_kept(shop):
    production, staging = make.server_key(shop), make.server_key(shop, "staging")
    assert production != staging
    assert make.server_key(shop) == production
    assert not ServerKey.objects.filter(digest__in=[production, staging]).exists()
    assert set(ServerKey.objects.values_list("environment__name", flat=True)) == {"production", "staging"}
    assert ServerKey.objects.filter(last_used_at=None).count() == 2
    Desk(staging, userId="dana").get()
    assert ServerKey.objects.get(last_used_at__isnull=False).environment.name == "staging"


def test_secrets_of_two_projects_differ(shop):
    other = make.project("Blog")
    assert identity_secret(shop) != identity_secret(other)
    assert len(identity_secret(shop)) == 43
