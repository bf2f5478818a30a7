from daytwo_server.customers import erasing
from daytwo_server.errors import jobs
from daytwo_server.errors.models import Event, EventBody, Facet, IssueUser

erasing.register(erasing.Keeper("errors", jobs.forget, (Event, EventBody, Facet, IssueUser)))
