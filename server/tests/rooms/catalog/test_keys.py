"""Keys that are replaced, and how one sees that the old one can go."""

import datetime as dt
import json

import make
import pytest

from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.models import DsnKey, KeyUse
from daytwo_server.core import clock
from daytwo_server.core.live import versions
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
PART = {"HX-Request-Type": "partial"}


@pytest.fixture
def old(db):
    return make.key(make.project("Shop"), label="Web", allowed_origins=["https://shop.example"], rate_per_s=5)


def when(days):
    return (clock.now() + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def test_the_new_key_works_at_once_and_the_old_one_until_its_end(old, alice, signed_in):
    client = signed_in(alice)
    before = when(7)
    form = client.get(f"/projects/shop/keys/{old.pk}/rotate/")
    assert any(f'value="{end}"' in form.text for end in (before, when(7))), "a week unless somebody says otherwise"
    answer = client.post(f"/projects/shop/keys/{old.pk}/rotate/", {"label": "Web 2", "ends_at": when(3)}, follow=True)
    new = DsnKey.objects.get(label="Web 2")
    table = selectors.key_table()
    assert (new.allowed_origins, new.rate_per_s, new.replaces) == (["https://shop.example"], 5, old)
    assert table[new.public_key].ends_at is None
    assert table[old.public_key].is_active
    assert abs(table[old.public_key].ends_at - clock.now() - dt.timedelta(days=3)) < dt.timedelta(minutes=2)
    assert "Being replaced" in answer.text
    assert "replaces Web" in answer.text
    assert f'action="/projects/shop/keys/{new.pk}/undo-rotation/"' in answer.text
    before, after = AuditEntry.objects.filter(action="catalog:key:end-set").values_list("before", "after").get()
    assert (json.loads(before), set(json.loads(after))) == ({"ends_at": None}, {"ends_at"})
    client.post(f"/projects/shop/keys/{new.pk}/undo-rotation/")
    table = selectors.key_table()
    assert (table[old.public_key].ends_at, table[new.public_key].is_active) == (None, False)


def test_an_end_that_is_past_and_a_key_that_is_off_are_refused(old, alice, signed_in):
    client = signed_in(alice)
    url = f"/projects/shop/keys/{old.pk}/rotate/"
    for form in (
        {"label": "x", "ends_at": when(-1)},
        {"label": "x", "ends_at": "soon"},
        {"label": "", "ends_at": when(1)},
    ):
        assert client.post(url, form, headers=PART).status_code == 422
    services.set_key_active(old, False, actor=alice)
    assert "lets no events in any more" in client.post(url, {"label": "x", "ends_at": when(1)}).text
    assert DsnKey.objects.count() == 1


def test_the_end_can_be_moved_and_taken_away(old, alice, signed_in):
    client, url = signed_in(alice), f"/projects/shop/keys/{old.pk}/"
    limits = {"allowed_origins": "https://shop.example", "rate_per_s": "5"}
    client.post(url, limits | {"ends_at": when(2)})
    old.refresh_from_db()
    ends_at = old.ends_at
    assert ends_at > clock.now() + dt.timedelta(days=1)
    assert client.post(url, limits | {"ends_at": when(-2)}, headers=PART).status_code == 422
    changes = AuditEntry.objects.count()
    client.post(url, limits | {"ends_at": when(2)})
    assert AuditEntry.objects.count() == changes, "nothing was changed"
    client.post(url, limits | {"ends_at": ""})
    old.refresh_from_db()
    assert old.ends_at is None


def test_a_key_that_has_ended_says_so_and_can_be_let_in_again(old, alice, signed_in):
    DsnKey.objects.filter(pk=old.pk).update(ends_at=clock.now() - dt.timedelta(minutes=1))
    client = signed_in(alice)
    page = client.get("/projects/shop/").text
    assert "Ended" in page
    assert "Every key is off" in page
    assert selectors.projects_with_key()[0][1] is None
    client.post(f"/projects/shop/keys/{old.pk}/enable/")
    old.refresh_from_db()
    assert (old.is_active, old.ends_at) == (True, None)


def test_what_still_arrives_by_a_key_is_counted(old, alice, signed_in):
    minute = int(clock.now().timestamp()) // 60 * 60
    services.note_uses({
        (old.public_key, minute, True): 1200, (old.public_key, minute - 60, True): 34,
        (old.public_key, minute, False): 3, ("f" * 32, minute, True): 9,
    })  # fmt: skip
    services.note_uses({(old.public_key, minute - 7200, True): 1})
    old.refresh_from_db()
    assert old.last_used_at.timestamp() == minute, "never moves back"
    page = signed_in(alice).get("/projects/shop/").text
    assert "1,235 requests in 24 h" in page
    assert "3 refused in 24 h" in page
    assert "last used" in page
    assert sum(KeyUse.objects.values_list("let_in", flat=True)) == 1235


def test_every_change_of_a_key_tells_intake(old, alice):
    def version():
        return versions([services.KEYS_TOPIC]).get(services.KEYS_TOPIC, 0)

    seen = [version()]
    new = services.rotate_key(old, label="New", ends_at=clock.now() + dt.timedelta(days=1), actor=alice)
    seen.append(version())
    services.undo_rotation(new, actor=alice)
    seen.append(version())
    services.archive_project(old.project, actor=alice)
    seen.append(version())
    assert seen == sorted(set(seen))
    assert {row.archived for row in selectors.key_table().values()} == {True}
