from daytwo_server.customers import erasing
from daytwo_server.desk.models import Draft
from daytwo_server.tickets import jobs
from daytwo_server.tickets.models import Attachment, HeldMail, Mailed, Message, Pace, Participant, Tag, Ticket

_TABLES = (Attachment, Draft, HeldMail, Mailed, Message, Pace, Participant, Tag, Ticket)

erasing.register(erasing.Keeper("tickets", jobs.forget, _TABLES))
