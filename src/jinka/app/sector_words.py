"""Codes and names of a story put into words: why something was refused in both languages, Latin names in Chinese.

Players say codes, as their tests and reports want them; what is told to a reader passes through `Wording`. Names of
persons, accounts and documents and the coded values of records are words of English; what they are in Chinese is what
the sector's `words` say. Rows of reports have the titles of what they count by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from jinka.app.sector_catalogue import parts_of
from jinka.app.sector_reasons import reason_text
from jinka.app.sector_row_words import common_row
from jinka.declaration import Sector
from jinka.identity.base_records import Named, RecordKind
from jinka.reports.day import Text

_EDGE = r"(?<![A-Za-z0-9_-]){}(?![A-Za-z0-9_-])"
_CODE = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|63C[0-9A-F]|6[0-9A-F]{3}"
_IN_BRACKETS_ZH = re.compile(rf"（({_CODE})）")
_AFTER_ZH = re.compile(rf"(?<=[：，被])({_CODE})(?=$|[，；。])")
_ANSWER_ZH = re.compile(r"应答码([0-9]{2})")
_IN_BRACKETS_EN = re.compile(rf"\(({_CODE})\)")
_AFTER_EN = re.compile(rf"(?<=[:,] )({_CODE})(?=$|[;,.)]| \()")
_ANSWER_EN = re.compile(r"answer ([0-9]{2})")
_ROUND = re.compile(r" ?\(([^()]*[\u3400-\u9fff][^()]*)\)")
_COLON = re.compile(r"([\u3400-\u9fff）]): ")
_SEMICOLON = re.compile(r"(?<=[\u3400-\u9fff%])(); (?=.*[\u3400-\u9fff])")
_LAW_EN = re.compile(r"(?<=shown, by )[^():]+?(?:\([0-9]+\))*(?=$| \()")
_STATUS_EN = re.compile(r"\([A-Za-z ]+: SW ([0-9A-F]{4})\)")
_FIELD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_BEGIN = re.compile(r"(?:^|(?<=\. ))[a-z](?![A-Z])")
_LAW_ZH = re.compile(r"(?<=依据)([^（]+)")
_ARTICLE = re.compile(r"([0-9]+)(?:\(([0-9]+)\))?(?:\(([0-9]+)\))?")
_SERVICES = {  # what is done without a right of the card
    "entitlement": {"verify": ("signatures verified", "验签"), "log-on": ("log-on", "登录")},
}


class Wording:
    """The words of one story's sectors; the story's own first."""

    def __init__(self, sectors: Iterable[Sector], laws: Mapping[str, tuple[str, str]]) -> None:
        self._sectors = tuple(sectors)
        self._laws = laws
        words: dict[str, str] = {}
        for sector in reversed(self._sectors):
            words |= sector.words
        self._words = words
        names = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        self._named = re.compile(_EDGE.format(f"(?:{names})")) if words else None
        self._rights = {
            condition.reason
            for sector in self._sectors
            for right in sector.entitlements
            for condition in right.conditions
        }

    def text(self, said: Text) -> Text:
        """What is said, in words."""
        return Text(self.english(said.en), self.chinese(said.zh))

    def english(self, said: str) -> str:
        said = _STATUS_EN.sub(lambda found: self._status(found), said)
        said = _AFTER_EN.sub(lambda found: self._reason(found[1]).en, said)
        said = _IN_BRACKETS_EN.sub(lambda found: self._bracket(found, said, zh=False), said)
        said = _ANSWER_EN.sub(lambda found: self._reason(found[1]).en, said)
        said = _LAW_EN.sub(lambda found: self._cited(found[0], zh=False), said)
        said = _FIELD.sub(lambda found: found[0].replace("_", " "), said)
        return _BEGIN.sub(lambda found: found[0].upper(), said)

    def chinese(self, said: str) -> str:
        said = _IN_BRACKETS_ZH.sub(lambda found: self._bracket(found, said, zh=True), said)
        said = _AFTER_ZH.sub(lambda found: self._reason(found[1]).zh, said)
        said = _ANSWER_ZH.sub(lambda found: self._reason(found[1]).zh, said)
        said = _LAW_ZH.sub(lambda found: self._cited(found[1]), said)
        if self._named is not None:
            said = self._named.sub(lambda found: self._words[found[0]], said)
        said = _ROUND.sub(r"（\1）", said)
        return _COLON.sub(r"\1：", _SEMICOLON.sub(r"\1；", said))

    def _reason(self, code: str) -> Text:
        return reason_text(code, self._sectors)

    def _bracket(self, found: re.Match[str], said: str, *, zh: bool) -> str:
        """A code behind its words goes; alone it becomes words."""
        words = self._reason(found[1])
        word = words.zh if zh else words.en
        if found[1] in self._rights or word in said:
            return found[0] if word == found[1] else ""
        return f"（{word}）" if zh else f"({word})"

    def _status(self, found: re.Match[str]) -> str:
        """What a card answered, by its words where it has any."""
        word = self._reason(found[1]).en
        return found[0] if word == found[1] else f"({word})"

    def _cited(self, grounds: str, *, zh: bool = True) -> str:
        """``social-insurance 57; pipl 13(1)(4)`` as lawyers cite it."""
        cited = []
        for ground in grounds.split("; "):
            law, _, article = ground.rpartition(" ")
            found = _ARTICLE.fullmatch(article)
            if law not in self._laws or found is None:
                return grounds
            if not zh:
                cited.append(f"{self._laws[law][0]}, Art. {article}")
                continue
            places = zip(found.groups(), ("条", "款", "项"), strict=True)
            cited.append(f"《{self._laws[law][1]}》" + "".join(f"第{n}{unit}" for n, unit in places if n))
        return "、".join(cited) if zh else "; ".join(cited)


def row_title(key: str, by: str, sector: Sector, sectors: Iterable[Sector], *, zh: bool) -> str:
    """A row of a report: what it counts by, in words."""
    known = (sector, *(one for one in sectors if one is not sector))
    if by in _SERVICES and key in _SERVICES[by]:
        return _SERVICES[by][key][zh]
    if by == "reason":
        found = reason_text(key, known)
        return found.zh if zh else found.en
    for one in known:
        own = one.words.get(key, "") if zh else ""
        for row in _titled(one, by):
            if key == getattr(row, "name", getattr(row, "code", "")):
                return _title(row, zh)
        if own:
            return own
    common = common_row(key, by)
    return common[zh] if common else key


def _titled(sector: Sector, by: str) -> Iterable[object]:
    """What a sector has titles for, by what a report counts by."""
    records = [spec for specs in sector.records.values() for spec in specs]
    trace = sector.trace
    rows: Mapping[str, Iterable[object]] = {
        "device": (*sector.devices, *sector.meters, *(card for told in sector.journeys for card in told.cards)),
        "operator": sector.parties,
        "account": (*sector.accounts, *sector.parties),
        "application": sector.profiles,
        "entitlement": sector.entitlements,
        "sheet": sector.all_sheets,
        "record": (*records, *sector.channels, *(kind for part in parts_of([sector]) for kind in part.kinds)),
        "product": (*(one for tariff in sector.tariffs.values() for one in (*tariff.products, *tariff.caps)),
                    *sector.plans, *sector.channels),
        "department": (named for part in parts_of([sector]) for named in part.departments),
        "place": trace.places if trace else (),
        "item": trace.items if trace else (),
        "zone": trace.zones if trace else (),
    }  # fmt: skip
    return rows.get(by, ())


def _title(row: object, zh: bool) -> str:
    return (
        row.title[zh]
        if isinstance(row, Named | RecordKind)
        else str(getattr(row, "title_zh" if zh else "title_en"))
    )
