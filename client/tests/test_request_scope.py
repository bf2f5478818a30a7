import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

import daytwo
from daytwo import scope


def test_every_line_within_a_request_carries_its_fields(lines):
    with scope.request(request_id="r-1"):
        daytwo.get_logger("view").info("inside")
        daytwo.get_logger("view").set(plan="pro")
        daytwo.get_logger("other").info("later")
    daytwo.get_logger("view").info("outside")
    inside, later, outside = lines()
    assert inside["request_id"] == "r-1"
    assert (later["request_id"], later["plan"]) == ("r-1", "pro")
    assert not {"request_id", "plan"} & set(outside)


def test_a_field_set_in_a_sync_view_on_a_thread_reaches_the_middleware_around_it():
    def view() -> None:
        daytwo.get_logger("view").set(order_id=5)

    async def middleware() -> dict[str, object]:
        with scope.request(request_id="r-1") as fields:
            await asyncio.to_thread(view)
            return dict(fields)

    assert asyncio.run(middleware()) == {"request_id": "r-1", "order_id": 5}


def test_a_field_set_with_a_copied_context_in_a_thread_pool_is_seen_too():
    with scope.request() as fields, ThreadPoolExecutor(1) as pool:
        context = contextvars.copy_context()
        pool.submit(context.run, lambda: scope.set(order_id=5)).result()
    assert fields == {"order_id": 5}


def test_concurrent_requests_do_not_see_each_other():
    async def serve(name: str) -> dict[str, object]:
        with scope.request(request_id=name) as fields:
            await asyncio.sleep(0)
            scope.set(**{name: True})
            await asyncio.sleep(0)
            return dict(fields)

    async def both() -> list[dict[str, object]]:
        return await asyncio.gather(serve("a"), serve("b"))

    assert asyncio.run(both()) == [{"request_id": "a", "a": True}, {"request_id": "b", "b": True}]


def test_a_scope_within_a_scope_starts_with_the_outer_fields_and_gives_none_back():
    with scope.request(a=1) as outer, scope.request(b=2) as inner:
        scope.set(c=3)
    assert inner == {"a": 1, "b": 2, "c": 3}
    assert outer == {"a": 1}
    assert scope.current() is None


def test_outside_of_a_request_there_is_nothing_to_add_to():
    scope.set(lost=True)
    assert scope.current() is None


def test_a_scope_may_be_closed_in_another_context():
    opened = scope.request(request_id="r-1")
    contextvars.copy_context().run(opened.__enter__)
    opened.__exit__(None, None, None)
    assert scope.current() is None
