"""Messages without their parameters: what differs between two events of one log line is replaced by its kind."""

import re

_MAX_LINES = 2  # of a message; what follows is usually a dump
_MAX_CHARS = 1_000

# One pass; of two kinds that start at the same place the first listed wins. Nothing here knows a language or a
# product: a rule that is right for one log format splits or merges the issues of another.
_KINDS = re.compile(
    r"""
    (?P<filtered>\[Filtered\])
    |(?P<email>[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)
    |(?P<url>\b[a-z][a-z0-9+.-]{1,20}://[^\s'"<>)\]}]+)
    |(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)
    |(?P<date>
        \b\d{4}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:\ ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?(?![\w-])
        |\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\ )?(?:\d{1,2}\ )?
         (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\ \d{1,4}(?:,?\ \d{4})?(?:\ \d\d:\d\d(?::\d\d)?)?
         (?:\ (?:UTC|GMT|[+-]\d{4}))?\b
        |\b\d{1,2}[/.]\d{1,2}[/.]\d{4}\b
        |\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?![\w:])
     )
    |(?P<ip>
        \b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.])
        |(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}(?![\w:])
        |(?<![\w:])(?=[0-9a-fA-F:]{0,40}\d)(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,5})?
         ::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,5})?(?![\w:])
     )
    |(?P<hostname>
        \b(?:[a-z0-9][\w-]{0,62}\.)+
        (?:com|net|org|edu|gov|io|co|de|fr|uk|eu|us|ca|au|jp|cn|nl|ch|se|biz|local|localhost|internal|lan|cloud|cluster)
        (?:\.(?:uk|au|jp))?(?::\d{1,5})?\b
        |\blocalhost(?::\d{1,5})?\b
     )
    |(?P<sha1>\b[0-9a-fA-F]{40}\b)
    |(?P<md5>\b[0-9a-fA-F]{32}\b)
    |(?P<quoted>(?<!\w)'[^'\n]{0,300}'(?!\w)|(?<!\w)"[^"\n]{0,300}"(?!\w)|`[^`\n]{0,300}`)
    |(?P<duration>(?<![\w.])\d+(?:\.\d+)?\ ?(?:ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?)\b)
    |(?P<hex>\b0[xX][0-9a-fA-F]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b|\b(?=[A-F]*\d)(?=\d*[A-F])[0-9A-F]{8,}\b)
    |(?P<id>
        # A word that ends in a long number, or that mixes letters and digits as no word of a language does.
        \b[A-Za-z][A-Za-z_-]{1,60}+\d[\d_-]{0,30}\d[\w-]{0,60}(?<=\d{3})(?!\w)
        |\b[a-z][A-Za-z_]{0,60}[a-z]\d{1,20}(?!\w|\.\d)
        |\b(?=[A-Za-z_]{0,60}-?\d{1,30}[A-Za-z_-]{1,60}\d)[A-Za-z0-9][\w-]{5,120}(?![\w])
     )
    |(?P<version>\b\d+(?:\.\d+){2,8}\b)
    |(?P<float>(?<![\w.])[+-]?\d+\.\d+(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<int>(?<![\w.])[+-]?\d+(?!\w)|(?<=[-_])\d+(?!\w))
    |(?P<bool>\b(?:[Tt]rue|[Ff]alse|TRUE|FALSE)\b)
    """,
    re.VERBOSE,
)
_ANY = re.compile(
    r"<(?:filtered|email|url|uuid|date|ip|hostname|sha1|md5|quoted|duration|hex|id|version|float|int|bool)>"
)
_ADJACENT = re.compile(r"<\*>(?:[-_.:/]?<\*>)+")
_NAME = re.compile(r"['\"`][A-Za-z_$][A-Za-z_$.]{0,60}['\"`]\Z")


def parameterise(message: str, *, keep_names: bool = False) -> str:
    """The message with every parameter replaced by its kind, for people: `order <int> of <email> failed`.

    Only the first two lines that say anything. `keep_names` keeps quoted words that could be names in code
    (`reading 'amount'`).
    """
    lines = [stripped for line in message[: _MAX_CHARS * 2].splitlines() if (stripped := line.strip())]
    text = "\n".join(lines[:_MAX_LINES])[:_MAX_CHARS]

    def kind(match: re.Match[str]) -> str:
        if keep_names and match.lastgroup == "quoted" and _NAME.match(match.group()):
            return match.group()
        return f"<{match.lastgroup}>"

    return " ".join(_KINDS.sub(kind, text).split())


def comparable(parameterised: str) -> str:
    """What is hashed: all kinds alike, because `1234abcd` and `12345678` may be two ids of the same place."""
    return _ADJACENT.sub("<*>", _ANY.sub("<*>", parameterised))
