"""The pages of customers: `/help`. They know no member of the workspace and no session of one."""

from django.urls import re_path

from daytwo_server.portal.web import entering, opening, rating, tickets
from daytwo_server.portal.web.common import nothing_here

# Every address works with a slash at its end too. The catch-all keeps a token that somebody mistyped from the page, and
# the log line, that all the others get.
_TICKET = r"^help/tickets/(?P<code>[\w-]{1,64})"

app_name = "portal"
urlpatterns = [
    re_path(r"^help/?$", entering.home, name="home"),
    re_path(r"^help/link/?$", entering.link, name="link"),
    re_path(r"^help/in/?$", entering.sign_in, name="sign-in"),
    re_path(r"^help/in/(?P<token>[\w:=.-]{1,500})/?$", entering.enter, name="enter"),
    re_path(r"^help/out/?$", entering.sign_out, name="sign-out"),
    re_path(r"^help/new/?$", opening.new, name="new"),
    re_path(rf"{_TICKET}/?$", tickets.ticket, name="ticket"),
    re_path(rf"{_TICKET}/reply/?$", tickets.reply, name="reply"),
    re_path(rf"{_TICKET}/rating/?$", rating.rating, name="rating"),
    re_path(rf"{_TICKET}/files/(?P<uid>[0-9a-f-]{{36}})/?$", tickets.file, name="file"),
    re_path(r"^help/(?P<rest>.+)$", nothing_here, name="nothing"),
]
