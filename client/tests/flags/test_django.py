"""Flags in Django's views and templates."""

import asyncio

import pytest

django = pytest.importorskip("django", reason="Django is not installed")

from django.conf import settings  # noqa: E402 - after the question whether it is there

if not settings.configured:
    settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"])

from django.http import Http404, HttpResponse  # noqa: E402
from django.template import Context, Engine, TemplateSyntaxError  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from flag_server import flag, snapshot  # noqa: E402

from daytwo import flags  # noqa: E402
from daytwo.integrations.django import flags as django_flags  # noqa: E402
from daytwo.integrations.django.flags import flag_required  # noqa: E402

LIBRARY = "daytwo.integrations.django.templatetags.daytwo_flags"
ENGINE = Engine(libraries={"daytwo_flags": LIBRARY})


class Dana:
    pk, is_authenticated = 7, True


class Nobody:
    pk, is_authenticated = None, False


@pytest.fixture
def ask():
    """A request of a signed-in Dana; the flag is on for her alone."""
    given = flag(rolloutPercentage=0, overrides=[{"userId": "7", "enabled": True}])
    team = flag("team", allowedPlans=["pro"])
    flags.configure(bootstrap=snapshot(given, team))

    def build(user=Dana):
        request = RequestFactory().get("/")
        request.user = user()
        return request

    yield build
    flags.configure(bootstrap=snapshot())


def render(source, request=None, **context):
    return ENGINE.from_string("{% load daytwo_flags %}" + source).render(Context({"request": request, **context}))


def test_a_template_shows_one_or_the_other(ask):
    source = '{% flag "new-checkout" %}new{% else %}old{% endflag %}'
    assert [render(source, ask(user)) for user in (Dana, Nobody)] == ["new", "old"]
    assert render(source) == "old"
    assert render("{% flag key %}new{% endflag %}", ask(Nobody), key="new-checkout") == ""
    assert render('{% flag "team" plan=account.plan %}new{% endflag %}', ask(), account={"plan": "pro"}) == "new"


def test_a_template_may_ask_for_a_variant(ask):
    assert render('{% flag_variant "new-checkout" as it %}<{{ it }}>', ask()) == "<on>"
    assert render('{% flag_variant "nothing" default="blue" %}', ask()) == "blue"


@pytest.mark.parametrize("source", ["{% flag %}{% endflag %}", '{% flag "a" b %}{% endflag %}', '{% flag "a" %}'])
def test_a_tag_that_is_none_is_said_to_be(source):
    with pytest.raises(TemplateSyntaxError):
        render(source)


def test_a_view_that_is_off_is_not_there(ask):
    view = flag_required("new-checkout")(lambda request: HttpResponse("new"))
    assert view(ask()).content == b"new"
    with pytest.raises(Http404):
        view(ask(Nobody))


def test_another_view_may_answer_instead(ask):
    view = flag_required("new-checkout", otherwise=lambda request: HttpResponse("old"))(
        lambda request: HttpResponse("new")
    )
    assert view(ask(Nobody)).content == b"old"


def test_async_views_stay_async(ask):
    @flag_required("new-checkout")
    async def view(request):
        return HttpResponse("new")

    def of(user):
        async def auser():
            return user()

        request = ask(Nobody)
        request.auser = auser
        return request

    assert asyncio.run(view(of(Dana))).content == b"new"
    with pytest.raises(Http404):
        asyncio.run(view(of(Nobody)))


def test_the_app_says_what_else_is_known_of_who_asks(ask, monkeypatch):
    calls = []

    def more(request):
        calls.append(request)
        return {"plan": "pro", "country": "SE"}

    monkeypatch.setattr(settings, "DAYTWO_FLAGS_CONTEXT", more, raising=False)
    request = ask()
    assert django_flags.enabled(request, "team") is True
    assert django_flags.enabled(request, "team", plan="free") is False
    assert django_flags.variant(request, "new-checkout") == "on"
    assert len(calls) == 1
