"""The pages of agents: the inbox, a conversation, a new ticket."""

from django.urls import re_path

from daytwo_server.tickets.web import changes, listing, opening, saying, ticket

# Every address works with a slash at its end too; the ones without are what links are made of.
_TICKET = r"^tickets/(?P<number>\d{1,18})"

app_name = "tickets"
urlpatterns = [
    re_path(r"^tickets/?$", listing.inbox, name="list"),
    re_path(r"^tickets/news/?$", listing.news, name="news"),
    re_path(r"^tickets/undo/?$", changes.undo, name="undo"),
    re_path(r"^tickets/new/?$", opening.new, name="new"),
    re_path(r"^tickets/customers/?$", opening.customers, name="customers"),
    re_path(rf"{_TICKET}/?$", ticket.ticket, name="ticket"),
    re_path(rf"{_TICKET}/since/?$", ticket.since, name="since"),
    re_path(rf"{_TICKET}/messages/(?P<message>\d{{1,18}})/?$", ticket.message, name="message"),
    re_path(rf"{_TICKET}/files/(?P<uid>[0-9a-f-]{{36}})/?$", ticket.file, name="file"),
    re_path(rf"{_TICKET}/reply/?$", saying.reply, name="reply"),
    re_path(rf"{_TICKET}/note/?$", saying.note, name="note"),
    re_path(rf"{_TICKET}/merge/?$", saying.merge, name="merge"),
]
