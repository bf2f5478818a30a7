"""Every component renders, and no text from outside becomes markup in any of them."""

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.forms import CharField, Form
from django.template import Context, Engine, Template
from django.template.loader import get_template, render_to_string
from django.test.signals import template_rendered
from rooms.ui import gallery

import daytwo_server.ui
from daytwo_server.ui import stack
from daytwo_server.ui.strict import UnknownChoice

TEMPLATES = Path(daytwo_server.ui.__file__).parent / "templates"


def render(source: str, **values: object) -> str:
    return Template("{% load ui %}" + source).render(Context(values))


class Outline(HTMLParser):
    """Collects tags and attributes, and whether every element was closed in order."""

    VOID = {"meta", "link", "input", "br", "hr", "img"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def page(words: str = "words") -> str:
    return render_to_string("ui/gallery.html", gallery.context(words))


@pytest.mark.parametrize("name", sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")))
def test_a_template_compiles(name):
    assert get_template(name)


def test_the_gallery_shows_every_component():
    rendered: set[str | None] = set()

    def note(sender: object, template: Template, **rest: object) -> None:
        rendered.add(template.name)

    template_rendered.connect(note)  # sent by the test runner's instrumented Template
    page()
    template_rendered.disconnect(note)
    components = {f"ui/components/{path.name}" for path in (TEMPLATES / "ui/components").glob("*.html")}
    assert components - rendered == set()


def test_every_element_of_the_gallery_is_closed_in_order():
    outline = Outline(page())
    assert outline.open == []
    assert len(outline.tags) > 500


def test_a_script_in_any_text_stays_text():
    html = page(gallery.EVIL)
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert") > 30
    outline = Outline(html)
    assert outline.open == []
    assert [attrs for tag, attrs in outline.tags if tag == "script" and "src" not in attrs] == []


def test_a_quote_in_any_text_does_not_leave_its_attribute():
    outline = Outline(page('" onfocus="alert(1)'))
    assert [attrs for _, attrs in outline.tags if any(name.startswith("on") for name in attrs)] == []


def test_ids_on_the_gallery_are_unique():
    ids = [attrs["id"] for _, attrs in Outline(page()).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_a_typo_in_an_icon_name_stops_the_template_from_compiling():
    with pytest.raises(Exception, match="no icon 'bel'"):
        Template('{% load ui %}{% icon "bel" %}')


def test_an_icon_name_from_data_fails_while_developing_and_draws_nothing_in_production(settings):
    with pytest.raises(UnknownChoice, match="bel"):
        render("{% icon name %}", name="bel")
    settings.UI_STRICT = False
    assert render("{% icon name %}", name='bel"<') == '<svg class="icon" aria-hidden="true"></svg>'


def test_an_icon_is_hidden_from_screen_readers_unless_it_has_a_label():
    assert render('{% icon "bell" "sm" css="push" %}') == (
        '<svg class="icon icon--sm push" aria-hidden="true"><use href="/static/ui/icons.svg#bell"/></svg>'
    )
    assert 'role="img" aria-label="Muted &quot;now&quot;"' in render(
        '{% icon "bell" label=words %}', words='Muted "now"'
    )


def test_an_unknown_tone_fails_while_developing_and_is_plain_in_production(settings):
    with pytest.raises(UnknownChoice, match="badge tone 'majr'"):
        render('{% badge "Down" "majr" %}')
    settings.UI_STRICT = False
    assert render('{% badge "Down" "majr" %}') == '<span class="badge">Down</span>'


def test_one_person_has_the_same_initials_and_colour_everywhere():
    assert render('{% avatar "Jonas Lind" %}') == render('{% avatar "Jonas Lind" %}')
    assert ">JL<" in render('{% avatar "Jonas Lind" %}')
    assert ">MO<" in render('{% avatar "maya.okafor@example.com" %}')
    assert ">?<" in render('{% avatar "" %}')
    assert ">ŁZ<" in render('{% avatar "łukasz van Zieliński" %}')
    hue = re.compile(r"--hue: (\d+)")
    by_key = [hue.search(render("{% avatar name key=7 %}", name=name))[1] for name in ("Ann", "Bo")]
    assert by_key[0] == by_key[1]


def test_a_time_shows_how_long_ago_and_the_exact_moment_in_the_readers_zone():
    from django.utils import timezone

    moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3, minutes=1)
    with timezone.override("Asia/Kolkata"):
        html = render("{% time moment %}", moment=moment)
        local = moment.astimezone(timezone.get_current_timezone())
    assert html.endswith(">3 h ago</time>")
    assert f'datetime="{moment:%Y-%m-%dT%H:%M:%S}Z"' in html
    assert f'title="{local.day} {local:%B %Y, %H:%M:%S} IST"' in html
    assert 'tabindex="0"' in html
    assert "tabindex" not in render("{% time moment stop=False %}", moment=moment)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="naive"):
        render("{% time moment %}", moment=dt.datetime(2026, 11, 23))  # noqa: DTZ001 - the point of the test


def test_a_moment_longer_ago_than_a_week_is_a_date_that_no_script_changes():
    html = render("{% time moment %}", moment=dt.datetime(2020, 10, 14, tzinfo=dt.UTC))
    assert html.endswith(">14 Oct 2020</time>")
    assert "data-relative" not in html


def test_a_form_field_names_its_hint_and_its_error_for_screen_readers():
    class Check(Form):
        url = CharField(label="URL <b>", help_text="Start with https & a host")

    form = Check({"url": ""})
    tags = Outline(html := render("{% field form.url %}", form=form))
    attrs = next(attrs for tag, attrs in tags.tags if tag == "input")
    assert attrs["aria-invalid"] == "true"
    assert attrs["class"] == "input"
    described = set(attrs["aria-describedby"].split())
    assert described == {attrs["id"] for tag, attrs in tags.tags if tag in {"span", "div"} and attrs.get("id")}
    assert "URL &lt;b&gt;" in html
    assert "https &amp; a host" in html
    assert "This field is required." in html


def test_a_destructive_button_posts_at_once_with_its_token_and_fields():
    values = {"csrf_token": "t0k3n", "fields": {"ids": "1,2"}}
    html = render('{% post_button "Delete" "/x" tone="danger" key="e" fields=fields %}', **values)
    tags = Outline(html).tags
    assert ("form", {"class": "post", "method": "post", "action": "/x"}) in tags
    assert [attrs["value"] for tag, attrs in tags if tag == "input"] == ["t0k3n", "1,2"]
    assert ("button", {"class": "button button--danger", "data-key": "e"}) in tags


def test_library_frames_that_follow_each_other_become_one_line():
    frames = gallery.frames("words")
    folded = list(stack.fold(frames))
    assert [type(one).__name__ for one in folded] == ["Frame", "Frame", "Fold"]
    assert folded[2].names == "django.views, django.core"


def test_the_crashing_frame_is_shown_even_when_it_is_a_librarys():
    crash = stack.Frame("lib/pool.py", "acquire", 7, in_app=False, open=True)
    assert list(stack.fold([stack.Frame("lib/a.py", in_app=False), crash]))[1] is crash


def test_a_share_below_one_percent_is_not_rounded_to_nothing():
    html = render('{% distribution "country" parts %}', parts=[("DE", 9990), ("FR", 10)])
    assert "DE 100%, FR &lt;1%" in html


def test_a_pager_with_one_page_is_nothing():
    assert render("{% pager '' '' %}").strip() == ""
    assert 'rel="next"' in render("{% pager '' '?after=7' %}")


def test_the_tags_work_in_an_engine_that_knows_nothing_else():
    engine = Engine(libraries={"ui": "daytwo_server.ui.templatetags.ui"})
    assert engine.from_string("{% load ui %}{{ 12345|compact }}").render(Context()) == "12.3k"
