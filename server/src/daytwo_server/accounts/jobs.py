"""What accounts leave to be done later."""

from __future__ import annotations

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse

from daytwo_server.accounts.models import User
from daytwo_server.core import conf, jobs

_NOBODY = 0


def mail_password_link_later(user: User | None) -> None:
    """Have a link mailed by which the person chooses a new password.

    For an address that nobody has (None) the same is enqueued: neither the answer, nor the time it takes, nor a mail
    server that is down may tell who has an account.
    """
    jobs.enqueue(mail_password_link, user=user.pk if user else _NOBODY)


@jobs.job("accounts.mail_password_link", max_attempts=5)
def mail_password_link(user: int) -> None:
    """Mail the link to the address on record. It is made here, because arguments of jobs hold no secret."""
    person = User.objects.filter(pk=user, is_active=True).first()
    if person is None:
        return
    words = {"email": person.email, "password_reset_url": _link(person)}
    send_mail(
        render_to_string("accounts/password_reset_mail_subject.txt").strip(),
        render_to_string("accounts/password_reset_mail_message.txt", words).strip(),
        conf.current().mail_from,
        [person.email],
    )


def _link(person: User) -> str:
    """From the configured address: a forged Host header must not decide where it leads."""
    # Imported here: the digest loads this module too, and has no use for all of allauth's forms.
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"}).replace("UID-KEY", key)
    # The configured address holds the installation's own prefix already.
    return f"{conf.current().public_url}/{path.removeprefix(get_script_prefix())}"
