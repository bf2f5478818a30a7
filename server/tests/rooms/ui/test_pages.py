"""The frames around every page: what they say without a context, and how they are filled."""

import re

import pytest
from django.template.loader import get_template, render_to_string
from django.test import override_settings
from rooms.ui import gallery

from daytwo_server.ui import toasts

BARE = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [], "builtins": []},
    }
]


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "500", "503"])
def test_an_error_page_needs_no_context_no_request_and_no_database(code):
    with override_settings(TEMPLATES=BARE):
        html = get_template(f"{code}.html").render()
    assert f"<title>{code[:3]} · Daytwo</title>" in html
    assert '<html lang="en" data-theme="auto"' in html
    assert html.count("<h1>") == 1
    assert "Go to the start page" in html
    assert "htmx" not in html


def test_a_failed_page_names_the_report_to_ask_about():
    assert '<span class="mono">7f3a</span>' in render_to_string("500.html", {"reference": "7f3a"})


def test_a_page_without_navigation_viewer_or_theme_shows_none_of_them():
    html = render_to_string("ui/shell.html")
    assert "nav__group" not in html
    assert "nav__foot" not in html
    assert "data-theme-form" not in html
    assert 'class="tabbar"' not in html
    assert ">Daytwo</title>" in html.replace("> ·", ">").replace("> ", ">")


def test_the_server_writes_theme_density_and_key_switch_on_the_root_element():
    html = render_to_string("ui/shell.html", {"theme": "dark", "density": "compact", "keys_off": True})
    assert '<html lang="en" data-theme="dark" data-density="compact" data-zone="UTC" data-keys="off">' in html


def test_the_current_page_is_marked_in_the_navigation_and_in_the_tab_bar():
    html = render_to_string("ui/gallery.html", gallery.context())
    assert len(re.findall(r'class="(?:nav__link|tabbar__link)"[^>]* aria-current="page"', html)) == 2
    assert '<span class="nav__count nav__count--hot">1</span>' in html
    assert 'data-go="t"' in html


def test_every_request_of_htmx_carries_the_csrf_token():
    html = render_to_string("ui/shell.html", {"csrf_token": "t0k3n"})
    assert """<body hx-headers:inherited='{"X-CSRFToken": "t0k3n"}'>""" in html


def test_the_theme_button_is_a_form_that_asks_for_the_other_theme():
    html = render_to_string("ui/shell.html", {"theme": "dark", "theme_url": "/theme"})
    assert re.search(r'<form[^>]* method="post" action="/theme"', html)
    assert 'name="theme" value="light"' in html


def test_a_message_with_an_undo_becomes_a_toast_with_a_form(rf):
    from django.contrib.messages.storage.cookie import CookieStorage

    request = rf.get("/alerts?q=1")
    request._messages = CookieStorage(request)
    toasts.undoable(request, "Archived <b>", "/alerts/7/undo")
    html = render_to_string("ui/shell.html", {"messages": request._messages, "request": request, "csrf_token": "t0k3n"})
    assert "Archived &lt;b&gt;" in html
    assert '<form method="post" action="/alerts/7/undo"><input type="hidden" name="csrfmiddlewaretoken"' in html
    assert '<input type="hidden" name="next" value="/alerts?q=1">' in html


@pytest.mark.parametrize(
    "path", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "undo"]
)
def test_an_undo_that_leads_elsewhere_is_refused(rf, path):
    with pytest.raises(ValueError, match="path of this server"):
        toasts.undoable(rf.get("/"), "Archived", path)
