"""A link by which a member chooses a new password: help from an owner or admin, where no mail can be sent."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.accounts.services.common import AccountsError, LinkGoneError, NotAllowedError
from daytwo_server.accounts.services.members import check_may, member_of
from daytwo_server.accounts.services.profiles import set_password
from daytwo_server.core import audit
from daytwo_server.core.ref import Ref


def password_link(person: User, *, actor: User) -> str:
    """The text of a link `/password/choose/<link>/`, good for three days until that person signs in or uses it.

    It is stored nowhere. Raises `NotAllowedError`, and `AccountsError` for somebody who is gone.
    """
    check_may(actor, member_of(person).role)
    if actor.pk == person.pk:
        raise NotAllowedError("Change your own password under your profile.")
    with transaction.atomic():
        audit.record("accounts:password:link_made", actor=actor, ref=Ref("user", person.pk))
    return f"{person.pk}-{actor.pk}-{_tokens_of(actor.pk).make_token(person)}"


def person_of_password_link(link: str) -> User | None:
    """Whose password this link would set now; None when it is of no use, or its maker may no longer make it."""
    person_id, _, rest = link.partition("-")
    maker_id, _, token = rest.partition("-")
    # No database has a longer id, and some digits of Unicode are none for `int`.
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in (person_id, maker_id)):
        return None
    people = User.objects.in_bulk([int(person_id), int(maker_id)])
    person, maker = people.get(int(person_id)), people.get(int(maker_id))
    if person is None or maker is None or not _tokens_of(maker.pk).check_token(person, token):
        return None
    try:
        check_may(maker, member_of(person).role)
    except AccountsError:
        return None
    return person if person.is_active else None


def choose_password(link: str, password: str) -> User:
    """Use up the link. All sessions of the person end, and a second factor stays. Raises `LinkGoneError`."""
    with transaction.atomic():
        found = person_of_password_link(link)
        if found:
            # Of two browsers the second waits here, and then finds a password that its link does not fit.
            User.objects.select_for_update(of=("self",)).get(pk=found.pk)
        person = person_of_password_link(link)
        if person is None:
            raise LinkGoneError("This link was used, or has expired.")
        set_password(person, password)
    return person


def _tokens_of(maker: int) -> PasswordResetTokenGenerator:
    """Signed over the person's address, password and last sign-in, and over who made it."""
    generator = PasswordResetTokenGenerator()
    generator.key_salt = f"daytwo.password-link.{maker}"
    return generator
