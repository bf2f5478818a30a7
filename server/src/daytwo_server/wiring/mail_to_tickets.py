from daytwo_server import mail
from daytwo_server.core.facts import reaction
from daytwo_server.mail.facts import MailBounced, MailComplained, MailDelivered, MailFailed, MailSent
from daytwo_server.tickets import incoming, services

mail.receive(incoming.receive)


@reaction(MailBounced, MailFailed)
def stop_waiting_for_an_answer_to_what_did_not_arrive(fact: MailBounced | MailFailed) -> None:
    """The customer cannot answer what they never got: it is our turn again."""
    services.undelivered(fact.about, fact.delivery)


@reaction(MailSent, MailDelivered, MailComplained)
def show_how_far_a_mail_got_on_the_page_of_its_ticket(fact: MailSent | MailDelivered | MailComplained) -> None:
    services.mail_went_on(fact.about)
