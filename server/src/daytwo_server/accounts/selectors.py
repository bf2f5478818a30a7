"""What pages read about people and tokens."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session
from django.db.models import Count, Exists, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from daytwo_server.accounts import tokens
from daytwo_server.accounts.models import (
    UNDO_WINDOW,
    ApiToken,
    FormerMembership,
    Invitation,
    Membership,
    OwnerLink,
    Team,
    User,
    UserSession,
)
from daytwo_server.core import clock, query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.query import BadFilter, Query

RECOVERY_CODES = 10  # of a set; allauth's default


def person_id(key: str, email: str) -> int:
    """The id of whom a search names by e-mail address, member or not any more. Raises `BadFilter`."""
    found = User.objects.filter(email=User.objects.normalize_email(email)).values_list("pk", flat=True).first()
    if found is None:
        raise BadFilter(key, f"{email!r} is nobody here; use me or somebody's e-mail address.")
    return found


def _made_by(email: str) -> Q:
    return Q(created_by=person_id("by", email))


def _invited_by(email: str) -> Q:
    return Q(invited_by=person_id("by", email))


def _member_words(text: str) -> Q:
    """By the index, which knows any order and no accents, and by parts of names as people type them."""
    return query.indexed("user", "user")(text) | query.parts_of("user__name", "user__email")(text)


_ROLES = query.one_of("role", {role: Q(role=role) for role in Membership.Role.values})
MEMBERS = query.language(
    "members",
    {
        "role": _ROLES,
        "email": query.exactly("user__email"),
        "is": query.one_of("is", {"on": Q(user__is_active=True), "off": Q(user__is_active=False)}),
    },
    words=_member_words,
)


def members(asked: Query | None = None, *, cursor: str = "", limit: int = 50) -> Page[Membership]:
    """One page of members by name, each with `last_seen`. Words are sought in name and e-mail.

    Raises `BadFilter`, `BadCursor`.
    """
    found = MEMBERS.narrow(_with_last_seen(Membership.objects.select_related("user")), asked or Query())
    by_name = found.annotate(sort_name=Lower("user__name"))
    return page(by_name, by="sort_name", ascending=True, cursor=cursor, limit=limit)


def member(person: int) -> Membership | None:
    """One member, with `last_seen`, and how many `sessions` and `tokens` are theirs."""
    now = clock.now()
    in_force = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    made = ApiToken.objects.filter(in_force, created_by=OuterRef("user")).order_by().values("created_by")
    signed_in = _alive(UserSession.objects.filter(user=OuterRef("user"))).order_by().values("user")
    return (
        _with_last_seen(Membership.objects.select_related("user"))
        .annotate(
            tokens=Subquery(made.annotate(n=Count("pk")).values("n")),
            sessions=Subquery(signed_in.annotate(n=Count("pk")).values("n")),
        )
        .filter(user=person)
        .first()
    )


def people(asked: str = "", *, limit: int) -> list[User]:
    """The first members by name who can sign in; `asked` is a part of name or e-mail."""
    if not asked:
        return _first_people(limit)()
    return list(_by_name().filter(Q(name__icontains=asked) | Q(email__icontains=asked))[:limit])


def _by_name() -> QuerySet[User]:
    return User.objects.filter(is_active=True, membership__isnull=False).order_by(Lower("name"), "pk")


@functools.cache
def _first_people(limit: int) -> Prepared[User]:
    return Prepared(lambda: _by_name()[:limit])


class NoMember(ValueError):
    """An e-mail address that is no member's; the text says which."""


def members_named(emails: Iterable[str]) -> list[int]:
    """The ids of the members with these addresses, empty ones left out. Raises `NoMember`."""
    wanted = {email.strip().lower() for email in emails} - {""}
    with_text = [email for email in wanted if "\x00" not in email]
    found = dict(User.objects.filter(email__in=with_text, membership__isnull=False).values_list("email", "pk"))
    if unknown := sorted(wanted - found.keys()):
        raise NoMember(f"{unknown[0]!r} is no member; name members by e-mail address.")
    return list(found.values())


def teams(*, archived: bool = False) -> list[Team]:
    """All in use, or all that were put away, by name, each with its members as `people`. Two queries."""
    found = Team.objects.filter(archived_at__isnull=not archived).order_by(Lower("name"), "pk")
    return list(found.prefetch_related(Prefetch("members", _people_of_teams(), to_attr="people")))


def team_named(name: str) -> Team | None:
    """The team in use that has this name, however it is written."""
    return Team.objects.filter(name__iexact=name, archived_at=None).first() if name else None


def members_of(team: Team) -> list[User]:
    """Those of a team who are members here and can sign in, by name."""
    return list(_people_of_teams().filter(teams=team))


def _people_of_teams() -> QuerySet[User]:
    return User.objects.filter(is_active=True, membership__isnull=False).order_by(Lower("name"), "pk")


def removed_members() -> QuerySet[FormerMembership]:
    """Whose removal can still be undone, the latest first."""
    # `daytwo setup` may have made an owner of somebody who was removed.
    undoable = FormerMembership.objects.filter(removed_at__gt=clock.now() - UNDO_WINDOW, user__membership=None)
    return undoable.select_related("user").order_by("-removed_at")


def _is_invitation(state: str) -> Q:
    now = clock.now()
    return query.one_of(
        "is",
        {
            "open": Q(revoked_at=None, expires_at__gt=now),
            "expired": Q(revoked_at=None, expires_at__lte=now),
            "revoked": Q(revoked_at__isnull=False),
        },
    )(state)


INVITATIONS = query.language(
    "invitations",
    {"role": _ROLES, "by": _invited_by, "is": _is_invitation},
    words=query.parts_of("name", "email"),
    people={"by"},
)


def invitations(asked: Query | None = None, *, me: str = "", cursor: str = "", limit: int = 25) -> Page[Invitation]:
    """One page of invitations that nobody accepted, newest first: open or expired ones, and those whose revocation can
    still be undone. Raises `BadFilter`, `BadCursor`.
    """
    undoable = Q(revoked_at__gt=clock.now() - UNDO_WINDOW)
    waiting = Invitation.objects.filter(Q(revoked_at=None) | undoable, used_at=None).select_related("invited_by")
    waiting = INVITATIONS.narrow(waiting, asked or Query(), me=me)
    return page(waiting, by="created_at", cursor=cursor, limit=limit)


def sessions_of(user: User, *, cursor: str = "", limit: int = 50) -> Page[UserSession]:
    """One page of where a person is signed in, seen last first. Raises `BadCursor`."""
    return page(_alive(UserSession.objects.filter(user=user)), by="last_seen_at", cursor=cursor, limit=limit)


def account_with(email: str) -> bool:
    """Whether somebody signs in with this address."""
    return User.objects.filter(email=User.objects.normalize_email(email)).exists()


def _is_token(state: str) -> Q:
    now = clock.now()
    return query.one_of(
        "is",
        {
            "active": Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now)),
            "expired": Q(revoked_at=None, expires_at__lte=now),
            "revoked": Q(revoked_at__isnull=False),
            "unused": Q(last_used_at=None),
        },
    )(state)


TOKENS = query.language(
    "tokens",
    {"by": _made_by, "is": _is_token},
    words=query.parts_of("label", "prefix"),
    people={"by"},
)


def listed_tokens(asked: Query | None = None, *, me: str = "", cursor: str = "", limit: int = 50) -> Page[ApiToken]:
    """One page of tokens in force or expired, newest first, and of those whose revocation can still be undone.

    Raises `BadFilter`, `BadCursor`.
    """
    undoable = Q(revoked_at__gt=clock.now() - UNDO_WINDOW)
    found = ApiToken.objects.filter(Q(revoked_at=None) | undoable).select_related("created_by")
    found = TOKENS.narrow(found, asked or Query(), me=me)
    return page(found, by="pk", cursor=cursor, limit=limit)


def owner_link_is_good(link: str) -> bool:
    """Whether the link would let somebody in now; using it up is `services.welcome`."""
    return OwnerLink.objects.filter(digest=tokens.digest(link), used_at=None, expires_at__gt=clock.now()).exists()


def _with_last_seen(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    seen = UserSession.objects.filter(user=OuterRef("user")).order_by().values("user")
    return memberships.annotate(last_seen=Subquery(seen.annotate(at=Max("last_seen_at")).values("at")))


def _alive(sessions: QuerySet[UserSession]) -> QuerySet[UserSession]:
    """Those that would still let their browser in: what an end leaves behind is swept up once a day."""
    session = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=clock.now())
    return sessions.filter(Exists(session))


# ---- How somebody signs in ----


@dataclass(frozen=True)
class SecondFactors:
    """What somebody proves who they are with besides the password. `codes_left` is None without recovery codes."""

    app: Authenticator | None
    passkeys: Sequence[Authenticator]
    codes_left: int | None

    def __bool__(self) -> bool:
        return self.app is not None or bool(self.passkeys)


def second_factors(user: User) -> SecondFactors:
    """What this person has, oldest passkey first."""
    mine = list(Authenticator.objects.filter(user=user).order_by("pk"))
    by_type = {row.type: row for row in mine}
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
    return SecondFactors(
        app=by_type.get(Authenticator.Type.TOTP),
        passkeys=[row for row in mine if row.type == Authenticator.Type.WEBAUTHN],
        # A bit is set for each code that was used: counting them needs no decryption.
        codes_left=RECOVERY_CODES - int(codes.data["used_mask"]).bit_count() if codes else None,
    )


def has_second_factor(user: User) -> bool:
    """Whether signing in asks for more than the password. Recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


def anybody_has_a_passkey() -> bool:
    """Whether the sign-in page has a use for asking browsers."""
    return bool(Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).exists())


def identities(user: User) -> list[SocialAccount]:
    """The accounts elsewhere by which this person signs in here."""
    return list(SocialAccount.objects.filter(user=user).order_by("pk"))
