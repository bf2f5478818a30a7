"""Who is in a rollout: pinned, even, and no matter of which other rollouts somebody is in."""

import json
import random
import string
import uuid
from pathlib import Path

import pytest

from daytwo.flags import bucketing
from daytwo.flags.bucketing import SPLIT_SEED, encoded, hash32, identity, murmur3, point, position

CONTRACTS = Path(__file__).parents[3] / "contracts"
MANY = 20_000
FLAGS = ["new-checkout", "checkout-v2", "a", "dark-mode", "search.reindex", "billing_2026"]


def ids(shape):
    dice = random.Random(5)
    return {
        "integers": lambda: [str(number) for number in range(MANY)],
        "user_N": lambda: [f"user_{number}" for number in range(MANY)],
        "padded": lambda: [f"usr_{number:07d}" for number in range(MANY)],
        "uuid": lambda: [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(MANY)],
        "mail": lambda: [f"{''.join(dice.choices(string.ascii_lowercase, k=8))}{n}@shop.example" for n in range(MANY)],
        "far apart": lambda: [str(number * 1_000_003 + 7) for number in range(MANY)],
    }[shape]()


SHAPES = ["integers", "user_N", "padded", "uuid", "mail", "far apart"]


def test_positions_are_those_that_every_language_has_to_find():
    vectors = json.loads((CONTRACTS / "bucketing.json").read_text())
    assert len(vectors) >= 100
    for one in vectors:
        assert position(one["salt"], one["unit"], one["seed"]) == one["position"], one
    assert {one["seed"] for one in vectors} >= {0, SPLIT_SEED}


def test_points_of_splits_are_those_that_every_language_has_to_find():
    vectors = json.loads((CONTRACTS / "flag-splits.json").read_text())
    for one in vectors:
        assert point(one["salt"], one["unit"]) == one["point"], one


def test_murmur_is_the_published_one():
    """Vectors of SMHasher and of others who implemented it."""
    assert [murmur3(b"", 0), murmur3(b"", 1), murmur3(b"", 0xFFFFFFFF)] == [0, 0x514E28B7, 0x81F16F39]
    assert murmur3(b"\xff\xff\xff\xff") == 0x76293B50
    assert murmur3(b"!Ce\x87", 0x5082EDEE) == 0x2362F9DE
    assert [murmur3(b"!Ce\x87"), murmur3(b"!Ce"), murmur3(b"!C"), murmur3(b"!")] == [
        0xF55B516B, 0x7E4A8634, 0xA0F7B07A, 0x72661CF4,
    ]  # fmt: skip
    assert murmur3(b"Hello, world!", 0x9747B28C) == 0x24884CBA
    assert murmur3("ππππππππ".encode(), 0x9747B28C) == 0xD58063C1


def test_plain_python_and_mmh3_agree_bit_for_bit():
    mmh3 = pytest.importorskip("mmh3", reason="the extra `speed` is not installed")
    assert hash32 is mmh3.mmh3_32_uintdigest
    dice = random.Random(7)
    for _ in range(10_000):
        data, seed = dice.randbytes(dice.randrange(40)), dice.choice([0, SPLIT_SEED, dice.getrandbits(32)])
        assert murmur3(data, seed) == hash32(data, seed)


@pytest.mark.parametrize("unit", ["\ud800", "a\udfff", "\ud83d\ude00", "😀", "日本", "\x00", "é" * 300])
def test_no_text_is_too_odd_to_have_a_place(unit):
    assert 0 <= position("s", unit) < 100_000
    assert 0 <= point("s", unit) < 1000


def test_half_a_character_counts_as_browsers_count_it():
    assert encoded("a\ud800b") == "a\ufffdb".encode()
    assert encoded("\ud83d\ude00") == "😀".encode()  # both halves, as JavaScript has them


def test_only_ids_are_ids():
    class User:
        def __str__(self):
            return "AnonymousUser"

    number = uuid.UUID(int=5)
    assert [identity(one) for one in ("u1", 7, number, 0)] == ["u1", "7", str(number), "0"]
    assert [identity(one) for one in (None, User(), True, 1.5, b"u1", ["u1"], {})] == [None] * 7


# ---- What a look at the shares alone would not show ----


def chi_square(counts, expected):
    return sum((count - expected) ** 2 / expected for count in counts)


@pytest.mark.parametrize("shape", SHAPES)
def test_hundredths_are_evenly_filled(shape):
    """Chi square with 99 degrees of freedom is below 148 in 999 of 1,000 cases."""
    for key in FLAGS[:2]:
        counts = [0] * 100
        for unit in ids(shape):
            counts[position(key, unit) // 1000] += 1
        assert chi_square(counts, MANY / 100) < 148, (shape, key)
        assert max(counts) > min(counts), "as even as this is a pattern"


@pytest.mark.parametrize("shape", SHAPES)
def test_one_flags_rollout_says_nothing_about_anothers(shape):
    units = ids(shape)
    deciles = {key: [position(key, unit) // 10_000 for unit in units] for key in FLAGS}
    for number, one in enumerate(FLAGS):
        for other in FLAGS[number + 1 :]:
            a, b = deciles[one], deciles[other]
            table = [0] * 100
            for left, right in zip(a, b, strict=True):
                table[left * 10 + right] += 1
            assert chi_square(table, MANY / 100) < 150, (shape, one, other)  # 81 degrees of freedom
            assert abs(phi(table, 1)) < 0.03, (shape, one, other)


def phi(table, below):
    """Correlation of being below that decile in both."""
    both = sum(table[i * 10 + j] for i in range(below) for j in range(below))
    first = sum(table[i * 10 + j] for i in range(below) for j in range(10))
    second = sum(table[i * 10 + j] for i in range(10) for j in range(below))
    return (both * MANY - first * second) / (first * (MANY - first) * second * (MANY - second)) ** 0.5


@pytest.mark.parametrize("percent", [10, 25, 50])
def test_within_a_rollout_a_split_is_still_a_split(percent):
    """With one hash for both, everybody in a 10 % rollout would get the first variant."""
    inside = [unit for unit in ids("user_N") if position("new-checkout", unit) < percent * 1000]
    first = sum(point("new-checkout", unit) < 500 for unit in inside)
    assert abs(first - len(inside) / 2) < 4 * (len(inside) / 4) ** 0.5


def test_tenths_of_a_split_are_evenly_filled():
    counts = [0] * 100
    for unit in ids("uuid"):
        counts[point("new-checkout", unit) // 10] += 1
    assert chi_square(counts, MANY / 100) < 148


def test_without_mmh3_there_is_the_same_function_in_plain_python():
    assert hash32 is bucketing.hash32
    assert hash32(b"new-checkout:user_1", 0) == murmur3(b"new-checkout:user_1", 0)
