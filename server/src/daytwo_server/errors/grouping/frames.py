"""What a frame says about where the bug is: file, function and source line, without what changes by itself.

Left out on purpose: line numbers and addresses (move with every edit), directories (differ per machine and release),
hashes in file names (differ per build).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

_MAX_LINE = 120
_SCRIPT = re.compile(r"\.(?:[cm]?jsx?|[cm]?tsx?|css|map|vue|svelte|bundle)\Z")
# What a browser loads, or a page's inline script; .ts and .vue only come out of a source map.
_BUILT = re.compile(r"(?:\.(?:[cm]?js|bundle|html?)|^[^.]+)\Z")
_HEX_PART = re.compile(r"(?=[a-f]*\d)[0-9a-f]{6,}\Z|[0-9a-f]{8,}\Z")
_SPLIT = re.compile(r"([._~-])")
_NOT_OURS = re.compile(r"/(?:node_modules|site-packages|dist-packages)/|(?:^|/)webpack/|@sentry/|/lib/python\d")
_OF_THE_ENGINE = frozenset({"<anonymous>", "native", "[native code]", "native code"})
_NAMELESS = re.compile(r"(?:\?|<?anonymous>?|<?unknown>?|<redacted>|nil|eval|(?:global|eval|module) code)?\Z")
_COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})
_JAVASCRIPT = frozenset({"javascript", "node"})
# Where a program starts says nothing about its bugs when everything below is a library.
_ENTRY_FILES = frozenset({"manage.py", "wsgi.py", "asgi.py", "__main__.py"})

# Only for SDKs that leave in_app open.
_FRAMEWORK = re.compile(
    r"(?:javax?|jakarta|jdk|(?:com\.)?sun|kotlinx?|scala|androidx?|org\.(?:springframework|apache|hibernate)|io\.netty"
    r"|reactor|System|Microsoft)\."
)
_NOT_THERE = "part of the JavaScript engine; other browsers do not show it"
_NO_LONGER_THERE = "newer Python versions have no frame here"

_FUNCTION_NOISE = (
    (re.compile(r"0x[0-9a-fA-F]+"), ""),  # addresses
    (re.compile(r"::h[0-9a-f]{16}\Z"), ""),  # Rust's symbol hash
    (re.compile(r"\$\$(?:Lambda|Enhancer|FastClass)\w*.*"), "$$generated"),  # JVM proxies
    (re.compile(r"(lambda\$\w*?)\$\d+"), r"\1"),
    (re.compile(r"\{closure[^}]*\}"), "{closure}"),  # PHP names file and line
    (re.compile(r"class@anonymous.*"), "class@anonymous"),
    (re.compile(r"block (?:\(\d+ levels\) )?in "), ""),  # Ruby
    (re.compile(r"(?:\.func\d+)(?:\.\d+)*"), ".func"),  # Go closures
    (re.compile(r"(?<=[>\w]__)\d+(?:_\d+)*|(?<=\$)\d+"), ""),  # C# <Total>d__5 and b__0_1, Java access$000
)
_JS_PREFIX = re.compile(
    r"\A(?:(?:async|new|get|set|bound)\s+|(?:async|promise callback|setTimeout handler"
    r"|EventListener\.handleEvent|FrameRequestCallback)\*)+"
)
_JS_ALIAS = re.compile(r"\s*\[as [^\]]*\]\Z")
_MODULE_NOISE = re.compile(r"\$\$\w+.*|\$Proxy\d+|0x[0-9a-fA-F]+")


@dataclass(slots=True)
class Frame:
    """A frame as grouping sees it. `hint` says why it is skipped, or what of it is ignored."""

    where: str
    function: str
    line: str
    in_app: bool
    entry: bool
    minified: bool
    skipped: bool
    hint: str

    @property
    def token(self) -> str:
        """What two frames must share to be the same place."""
        return f"{self.where}\x1f{self.function}\x1f{self.line}"

    @property
    def counts(self) -> bool:
        return not self.skipped and bool(self.where or self.function)

    @property
    def tells(self) -> bool:
        """Whether it says more than a file name."""
        return bool(self.function or self.line) and not self.minified

    def shown(self) -> str:
        return f"{self.where} in {self.function}" if self.where and self.function else self.where or self.function


def read_frame(raw: dict[str, Any], platform: str) -> Frame:
    """The grouping view of one normalised frame of an event from `platform`."""
    platform = _text(raw.get("platform")) or platform
    script = platform in _JAVASCRIPT
    path = _text(raw.get("filename")) or _text(raw.get("abs_path"))
    module = _text(raw.get("module"))
    source = raw.get("context_line")
    function = clean_function(_text(raw.get("function")), script)
    line, hint = _source_line(source)
    file = file_name(path)
    # In a browser the file is what a source map restores; everywhere else the module is the better name,
    # except for the script that was started, which is __main__ whatever it is called.
    where = file if (platform == "javascript" and file) or module in ("", "__main__") else clean_module(module)
    minified = platform == "javascript" and not isinstance(source, str) and bool(_BUILT.search(file))
    skipped = path in _OF_THE_ENGINE or function in _COMPREHENSIONS
    if skipped:
        hint = _NOT_THERE if path in _OF_THE_ENGINE else _NO_LONGER_THERE
    elif platform == "javascript" and line:
        # Browsers disagree about names of callbacks; they agree about the line.
        function, hint = "", "function ignored: browsers name it differently"
    elif minified:
        function = function if len(function) > 2 else ""
        hint = "no source map: only the file and names that survive minification"
    return Frame(
        where=where or clean_module(module) or file_name(_text(raw.get("package"))),
        function=function,
        line=line,
        in_app=_in_app(raw, path, platform),
        entry=function == "<module>" or file in _ENTRY_FILES,
        minified=minified,
        skipped=skipped,
        hint=hint,
    )


@lru_cache(maxsize=2048)
def clean_function(function: str, script: bool) -> str:  # noqa: FBT001 - positional for the cache
    """The function's name without numbering, addresses and receivers; empty for a function without a name."""
    if script:
        function = _JS_ALIAS.sub("", _JS_PREFIX.sub("", function))
        # Firefox writes onPay/< for a callback inside onPay, V8 writes Checkout.<anonymous>.
        if function.endswith(("<", "<anonymous>")):
            return ""
        function = function.rpartition(".")[2].rpartition("/")[2]
    if _NAMELESS.match(function):
        return ""
    for pattern, replacement in _FUNCTION_NOISE:
        function = pattern.sub(replacement, function)
    return function


@lru_cache(maxsize=2048)
def clean_module(module: str) -> str:
    """The module without what a runtime generates into it."""
    return _MODULE_NOISE.sub("", module)


@lru_cache(maxsize=2048)
def file_name(path: str) -> str:
    """The lower-cased base name without query and build hash: `/static/app.3f9a2c.js?v=2` is `app.js`."""
    base = path.partition("?")[0].partition("#")[0].replace("\\", "/").rstrip("/").rpartition("/")[2]
    ending = _SCRIPT.search(base)
    if ending is None:
        return base.lower() if base not in _OF_THE_ENGINE else ""
    stem = base[: ending.start()]
    # Vite's hashes may hold the very characters that separate words elsewhere.
    if len(stem) > 9 and stem[-9] in "-." and _looks_random(stem[-8:]):
        stem = stem[:-9]
    parts = _SPLIT.split(stem)
    kept = ["<hash>"] if _is_build_hash(parts[0]) else parts[:1]
    for separator, part in zip(parts[1::2], parts[2::2], strict=True):
        if not _is_build_hash(part):
            kept.extend((separator, part))
    return ("".join(kept) + ending.group()).lower()


def _is_build_hash(part: str) -> bool:
    """Hex of six and more (webpack, Rails), or eight letters and digits no word looks like (Vite, esbuild, Rollup)."""
    return bool(_HEX_PART.match(part)) or (len(part) == 8 and part.isalnum() and _looks_random(part))


def _looks_random(part: str) -> bool:
    """Eight characters with digits among the first letters, all capitals, or capitals in no order."""
    if any(character.isdigit() for character in part[1:5]) and not part[0].isdigit():
        return True
    flips = sum(a.isupper() != b.isupper() for a, b in pairwise(part))
    return part.isupper() or flips >= 3


def _source_line(source: Any) -> tuple[str, str]:
    """The source line with its white space collapsed, and a hint if there is one that is not used."""
    if not isinstance(source, str):
        return "", ""
    line = " ".join(source[: _MAX_LINE * 4].split())
    if len(line) > _MAX_LINE:
        return "", f"source line ignored: longer than {_MAX_LINE} characters, probably generated"
    return line, ""


def _in_app(raw: dict[str, Any], path: str, platform: str) -> bool:
    flag = raw.get("in_app")
    if flag is False:
        return False
    # Browser SDKs call every frame the app's own; and some SDKs do not say.
    if flag is True and platform != "javascript":
        return True
    module = _text(raw.get("module"))
    return not (
        _NOT_OURS.search(path) or path.startswith(("node:", "<frozen", "internal/")) or _FRAMEWORK.match(module)
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
