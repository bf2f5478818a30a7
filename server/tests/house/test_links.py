"""The documentation leads somewhere, and all of it can be reached from the front page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)(#[\w-]+)?\)")


def targets(page):
    """The files that a page links to."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return [(page.parent / link).resolve() for link, _ in LINK.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    assert [str(one.relative_to(ROOT)) for one in targets(page) if not one.exists()] == []


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [one for one in targets(page) if one.exists()]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached] == []


def test_the_container_copies_what_is_there():
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    assert copied
    assert [one for one in copied if not (ROOT / one).exists()] == []
    # The build context holds nothing but these.
    assert {f"!{one}" for one in copied} <= set((ROOT / ".dockerignore").read_text().split())
