"""Mail in and out: what waits, what could not be read, what did not arrive.

How mail stands may see whoever sees how the installation does. Who wrote and what is for those who work with tickets.
"""

from django.urls import path

from daytwo_server.operate.web.mails import one, received, sent

urlpatterns = [
    path("settings/mail/log/", received.mail_list, name="mail"),
    path("settings/mail/log/restore/", received.restore, name="restore-mail"),
    path("settings/mail/log/sent/", sent.mail_list, name="mail-sent"),
    path("settings/mail/log/<id:number>/", one.mail, name="mail-received"),
    path("settings/mail/log/<id:number>/mail.eml", one.raw, name="mail-raw"),
]
