"""Signed addresses, ids and marks: only we can make them, and every form in which they come back is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daytwo_server.core import conf
from daytwo_server.mail import threads
from daytwo_server.mail.threads import Thread

pytestmark = pytest.mark.usefixtures("inbound")
IDS = st.integers(0, 2**42)


@pytest.fixture(scope="module", autouse=True)
def _inbound_for_all():
    before = conf.current()
    conf.use(conf.load({"DAYTWO_MAIL_INBOUND": f"{'s' * 24}@acme.test", "DAYTWO_URL": "http://testserver"}))
    yield
    conf.use(before)


@given(IDS, IDS, st.booleans())
def test_an_address_says_what_was_put_into_it_and_any_server_takes_it(thread, party, agent):
    address = threads.address(thread, party, agent=agent)

    assert threads.read(address) == Thread(thread, party, agent)
    assert threads.read(f"Acme <{address.upper()}>") == Thread(thread, party, agent)
    assert address == address.lower()
    assert len(address.partition("@")[0]) <= threads.LONGEST_LOCAL


@given(IDS, IDS)
def test_the_address_of_an_agent_is_not_that_of_a_customer(thread, party):
    customer, agent = (threads.address(thread, party, agent=agent) for agent in (False, True))
    assert customer != agent


@given(IDS, IDS, st.data())
def test_an_address_of_which_anything_was_changed_says_nothing(thread, party, data):
    local, _, host = threads.address(thread, party, agent=False).partition("@")
    base, _, tag = local.partition("+")
    at = data.draw(st.integers(0, len(tag) - 2))  # bits beyond the last byte say nothing
    other = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567").filter(lambda char: char != tag[at]))

    assert threads.read(f"{base}+{tag[:at]}{other}{tag[at + 1 :]}@{host}") is None


@given(st.text(max_size=80))
def test_whatever_stands_in_an_address_is_read_without_a_fault(text):
    assert threads.read(f"support+{text}@acme.test") is None
    assert threads.read(text) is None
    assert threads.read_bounce(text) is None
    assert threads.read_message_id(text) is None
    assert threads.read_markers(text) == []


@given(IDS, IDS)
def test_a_message_id_says_what_was_put_into_it(thread, message):
    text = threads.message_id(thread, message)
    assert text.startswith(f"<t.{thread}.{message}.")
    assert threads.read_message_id(f"<x@y> {text.upper()} <z@y>") == (thread, message)
    assert threads.read_message_id(text.replace(f"t.{thread}.", f"t.{thread + 1}.")) is None


def test_another_installation_reads_nothing_of_ours(settings):
    address, message = threads.address(7, 3, agent=True), threads.message_id(7, 3)
    bounce, instance = threads.bounce_address(9), threads.instance()
    settings.SECRET_KEY = "another one"

    assert threads.read(address) is None
    assert threads.read_message_id(message) is None
    assert threads.read_bounce(bounce) is None
    assert threads.instance() != instance


def test_what_was_signed_before_the_secret_key_was_replaced_is_read_while_the_old_key_is_named(settings):
    address, message = threads.address(7, 3, agent=True), threads.message_id(7, 3)
    bounce, instance, before = threads.bounce_address(9), threads.instance(), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another one", ["older still", before]

    assert threads.read(address) == Thread(7, 3, agent=True)
    assert threads.read_markers(threads.marker(address)) == [Thread(7, 3, agent=True)]
    assert threads.read_message_id(message) == (7, 3)
    assert threads.read_bounce(bounce) == 9
    assert threads.is_instance(instance)
    assert threads.address(7, 3, agent=True) != address, "the old key signs nothing"
    settings.SECRET_KEY_FALLBACKS = []
    assert threads.read(address) is None
    assert not threads.is_instance(instance)


def test_an_address_for_bounces_is_none_for_answers():
    assert threads.read_bounce(threads.bounce_address(9)) == 9
    assert threads.read(threads.bounce_address(9)) is None
    assert threads.read_bounce(threads.address(9, 0, agent=False)) is None


def test_a_mark_is_found_wherever_it_stands():
    mark = threads.marker(threads.address(7, 3, agent=False))
    assert threads.read_markers(f"> bla {mark}\n<div>{mark.upper()}</div> ref:aaaaaaaaaaaaaaaaaaaaaaaa") == [
        Thread(7, 3, agent=False)
    ]
    assert threads.marker("dana@shop.test") == ""


def test_a_text_without_marks_has_no_address_for_answers_either():
    address = threads.address(7, 3, agent=True)
    base = conf.current().mail_inbound
    text = f"To: Acme <{address}>\n{threads.marker(address)}\nnews+weekly@acme.test {'a' * 24}@x.test"
    assert threads.unmarked(text) == f"To: Acme <{base}>\n\nnews+weekly@acme.test {'a' * 24}@x.test"
    assert threads.unmarked(f"+{'a' * 24}@x.test") == f"+{'a' * 24}@x.test"


def test_letters_that_only_look_like_ours_make_no_id():
    assert threads.read_message_id(f"<t.7.3.{chr(0x17F) * 16}@acme.test>") is None  # a long s, which folds to an s


def test_mail_comes_in_at_the_address_and_at_all_with_a_plus(inbound):
    addresses = ["support@acme.test", "SUPPORT+x@Acme.test", "support@other.test", "sales@acme.test", "support+x", ""]
    assert [threads.is_inbound(address) for address in addresses] == [True, True, False, False, False, False]


def test_without_an_inbound_address_nothing_is_made_up(configured):
    conf.use(conf.load({"DAYTWO_MAIL_FROM": "Acme <help@acme.test>"}))
    assert (threads.address(7, 3, agent=False), threads.bounce_address(7)) == ("", "")
    assert threads.message_id(7, 3).endswith("@acme.test>")
    assert not threads.is_inbound("@")
