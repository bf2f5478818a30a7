"""Webhooks among the settings."""

import make
import pytest

from daytwo_server.webhooks import signing
from daytwo_server.webhooks.models import Call, Endpoint

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])
FORM = {"name": "Dashboard", "url": "https://hooks.example.com/daytwo?token=1", "events": ["ticket.opened"]}


@pytest.fixture
def admin(alice, signed_in):
    return signed_in(alice)


def test_one_is_added_changed_switched_and_removed_and_each_press_is_undone(admin):
    assert "No webhook yet" in admin.get("/settings/webhooks/").text
    path = admin.post("/settings/webhooks/new/", FORM)["Location"]
    made = Endpoint.objects.get()
    assert path == f"/settings/webhooks/{made.pk}/"
    assert (made.url, made.events) == (FORM["url"], ["ticket.opened"])
    admin.post(f"{path}edit/", FORM | {"events": []})
    assert "everything" in admin.get("/settings/webhooks/").text
    for press, undo, shown in (("off", "on", "Off since"), ("remove", "restore", "No webhook yet")):
        admin.post(f"{path}{press}/")
        page = admin.get(path if press == "off" else "/settings/webhooks/").text
        assert shown in page
        assert f"{path}{undo}/" in page
        admin.post(f"{path}{undo}/")
    assert Endpoint.objects.get().off_at is None
    assert admin.get(path).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"), ({"url": ""}, "url"), ({"url": "ftp://example.com"}, "url"),
        ({"url": "https://user:pw@example.com"}, "url"), ({"url": "https://"}, "url"), ({"url": "https://a b"}, "url"),
        ({"url": "https://example.com:x/"}, "url"), ({"events": ["nothing"]}, "events"), ({"url": "h" * 501}, "url"),
        ({"url": "https://[::1"}, "url"),
    ],
)  # fmt: skip
def test_what_cannot_be_called_is_refused_at_its_field(admin, wrong, field):
    answer = admin.post("/settings/webhooks/new/", FORM | wrong)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert not Endpoint.objects.exists()


def test_the_secret_is_in_one_answer_only(admin):
    hook = make.webhook()
    path = f"/settings/webhooks/{hook.pk}/"
    secret = signing.shown(hook)
    assert secret not in admin.get(path).text
    shown = admin.post(f"{path}secret/")
    assert secret in shown.text
    assert shown["Cache-Control"] == "no-store"
    other = admin.post(f"{path}secret/replace/").text
    assert secret not in other
    assert signing.shown(Endpoint.objects.get()) in other


def test_a_test_is_queued_and_what_failed_is_sent_again(admin):
    hook = make.webhook()
    path = f"/settings/webhooks/{hook.pk}/"
    admin.post(f"{path}test/")
    call = Call.objects.get()
    assert "Waiting" in admin.get(path).text
    Call.objects.update(state="failed", ended_at=make.moment(), problem="It answered 500.")
    assert "It answered 500." in admin.get(path).text
    admin.post(f"{path}calls/{call.pk}/")
    assert Call.objects.get().state == "waiting"
    assert admin.post(f"/settings/webhooks/{make.webhook('B').pk}/calls/{call.pk}/").status_code == 404
    admin.post(f"{path}off/")
    admin.post(f"{path}test/")
    assert Call.objects.count() == 1


def test_an_engineer_may_not_and_the_outsider_finds_nothing(bob, charlie, signed_in):
    hook = make.webhook()
    for path in ("/settings/webhooks/", f"/settings/webhooks/{hook.pk}/"):
        assert signed_in(bob).get(path).status_code == 403
        assert signed_in(charlie).get(path).status_code == 404
