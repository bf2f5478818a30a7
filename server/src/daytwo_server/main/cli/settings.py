import argparse

from daytwo_server.core import conf


def run(parsed: argparse.Namespace) -> int:
    """`daytwo settings`: every setting, its default and meaning."""
    if parsed.markdown:
        print(conf.markdown(), end="")
        return 0
    for setting in conf.listing():
        print(f"{setting.env}={setting.default}\n    {setting.help}")
    return 0
