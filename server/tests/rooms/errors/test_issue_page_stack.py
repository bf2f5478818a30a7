"""What the page of one error tells of where it happened: frames, threads, chains and groups of exceptions."""

import re

import pytest
from rooms.errors import happen

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def test_the_crash_frame_of_the_own_code_is_open_and_library_frames_are_folded(read, shop):
    one = happen.issue(shop)
    stack = happen.section(read(f"/errors/{one.pk}"), "Stack trace")
    assert stack.count('<details class="frame" open>') == 1
    opened = stack.partition('<details class="frame" open>')[2].partition("</details>")[0]
    assert "billing/checkout.py" in opened
    assert 'class="hit" data-line="118"' in opened
    assert "customer" in opened
    assert "{&#x27;id&#x27;: 88213}" in opened
    assert "1 library frame" in stack
    assert stack.index("billing/checkout.py") < stack.index("1 library frame")


def test_library_frames_come_when_they_are_asked_for(read, shop):
    one = happen.issue(shop)
    stack = happen.section(read(f"/errors/{one.pk}"), "Stack trace")
    assert "<b>django/core/handlers/base.py</b>" not in stack
    (address,) = re.findall(r'hx-get="(/errors/[^"]*/frames/[^"]*)"', stack)
    assert "<b>django/core/handlers/base.py</b>" in read(address)


def test_own_frames_far_from_where_it_crashed_are_folded_too(read, shop):
    calls = [{"filename": f"app/{n}.py", "function": "f", "lineno": n, "in_app": True} for n in range(40)]
    (event,) = happen.send(shop, {"exception": {"values": [{"type": "Deep", "stacktrace": {"frames": calls}}]}})
    stack = happen.section(read(f"/errors/{event.issue}"), "Stack trace")
    assert "30 more frames of your code" in stack
    assert "<b>app/30.py</b>" in stack
    assert "<b>app/29.py</b>" not in stack
    (address,) = re.findall(r'hx-get="(/errors/[^"]*/frames/[^"]*)"', stack)
    later = read(address)
    assert "<b>app/29.py</b>" in later
    assert "<b>app/0.py</b>" in later
    assert "<b>app/30.py</b>" not in later


def test_the_frames_of_a_thread_come_when_it_is_opened(read, shop):
    stack = {"frames": [{"filename": "app/pool.py", "function": "wait", "lineno": 3}]}
    (event,) = happen.send(shop, {"message": "stuck", "threads": {"values": [{"id": 7, "stacktrace": stack}]}})
    card = happen.section(read(f"/errors/{event.issue}"), "Threads")
    assert "app/pool.py" not in card
    (address,) = re.findall(r'hx-get="(/errors/[^"]*/frames/[^"]*)"', card)
    assert "app/pool.py" in read(address)
    assert "app/pool.py" in happen.section(read(f"/errors/{event.issue}?frames=all"), "Threads")


def test_frames_that_nobody_folded_are_not_found(bob, signed_in, shop):
    one = happen.issue(shop)
    event = happen.event_of(one).event_id
    for key in ("e0.2", "e9.1", "t0", "x", "m.1"):
        assert signed_in(bob).get(f"/errors/{one.pk}/events/{event}/frames/{key}").status_code == 404


def test_all_frames_and_the_raw_trace_are_a_link_away(read, shop):
    one = happen.issue(shop, "KeyError", "'vat_id'")
    everything = happen.section(read(f"/errors/{one.pk}?frames=all"), "Stack trace")
    assert "library frame" not in everything
    assert "django/core/handlers/base.py" in everything
    raw = happen.section(read(f"/errors/{one.pk}?frames=raw"), "Stack trace")
    for words in (
        "Traceback (most recent call last):",
        "File &quot;billing/checkout.py&quot;, line 118, in keyerror",
        "KeyError: &#x27;vat_id&#x27;",
    ):
        assert words in raw
    assert "<details" not in raw


def chain(*exceptions):
    return {"platform": "python", "exception": {"values": list(exceptions)}}


def test_a_chain_of_exceptions_starts_with_what_was_raised_last(read, shop):
    causes = chain(
        {
            "type": "OSError",
            "value": "no route",
            "mechanism": {"type": "chained", "exception_id": 1, "parent_id": 0, "source": "__cause__"},
        },
        {
            "type": "PaymentFailed",
            "value": "card",
            "mechanism": {"type": "generic", "exception_id": 0, "handled": True},
        },
    )
    (event,) = happen.send(shop, causes)
    stack = happen.section(read(f"/errors/{event.issue}"), "Stack trace").partition('class="chain"')[2]
    assert stack.index("PaymentFailed") < stack.index("OSError")
    assert "Caused by" in stack
    raw = read(f"/errors/{event.issue}?frames=raw")
    assert (
        raw.index("OSError: no route")
        < raw.index("direct cause of the following")
        < raw.index("PaymentFailed: card</pre>")
    )


def test_a_group_of_exceptions_is_a_tree(read, shop):
    def member(number, parent, name, source):
        return {
            "type": name,
            "value": "v",
            "mechanism": {"type": "chained", "exception_id": number, "parent_id": parent, "source": source},
        }

    (event,) = happen.send(
        shop,
        chain(
            member(3, 1, "DeepError", "__context__"),
            member(2, 0, "SecondError", "exceptions[1]"),
            member(1, 0, "FirstError", "exceptions[0]"),
            {
                "type": "ExceptionGroup",
                "value": "two",
                "mechanism": {"type": "generic", "exception_id": 0, "is_exception_group": True},
            },
        ),
    )
    tree = (
        happen.section(read(f"/errors/{event.issue}"), "Stack trace")
        .partition('class="chain"')[2]
        .partition("</ol>")[0]
    )
    found = re.findall(r"--depth: (\d).*?<b[^>]*>(\w+)</b>", tree)
    assert found == [("0", "ExceptionGroup"), ("1", "FirstError"), ("2", "DeepError"), ("1", "SecondError")]
    assert "while handling" in tree
    assert "one of the group" in tree
