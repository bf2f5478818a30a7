"""Regular expressions that cannot be made to take forever."""

import random
import re
import time

import pytest

from daytwo.flags import regex


def test_random_patterns_find_what_the_standard_library_finds():
    dice = random.Random(3)
    compared = 0
    for _ in range(4000):
        pattern = any_pattern(dice)
        try:
            theirs, ours = re.compile(pattern.replace("$", r"\Z")), regex.compile(pattern)
        except (re.error, regex.Refused):
            continue
        for _ in range(4):
            text = "".join(dice.choices("abc1.", k=dice.randrange(8)))
            assert ours(text) is bool(theirs.search(text)), (pattern, text)
            compared += 1
    assert compared > 5000


def any_pattern(dice, depth=0):
    kind = dice.random()
    if depth > 3 or kind < 0.4:
        return dice.choice(["a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\w", "^", "$", "\\.", ""])
    if kind < 0.6:
        return any_pattern(dice, depth + 1) + any_pattern(dice, depth + 1)
    if kind < 0.75:
        return f"({any_pattern(dice, depth + 1)}|{any_pattern(dice, depth + 1)})"
    repeat = dice.choice(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "{0}"])
    return f"(?:{any_pattern(dice, depth + 1)}){repeat}"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^[\w.+-]+@shop\.example$", "dana.x@shop.example", True), (r"(?i)^DANA", "dana@", True), (r"a{2}", "ba", False),
        (r"[]a]", "]", True), (r"[^]]", "]", False), (r"\[x\]", "[x]", True), (r"x{,2}", "x{,2}", True), (r"é+", "caféé", True),
        (r"\S\s\D", "a b", True), (r"", "", True), (r"^$", "", True), (r"^$", "a", False), (r"(?P<year>\d{4})-", "2026-", True),
        (r"\t", "a\tb", True), (r".", "\n", False), (r"a|", "zzz", True), ("[à-ü]", "é", True),
    ],
)  # fmt: skip
def test_patterns_are_read_as_everywhere(pattern, text, found):
    assert regex.compile(pattern)(text) is found


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1", r"(?=a)", r"(?!a)", r"(?<=a)b", r"\bword", r"(?P=x)", "(", ")", "a)", "[", "[a", "*", "a**", "a{2}{3}",
        "a{3,2}", "\\", "a" * 257, "(a{500}){500}", "((((a{9}){9}){9}){9})", "a{99999}", "(" * 40 + ")" * 40, "[[a]", "[b-a]",
        "a(?i)b", "[a--b]", r"\x",
    ],
)  # fmt: skip
def test_what_no_automaton_can_do_is_refused(pattern):
    begun = time.process_time()
    with pytest.raises(regex.Refused):
        regex.compile(pattern)
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 511 + "b"), ("(a|a)*$b", "a" * 512), ("(a*)*(a*)*(a*)*x", "a" * 512), ("(a?){120}a{120}$b", "a" * 512),
        ("(.*)(.*)(.*)(.*)(.*)(.*)x", "a" * 512), ("(a|b)*a(a|b){60}$c", "".join(random.Random(1).choices("ab", k=512))),
        ("(a|b)*a(a|b){75}(a|b){75}$c", "".join(random.Random(2).choices("ab", k=512))),
        ("([a-z]*[a-z0-9]*[a-z ]*){20}$Q", " a0" * 170),
    ],
)  # fmt: skip
def test_a_hostile_pattern_takes_its_time_and_no_more(pattern, text):
    search = regex.compile(pattern)
    begun = time.process_time()
    assert search(text) is False
    assert time.process_time() - begun < 0.5


def test_a_long_text_is_not_looked_at():
    assert regex.compile("a")("a" * 513) is None


def test_an_automaton_does_not_remember_without_end():
    search = regex.compile("(.|x)*a(.|x){9}$")
    for number in range(5000):
        search(f"{chr(0x4E00 + number)}a{number:09d}")
    assert search("a123456789") is True
    assert search.__self__.steps <= regex._REMEMBERED
