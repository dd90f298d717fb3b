"""What stands behind codes, in words: accounts, parties, authorities, conditions, what a use wrote.

A code without a declared title is shown as it is: names of people in a story are their own titles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from jinka.app.sector_masking import shown_value
from jinka.app.sector_world import World
from jinka.codec.fields import Coding
from jinka.declaration.sector import Account, Party
from jinka.kit import Unit, format_minor
from jinka.profile.entitlement import Condition
from jinka.profile.records import RecordSpec
from jinka.profile.spec import PersonalDatum
from jinka.reports.day import Text

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_NOW = {"moment": Text("now", "当前时间"), "date": Text("today", "当日"), "time": Text("now", "当前时刻")}
_BLANK = frozenset({"", "-"})
_NONE_YET = re.compile(r"(.+)等于（尚无）")  # nothing can be equal to what is not there
_NOBODY = ("nobody's yet", "（尚无）")
_DATE = 8  # digits


def account_title(world: World, code: str) -> Text:
    """The title of an account or a party, of this sector or of one that it composes."""
    for sector in (world.sector, *world.catalogue.values()):
        rows: tuple[Account | Party, ...] = (*sector.accounts, *sector.parties)
        for row in rows:
            if row.code == code:
                return Text(row.title_en, row.title_zh)
        if code == sector.load_agent:
            return Text("load agent", "充值代理方")
    return Text(code, code)


def amounts_text(world: World, amounts: Mapping[str, int], unit: Unit = Unit.FEN) -> Text:
    """Who has what, by title; those with nothing are left out."""
    shown = [
        (account_title(world, code), format_minor(amount, unit))
        for code, amount in sorted(amounts.items())
        if amount
    ]
    return Text(
        ", ".join(f"{title.en} {amount}" for title, amount in shown),
        "，".join(f"{title.zh}{amount}" for title, amount in shown),
    )


def authority_title(authority: str) -> Text:
    """An authority is declared in English, then in Chinese: each reader gets his own."""
    found = _CHINESE.search(authority)
    if found is None or not found.start():
        return Text(authority, authority)
    return Text(authority[: found.start()].rstrip(), authority[found.start() :])


def lacking(condition: Condition, specs: Mapping[str, RecordSpec], facts: Mapping[str, object]) -> Text:
    """What a condition asks, with the facts that it was asked with; facts about a person are not printed."""
    said = []
    spec = specs.get(condition.record)
    for zh in (False, True):
        names = {name: spec.title_zh if zh else spec.title_en for name, spec in specs.items()}
        text = condition.text(zh=zh, names=names)
        for name, fact in facts.items():
            kept = spec is not None and spec.personal not in (None, PersonalDatum.SENSITIVE)
            shown = "***" if kept else dated(spec, str(fact)) if spec else str(fact)
            text = text.replace(f"<{name}>", shown or _NOBODY[zh])
        for name, now in _NOW.items():
            text = text.replace(f"<{name}>", now.zh if zh else now.en)
        said.append(_NONE_YET.sub(r"有\1（尚无）", text))
    return Text(*said)


def dated(spec: RecordSpec, value: str) -> str:
    """A date of a card as people write it; anything else as it stands."""
    if spec.coding is Coding.DATE and len(value) == _DATE and value.isdigit():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return value


def recorded_text(specs: Mapping[str, RecordSpec], values: Mapping[str, str], *, empty: Text) -> Text:
    """Records with what stands in them, as it may be printed; ``-`` and nothing are an empty one."""
    rows = [
        (specs[name], dated(specs[name], shown_value(specs[name], value))) for name, value in values.items()
    ]
    told = [
        _groups(spec, shown) if spec.groups and shown.isdigit() else
        Text(f"{spec.title_en} {empty.en if shown in _BLANK else shown}",
             f"{spec.title_zh}{empty.zh if shown in _BLANK else shown}")
        for spec, shown in rows
    ]  # fmt: skip
    return Text(", ".join(one.en for one in told), "，".join(one.zh for one in told))


def _groups(spec: RecordSpec, digits: str) -> Text:
    """Each number of a record that holds several."""
    en, zh = [], []
    for group in spec.groups:
        shown = format_minor(int(digits[: group.digits]), group.unit)
        digits = digits[group.digits :]
        en.append(f"{group.title_en} {shown}")
        zh.append(f"{group.title_zh}{shown}")
    return Text(", ".join(en), "，".join(zh))


def written_text(specs: Mapping[str, RecordSpec], written: Mapping[str, str]) -> Text:
    """Records with what was written into them."""
    return recorded_text(specs, written, empty=Text("emptied", "清空"))
