"""No event breaks the page of its issue, whoever sent it and whatever it holds."""

import make
import pytest
from rooms.errors import happen

from daytwo_server.errors.models import Issue

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def pages(client, event):
    """Every page about the event; all must come up."""
    base = f"/errors/{event.issue}"
    one = f"{base}/events/{event.event_id}"
    addresses = [
        base, f"{base}?frames=all", f"{base}?frames=raw", f"{base}/events", f"{base}/tags", f"{base}/activity", one,
        f"{one}.json", f"{one}.md", "/errors?status=all",
    ]  # fmt: skip
    found = {address.removeprefix(base): client.get(address) for address in addresses}
    assert {address: response.status_code for address, response in found.items()} == dict.fromkeys(found, 200)
    return {address: response.content.decode() for address, response in found.items()}


@pytest.mark.parametrize("name", happen.captured())
def test_every_captured_event_has_its_pages(name, bob, signed_in):
    (event,) = happen.send(make.project(), happen.captured_event(name))
    found = pages(signed_in(bob), event)
    assert event.title[:20].replace("'", "&#x27;").replace('"', "&quot;") in found[""]


JUNK = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "\x00",
    "🙈" * 50,
    [],
    [None],
    [[]],
    {},
    {"a": None},
    {"values": 3},
    {"values": [1, None, {}]},
]
PLACES = [
    "exception", "stacktrace", "threads", "breadcrumbs", "request", "user", "tags", "contexts", "extra", "modules",
    "sdk", "message", "logentry", "debug_meta", "level", "timestamp", "platform", "release", "fingerprint",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_junk_in_any_place_of_an_event_leaves_its_page_up(place, bob, signed_in):
    project, client = make.project(), signed_in(bob)
    looked_at = 0
    for junk in JUNK:
        sent = happen.send(project, happen.payload(value=repr(junk), function=f"f{JUNK.index(junk)}", **{place: junk}))
        for event in sent:
            assert client.get(f"/errors/{event.issue}?frames=all").status_code == 200
            assert client.get(f"/errors/{event.issue}/events/{event.event_id}.md").status_code == 200
            looked_at += 1
    assert looked_at == len(JUNK)


def frame(**fields):
    return {"filename": "app.py", "function": "f", "lineno": 1, "in_app": True, **fields}


def crash(frames, **fields):
    return {"exception": {"values": [{"type": "Deep", "value": "x", "stacktrace": {"frames": frames}}]}, **fields}


def test_a_recursion_of_a_thousand_calls_is_told_in_a_few_lines(bob, signed_in):
    (event,) = happen.send(make.project(), crash([frame() for _ in range(1000)], platform="python"))
    page = pages(signed_in(bob), event)[""]
    assert page.count('class="frame__where"') < 20
    assert "750 calls in between were not kept" in page
    assert "the same call" in page


def test_a_thousand_different_calls_stay_a_page_that_loads(bob, signed_in):
    many = [frame(function=f"f{i}", lineno=i, context_line="x = 1", vars={"a": "1" * 900}) for i in range(1000)]
    (event,) = happen.send(make.project(), crash(many))
    found = pages(signed_in(bob), event)
    assert len(found[""]) < 400_000
    assert "190 more frames" in found[""]
    assert "more frames" not in found["?frames=all"]


def test_locals_of_every_shape_are_shown(bob, signed_in):
    odd = {
        "none": None,
        "nan": "NaN",
        "deep": {"a": [{"b": [[[[1]]]]}]},
        "long": "y" * 5000,
        "": "",
        "flag": True,
        "<b>": "<script>",
    }
    (event,) = happen.send(make.project(), crash([frame(vars=odd)]))
    page = pages(signed_in(bob), event)[""]
    assert "<script>" not in page.partition('class="frame"')[2]
    assert "&lt;script&gt;" in page


def test_exceptions_that_name_each_other_as_parents_are_each_shown_once(bob, signed_in):
    values = [
        {"type": f"E{i}", "value": "v", "mechanism": {"type": "chained", "exception_id": i, "parent_id": 1 - i}}
        for i in range(2)
    ]
    (event,) = happen.send(make.project(), {"exception": {"values": values}})
    page = pages(signed_in(bob), event)[""]
    assert page.count('class="raised"') == 2


def test_an_event_without_an_exception_shows_its_message(bob, signed_in):
    (event,) = happen.send(make.project(), {"message": "the queue is <full>", "level": "warning"})
    page = pages(signed_in(bob), event)[""]
    assert "the queue is &lt;full&gt;" in page
    assert "Stack trace" not in page


def test_an_event_with_threads_alone_shows_the_one_that_crashed(bob, signed_in):
    threads = [
        {"id": 1, "name": "idle"},
        {"id": 2, "name": "worker", "crashed": True, "stacktrace": {"frames": [frame()]}},
    ]
    (event,) = happen.send(make.project(), {"threads": {"values": threads}, "message": "segfault"})
    page = pages(signed_in(bob), event)[""]
    assert page.index("worker") < page.index("idle")


def test_the_body_of_an_event_may_be_gone_and_the_page_says_so(bob, signed_in):
    from daytwo_server.errors.models import EventBody

    one = happen.issue(make.project())
    event = happen.event_of(one)
    EventBody.objects.all().delete()
    client = signed_in(bob)
    page = client.get(f"/errors/{one.pk}").content.decode()
    assert "The body of this event is no longer kept" in page
    assert "Stack trace</h2>" not in page
    assert client.get(f"/errors/{one.pk}/events/{event.event_id}.json").status_code == 404
    assert "no longer kept" in client.get(f"/errors/{one.pk}/events/{event.event_id}.md").content.decode()


def test_a_damaged_body_counts_as_gone(bob, signed_in):
    from daytwo_server.errors.models import EventBody

    one = happen.issue(make.project())
    EventBody.objects.all().update(body=b"no zstd")
    assert "no longer kept" in signed_in(bob).get(f"/errors/{one.pk}").content.decode()


def test_an_issue_whose_events_were_all_deleted_keeps_its_page(bob, signed_in):
    from daytwo_server.errors.models import Event

    one = happen.issue(make.project())
    Event.objects.all().delete()
    client = signed_in(bob)
    assert "No event is kept" in client.get(f"/errors/{one.pk}").content.decode()
    assert "No event is kept" in client.get(f"/errors/{one.pk}/events").content.decode()
    assert Issue.objects.get().count == 1
