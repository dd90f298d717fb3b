"""The part of a sector's page about things that are followed: their codes, the places, how they are kept and stored."""

from __future__ import annotations

from collections.abc import Iterator

from jinka.app.sector_trace_world import amount_text
from jinka.declaration.trace import KeptWithin, StorageZone, Trace
from jinka.trace.rules import RULES

Rows = list[tuple[str, ...]]
_KEYS = {
    "sgtin": "GTIN (AI 01, 21, 10)", "sscc": "SSCC (AI 00)", "grai": "GRAI (AI 8003)", "giai": "GIAI (AI 8004)",
    "drug": "NMPAB/T 1002", "ecode": "Ecode (GB/T 31866)", "uri": "URI",
}  # fmt: skip


def trace_tables(trace: Trace, *, zh: bool) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """(heading, columns, rows), those that have any."""

    def word(en: str, chinese: str) -> str:
        return chinese if zh else en

    def title(one: object) -> str:
        return f"{getattr(one, 'title_zh' if zh else 'title_en')} (`{getattr(one, 'name', '')}`)"

    name = word("Name", "名称")
    tables: list[tuple[str, tuple[str, ...], Rows]] = [
        (
            word("Things", "追溯对象"),
            (name, word("Code", "编码"), word("Stem", "前段"), word("Tag", "标签"), word("Danger", "危险类别")),
            [(title(i), _KEYS[i.key.value], f"`{i.stem}`", i.tag or "-", ", ".join(i.hazard) or "-")
             for i in trace.items],
        ),
        (
            word("Places", "地点"),
            (name, "GLN", word("Party", "主体代码")),
            [(title(one), one.gln, one.party or "-") for one in trace.places],
        ),
        (
            word("Kept within", "保存条件"),
            (name, word("Limits", "限值"), word("Outside for at most", "允许超限"), word("Source", "依据")),
            [(title(one), _bounds(one, zh=zh), _minutes(one.outside_minutes, zh=zh), one.source or "-")
             for one in trace.kept],
        ),
        (
            word("Storage", "储存"),
            (name, word("Amounts by class", "各类限量"), word("Kept apart", "隔离"), word("Source", "依据")),
            [(title(one), _most(one), one.apart.words[zh], one.source or "-") for one in trace.zones],
        ),
        (
            word("Rules of capture", "采集规则"),
            (word("Rule", "规则"), word("Leads to", "后果")),
            [(_rule(code, zh=zh), _LEADS[leads][zh]) for code, leads in trace.rules.items()],
        ),
    ]  # fmt: skip
    yield from (table for table in tables if table[2])


_LEADS = {
    "refuse": ("the event is refused", "拒绝采集"), "finding": ("a remark", "提示"), "off": ("nothing", "不检查"),
}  # fmt: skip
_PROPERTIES = {"Temperature": "温度", "RelativeHumidity": "相对湿度", "AbsoluteHumidity": "绝对湿度"}


def _rule(code: str, *, zh: bool) -> str:
    rule = RULES[code]
    return f"{rule.chinese if zh else rule.english} (`{code}`)"


def _minutes(minutes: int, *, zh: bool) -> str:
    if not minutes:
        return "不允许" if zh else "never"
    return f"{minutes}分钟" if zh else f"{minutes} min"


def _bounds(one: KeptWithin, *, zh: bool) -> str:
    low, high = (amount_text(each, one.uom) if each else "" for each in (one.low, one.high))
    name = _PROPERTIES.get(one.type, one.type) if zh else one.type
    return f"{name}: " + (f"{low} – {high}" if low and high else f"≥ {low}" if low else f"≤ {high}")


def _most(one: StorageZone) -> str:
    return ", ".join(f"{kind}: {most}" for kind, most in one.most.items())
