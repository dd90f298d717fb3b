"""Tables of `jinka card`: what was read, the tree of files, a domain's content, a document's inspection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from jinka.app.card_reading import Reading
from jinka.app.card_tree import KIND_WORDS, STATES_ZH, Node, read_words, write_words
from jinka.kit import format_minor
from jinka.profile import FileKind
from jinka.reports import Language

_HEADINGS = {
    Language.EN: ("file", "what", "kind", "bytes", "read or use", "write"),
    Language.ZH: ("文件", "名称", "类型", "字节", "读取或使用", "写入"),
}
_LABELS = {
    Language.EN: (
        "application",
        "name (AID)",
        "number",
        "holder",
        "class",
        "balance",
        "valid",
        "log",
        "not known",
        "issued in",
        "trips",
    ),
    Language.ZH: (
        "应用",
        "AID",
        "卡号",
        "持卡人",
        "类别",
        "余额",
        "有效期",
        "交易明细",
        "未能识别",
        "发卡地",
        "行程",
    ),
}


def reading_table(reading: Reading, lang: Language, *, show: bool) -> Table:
    """One application, a line for each thing that it told and for each that it did not."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    labels, chinese = _LABELS[lang], lang is Language.ZH
    shown = reading.as_dict(show=show)
    valid = f"{reading.valid_from} – {reading.valid_to}" if reading.valid_from or reading.valid_to else ""
    values = (
        reading.title_zh if chinese else reading.title_en,
        reading.aid,
        str(shown["number"]),
        str(shown["holder"]),
        reading.holder_class_zh if chinese else reading.holder_class_en,
        reading.balance_text,
        valid,
    )
    for label, value in (*zip(labels, values, strict=False), (labels[9], reading.issued_in)):
        if value:
            table.add_row(label, value)
    for number, row in enumerate(reading.log):
        amount = format_minor(row.amount, reading.unit)
        kind = row.kind_zh if chinese else row.kind_en
        counter = "" if row.counter is None else f"#{row.counter}"
        table.add_row(
            labels[7] if not number else "", f"{row.at}  {kind}  {amount}  {row.terminal}  {counter}"
        )
    for number, trip in enumerate(reading.trips):
        kind = trip.kind_zh if chinese else trip.kind_en
        moved = f"{format_minor(trip.amount, reading.unit)} ({format_minor(trip.balance, reading.unit)})"
        table.add_row(
            labels[10] if not number else "", f"{trip.at}  {kind}  {moved}  {trip.place}  {trip.city}"
        )
    for number, text in enumerate(reading.unknown_zh if chinese else reading.unknown):
        table.add_row(labels[8] if not number else "", text)
    return table


def _state(file: Node, lang: Language) -> str:
    return STATES_ZH.get(file.state, file.state) if lang is Language.ZH else file.state


def tree_table(node: Node, lang: Language) -> Table:
    """The tree, one file a line, indented by depth."""
    chinese = lang is Language.ZH
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADINGS[lang]:
        table.add_column(heading, overflow="fold")
    for depth, file in node.walk():
        folder = file.kind is FileKind.FOLDER
        title = file.title_zh if chinese else file.title_en
        name = f" {file.name.hex().upper()}" if file.name else ""
        table.add_row(
            f"{'  ' * depth}{file.fid:04X}",
            f"{title}{name}" + (f" ({state})" if (state := _state(file, lang)) else ""),
            KIND_WORDS[file.kind][chinese],
            "" if folder else str(file.size),
            "" if folder else read_words(file)[chinese],
            "" if folder else write_words(file)[chinese],
        )
    return table


def content_table(rows: Sequence[Mapping[str, str]], lang: Language) -> Table:
    """What a security domain has, a line for each."""
    chinese = lang is Language.ZH
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        ("AID", "状态", "所属安全域", "程序包") if chinese else ("AID", "state", "owner", "package")
    ):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row["aid"], row["state_zh" if chinese else "state"], row["owner"], row["package"])
    return table


def inspection_table(values: Mapping[str, Any]) -> Table:
    """The verdict and the checks of a travel document, in both languages, as an officer reads them."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    verdict, chip = values["verdict"], values["chip"]
    table.add_row("verdict / 结论", f"{verdict['en']} / {verdict['zh']}")
    if chip is not None:
        table.add_row("chip / 芯片", f"{chip['issuer']} {chip['number']} {chip['name']}")
    for check in values["checks"]:
        reason = f": {check['reason']}" if check["reason"] else ""
        table.add_row(f"{check['en']} / {check['zh']}", f"{check['result']} / {check['result_zh']}{reason}")
    return table
