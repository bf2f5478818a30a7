"""The pages of agents: the inbox, a conversation, a new ticket."""

from django.urls import re_path

from daytwo_server.tickets.web import (
    changes,
    listing,
    mails,
    opening,
    promised,
    reports,
    saved_replies,
    saying,
    ticket,
    todos,
)

# Every address works with a slash at its end too; the ones without are what links are made of.
_TICKET = r"^tickets/(?P<number>\d{1,18})"

app_name = "tickets"
urlpatterns = [
    re_path(r"^reports/support/?$", reports.support, name="support"),
    re_path(r"^reports/support\.csv$", reports.support_csv, name="support-csv"),
    re_path(r"^tickets/?$", listing.inbox, name="list"),
    re_path(r"^tickets/news/?$", listing.news, name="news"),
    re_path(r"^tickets/undo/?$", changes.undo, name="undo"),
    re_path(r"^tickets/new/?$", opening.new, name="new"),
    re_path(r"^tickets/customers/?$", opening.customers, name="customers"),
    re_path(r"^settings/replies/?$", saved_replies.replies, name="replies"),
    re_path(r"^settings/replies/new/?$", saved_replies.new, name="new-reply"),
    re_path(r"^settings/replies/(?P<number>\d{1,18})/?$", saved_replies.change, name="change-reply"),
    re_path(r"^settings/replies/(?P<number>\d{1,18})/delete/?$", saved_replies.delete, name="delete-reply"),
    re_path(r"^settings/replies/(?P<number>\d{1,18})/restore/?$", saved_replies.restore, name="restore-reply"),
    re_path(rf"{_TICKET}/?$", ticket.ticket, name="ticket"),
    re_path(rf"{_TICKET}/since/?$", ticket.since, name="since"),
    re_path(rf"{_TICKET}/queue/?$", ticket.queue, name="queue"),
    re_path(rf"{_TICKET}/promises/?$", promised.show, name="promises"),
    re_path(rf"{_TICKET}/messages/(?P<message>\d{{1,18}})/?$", ticket.message, name="message"),
    re_path(rf"{_TICKET}/messages/(?P<message>\d{{1,18}})/designed/?$", mails.designed, name="designed"),
    re_path(rf"{_TICKET}/held/(?P<held>\d{{1,18}})/?$", mails.held, name="held"),
    re_path(rf"{_TICKET}/senders/(?P<participant>\d{{1,18}})/?$", mails.let_out, name="let_out"),
    re_path(rf"{_TICKET}/mails/(?P<delivery>\d{{1,18}})/?$", mails.send_again, name="send_again"),
    re_path(rf"{_TICKET}/files/(?P<uid>[0-9a-f-]{{36}})/?$", ticket.file, name="file"),
    re_path(rf"{_TICKET}/reply/?$", saying.reply, name="reply"),
    re_path(rf"{_TICKET}/saved/?$", saved_replies.offered, name="saved"),
    re_path(rf"{_TICKET}/saved/(?P<reply>\d{{1,18}})/?$", saved_replies.insert, name="insert"),
    re_path(rf"{_TICKET}/note/?$", saying.note, name="note"),
    re_path(rf"{_TICKET}/todos/?$", todos.todos, name="todos"),
    re_path(rf"{_TICKET}/merge/?$", saying.merge, name="merge"),
]
