from daytwo_server.core.facts import reaction
from daytwo_server.sla import jobs, selectors
from daytwo_server.sla.facts import SlaBreached, SlaWarned
from daytwo_server.sla.models import Kind
from daytwo_server.tickets import services


@reaction(SlaWarned)
def tell_who_has_a_ticket_that_a_promise_runs_out(fact: SlaWarned) -> None:
    """As of one that was missed: the mail waits for working hours, unless the ticket is urgent."""
    warned_at = selectors.warn_at(fact.ticket, fact.clock)
    if warned_at is not None:
        jobs.mail_risk_later(fact.ticket, fact.clock, selectors.may_disturb_at(fact.ticket, fact.clock, warned_at))


@reaction(SlaBreached)
def write_into_a_ticket_what_was_missed_and_tell_who_looks_after_it(fact: SlaBreached) -> None:
    """The mail waits for working hours, unless the ticket is urgent."""
    said = services.remark(fact.ticket, f"Promise missed: {Kind(fact.clock).label.lower()}")
    if said is not None:
        at = selectors.may_disturb_at(fact.ticket, fact.clock, fact.due_at)
        jobs.mail_lateness_later(fact.ticket, said.pk, at)
