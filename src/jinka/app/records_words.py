"""Base records' declarations, and what a look showed, as rows for people to read."""

from __future__ import annotations

from typing import Any

from jinka.app.records import catalogue
from jinka.identity.base_records import ANYONE, MACHINES, Catalogue, Clause, Why
from jinka.store.base_records import Seen

_NEEDS = {
    "case": ("case", "业务编号"),
    "commissioned": ("holder's commission", "本人委托"),
    "emergency": ("emergency", "紧急情况"),
}
_ACTS = {
    "look": ("looked", "查询"),
    "look.emergency": ("looked in an emergency", "紧急查询"),
    "copy.opened": ("began a copy", "建立副本"),
    "copy.sent": ("was sent for a copy", "接收副本数据"),
    "copy.ended": ("lost the ground of a copy, which is to be erased", "副本依据消失，须删除"),
    "copy.acknowledged": ("applied what a copy was told", "确认副本更新"),
    "records.write": ("wrote", "登记"),
    "consent.given": ("consented", "同意"),
    "consent.withdrawn": ("withdrew a consent", "撤回同意"),
    "credit.reported": ("reported credit", "报送信用信息"),
    "credit.deleted": ("deleted credit entries that were over their time", "删除到期信用信息"),
    "credit.own-report": ("read the own credit record", "查询本人信用记录"),
    "log.opened": ("the log begins", "日志开始"),
}
_REFUSED = {"refused": (" - refused", "——被拒绝"), "failed": (" - nothing found", "——未找到")}
_WHY = {why.title[0]: why.title for why in Why}
_HOLDER = ("holder", "本人")


def log_lines(known: Catalogue, row: dict[str, Any], *, chinese: bool = False) -> list[str]:
    """One note for whoever it concerns: who, what, what for, why; then the fields and their grounds."""
    act, outcome = _act(row["act"])[chinese], _REFUSED.get(row.get("outcome", ""), ("", ""))[chinese]
    who = _title(known.departments, row.get("department", ""), chinese=chinese)
    purpose = _title(known.purposes, row.get("purpose", ""), chinese=chinese)
    words = [
        f"{row.get('officer', '')}@{who}" if who else "",
        f"{act}{outcome}",
        purpose,
        row.get("case", ""),
    ]
    words += [row.get("reason", "")]
    why = row.get("why", "")
    words += [_WHY.get(why, (why, why))[chinese]]
    first = f"{row['seq']:>5}  {row['at']}  {'  '.join(word for word in words if word)}"
    kind = known.kinds.get(row.get("kind", ""))
    titles = {spec.name: spec.title[chinese] for spec in kind.fields} if kind else {}
    if row["act"] == "consent.given":
        titles = {spec.name: spec.title[chinese] for spec in known.kind(row["of"]).fields}
    named = [titles.get(name, name) for name in row.get("fields") or row.get("asked") or ()]
    grounds = sorted({_ground(known, text, chinese=chinese) for text in row.get("grounds", {}).values()})
    second = ("、" if chinese else ", ").join(named) + (f"  [{'; '.join(grounds)}]" if grounds else "")
    about = f"{kind.title[chinese]} {row['record']}" if kind and row.get("record") else ""
    rest = ": ".join(part for part in (about, second) if part)
    return [first, f"       {rest}"] if rest else [first]


def _act(name: str) -> tuple[str, str]:
    machine, _, act = name.partition(".")
    if name not in _ACTS and machine in MACHINES:
        title, step = MACHINES[machine].title, MACHINES[machine].step(act).title
        return f"{title[0]}: {step[0]}", f"{title[1]}：{step[1]}"
    return _ACTS.get(name, (name, name))


def _title(named: dict[str, Any], code: str, *, chinese: bool) -> str:
    if code == "holder":
        return _HOLDER[chinese]
    return str(named[code].title[chinese]) if code in named else code


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
                "who": _title(known.departments, rule.department, chinese=chinese),
                "what_for": _title(known.purposes, rule.purpose, chinese=chinese),
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
            "source": spec.source, "sensitivity": spec.sensitivity.value[chinese], "many": spec.many, "key": spec.key,
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
        return known.cite(Clause(law=law, article=article))[chinese]
    if not chinese:
        return text
    return f"同意 {article}" if law == "consent" else "本部门数据"
