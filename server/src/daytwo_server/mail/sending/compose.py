"""A delivery as a mail: RFC 5322, and the headers by which mail programs and answering machines know what it is."""

from __future__ import annotations

from email.utils import formataddr

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address

from daytwo_server.core import blobs, conf
from daytwo_server.mail import threads
from daytwo_server.mail.models import Delivery


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The whole mail. Raises `core.blobs.BlobGone` when an attachment was erased, ValueError for what no mail holds."""
    mark = threads.marker(delivery.reply_to)
    mail = EmailMultiAlternatives(
        delivery.subject,
        delivery.text if mark in delivery.text else f"{delivery.text.rstrip()}\n\n{mark}\n",
        _from(delivery.from_name),
        [delivery.to],
        headers=_headers(delivery),
        reply_to=[delivery.reply_to] if delivery.reply_to else None,
    )
    if delivery.html:
        hidden = f'<div style="display:none;font-size:1px;color:#fff">{mark}</div>'
        mail.attach_alternative(delivery.html if mark in delivery.html else delivery.html + hidden, "text/html")
    for file in delivery.files.order_by("pk"):
        mail.attach(file.name, b"".join(blobs.read(file.blob_id)), file.content_type)
    return mail


def envelope_sender(delivery: Delivery) -> str:
    """Where a bounce goes. To us with the delivery's name, if that is in the domain which the mail is from: another
    domain's servers would be asked whether we may send for it.
    """
    bounces, plain = threads.bounce_address(delivery.pk), threads.sender()
    same = bounces.rpartition("@")[2] == plain.rpartition("@")[2].lower()
    return bounces if bounces and same else plain


def envelope_recipient(delivery: Delivery) -> str:
    return str(sanitize_address(delivery.to, "utf-8"))


def _from(name: str) -> str:
    return formataddr((name, threads.sender())) if name else conf.current().mail_from


def _headers(delivery: Delivery) -> dict[str, str]:
    headers = {
        "Message-ID": delivery.message_id,
        "In-Reply-To": delivery.in_reply_to,
        "References": delivery.references,
        "X-Daytwo-Instance": threads.instance(),
        # RFC 3834, and what Exchange looks at: neither an answering machine nor an absence note answers these.
        "Auto-Submitted": "auto-generated" if delivery.automatic else "",
        "X-Auto-Response-Suppress": "All" if delivery.automatic else "OOF, AutoReply",
    }
    return {name: value for name, value in headers.items() if value}
