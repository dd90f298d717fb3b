"""What the commands of `jinka records` share: their options, and rows drawn as a table in either language."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import put, put_json, put_table
from jinka.kit import Usage
from jinka.reports import Language

Directory = Annotated[Path, typer.Option("--dir", help="The folder of the register.")]
Database = Annotated[str, typer.Option(help="A PostgreSQL database instead of the folder's file: its URL.")]
Department = Annotated[str, typer.Option("--as", help="The department that acts (see jinka records rules).")]
Officer = Annotated[str, typer.Option(help="Who acts: a code such as li-si.")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
Holder = Annotated[str, typer.Argument(help="A person or an organisation: person:12.", metavar="HOLDER")]
Purpose = Annotated[str, typer.Option(help="What for (see jinka records rules).")]
Record = Annotated[str, typer.Option(help="The record, such as person:12.")]
Find = Annotated[str, typer.Option(help="Or its key, FIELD=VALUE; a VALUE of - is read from standard input.")]
Fields = Annotated[list[str] | None, typer.Option("--field", help="A field; may be repeated.")]
CaseNumber = Annotated[str, typer.Option("--case", help="The number of the case that asks for it.")]
Reason = Annotated[str, typer.Option(help="Why.")]

LABELS = {
    "who": ("name", "名称"), "sensitivity": ("sensitivity", "敏感程度"),
    "act": ("act", "操作"), "amount_fen": ("amount, fen", "金额（分）"),
    "asked": ("asked for", "申请字段"), "at": ("time", "时间"), "article": ("clause", "法律依据"),
    "case": ("case", "案件"), "copy": ("copy", "副本"), "corrects": ("corrects", "更正"),
    "corrected_by": ("corrected by", "被更正"), "consent": ("consent", "同意"),
    "department": ("department", "部门"), "disputed": ("disputed", "有异议"),
    "due": ("due", "期限"), "ended": ("ended", "终止日"), "entry": ("entry", "条目"),
    "field": ("field", "字段"), "fields": ("fields", "字段"), "from": ("from", "起"),
    "given": ("given", "给予"), "grounds": ("ground", "依据"), "holder": ("holder", "权利人"),
    "institution": ("institution", "报送机构"), "keeper": ("for", "处理部门"),
    "kind": ("kind", "类别"), "machine": ("what", "事项"), "message": ("message", "消息"),
    "messages": ("messages", "消息数"), "needs": ("needs", "条件"),
    "officer": ("officer", "经办人"), "outcome": ("outcome", "结果"),
    "overdue": ("overdue", "逾期"), "purpose": ("purpose", "目的"), "reason": ("reason", "理由"),
    "record": ("record", "记录"), "separate": ("separate", "单独同意"), "seq": ("no.", "序号"),
    "sign": ("sign", "性质"), "since": ("since", "起始"), "source": ("source", "来源部门"),
    "state": ("state", "状态"), "statement": ("no.", "序号"), "text": ("text", "内容"),
    "to": ("to", "止"), "until": ("until", "有效至"), "value": ("value", "值"),
    "values": ("values", "值"), "version": ("version", "版本"), "why": ("why", "原因"),
    "withdrawn": ("withdrawn", "撤回"),
}  # fmt: skip


def show_rows(rows: Sequence[Mapping[str, Any]], columns: str, lang: Language, *, as_json: bool) -> None:
    """Print rows: all of them as JSON, or some columns as a table."""
    if as_json:
        put_json(list(rows))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns.split():
        table.add_column(LABELS[name][lang is Language.ZH], overflow="fold")
    for row in rows:
        table.add_row(*(Text(_shown(row.get(name, ""))) for name in columns.split()))
    put_table(table)


def show_fact(
    fact: Mapping[str, Any], text: Mapping[Language, str], lang: Language, *, as_json: bool
) -> None:
    """Print one outcome: as JSON, or in a sentence."""
    if as_json:
        put_json(fact)
    else:
        put(text[lang].format(**fact))


def split(text: str, option: str) -> tuple[str, str]:
    """``FIELD=VALUE``; the value of ``-`` is a line of standard input, so that no list of processes shows it."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Usage("not FIELD=VALUE", where=option)
    return name, sys.stdin.readline(4096).rstrip("\n") if value == "-" else value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "✓" if value else ""
    if isinstance(value, Mapping):
        return "; ".join(sorted({str(one) for one in value.values()}))
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value == 0 else str(value)
