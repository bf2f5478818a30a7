"""What the search boxes above deploys, releases, environments, projects and components understand."""

import make
import pytest

from daytwo_server.catalog import services
from daytwo_server.catalog.models import Deploy
from daytwo_server.core import clock, search

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def alices(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def shop(db):
    return make.project("Shop", slug="shop", first_event_at=clock.now())


@pytest.fixture
def deploys(shop):
    other = make.project("Billing", slug="billing")
    rows = (
        (shop, "shop@2.1.0", "production", "succeeded"), (shop, "2.2.0", "staging", "failed"),
        (other, "1.9.0", "production", "succeeded"), (other, "12.0", "production", "succeeded"),
    )  # fmt: skip
    made = [make.deploy(project, v, environment=e, status=status) for project, v, e, status in rows]
    for kind, ids in (("deploy", [one.pk for one in made]), ("release", [one.release_id for one in made])):
        search.refresh(kind, ids)
    return made


@pytest.mark.parametrize(
    ("search_text", "versions"),
    [("version:2*", ["2.2.0", "shop@2.1.0"]), ("version:2.1.0", ["shop@2.1.0"]), ("release:shop@2.1.0", ["shop@2.1.0"]),
     ("project:shop status:failed", ["2.2.0"]), ("env:production !project:shop", ["1.9.0", "12.0"]),
     ("environment:prod* version:1*", ["1.9.0", "12.0"]), ("billing production", ["1.9.0", "12.0"]), ("staging", ["2.2.0"]), ("1.2", []),
     ("since:2026-01-01 until:2026-01-02", []), ("2.1.0", ["shop@2.1.0"])],
)  # fmt: skip
def test_deploys_are_found_by_terms_and_words(alices, deploys, search_text, versions):
    page = alices.get("/deploys", {"q": search_text})
    assert sorted(row["deploy"].release.version for row in page.context["rows"]) == versions
    assert versions or "No deploy matches" in page.text


@pytest.mark.parametrize(
    ("query", "words"),
    [("q=project:nowhere", "There is no project &#x27;nowhere&#x27;"), ("q=status:odd", "There is no status:odd; use status:"),
     ("q=environment:moon", "There is no environment"), ("q=colour:red", "There is no filter colour: here; use project:"),
     ("q=since:soon", "soon is no day; write it like"), ("status=odd&q=version:2*", "There is no status:odd")],
)  # fmt: skip
def test_what_does_not_exist_is_explained_and_the_box_keeps_what_was_typed(alices, deploys, query, words):
    page = alices.get(f"/deploys?{query}")
    assert page.status_code == 400
    assert words in page.text
    assert f'value="{query.partition("q=")[2]}"' in page.text
    assert alices.get(page.context["back"]).status_code == 200


def test_hidden_environments_and_archived_projects_are_offered_only_where_they_are_chosen(alices, alice, deploys, shop):
    make.environment(shop, "pr-7", hidden_at=clock.now())
    services.archive_project(deploys[2].project, actor=alice)
    for path in ("/deploys", "/errors"):
        page = alices.get(path).text
        assert 'value="staging"' in page
        assert 'value="pr-7"' not in page
        assert 'value="billing"' not in page
        chosen = alices.get(f"{path}?environment=pr-7&project=billing").text
        assert '<option value="pr-7" selected>' in chosen
        assert '<option value="billing" selected>' in chosen


def test_the_list_hears_only_of_deploys_that_it_would_show(alices, deploys, shop):
    page = alices.get("/deploys?q=project:shop")
    services.record_deploy(services.DeployWords(project="billing", environment="production", version="3"), token=None)
    assert alices.get(page.context["news_url"]).text == ""
    services.record_deploy(services.DeployWords(project="shop", environment="production", version="3"), token=None)
    assert "have changed" in alices.get(page.context["news_url"]).text


@pytest.mark.parametrize(
    ("search_text", "versions"),
    [("version:2*", ["2.2.0", "shop@2.1.0"]), ("environment:staging", ["2.2.0"]), ("is:silent", ["2.2.0", "shop@2.1.0"]),
     ("is:reporting", []), ("2.2", ["2.2.0"])],
)  # fmt: skip
def test_releases_are_found_by_terms_and_words(alices, deploys, search_text, versions):
    page = alices.get("/projects/shop/releases/", {"q": search_text})
    assert sorted(release.version for release, _ in page.context["rows"]) == versions


@pytest.mark.parametrize(
    ("query", "names"),
    [("q=kind:staging", ["qa"]), ("q=name:pr-*", ["pr-1", "pr-2"]), ("q=!kind:other", ["production", "qa"]),
     ("kind=production", ["production"]), ("q=ROD", ["production"]), ("hidden=1&q=old", ["old-one"])],
)  # fmt: skip
def test_environments_are_found_by_terms_and_words_hidden_ones_among_themselves(alices, shop, query, names):
    for name in ("production", "qa", "pr-1", "pr-2"):
        make.environment(shop, name, kind=services.environments.kind_of(name))
    make.environment(shop, "old-one", hidden_at=clock.now())
    page = alices.get(f"/projects/shop/environments/?{query}")
    assert [one.name for one, _ in page.context["rows"]] == names


def test_projects_and_components_are_found_and_archived_ones_among_themselves(alice, alices, shop):
    make.project("Website", platform="node", archived_at=clock.now())
    part = make.component("Checkout API", project=shop, team="Payments")
    part.owners.add(alice)
    make.component("Old API", archived_at=clock.now())

    def found(path, query, name):
        return [one.name for one in alices.get(f"{path}?{query}").context[name]]

    assert found("/projects/", "q=sho", "projects") == ["Shop"]
    assert found("/projects/", "q=is:waiting", "projects") == []
    assert found("/projects/", "archived=1&q=platform:node", "projects") == ["Website"]
    assert found("/components", "q=owner:me", "components") == ["Checkout API"]
    assert found("/components", "q=!owner:me", "components") == []
    assert found("/components", "q=team:payments+project:shop+api", "components") == ["Checkout API"]
    assert found("/components", "q=owner:none", "components") == []
    assert found("/components", "archived=1&q=owner:none", "components") == ["Old API"]
    assert alices.get("/components?q=owner:ghost@example.com").status_code == 400


def test_many_components_come_page_by_page(alices):
    for n in range(60):
        make.component(f"Part {n:02}")
    first = alices.get("/components")
    second = alices.get(first.context["older"])
    names = [one.name for page in (first, second) for one in page.context["components"]]
    assert names == [f"Part {n:02}" for n in range(60)]


# ---- Environments in the palette ----


def offered(client, text):
    return client.get("/palette", {"q": text}).text


def test_an_environment_is_found_in_the_palette_until_it_or_its_project_is_put_away(alice, alices, shop):
    services.see([services.Sighting(project=shop.pk, at=clock.now(), environment="eu-west", release="")])
    services.record_deploy(services.DeployWords(project="shop", environment="eu-east", version="1"), token=None)
    url = "/projects/shop/environments/?q=name%3Aeu-west"
    assert f'href="{url}"' in offered(alices, "eu-west")
    assert "Shop: eu-east" in offered(alices, "eu shop")
    assert [one.name for one, _ in alices.get(url).context["rows"]] == ["eu-west"]
    west = shop.environments.get(name="eu-west")
    services.hide_environments(shop, [west.pk], actor=alice)
    assert "Shop: eu-west" not in offered(alices, "eu-west")
    services.show_environments(shop, [west.pk], actor=alice)
    assert "Shop: eu-west" in offered(alices, "eu-west")
    services.archive_project(shop, actor=alice)
    assert "Shop: eu-west" not in offered(alices, "eu-west")
    services.restore_project(shop, actor=alice)
    services.change_project(shop, name="Store", platform="", actor=alice)
    assert "Store: eu-west" in offered(alices, "store eu-west")


def test_charlie_finds_no_environment(charlie, signed_in, shop):
    services.see([services.Sighting(project=shop.pk, at=clock.now(), environment="eu-west", release="")])
    assert signed_in(charlie).get("/palette", {"q": "eu-west"}).status_code == 404


def test_statuses_of_the_search_are_those_of_deploys(alices, deploys):
    for status in Deploy.Status.values:
        assert alices.get(f"/deploys?q=status:{status}").status_code == 200, status
