"""`jinka settle`: settlement orders as payment messages, and a bank's answers held against them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table, say
from jinka.kit import Unit, format_minor, parse_date
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

    from jinka.app.settle import Reconciled

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Settlement orders to the bank, and its answers. Example: [bold]jinka settle orders out/day[/bold]",
)
FINDINGS = 6
Ordering = Annotated[
    Path, typer.Argument(help="Where a day was run (its --dir), or a centre's folder.", metavar="DIR")
]
Parties = Annotated[
    Path | None,
    typer.Option(help="Bank details (TOML); DIR/settle.toml without it, invented for a simulated day."),
]
Lang = Annotated[Language, typer.Option(help="Language of the table.")]
_HEADS = {
    Language.EN: ("break", "order", "expected", "found", "where", "note", "what to do"),
    Language.ZH: ("差异", "指令", "应为", "实为", "位置", "备注", "处理"),
}
_STATES = {Language.EN: "orders", Language.ZH: "指令"}
_SUMS = {
    Language.EN: "the statements moved {moved}: orders {matched}, others {unmatched}",
    Language.ZH: "对账单发生额 {moved}：指令 {matched}，其他 {unmatched}",
}


@app.command()
@command
def orders(
    directory: Ordering,
    form: Annotated[
        str,
        typer.Option(
            "--format", help="pacs009 (between institutions), pacs008 (to customers), iso20022 (both), csv."
        ),
    ] = "iso20022",
    parties: Parties = None,
    date: Annotated[
        str | None, typer.Option(help="When it settles, YYYY-MM-DD; without it as the bank details say.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; DIR/settlement without it.")] = None,
    of_round: Annotated[
        str | None,
        typer.Option("--round", help="In a centre's folder: which round; its last one without it."),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Write a day's settlement orders as messages to the bank. The same day gives the same bytes.

    Example: [bold]jinka settle orders out/day --format pacs008[/bold]
    """
    from jinka.app.settle import write_orders

    settle_on = None if date is None else parse_date(date, where="--date")
    round_ = None if of_round is None else parse_date(of_round, where="--round")
    written, left = write_orders(
        directory, form, parties=parties, settle_on=settle_on, out=out, round_=round_
    )
    if as_json:
        put_json({"files": [each.as_dict() for each in written], "other_orders": left})
    for each in () if as_json else written:
        put(f"{each.path}  {each.orders}  {format_minor(each.total)}")
    if left:
        other = {
            Language.EN: f"{left} orders belong to the other message (--format iso20022 writes both)",
            Language.ZH: f"另有 {left} 条指令属于另一种报文（--format iso20022 同时生成）",
        }
        say(other[lang])


@app.command()
@command
def reconcile(
    directory: Ordering,
    files: Annotated[
        list[Path],
        typer.Argument(help="The bank's files: pacs.002, pacs.004, camt.053, camt.054.", metavar="FILE..."),
    ],
    parties: Parties = None,
    due: Annotated[
        str | None,
        typer.Option(help="Last day for a statement to show an order; without it the day it settles."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Statements were asked for until this day; without it the last one's.")
    ] = None,
    post: Annotated[
        bool, typer.Option("--post", help="Let the ledger follow what the statements show.")
    ] = False,
    of_round: Annotated[
        str | None,
        typer.Option("--round", help="In a centre's folder: up to which round; its last one without it."),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Hold a bank's answers and statements against a day's orders; ends with 6 when there are breaks.

    In a centre's folder against those of its rounds, and against what its neighbours have to pay.

    Example: [bold]jinka settle reconcile out/day status.xml statement.xml --lang zh[/bold]
    """
    from jinka.app.settle import reconcile_files

    found = reconcile_files(
        directory,
        files,
        parties=parties,
        due_on=None if due is None else parse_date(due, where="--due"),
        as_of=None if as_of is None else parse_date(as_of, where="--as-of"),
        posting=post,
        round_=None if of_round is None else parse_date(of_round, where="--round"),
    )
    if as_json:
        put_json(found.as_dict())
    else:
        _show(found, lang)
    return 0 if found.clean else FINDINGS


def _show(found: Reconciled, lang: Language) -> None:
    from jinka.settlement import OrderState

    done, chinese = found.done, lang is Language.ZH
    counts = ((state.value[chinese], done.count(state)) for state in OrderState)
    put(f"{_STATES[lang]}: " + ", ".join(f"{name} {count}" for name, count in counts if count))
    sums = {"moved": done.moved, "matched": done.matched, "unmatched": done.unmatched}
    put(_SUMS[lang].format(**{name: format_minor(value) for name, value in sums.items()}))
    if done.breaks:
        put_table(_breaks(found, lang))
    for finding in found.findings:
        put(f"{finding.code}  {finding.where}: {finding.what} ({finding.fix})")


def _breaks(found: Reconciled, lang: Language) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADS[lang]:
        table.add_column(heading, overflow="fold")
    chinese = lang is Language.ZH
    for each in found.done.breaks:
        title, fix = each.kind.value[chinese], each.kind.value[2 + chinese]
        amounts = (
            "" if value is None else format_minor(value, Unit.FEN) for value in (each.expected, each.found)
        )
        # References and reasons are a stranger's text: they may look like markup, and must not be any.
        table.add_row(title, Text(each.reference), *amounts, Text(each.where), Text(each.note), fix)
    return table
