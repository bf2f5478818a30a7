from daytwo_server.customers import erasing
from daytwo_server.portal import services
from daytwo_server.portal.models import Session

erasing.register(erasing.Keeper("portal", services.forget_customer, (Session,)))
