"""Base records' declarations, and what a look showed, as rows for people to read."""

from __future__ import annotations

from typing import Any

from jinka.app.records import catalogue
from jinka.identity.base_records import ANYONE, Catalogue
from jinka.store.base_records import Seen

_NEEDS = {
    "case": ("case", "业务编号"),
    "commissioned": ("holder's commission", "本人委托"),
    "emergency": ("emergency", "紧急情况"),
}


def rule_rows(department: str = "", kind: str = "", *, chinese: bool = False) -> list[dict[str, Any]]:
    """Who may see what by law, those rules that let everybody included."""
    known = catalogue()
    if department:
        known.check_department(department)
    if kind:
        known.kind(kind)
    rows = []
    for rule in known.rules:
        if (department and rule.department not in (department, ANYONE)) or (kind and rule.kind != kind):
            continue
        rows.append(
            {
                "department": rule.department, "purpose": rule.purpose, "kind": rule.kind,
                "fields": list(rule.fields), "article": known.cite(rule.clause)[chinese],
                "needs": [words[chinese] for name, words in _NEEDS.items() if getattr(rule, name)],
            }
        )  # fmt: skip
    return rows


def field_rows(kind: str = "", *, chinese: bool = False) -> list[dict[str, Any]]:
    """Kinds of records and their fields."""
    known = catalogue()
    chosen = [known.kind(kind)] if kind else list(known.kinds.values())
    return [
        {
            "kind": one.name, "field": spec.name, "text": spec.title[chinese], "type": spec.type.value,
            "source": spec.source, "sign": spec.sensitivity.value[chinese], "many": spec.many, "key": spec.key,
            "target": spec.target, "words": list(spec.words), "personal": spec.personal,
        }
        for one in chosen
        for spec in one.fields
    ]  # fmt: skip


def seen_rows(known: Catalogue, seen: Seen, *, chinese: bool = False) -> list[dict[str, Any]]:
    """The fields of a look with their grounds."""
    kind = known.kind(seen.ref.kind)
    return [
        {
            "field": kind.field(name).title[chinese],
            "value": list(found),
            "grounds": _ground(known, seen.grounds[name], chinese=chinese),
        }
        for name, found in seen.values.items()
    ]


def _ground(known: Catalogue, text: str, *, chinese: bool) -> str:
    law, _, article = text.partition(" ")
    if law in known.laws:
        titles = known.laws[law].title
        return f"《{titles[1]}》第{article}条" if chinese else f"{titles[0]}, Art. {article}"
    if not chinese:
        return text
    return f"同意 {article}" if law == "consent" else "本部门数据"
