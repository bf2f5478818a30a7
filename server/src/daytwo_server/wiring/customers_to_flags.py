from daytwo_server.customers import erasing
from daytwo_server.flags.models import Change, Override, Segment, State
from daytwo_server.flags.services import forgetting

erasing.register(erasing.Keeper("flags", None, (Change, Override, Segment, State), at_once=forgetting.forget_customer))
