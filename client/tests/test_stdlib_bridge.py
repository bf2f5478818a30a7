import logging
import logging.config
import sys

import pytest

import daytwo
from daytwo import logs


def test_stdlib_records_become_daytwo_lines_with_their_extra(lines):
    logs.install()
    with daytwo.scope.request(request_id="r-1"):
        logging.getLogger("django.db").warning("slow: %d ms", 900, extra={"sql": "SELECT 1", "password": "hush"})
    (line,) = lines()
    assert (line["level"], line["message"], line["logger"]) == ("warning", "slow: 900 ms", "django.db")
    assert (line["sql"], line["password"], line["request_id"]) == ("SELECT 1", "[redacted]", "r-1")
    assert set(line) == {"timestamp", "level", "message", "logger", "sql", "password", "request_id"}


def test_stdlib_exceptions_become_fields(lines):
    logs.install()
    try:
        int("bad")
    except ValueError:
        logging.getLogger("lib").exception("failed", stack_info=True)
    (line,) = lines()
    assert line["exception"]["stacktrace"][0]["file"] == __file__
    assert "Stack (most recent call last)" in line["stack"]


@pytest.mark.parametrize(
    ("number", "level"),
    [(5, "debug"), (10, "debug"), (25, "info"), (35, "warning"), (50, "critical"), (60, "critical")],
)
def test_levels_of_ones_own_count_as_the_one_below(lines, number, level):
    logs.install()
    logging.getLogger("lib").setLevel(1)
    logging.getLogger("lib").handle(logging.LogRecord("lib", number, "", 0, "said", None, None))
    logging.getLogger("lib").setLevel(logging.NOTSET)
    assert lines()[0]["level"] == level


def test_a_template_that_does_not_fit_its_arguments_is_written_with_them(lines):
    logs.StdlibHandler().handle(logging.LogRecord("lib", logging.INFO, "", 0, "%d items", ("many",), None))
    assert (lines()[0]["message"], lines()[0]["args"]) == ("%d items", ["many"])


def test_daytwos_level_governs_stdlib_logging(lines, stream):
    logs.configure("warning", form="json", stream=stream)
    logs.install()
    logging.getLogger("lib").info("hidden")
    logging.getLogger("lib").warning("shown")
    assert [line["message"] for line in lines()] == ["shown"]


def test_installing_twice_writes_once(lines):
    assert logs.install() is logs.install()
    logging.getLogger("lib").info("said")
    assert len(lines()) == 1


def test_the_handler_can_be_named_in_a_dict_config(lines):
    handlers = {"daytwo": {"class": "daytwo.logs.StdlibHandler"}}
    loggers = {"configured": {"handlers": ["daytwo"], "level": "INFO", "propagate": False}}
    config = {"version": 1, "disable_existing_loggers": False, "handlers": handlers, "loggers": loggers}
    logging.config.dictConfig(config)
    logging.getLogger("configured").info("said")
    assert lines()[0]["logger"] == "configured"


class Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record)


def test_forwarded_lines_reach_other_handlers_and_do_not_come_back(lines):
    keeping = Keeping()
    logging.getLogger().addHandler(keeping)
    logs.install(forward=True)
    error = ValueError("bad")
    daytwo.get_logger("shop").error("failed", error, order_id=5, password="hush", name="mine")
    (record,) = keeping.kept
    assert (record.name, record.levelname, record.getMessage()) == ("shop", "ERROR", "failed")
    assert record.order_id == 5
    assert record.password == "[redacted]"
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert len(lines()) == 1


def test_stdlib_records_are_not_forwarded_back_to_stdlib(lines):
    keeping = Keeping()
    logging.getLogger().addHandler(keeping)
    logs.install(forward=True)
    logging.getLogger("lib").info("said")
    assert len(keeping.kept) == 1
    assert len(lines()) == 1


class Echo(logging.Handler):
    """The worst neighbour: writes everything it hears to both loggers again."""

    def emit(self, record: logging.LogRecord) -> None:
        daytwo.get_logger("echo").info(record.getMessage())


def test_a_handler_that_logs_what_it_hears_makes_no_loop(lines):
    logs.install(forward=True)
    logging.getLogger().addHandler(Echo())
    daytwo.get_logger("shop").info("said")
    assert [line["logger"] for line in lines()] == ["shop", "echo"]


class Failing(logging.Handler):
    def emit(self, _record: logging.LogRecord) -> None:
        raise RuntimeError("disk full")


def test_a_handler_that_fails_harms_no_one(lines):
    logs.install(forward=True)
    logging.getLogger().addHandler(Failing())
    daytwo.get_logger("shop").info("said")
    daytwo.get_logger("shop").info("said again")
    assert len(lines()) == 2


def test_a_value_that_logs_through_stdlib_while_printed_ends(lines):
    class Chatty:
        def __str__(self) -> str:
            logging.getLogger("inner").info("asked", extra={"value": self})
            return "chatty"

    logs.install()
    daytwo.get_logger("outer").info("said", value=Chatty())
    assert lines()[-1]["value"] == "chatty"
    assert len(lines()) < sys.getrecursionlimit()
