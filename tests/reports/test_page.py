"""The page: escaped, self-contained, bound by its own security policy, readable without eyes and without colours."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from jinka.reports import Language, Text, render_page
from jinka.reports.charts import Bar, bars, columns
from jinka.reports.page import verdicts
from tests.sample_day import sample_day

_VOID = {"meta", "input", "line", "rect"}
_TEXT = Text(en="<b>&'\"", zh="<i>甲")


class _Outline(HTMLParser):
    """Checks nesting and remembers elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())


def _outline(page: str) -> _Outline:
    outline = _Outline()
    outline.feed(page)
    outline.close()
    assert outline.open == []
    return outline


@pytest.mark.parametrize("spoiled", [False, True])
def test_well_formed_and_self_contained(spoiled: bool) -> None:
    outline = _outline(render_page(sample_day(spoiled=spoiled)))
    tags = [tag for tag, _ in outline.seen]
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(tags)
    for tag, attributes in outline.seen:
        assert not {"src", "href", "style", "onclick", "onload", "action"} & set(attributes), tag
    assert "url(" not in render_page(sample_day())
    assert tags.count("h1") == 1


def test_the_policy_names_the_hash_of_the_style() -> None:
    page = render_page(sample_day())
    style = page.split("<style>")[1].split("</style>")[0]
    wanted = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{wanted}'" in page


def test_tables_have_captions_and_charts_have_words() -> None:
    outline = _outline(render_page(sample_day(spoiled=True)))
    tags = [tag for tag, _ in outline.seen]
    assert tags.count("table") == tags.count("caption") == 12
    assert tags.count("svg") == 4
    named = [attributes["aria-labelledby"] for tag, attributes in outline.seen if tag == "svg"]
    ids = [attributes["id"] for _, attributes in outline.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(part in ids for name in named for part in str(name).split())


def test_names_are_escaped_everywhere() -> None:
    day = sample_day()
    evil = Text(en="<script>alert(1)</script>", zh="</td><b>甲")
    page = render_page(replace(day, by_operator=(replace(day.by_operator[0], name=evil),)))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    _outline(page)


def test_charts_escape_and_stand_on_zero() -> None:
    drawn = bars([Bar(label=_TEXT, parts=(3, 0), figure="<3>")], name="n", title=_TEXT, describe=_TEXT)
    assert "<b>" not in drawn
    assert "&lt;3&gt;" in drawn
    empty = columns([], name="n", title=_TEXT, describe=_TEXT, axis=_TEXT)
    assert "NaN" not in empty
    tall = columns([("00", (10, 0)), ("01", (5, 5))], name="n", title=_TEXT, describe=_TEXT, axis=_TEXT)
    heights = [float(height) for height in re.findall(r"<rect[^>]* height='([\d.]+)'", tall)]
    assert heights[0] == pytest.approx(heights[1] + heights[2])


def test_the_language_shown_first() -> None:
    assert '<html lang="en">' in render_page(sample_day())
    chinese = render_page(sample_day(), language=Language.ZH)
    assert '<html lang="zh-CN">' in chinese
    assert re.search(r'id="in-zh"[^>]* checked', chinese)


def test_same_report_same_bytes() -> None:
    assert render_page(sample_day()) == render_page(sample_day())


def test_verdicts_say_what_is_wrong() -> None:
    good = [verdict.good for verdict in verdicts(sample_day(spoiled=True))]
    assert good == [True, True, True]
    bad = replace(sample_day(spoiled=True, balanced=False), unexplained=3, false_rejections=1)
    assert [verdict.good for verdict in verdicts(bad)] == [False, False, False]
    refused = replace(sample_day(spoiled=True), spoil=())
    assert verdicts(refused)[2].text.en == "100 records were refused or set aside."
