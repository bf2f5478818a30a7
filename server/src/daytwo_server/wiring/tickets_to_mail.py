from daytwo_server.core.facts import reaction
from daytwo_server.tickets import services
from daytwo_server.tickets.facts import TicketAssigned, TicketNoted, TicketOpened, TicketReplied


@reaction(TicketOpened)
def acknowledge_a_question_and_tell_support(fact: TicketOpened) -> None:
    """The customer learns that it arrived, the support address that it is there."""
    services.tell_of_opening(fact.ticket, fact.message)


@reaction(TicketReplied)
def tell_who_looks_after_a_ticket_that_the_customer_wrote(fact: TicketReplied) -> None:
    """What agents answer is mailed in the transaction that wrote it."""
    if fact.by == "customer":
        services.tell_of_reply(fact.message)


@reaction(TicketNoted)
def tell_those_whom_a_note_names(fact: TicketNoted) -> None:
    services.tell_of_note(fact.message)


@reaction(TicketAssigned)
def tell_the_new_assignee(fact: TicketAssigned) -> None:
    """Not of what they did themselves."""
    if fact.assignee is not None and fact.assignee != fact.by:
        services.tell_of_assignment(fact.ticket, fact.assignee, fact.by)
