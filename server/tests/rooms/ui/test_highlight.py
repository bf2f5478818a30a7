"""Source code is coloured without ever changing, hiding or running it."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daytwo_server.ui.highlight import highlight_lines, language_of


def text_of(line: str) -> str:
    return html.unescape(re.sub(r"</?span[^>]*>", "", line))


def test_python_keywords_strings_numbers_and_comments_are_marked():
    (line,) = highlight_lines(['if total > 0x1F: return f"{name}"  # it\'s <fine>'], "python")
    assert line == (
        '<span class="k">if</span> total &gt; <span class="n">0x1F</span>: <span class="k">return</span>'
        ' <span class="s">f&quot;{name}&quot;</span>  <span class="c"># it&#x27;s &lt;fine&gt;</span>'
    )


def test_a_property_named_like_a_keyword_is_no_keyword():
    assert 'class="k"' not in highlight_lines(["node.class = match_id"], "js")[0]


def test_slashes_in_a_string_are_no_comment():
    (line,) = highlight_lines(["let url = 'https://x' + path"], "ts")
    assert '<span class="s">&#x27;https://x&#x27;</span>' in line
    assert 'class="c"' not in line


def test_a_string_over_several_lines_is_closed_and_opened_on_each():
    lines = highlight_lines(['x = """one', "two", 'three""" + y'], "python")
    assert [line.count("<span") == line.count("</span") for line in lines] == [True] * 3
    assert lines[1] == '<span class="s">two</span>'
    assert lines[2].endswith("</span> + y")


def test_an_unknown_language_stays_plain_and_escaped():
    assert highlight_lines(["<if> & 1"], "cobol") == ["&lt;if&gt; &amp; 1"]


def test_a_minified_bundle_is_not_coloured():
    assert highlight_lines(["let a=1;" * 5000], "js")[0].startswith("let a=1;")


@pytest.mark.parametrize(
    ("name", "language"),
    [("app/views.py", "python"), ("web/calendar.TSX", "javascript"), ("node", "javascript"), ("main.rs", ""), ("", "")],
)
def test_the_language_is_known_from_a_file_name_or_a_platform(name, language):
    assert language_of(name) == language


@given(
    st.lists(st.text(alphabet="if x=\"'`#/*\\\n\r\t<>&1.0r$é", max_size=40), max_size=6),
    st.sampled_from(["py", "js", ""]),
)
def test_whatever_the_text_it_comes_out_whole_line_by_line(lines, language):
    coloured = highlight_lines(lines, language)
    assert [text_of(line) for line in coloured] == [line.replace("\r", "").replace("\n", " ") for line in lines]
    assert all("<" not in re.sub(r'<span class="[cskn]">|</span>', "", line) for line in coloured)
