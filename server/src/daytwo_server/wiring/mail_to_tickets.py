from daytwo_server.core.facts import reaction
from daytwo_server.mail.facts import MailBounced, MailFailed
from daytwo_server.tickets import services


@reaction(MailBounced, MailFailed)
def stop_waiting_for_an_answer_to_what_did_not_arrive(fact: MailBounced | MailFailed) -> None:
    """The customer cannot answer what they never got: it is our turn again."""
    services.undelivered(fact.about)
