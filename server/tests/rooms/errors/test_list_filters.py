"""Finding errors in the list."""

import datetime as dt

import make
import pytest
from rooms.errors import happen

from daytwo_server.core import clock
from daytwo_server.errors import services
from daytwo_server.errors.models import Issue

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def ask(bob, signed_in):
    """The types of the errors that a list shows, in its order."""
    client = signed_in(bob)

    def listed(query=""):
        response = client.get(f"/errors{query}")
        assert response.status_code == 200, response.content.decode()
        return [row["issue"].type for row in response.context["rows"]]

    return listed


def test_the_list_begins_with_what_is_unresolved_and_was_seen_last(ask, shop, bob):
    now = clock.now()
    for number, minutes in enumerate((30, 10, 20)):
        happen.issue(shop, f"E{number}", at=now - dt.timedelta(minutes=minutes))
    done = happen.issue(shop, "Done")
    services.resolve([done.pk], actor=bob)
    assert ask() == ["E1", "E2", "E0"]
    assert ask("/") == ["E1", "E2", "E0"]


def test_tabs_show_the_other_states(ask, shop, bob):
    _, two, three = (happen.issue(shop, name) for name in ("Open", "Quiet", "Done"))
    services.ignore([two.pk], actor=bob)
    services.resolve([three.pk], actor=bob)
    assert ask("?status=ignored") == ["Quiet"]
    assert ask("?status=resolved") == ["Done"]
    assert set(ask("?status=all")) == {"Open", "Quiet", "Done"}
    assert ask("?query=is:resolved") == ["Done"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?project=shop", ["Wanted"]),
        ("?environment=staging", ["Wanted"]),
        ("?level=fatal", ["Wanted"]),
        ("?release=shop@1.4", ["Wanted"]),
        ("?query=level:fatal", ["Wanted"]),
        ("?query=release:shop@1.4", ["Wanted"]),
        ("?query=env:staging", ["Wanted"]),
        ("?query=environment:staging level:fatal", ["Wanted"]),
        ("?query=!level:fatal", ["Other"]),
        ("?query=country:DE", ["Wanted"]),
        ("?query=!country:DE", ["Other"]),
        ('?query=team:"two words"', ["Wanted"]),
        ("?query=user.email:dana@example.com", ["Wanted"]),
        ("?query=user.email:DANA@example.com", ["Wanted"]),
        ("?query=user.id:42", ["Wanted"]),
        ("?query=!user.id:42", ["Other"]),
        ("?query=is:unhandled", ["Other", "Wanted"]),
        ("?query=flag.checkout:on", ["Wanted"]),
        ("?query=treasure", ["Wanted"]),
        ("?query=checkout treas", ["Wanted"]),
        ("?query=treasure country:FR", []),
        ("?query=Wanted:", ["Wanted"]),
        ('?query="Wanted: treasure"', ["Wanted"]),
        ("?query=!!!", []),
    ],
)
def test_a_filter_finds_what_it_says(query, found, ask, shop):
    happen.issue(
        shop,
        "Wanted",
        "treasure",
        level="fatal",
        environment="staging",
        release="shop@1.4",
        tags={"country": "DE", "team": "two words"},
        user={"id": "42", "email": "dana@example.com"},
        contexts={"flags": {"values": [{"flag": "checkout", "result": True}]}},
    )
    happen.issue(make.project("Blog"), "Other", "stone", tags={"country": "FR"})
    assert sorted(ask(query)) == found


def test_a_tag_that_very_many_errors_have_is_found_all_the_same(ask, shop, monkeypatch):
    monkeypatch.setattr("daytwo_server.errors.selectors.matching.RARE", 2)
    for number in range(4):
        happen.issue(shop, f"E{number}", tags={"country": "DE" if number else "FR"})
    assert sorted(ask("?query=country:DE")) == ["E1", "E2", "E3"]
    assert ask("?query=!country:DE") == ["E0"]


def test_mine_are_those_assigned_to_me(ask, shop, bob):
    mine, hers, _ = (happen.issue(shop, name) for name in ("Mine", "Hers", "Nobodys"))
    alice = make.alice()
    services.assign([mine.pk], bob.email, actor=bob)
    services.assign([hers.pk], alice.email, actor=bob)
    assert ask("?assignee=me") == ask("?query=assigned:me") == ask("?query=assignee:bob@example.com") == ["Mine"]
    assert ask("?assignee=none") == ask("?query=is:unassigned") == ["Nobodys"]
    assert ask(f"?assignee={alice.email}") == ["Hers"]
    assert sorted(ask("?query=!assigned:me")) == ["Hers", "Nobodys"]


def test_regressed_errors_can_be_asked_for(ask, shop, bob):
    one = happen.issue(shop, "Back")
    happen.issue(shop, "Fresh")
    services.resolve([one.pk], actor=bob)
    happen.issue(shop, "Back", at=clock.now() + dt.timedelta(seconds=5))
    assert ask("?query=is:regressed") == ["Back"]


@pytest.mark.parametrize(("sort", "order"), [("first", "BCA"), ("events", "ABC"), ("users", "CAB"), ("seen", "ACB")])
def test_the_list_can_be_sorted(sort, order, ask, shop):
    now = clock.now()
    for name, events, first, users in (("A", 3, 9, 2), ("B", 2, 1, 1), ("C", 1, 5, 3)):
        one = happen.issue(shop, name, at=now)
        Issue.objects.filter(pk=one.pk).update(
            count=events,
            users=users,
            first_seen=now - dt.timedelta(hours=first),
            last_seen=now - dt.timedelta(minutes="ACB".index(name)),
        )
    assert "".join(ask(f"?sort={sort}")) == order


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?status=gone", "There is no status &#x27;gone&#x27;"),
        ("?project=nowhere", "There is no project &#x27;nowhere&#x27;"),
        ("?level=loud", "There is no level &#x27;loud&#x27;"),
        ("?sort=beauty", "There is no order &#x27;beauty&#x27;"),
        ("?assignee=stranger@example.com", "is no member"),
        ("?query=is:odd", "There is no is:odd"),
        ("?query=level:loud", "There is no level"),
        ("?cursor=nonsense", "start from the first page"),
        ("?query=" + "x" * 501, "longer than 500 characters"),
        ("?query=" + " ".join(f"k{i}:v" for i in range(21)), "20 are allowed"),
    ],
)
def test_a_value_that_does_not_exist_is_explained_and_leads_back(query, words, bob, signed_in, shop):
    client = signed_in(bob)
    response = client.get(f"/errors{query}")
    assert response.status_code == 400
    assert words in response.content.decode()
    assert client.get(response.context["back"]).status_code == 200


@pytest.mark.parametrize(
    "name", ["status", "project", "environment", "level", "assignee", "release", "query", "sort", "cursor"]
)
@pytest.mark.parametrize("value", ["%00", "%ED%A0%80", "'", "%25", "🙈", "a" * 3000, "-1", "None", '"'])
def test_no_value_of_a_filter_breaks_the_list(name, value, bob, signed_in, shop):
    happen.issue(shop)
    assert signed_in(bob).get(f"/errors?{name}={value}").status_code in (200, 400)


def test_chips_name_the_filters_and_take_them_away_one_by_one(bob, signed_in, shop):
    happen.issue(shop)
    client = signed_in(bob)
    response = client.get(
        "/errors", {"project": "shop", "query": '!level:fatal team:"two words" treasure', "sort": "events"}
    )
    chips = response.context["chips"]
    assert [(chip["name"], chip["verb"], chip["value"]) for chip in chips] == [
        ("project", "is", "shop"),
        ("level", "is not", "fatal"),
        ("team", "is", "two words"),
        ("text", "has", "treasure"),
    ]
    less = client.get(chips[1]["url"])
    assert [chip["name"] for chip in less.context["chips"]] == ["project", "team", "text"]
    assert "sort=events" in chips[1]["url"]
    assert client.get(chips[3]["url"]).context["chips"] == client.get(chips[3]["url"]).context["chips"][:3]


def test_pages_follow_each_other_without_gap_or_repetition(bob, signed_in, shop):
    now = clock.now()
    for number in range(120):
        happen.issue(shop, f"E{number}", at=now - dt.timedelta(seconds=number // 3))
    client = signed_in(bob)
    seen, url = [], "/errors"
    while url:
        response = client.get(url)
        seen += [row["issue"].pk for row in response.context["rows"]]
        back, url = response.context["newer"], response.context["older"]
    assert len(seen) == len(set(seen)) == 120
    assert [row["issue"].pk for row in client.get(back).context["rows"]] == seen[50:100]
