from importlib.metadata import version as installed

from daytwo_server.core.conf import Conf


def version(conf: Conf) -> str:
    """The version that health answers and reports name."""
    return conf.app_version or installed("daytwo-server")
