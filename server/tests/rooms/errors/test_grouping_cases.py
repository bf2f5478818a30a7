"""What is one bug and what is two: the cases T1 to T17 that people complain about elsewhere."""

from __future__ import annotations

import copy
import json

import captured
import pytest

from daytwo_server.errors.grouping import group
from daytwo_server.errors.normalize import normalize
from daytwo_server.errors.scrub import scrub


def grouped(raw):
    event, _ = scrub(normalize(copy.deepcopy(raw), received=captured.RECEIVED))
    return group(event)


def first(raw):
    return grouped(raw).hashes[0]


def same(*raws):
    return len({first(raw) for raw in raws}) == 1


def frame(function="pay", line="charge(order)", *, module="shop.pay", in_app=True, lineno=10, **more):
    return {"function": function, "module": module, "filename": module.replace(".", "/") + ".py", "lineno": lineno,
            "context_line": f"    {line}", "in_app": in_app} | more  # fmt: skip


def thrown(*frames, type="ValueError", value="bad", **mechanism):  # noqa: A002 - the SDK's name
    return {"type": type, "value": value, "mechanism": mechanism, "stacktrace": {"frames": list(frames)}}


def python(*exceptions, **more):
    return {"platform": "python", "exception": {"values": list(exceptions)}} | more


def browser(*frames, value="x is undefined", **more):
    return {"platform": "javascript", "exception": {"values": [
        {"type": "TypeError", "value": value, "stacktrace": {"frames": list(frames)}},
    ]}} | more  # fmt: skip


# --- T1 to T5: stacks ---


@pytest.mark.parametrize(
    "value",
    ["Card declined for order 9999", "550 5.1.1 d2e1a72fcca58-3f8a5b7c9d1sm1234567 - gsmtp", "at 0x7f7034c16d10",
     "8f14e45f-ceea-467f-a5a3-6dedd4bea254 gone"],
)  # fmt: skip
def test_t1_one_function_failing_with_other_values_is_one_bug(value):
    raw = captured.event("py-exception")
    other = copy.deepcopy(raw)
    other["exception"]["values"][0]["value"] = value
    other["exception"]["values"][0]["stacktrace"]["frames"][1]["vars"] = {"order": value}
    assert same(raw, other)


def test_t1_the_captured_events_of_one_call_are_one_bug():
    names = ["py-exception", "py-attachment", "py-breadcrumb-user-tags-ctx", "py-feature-flags", "py-sessions-2"]
    assert same(*map(captured.event, names))


def test_t2_the_same_message_from_two_functions_is_two_bugs():
    assert not same(python(thrown(frame("pay"))), python(thrown(frame("refund"))))
    assert not same(python(thrown(frame(line="a[0]"))), python(thrown(frame(line="b[0]"))))


def test_t3_lines_that_moved_in_a_release_are_the_same_bug():
    before = captured.event("py-django-2")
    after = copy.deepcopy(before)
    after["release"] = "shop@1.5.0"
    for one in after["exception"]["values"][0]["stacktrace"]["frames"]:
        one["lineno"] += 17
        one["abs_path"] = one["abs_path"].replace("/app/", "/srv/releases/20261124/")
        one["pre_context"] = ["# a new comment", *one["pre_context"][1:]]
    assert same(before, after)


def test_t4_the_way_through_the_framework_does_not_matter():
    ours = [frame("view", "pay(order)", module="shop.views"), frame()]
    middleware = [
        frame("__call__", "return self.get_response(r)", module=f"django.m{n}", in_app=False) for n in range(3)
    ]
    assert same(
        python(thrown(*middleware[:1], *ours)),
        python(thrown(*middleware, *ours)),
        python(thrown(middleware[2], middleware[0], *ours)),
    )


def test_t5_a_recursion_is_one_bug_at_every_depth():
    raw = captured.event("py-recursion")
    frames = raw["exception"]["values"][0]["stacktrace"]["frames"]

    def at(depth):
        other = copy.deepcopy(raw)
        other["exception"]["values"][0]["stacktrace"]["frames"] = copy.deepcopy(frames[:depth])
        return other

    assert same(raw, at(200), at(900), at(251), at(30))


@pytest.mark.parametrize("period", [2, 3, 7])
def test_t5_so_is_a_recursion_through_several_functions_cut_off_anywhere(period):
    cycle = [frame(f"visit_{name}", f"self.visit_{name}(node)") for name in "abcdefg"[:period]]
    start = frame("main", "visit(tree)")
    events = [
        python(thrown(start, *(cycle * 300)[:depth], type="RecursionError")) for depth in (60, 61, 200, 331, 900, 901)
    ]
    assert same(*events)
    assert not same(events[0], python(thrown(start, *cycle, frame("leaf", "raise"), type="RecursionError")))


# --- T6, T7: several exceptions ---


def test_t6_a_chain_is_another_bug_than_its_last_exception_alone():
    chain = captured.event("py-exception-chained")
    alone = copy.deepcopy(chain)
    del alone["exception"]["values"][0]
    other_values = copy.deepcopy(chain)
    for one in other_values["exception"]["values"]:
        one["value"] = "something else 77"
    assert not same(chain, alone)
    assert same(chain, other_values)


def test_t6_the_attempts_of_a_retry_loop_do_not_count():
    attempt, final = thrown(frame(), type="Timeout"), thrown(frame("retry", "raise Failed"), type="Failed")
    assert same(python(attempt, attempt, final), python(attempt, attempt, attempt, attempt, final))


@pytest.mark.parametrize("name", ["py-exception-group", "node-aggregate"])
def test_t7_the_order_in_a_group_of_exceptions_does_not_matter(name):
    raw = captured.event(name)
    swapped = copy.deepcopy(raw)
    swapped["exception"]["values"].reverse()
    values = swapped["exception"]["values"]
    assert same(raw, swapped)
    values[1]["type"] = "AnotherError"
    assert not same(raw, swapped)


def test_t7_nor_does_how_many_rows_of_a_batch_failed_the_same_way():
    root = thrown(frame("load", "group.check()"), type="ExceptionGroup", exception_id=0, is_exception_group=True)

    def batch(rows):
        bad = [
            thrown(frame("row", "int(x)"), value=f"row {n}", exception_id=n, parent_id=0) for n in range(1, rows + 1)
        ]
        return python(*bad, root)

    assert same(batch(1), batch(2), batch(30))


@pytest.mark.parametrize("ids", [[0, 0, 0], [1, 2, 3], ["a", None, 1]])
def test_t7_ids_that_make_no_tree_are_read_as_a_plain_chain(ids):
    values = [
        thrown(frame(), type=f"E{n}", exception_id=one, parent_id=ids[n - 1], is_exception_group=True)
        for n, one in enumerate(ids)
    ]
    assert first(python(*values)).kind == "app-stack"
    assert same(python(*values), python(*copy.deepcopy(values)))


# --- T8, T9: JavaScript ---


def mapped(name="i", line="return items.reduce((sum, item) => sum + item.price.amount, 0)"):
    return {
        "filename": "webpack:///./src/checkout.ts",
        "function": name,
        "context_line": line,
        "in_app": True,
        "lineno": 4,
    }


def test_t8_two_builds_with_source_maps_are_one_bug():
    builds = []
    for build in ("3f9a2c1b", "77de01aa"):
        bundle = {"filename": f"https://cdn.example.com/assets/app.{build}.js?v={build}", "in_app": True, "colno": 9}
        builds.append(browser({**bundle, **mapped("t")}, {**bundle, **mapped("n.submit", "this.total()")}))
    assert same(*builds)
    assert grouped(builds[0]).explain()["flags"] == []


def test_t8_two_builds_without_source_maps_are_at_most_two_and_it_says_why():
    raw = captured.event("browser-debugid-minified-3")
    other = copy.deepcopy(raw)
    short = iter("abcdefghijk")
    for one in other["exception"]["values"][0]["stacktrace"]["frames"]:
        one["filename"] = one["filename"].replace("checkout.min.js", "checkout.min.5f2b77a0.js")
        one["colno"] = 4711
        if len(one["function"]) == 1:
            one["function"] = next(short)
    assert same(raw, other)
    explanation = grouped(raw).explain()
    assert explanation["flags"] == ["no source map"]
    assert "value used because the stack says little" in explanation["summary"]


def test_t8_without_a_map_the_property_at_fault_still_tells_bugs_apart():
    raw = captured.event("browser-error-2")
    other = copy.deepcopy(raw)
    other["exception"]["values"][0]["value"] = "Cannot read properties of undefined (reading 'customer')"
    assert not same(raw, other)


def test_t9_one_bug_in_three_browsers_is_one_bug():
    native = {"function": "Array.reduce", "filename": "<anonymous>", "in_app": True}
    safari_native = {"function": "reduce", "filename": "[native code]", "in_app": True}
    wrapper = {"filename": "webpack:///./node_modules/@sentry/browser/helpers.js", "function": "n", "in_app": True,
               "context_line": "return fn.apply(this, args)"}  # fmt: skip
    chrome = browser(
        wrapper, mapped("HTMLButtonElement.<anonymous>", "submit(cart)"), native, mapped("?"),
        value="Cannot read properties of undefined (reading 'amount')",
    )  # fmt: skip
    firefox = browser(
        mapped("onPay", "submit(cart)"), mapped("total/<"),
        value='can\'t access property "amount", item.price is undefined',
    )  # fmt: skip
    safari = browser(
        wrapper, mapped("", "submit(cart)"), safari_native, mapped("@"),
        value="undefined is not an object (evaluating 'item.price.amount')",
    )  # fmt: skip
    assert same(chrome, firefox, safari)


# --- T10 to T14: without a stack, and almost without ---


def test_t10_a_log_line_is_one_issue_whatever_its_parameters():
    raw = captured.event("py-logging-error")
    other = copy.deepcopy(raw)
    other["logentry"] |= {"formatted": "job mail/daily failed after 40 tries", "params": ["mail/daily", 40]}
    assert same(raw, other)
    assert first(raw).kind == "message"
    assert "job %s failed after %d tries" in grouped(raw).explain()["summary"]


def test_t10_so_is_a_message_that_was_put_together_before_logging():
    assert same(
        {"message": "job 17 of jane@example.com failed after 3.2s"}, {"message": "job 9 of bob@b.co failed after 12 ms"}
    )
    assert not same({"message": "job 17 failed"}, {"message": "mail 17 failed"})


def test_t11_a_fingerprint_joins_everything_or_splits_by_default():
    one, other = python(thrown(frame("pay"))), python(thrown(frame("refund")))
    assert same(one | {"fingerprint": ["payments"]}, other | {"fingerprint": ["payments"]})
    assert not same(
        one | {"fingerprint": ["payments", "{{ default }}"]}, other | {"fingerprint": ["payments", "{{default}}"]}
    )
    assert not same(one, one | {"fingerprint": ["payments"]})
    assert same(one, one | {"fingerprint": ["{{ default }}"]}, one | {"fingerprint": []})
    assert same(captured.event("py-fingerprint"), captured.event("py-fingerprint"))


def test_t11_a_fingerprint_may_name_parts_of_the_event():
    by_transaction = {"fingerprint": ["{{ transaction }}", "{{ error.type }}"]}
    one = python(thrown(frame("pay")), transaction="/pay") | by_transaction
    assert same(one, python(thrown(frame("refund")), transaction="/pay") | by_transaction)
    assert not same(one, python(thrown(frame("pay")), transaction="/cart") | by_transaction)


def test_t12_without_a_stack_type_and_value_decide():
    def bare(type, value):  # noqa: A002
        return {"exception": {"values": [{"type": type, "value": value}]}}

    assert first(bare("OutOfMemory", None)).kind == "exception"
    assert same(bare("OutOfMemory", None), bare("OutOfMemory", None))
    assert same(bare("HTTPError", "404 for /order/12"), bare("HTTPError", "500 for /order/99"))
    assert not same(bare("HTTPError", "404 for /order/12"), bare("HTTPError", "no route"))
    assert not same(bare("A", "x"), bare("B", "x"))


def test_t13_addresses_of_native_frames_do_not_count():
    def native(address, function="memcpy"):
        frames = [{"instruction_addr": address, "package": "/usr/lib/libc.so.6", "function": function}]
        exception = {"type": "SIGSEGV", "value": f"bad access at {address}", "mechanism": {"synthetic": True}}
        return {"platform": "native", "exception": {"values": [exception | {"stacktrace": {"frames": frames}}]}}

    assert same(native("0x7f00"), native("0x55aa"))
    assert not same(native("0x7f00"), native("0x7f00", "strlen"))
    only_addresses = {
        "exception": {"values": [{"type": "SIGSEGV", "stacktrace": {"frames": [{"instruction_addr": "0x1"}]}}]}
    }
    assert first(only_addresses).kind == "exception"


def test_t14_a_thrown_object_is_known_by_its_keys():
    def rejection(keys, **serialized):
        value = f"Object captured as promise rejection with keys: {keys}"
        exception = {"type": "UnhandledRejection", "value": value, "mechanism": {"synthetic": True, "handled": False}}
        return {"platform": "javascript", "exception": {"values": [exception]}, "extra": {"__serialized__": serialized}}

    assert same(rejection("code, reason", code=7), rejection("code, reason", code=8))
    assert not same(rejection("code, reason"), rejection("status"))
    assert not same(captured.event("node-nonerror"), captured.event("node-nonerror-2"))


# --- T15 to T17 ---


def test_t15_a_template_error_is_known_by_its_template_line():
    def template(line, lineno):
        shown = {"filename": "t.html", "lineno": lineno, "context_line": line, "in_app": True}
        return python(thrown(frame("view", 'render(request, "t.html")'), shown, type="TemplateSyntaxError"))

    assert same(template("{% bogus %}", 2), template("{% bogus %}", 9))
    assert not same(template("{% bogus %}", 2), template("{% other %}", 2))


def test_t15_and_by_its_value_where_the_sdk_sends_no_template_line():
    raw = captured.event("py-django-4")
    moved, other = copy.deepcopy(raw), copy.deepcopy(raw)
    moved["exception"]["values"][1]["value"] = raw["exception"]["values"][1]["value"].replace("line 2", "line 41")
    other["exception"]["values"][1]["value"] = raw["exception"]["values"][1]["value"].replace("bogus", "endfro")
    assert same(raw, moved)
    assert not same(raw, other)


def test_t16_the_environment_makes_no_difference():
    raw = captured.event("py-exception")
    assert same(
        raw, raw | {"environment": "staging", "release": "2.0", "server_name": "b", "level": "fatal", "user": {"id": 1}}
    )


def test_t17_the_same_event_always_has_the_same_hashes():
    for name in captured.names():
        # From run to run it is the corpus that says so; here, in whatever order an SDK writes its names.
        sorted_by_name = json.loads(json.dumps(captured.event(name), sort_keys=True))
        assert (name, grouped(sorted_by_name).hashes) == (name, grouped(captured.event(name)).hashes)


# --- what else is asked of it ---


def test_whether_the_sdk_or_the_server_hid_a_secret_makes_no_difference():
    clear = {"message": "login with password=hunter2 failed"}
    hidden = {"message": "login with password=[Filtered] failed"}
    assert same(clear, hidden)
    assert same({"message": "card 4111111111111111 declined"}, {"message": "card 4242 declined"})
    source = python(thrown(frame(line='login(password="hunter2")')))
    assert same(source, python(thrown(frame(line='login(password="[Filtered]")'))))


def test_an_event_with_a_stack_never_carries_a_hash_that_could_join_another_stack():
    for name in captured.names():
        kinds = [one.kind for one in grouped(captured.event(name)).hashes]
        assert kinds in (["app-stack", "system-stack"], ["system-stack"], ["message"], ["fingerprint", "fingerprint"])
    pay, refund = grouped(python(thrown(frame("pay")))), grouped(python(thrown(frame("refund"))))
    assert not {one.hash for one in pay.hashes} & {one.hash for one in refund.hashes}


def test_the_issue_is_found_again_when_the_sdk_changes_its_mind_about_what_is_in_app():
    before = python(thrown(frame("lib", "x()", in_app=False), frame("pay")))
    after = copy.deepcopy(before)
    after["exception"]["values"][0]["stacktrace"]["frames"][0]["in_app"] = True
    assert grouped(before).hashes[0] != grouped(after).hashes[0]
    assert grouped(before).hashes[1] == grouped(after).hashes[1]


def test_code_that_was_installed_as_a_package_does_not_become_one_bug():
    start = {
        "function": "<module>",
        "module": "__main__",
        "filename": "run.py",
        "context_line": "main()",
        "in_app": True,
    }
    pay, refund = (frame(name, f"{name}(x)", in_app=False) for name in ("pay", "refund"))
    assert not same(python(thrown(start, pay)), python(thrown(start, refund)))
    assert grouped(python(thrown(start, pay))).explain()["flags"] == ["no in-app frames"]
    assert first(python(thrown(start))).kind == "app-stack"


def test_a_stack_without_an_exception_decides_too():
    raw = captured.event("py-message-attach-stacktrace")
    assert first(raw).kind == "app-stack"
    assert same(raw, raw | {"message": "Disk completely full"})


def test_an_empty_event_has_a_group():
    assert grouped({}).hashes[0].kind == "message"
    assert grouped({}).explain()["summary"] == "Grouped with all events that say nothing"


def test_the_hashes_of_version_1_are_pinned():
    """A change here reopens every issue of every installation: it needs a new ALGORITHM."""
    assert grouped({}).algorithm == 1
    assert first(captured.event("py-django-2")).hash == "c1b469c398640cc7b06b590861381651"
    assert first(captured.event("browser-error-2")).hash == "1a6df5b7bcbead4d4252ac1d44a33b06"
    assert first(captured.event("py-logging-error")).hash == "4499d62612eda21df023ccb5d1d3f027"
    assert first({"exception": {"values": [{"type": "A", "value": "b 1"}]}}).hash == "9d332ebe8786cf67bf39b4b08d670ef6"
    assert first({"fingerprint": ["a", "b"]}).hash == "1c078e2bdd9462df1e592d9b6c3a0542"
