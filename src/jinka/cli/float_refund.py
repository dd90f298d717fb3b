"""`jinka float refund`: refunds of lost, dead and returned cards; and the words that all of `jinka float` shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put_json, put_table
from jinka.kit import format_minor, parse_date
from jinka.reports import Language

if TYPE_CHECKING:
    import datetime as dt

    from jinka.app.float_refunds import RefundDesk

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Refunds of lost, dead and returned cards. Example: [bold]jinka float refund list out/day[/bold]",
)
Directory = Annotated[Path, typer.Argument(help="Where a day was run (its --dir).", metavar="DIR")]
On = Annotated[str, typer.Option(help="On which day it is done, YYYY-MM-DD.")]
Actor = Annotated[str, typer.Option(help="Who does it.")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
Id = Annotated[str, typer.Argument(help="The refund, by the first digits of its id.", metavar="REFUND")]
_REFUND_HEADS = (
    ("refund", "kind", "card", "state", "due", "amount"), ("退款", "类别", "卡号", "状态", "到期", "金额"),
)  # fmt: skip


@app.command(name="list")
@command
def list_(directory: Directory, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List refunds and where they stand.

    Example: [bold]jinka float refund list out/day --lang zh[/bold]
    """
    with _desk(directory) as desk:
        _put_refunds(desk.listed(), lang, as_json=as_json)


@app.command()
@command
def ask(
    directory: Directory,
    kind: Annotated[str, typer.Argument(help="lost, dead or returned.")],
    card: Annotated[str, typer.Option(help="The card's number.")],
    on: On,
    actor: Actor,
    balance: Annotated[int | None, typer.Option(help="What a returned chip says: fen.", min=0)] = None,
    offline: Annotated[int | None, typer.Option(help="Its next offline counter.", min=0)] = None,
    online: Annotated[int | None, typer.Option(help="Its next online counter.", min=0)] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Ask for a refund. Lost: named cards on a list in force. Returned: with what the chip says of itself.

    Example: [bold]jinka float refund ask out/day dead --card 00004403000000000036 --on 2018-09-05 --actor li[/bold]
    """
    from jinka.app.float_refunds import card_number, reading_of

    with _desk(directory) as desk:
        made = desk.ask(
            kind, card_number(card), on=on_date(on), actor=actor, reading=reading_of(balance, offline, online)
        )
    _put_refunds([made], lang, as_json=as_json)


@app.command()
@command
def determine(
    directory: Directory, refund_id: Id, on: On, actor: Actor, as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Post what is owed to the holder, once late records can come no more.

    Example: [bold]jinka float refund determine out/day 3f9a --on 2018-09-12 --actor li[/bold]
    """
    with _desk(directory) as desk:
        made = desk.determine(refund_id, on=on_date(on), actor=actor)
    _put_refunds([made], lang, as_json=as_json)


@app.command()
@command
def pay(
    directory: Directory, refund_id: Id, on: On, actor: Actor, as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Pay a determined refund.

    Example: [bold]jinka float refund pay out/day 3f9a --on 2018-09-13 --actor li[/bold]
    """
    with _desk(directory) as desk:
        made = desk.pay(refund_id, on=on_date(on), actor=actor)
    _put_refunds([made], lang, as_json=as_json)


@app.command()
@command
def end(
    directory: Directory,
    refund_id: Id,
    on: On,
    actor: Actor,
    reason: Annotated[str, typer.Option(help="Why.")],
    found: Annotated[bool, typer.Option("--found", help="The holder found the card: withdrawn.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Reject a refund that is not determined yet, or withdraw it.

    Example: [bold]jinka float refund end out/day 3f9a --on 2018-09-06 --actor li --reason found --found[/bold]
    """
    with _desk(directory) as desk:
        made = desk.end(refund_id, withdrawn=found, on=on_date(on), actor=actor, reason=reason)
    _put_refunds([made], lang, as_json=as_json)


@contextmanager
def _desk(directory: Path) -> Iterator[RefundDesk]:
    from jinka.app.float_refunds import refund_desk

    with refund_desk(directory) as desk:
        yield desk


def _put_refunds(found: Sequence[Any], lang: Language, *, as_json: bool) -> None:
    if as_json:
        put_json([each.as_dict() for each in found])
        return
    chinese = lang is Language.ZH
    show_rows(
        _REFUND_HEADS[chinese],
        [
            [each.id[:8], each.kind.value[chinese], each.as_dict()["card"], each.state.value[chinese],
             each.due.isoformat(), format_minor(each.amount + each.deposit)]
            for each in found
        ],
    )  # fmt: skip


def on_date(text: str) -> dt.date:
    """The day of ``--on``."""
    return parse_date(text, where="--on")


def show_rows(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in heads:
        table.add_column(heading, overflow="fold")
    for (
        row
    ) in rows:  # codes and reasons are a stranger's text: they may look like markup, and must not be any
        table.add_row(*(Text(cell) for cell in row))
    put_table(table)
