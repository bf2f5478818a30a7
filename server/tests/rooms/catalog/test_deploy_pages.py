"""What pages tell about deploys and releases: what broke since."""

import datetime as dt
import re

import make
import pytest
from rooms.errors import happen

from daytwo_server.catalog import services
from daytwo_server.catalog.models import Deploy
from daytwo_server.core import clock
from daytwo_server.errors import services as errors
from daytwo_server.errors.selectors import since
from daytwo_server.errors.selectors.since import Tally, Window

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def ago(**how_long):
    return clock.now() - dt.timedelta(**how_long)


@pytest.fixture
def shop(db):
    return make.project("Shop", slug="shop", first_event_at=clock.now())


def tiles(page):
    """The numbers of the tiles by their labels."""
    found = re.findall(r'stat__label">([^<]+)</span><span class="stat__value">([^<]+)<', page.text)
    return {label: value.strip() for label, value in found}


def test_a_deploys_page_shows_what_is_new_and_what_came_back_until_the_next_one(shop, bob, signed_in):
    known = happen.issue(shop, "KnownError", at=ago(hours=9), release="1.0")
    gone = happen.issue(shop, "GoneError", at=ago(hours=9), release="1.0")
    errors.resolve([gone.pk], actor=bob)
    type(gone).objects.filter(pk=gone.pk).update(status_at=ago(hours=8))
    first = make.deploy(shop, "1.1", started_at=ago(hours=6))
    new = happen.issue(shop, "NewError", at=ago(hours=5), release="1.1")
    happen.issue(shop, "StagingError", at=ago(hours=5), environment="staging")
    happen.issue(shop, "GoneError", at=ago(hours=4, minutes=30), release="1.1")
    happen.issue(shop, "KnownError", at=ago(hours=4, minutes=30), release="1.1")
    second = make.deploy(shop, "1.2", started_at=ago(hours=2))
    newer = happen.issue(shop, "NewerError", at=ago(hours=1), release="1.2")
    client = signed_in(bob)

    page = client.get(f"/deploys/{first.pk}")
    assert tiles(page) == {"New errors": "1", "Came back": "1", "Events since": "3", "Events before": "2"}
    assert f"/errors/{new.pk}" in page.text
    assert f"/errors/{gone.pk}" in page.text
    for other in (known, newer):
        assert f'/errors/{other.pk}"' not in page.text
    assert f'href="/deploys/{second.pk}">1.2' in page.text
    assert "StagingError" not in page.text

    page = client.get(f"/deploys/{second.pk}")
    assert tiles(page) == {"New errors": "1", "Came back": "0", "Events since": "1", "Events before": "0"}
    assert f'href="/deploys/{first.pk}">Previous' in page.text
    assert 'class="marker-label"' in page.text

    rows = client.get("/deploys").text.partition("<tbody")[2]
    assert rows.index("1.2</a>") < rows.index("1.1</a>")

    issue = client.get(f"/errors/{new.pk}").text
    assert re.search(rf'1 h after deploy <a class="link mono wrap" href="/deploys/{first.pk}">1.1</a>', issue)
    assert "after deploy" not in client.get(f"/errors/{known.pk}").text


def test_a_release_shows_its_errors_and_its_deploys(shop, bob, signed_in):
    old = happen.issue(shop, "OldError", at=ago(hours=9), release="1.0")
    errors.resolve([old.pk], actor=bob)
    type(old).objects.filter(pk=old.pk).update(status_at=ago(hours=8))
    new = happen.issue(shop, "NewError", at=ago(hours=5), release="1.1")
    happen.issue(shop, "OldError", at=ago(hours=4), release="1.1")
    deploy = make.deploy(shop, "1.1", started_at=ago(hours=6))
    client = signed_in(bob)
    listed = client.get("/projects/shop/releases/").text
    assert listed.index("1.1</a>") < listed.index("1.0</a>")
    page = client.get(f"/projects/shop/releases/{deploy.release_id}/")
    assert tiles(page) == {"New errors": "1", "Came back": "1", "Events": "2", "Deploys": "1"}
    assert f"/errors/{new.pk}" in page.text
    assert f"/deploys/{deploy.pk}" in page.text
    assert "release=1.1" in page.text
    assert client.get("/projects/shop/releases/999999/").status_code == 404
    make.project("Other", slug="other")
    assert client.get(f"/projects/other/releases/{deploy.release_id}/").status_code == 404


def test_a_release_that_only_was_deployed_says_so(shop, bob, signed_in):
    deploy = make.deploy(shop, "2.0")
    client = signed_in(bob)
    assert "has not reported" in client.get(f"/projects/shop/releases/{deploy.release_id}/").text
    assert "Has not reported" in client.get("/projects/shop/releases/").text
    assert "has not reported" in client.get("/projects/shop/").text


def test_tallies_stop_counting_at_the_limit_and_know_no_other_project(shop):
    elsewhere = make.project()
    happen.issue(elsewhere, "Elsewhere")
    for n in range(since.MOST + 5):
        happen.issue(shop, f"Error{n}", function=f"f{n}", environment="flooded" if n else "production")
    before, here = ago(hours=3), ago(hours=1)
    windows = [
        Window(shop.pk, "flooded", here), Window(shop.pk, "flooded", before, here), Window(shop.pk, "production", here),
        Window(shop.pk, "nowhere", here), Window(elsewhere.pk, "production", here),
    ]  # fmt: skip
    expected = [Tally(since.MOST, 0), Tally(0, 0), Tally(1, 0), Tally(0, 0), Tally(1, 0)]
    assert since.tallies(windows) == expected
    assert since.tallies([]) == []
    assert since.opened_by_release(shop.pk, ["", "1"]) == {"": since.MOST + 5}


def test_environments_with_few_and_with_many_errors_are_counted_alike(shop, monkeypatch):
    happen.issue(shop, "One", at=ago(hours=1))
    happen.issue(shop, "Two", at=ago(hours=1), environment="staging")
    windows = [Window(shop.pk, name, ago(hours=2)) for name in ("production", "staging", "qa")]
    few = since.tallies(windows), [len(since.opened(window)) for window in windows]
    monkeypatch.setattr(since, "RARE", 0)
    many = since.tallies(windows), [len(since.opened(window)) for window in windows]
    assert few == many == ([Tally(1, 0), Tally(1, 0), Tally(0, 0)], [1, 1, 0])


def test_the_list_is_filtered_by_its_address(shop, bob, signed_in):
    make.deploy(shop, "1.1")
    make.deploy(shop, "1.2", environment="staging", status="failed")
    client = signed_in(bob)
    rows = client.get("/deploys?project=shop&environment=staging&status=failed").text.partition("<tbody")[2]
    assert "1.2" in rows
    assert "1.1" not in rows
    assert "No deploy matches" in client.get("/deploys?status=started").text
    for query in ("project=nowhere", "environment=x", "status=x", "cursor=x", "project=%00", "environment=%00"):
        answer = client.get(f"/deploys?{query}")
        assert (answer.status_code, "cannot be shown" in answer.text) == (400, True), query
    assert client.get("/deploys/99999999999999999").status_code == 404
    assert client.get(f"/deploys/{Deploy.objects.first().pk}?range=7d").status_code == 200
    assert client.head("/deploys").status_code == 200


def test_an_empty_page_shows_the_call_that_ends_it(shop, bob, signed_in):
    page = signed_in(bob).get("/deploys")
    assert "No deploy yet" in page.text
    text = re.sub(r"<[^>]+>", "", page.text).replace("&quot;", '"')
    assert "http://testserver/api/v1/deploys" in text
    assert '"project": "shop"' in text


def test_a_list_hears_of_deploys_that_came_and_of_those_that_ended(shop, bob, signed_in):
    client = signed_in(bob)

    def news():
        """What the page asks for when the stream says that something changed."""
        url = re.search(r'hx-get="(/deploys/news[^"]*)"', page.text)[1].replace("&amp;", "&")
        return client.get(url).text

    page = client.get("/deploys")
    assert news() == ""
    deploy, _ = services.record_deploy(
        services.DeployWords(project="shop", environment="production", version="1", status="started"), token=None
    )
    assert "have changed" in news()
    page = client.get("/deploys")
    assert news() == ""
    services.change_deploy(deploy, status="succeeded", token=None)
    assert "have changed" in news()


def test_a_deploy_that_never_ended_is_not_called_running_for_ever(shop, bob, signed_in):
    make.deploy(shop, "1", status="started", finished_at=None, started_at=ago(hours=1))
    make.deploy(shop, "2", status="started", finished_at=None, started_at=ago(hours=30))
    page = signed_in(bob).get("/deploys").text
    assert page.count("Running</span>") == 1
    assert page.count("No word since") == 1


def test_a_hostile_address_is_never_a_link(shop, bob, signed_in):
    deploy = make.deploy(shop, "<script>alert(1)</script>", url='https://x.example/"><script>')
    page = signed_in(bob).get(f"/deploys/{deploy.pk}").text
    assert "<script>alert" not in page
    assert '"><script>' not in page


def test_pages_cost_the_same_however_much_there_is(shop, bob, signed_in, django_assert_max_num_queries):
    client = signed_in(bob)
    for n in range(3):
        happen.issue(shop, f"Error{n}", function=f"f{n}", release=f"{n}")
    few = [make.deploy(shop, f"{n}", started_at=ago(hours=n)) for n in range(2)]

    def queries(path):
        with django_assert_max_num_queries(30) as captured:
            page = client.get(path)
        assert page.status_code == 200
        assert len(page.content) < 60_000, path
        return len(captured)

    paths = [
        "/deploys",
        f"/deploys/{few[0].pk}",
        "/projects/shop/releases/",
        f"/projects/shop/releases/{few[0].release_id}/",
    ]
    before = [queries(path) for path in paths]
    for n in range(60):
        make.deploy(
            shop, f"long-name-of-an-app@2026.11.23-{n}", started_at=ago(minutes=n * 7), environment=f"env-{n % 9}"
        )
        happen.issue(shop, f"More{n}", function=f"g{n}", release=f"{n}")
    assert [queries(path) for path in paths] == before
    assert max(before) <= 17, before
