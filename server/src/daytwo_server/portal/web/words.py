"""What customers are told of a status. Theirs are fewer than ours: what happens between us is ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """`tone` is a class of portal.css; `text` says more than the colour does."""

    text: str
    tone: str = ""


_WORDS = {
    "open": Word("Received", "accent"),
    "pending": Word("We are on it", "accent"),
    "in_progress": Word("We are on it", "accent"),
    "waiting_customer": Word("Waiting for you", "partial"),
    "resolved": Word("Solved", "ok"),
    "closed": Word("Closed"),
}


def word_of(status: str) -> Word:
    return _WORDS[status]
