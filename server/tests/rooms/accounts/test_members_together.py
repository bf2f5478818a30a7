"""Two people change who belongs here at the same moment."""

import threading
from collections.abc import Callable

import make
import pytest
from django.db import connection

from daytwo_server.accounts import services
from daytwo_server.accounts.models import Invitation, Membership, User

pytestmark = pytest.mark.django_db(transaction=True)
Role = Membership.Role


def at_once(*changes: Callable[[], object]) -> list[Exception | None]:
    """Run each in a thread of its own from one starting shot on; what each of them raised."""
    outcomes: list[Exception | None] = [None] * len(changes)
    start = threading.Barrier(len(changes))

    def run(place: int) -> None:
        start.wait(10)
        try:
            changes[place]()
        except services.AccountsError as problem:
            outcomes[place] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(changes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def active_owners() -> int:
    return Membership.objects.filter(role=Role.OWNER, user__is_active=True).count()


@pytest.mark.parametrize(
    "change",
    [
        lambda victim, actor: services.change_role(victim, Role.VIEWER, actor=actor),
        lambda victim, actor: services.remove_member(victim, actor=actor),
        lambda victim, actor: services.switch_member(victim, active=False, actor=actor),
    ],
    ids=["demote", "remove", "switch off"],
)
@pytest.mark.parametrize("_round", range(3))
def test_two_owners_who_turn_on_each_other_leave_one(change, _round):
    alice, olga = make.alice(), make.member("Olga", role=Role.OWNER)
    outcomes = at_once(lambda: change(olga, alice), lambda: change(alice, olga))
    assert active_owners() == 1
    assert sum(outcome is not None for outcome in outcomes) == 1


@pytest.mark.parametrize("_round", range(3))
def test_two_owners_who_step_down_together_leave_one(_round):
    alice, olga = make.alice(), make.member("Olga", role=Role.OWNER)
    outcomes = at_once(
        lambda: services.change_role(alice, Role.VIEWER, actor=alice),
        lambda: services.change_role(olga, Role.VIEWER, actor=olga),
    )
    assert active_owners() == 1
    assert [type(one) for one in outcomes if one] == [services.LastOwnerError]


@pytest.mark.parametrize("_round", range(3))
def test_two_browsers_with_one_link_let_one_person_in(_round):
    _, link = services.invite(role=Role.VIEWER, actor=make.alice())

    def join(name: str) -> Callable[[], object]:
        return lambda: services.accept_invitation(
            link, name=name, email=f"{name}@example.com", password="correct horse battery"
        )

    outcomes = at_once(join("dora"), join("dirk"))
    assert [type(one) for one in outcomes if one] == [services.LinkGoneError]
    assert Membership.objects.count() == 2
    assert User.objects.count() == 2, "the loser has no account either"
    assert Invitation.objects.get().used_at is not None


def test_one_person_with_two_links_at_once_joins_once():
    alice, charlie = make.alice(), make.charlie()
    links = [services.invite(role=role, actor=alice)[1] for role in (Role.VIEWER, Role.ENGINEER)]
    outcomes = at_once(*(lambda link=link: services.accept_invitation_as(link, charlie) for link in links))
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert Membership.objects.filter(user=charlie).count() == 1
    assert Invitation.objects.filter(used_at=None).count() == 1, "the other link is as good as before"


def test_two_people_with_the_same_new_address_become_one():
    alice = make.alice()
    links = [services.invite(role=Role.VIEWER, actor=alice)[1] for _ in range(2)]
    outcomes = at_once(
        *(lambda link=link: services.join_with_identity(link, name="Dora", email="Dora@example.com") for link in links)
    )
    assert [type(one) for one in outcomes if one] == [services.AccountExistsError]
    assert User.objects.filter(email="dora@example.com").count() == 1
