"""`jinka float`: the money on cards, proven daily; what is missing of it chased and written off; refunds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table
from jinka.kit import format_minor, parse_date
from jinka.reports import Language

if TYPE_CHECKING:
    import datetime as dt

    from jinka.app.float_office import FloatOffice
    from jinka.app.float_refunds import RefundDesk
    from jinka.settlement.float_proof import FloatStatement

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The money on cards. Example: [bold]jinka float take out/day && jinka float prove out/day[/bold]",
)
refund = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Refunds of lost, dead and returned cards. Example: [bold]jinka float refund list out/day[/bold]",
)
app.add_typer(refund, name="refund")
FINDINGS = 6
Directory = Annotated[Path, typer.Argument(help="Where a day was run (its --dir).", metavar="DIR")]
On = Annotated[str, typer.Option(help="On which day it is done, YYYY-MM-DD.")]
Actor = Annotated[str, typer.Option(help="Who does it.")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
Id = Annotated[str, typer.Argument(help="The refund, by the first digits of its id.", metavar="REFUND")]
_TERMS = {
    "shown": ("cards hold, as their records show", "卡内余额（按记录链）"),
    "transit": ("in transit: counters are missing", "在途（计数器缺号）"),
    "suspense": ("in suspense: records wait", "挂账（记录待定）"),
    "unexplained": ("unexplained", "无法解释"),
    "liability": ("purse liability on the ledger", "账上钱包负债"),
    "unclaimed": ("written off, unclaimed", "核销待领"),
    "deposits": ("deposits for cards", "卡押金"),
    "payable": ("refunds to be paid", "应付退款"),
    "interest": ("interest apportioned", "已分配利息"),
    "funds": ("customer funds in custody", "客户备付金"),
}
_TODO = {
    "ask": "催收", "wait": "等待", "write-off": "可核销", "officer": "转人工", "suspense": "挂账",
    "found": "已由错位记录补上",
    "written-off": "已核销",
}  # fmt: skip
_GAP_HEADS = (
    ("card", "missing", "amount", "since", "to do"), ("卡号", "缺号", "金额", "发现日", "处理"),
)  # fmt: skip
_ASK_HEADS = (
    ("operator", "terminal", "serials from", "records", "between", "and", "gaps"),
    ("运营方", "终端", "起始流水", "笔数", "自", "至", "涉及缺号"),
)
_REFUND_HEADS = (
    ("refund", "kind", "card", "state", "due", "amount"), ("退款", "类别", "卡号", "状态", "到期", "金额"),
)  # fmt: skip


@app.command()
@command
def take(
    directory: Directory,
    outcomes: Annotated[
        Path | None, typer.Option(help="Folder of a later day's outcomes; the day's own without it.")
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take a cleared day into the cards' shadows. Again changes nothing; cleared anew, it adds what is new.

    Example: [bold]jinka float take out/day --outcomes out/tuesday/centre/outcomes[/bold]
    """
    with _office(directory) as office:
        day, new, undone = office.take(outcomes)
    if as_json:
        put_json(
            {"date": day.date.isoformat(), "edition": day.edition, "new": new,
             "written_back": [_deed(deed) for deed in undone]}
        )  # fmt: skip
        return
    words = {True: ("taken", "已纳入"), False: ("was taken before", "此前已纳入")}[new]
    put(f"{day.date} ({day.edition}): {words[lang is Language.ZH]}")
    _put_deeds(undone, lang)


@app.command()
@command
def show(directory: Directory, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Show where the money is: on cards, in transit, in suspense, and what stands behind it.

    Example: [bold]jinka float show out/day --lang zh[/bold]
    """
    with _office(directory) as office:
        statement = office.prove()
    if as_json:
        put_json(statement.as_dict())
    else:
        _put_statement(statement, lang)


@app.command()
@command
def prove(directory: Directory, as_json: Json = False, lang: Lang = Language.EN) -> int:
    """Prove the float: every card's shadow against the ledger; ends with 6 when something does not add up.

    Example: [bold]jinka float prove out/day[/bold]
    """
    with _office(directory) as office:
        statement = office.prove()
    if as_json:
        put_json(statement.as_dict())
    else:
        _put_statement(statement, lang)
        for finding in statement.findings:
            put(f"{finding.code}  {finding.where}: {finding.what} ({finding.fix})")
    return FINDINGS if statement.findings else 0


@app.command()
@command
def gaps(
    directory: Directory,
    on: On,
    ask: Annotated[
        bool, typer.Option("--ask", help="Whom to ask for which records, instead of the gaps.")
    ] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """List missing counters, since when, how much they hide and what is to be done; ends with 6 when there are any.

    Example: [bold]jinka float gaps out/day --on 2018-09-05 --ask[/bold]
    """
    day, chinese = _date(on), lang is Language.ZH
    with _office(directory) as office:
        found = [] if ask else office.gaps(day)
        rows = office.requests(day) if ask else [each.as_dict() for each in found]
    if as_json:
        put_json(rows)
    elif ask:
        names = ("operator", "terminal", "serial_from", "records", "after", "before", "gaps")
        _table(_ASK_HEADS[chinese], [[str(row[name]) for name in names] for row in rows])
    else:
        _table(
            _GAP_HEADS[chinese],
            [
                [row["card"], str(row["offline_missing"] + row["online_missing"]), format_minor(row["amount_fen"]),
                 row["since"], _TODO[row["todo"]] if chinese else row["todo"]]
                for row in rows
            ],
        )  # fmt: skip
    return (
        FINDINGS if any(each.todo not in ("written-off", "found") for each in found) or (ask and rows) else 0
    )


@app.command(name="write-off")
@command
def write_off(
    directory: Directory, on: On, actor: Actor, as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Write off what the rules write off by that day. Again changes nothing.

    Example: [bold]jinka float write-off out/day --on 2018-12-05 --actor li[/bold]
    """
    with _office(directory) as office:
        deeds = office.write_off(_date(on), actor)
    _put_deeds(deeds, lang, as_json=as_json)


@app.command()
@command
def settle(
    directory: Directory, on: On, actor: Actor, as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Pay what write-offs and kept deposits owe to others, out of the money in custody.

    Example: [bold]jinka float settle out/day --on 2018-12-05 --actor li[/bold]
    """
    with _office(directory) as office:
        deeds = office.settle(_date(on), actor)
    _put_deeds(deeds, lang, as_json=as_json)


@app.command()
@command
def custody(
    directory: Directory,
    files: Annotated[list[Path], typer.Argument(help="The bank's statements: camt.053.", metavar="FILE...")],
    post: Annotated[
        bool, typer.Option("--post", help="Book the interest that the bank credited, by its shares.")
    ] = False,
    actor: Annotated[str, typer.Option(help="Who does it.")] = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Hold the custodian account against what is owed to holders; ends with 6 when money is missing.

    Example: [bold]jinka float custody out/day monday.xml tuesday.xml --lang zh[/bold]
    """
    with _office(directory) as office:
        found, deeds = office.custody(files, posting=post, actor=actor)
    if as_json:
        put_json(found.as_dict() | {"deeds": [_deed(deed) for deed in deeds]})
    else:
        words = {
            Language.EN: "{day}: {balance} in custody, {owed} owed, interest {interest}",
            Language.ZH: "{day}：存管余额 {balance}，应付 {owed}，利息 {interest}",
        }[lang]
        sums = {"balance": found.balance, "owed": found.owed, "interest": found.interest}
        put(words.format(day=found.closed_on, **{name: format_minor(sum_) for name, sum_ in sums.items()}))
        for finding in found.findings:
            put(f"{finding.code}  {finding.where}: {finding.what} ({finding.fix})")
        _put_deeds(deeds, lang)
    return FINDINGS if found.findings else 0


@refund.command(name="list")
@command
def list_(directory: Directory, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List refunds and where they stand.

    Example: [bold]jinka float refund list out/day --lang zh[/bold]
    """
    with _desk(directory) as desk:
        _put_refunds(desk.listed(), lang, as_json=as_json)


@refund.command()
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
            kind, card_number(card), on=_date(on), actor=actor, reading=reading_of(balance, offline, online)
        )
    _put_refunds([made], lang, as_json=as_json)


@refund.command()
@command
def determine(
    directory: Directory, refund_id: Id, on: On, actor: Actor, as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Post what is owed to the holder, once late records can come no more.

    Example: [bold]jinka float refund determine out/day 3f9a --on 2018-09-12 --actor li[/bold]
    """
    with _desk(directory) as desk:
        made = desk.determine(refund_id, on=_date(on), actor=actor)
    _put_refunds([made], lang, as_json=as_json)


@refund.command()
@command
def pay(
    directory: Directory, refund_id: Id, on: On, actor: Actor, as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Pay a determined refund.

    Example: [bold]jinka float refund pay out/day 3f9a --on 2018-09-13 --actor li[/bold]
    """
    with _desk(directory) as desk:
        made = desk.pay(refund_id, on=_date(on), actor=actor)
    _put_refunds([made], lang, as_json=as_json)


@refund.command()
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
        made = desk.end(refund_id, withdrawn=found, on=_date(on), actor=actor, reason=reason)
    _put_refunds([made], lang, as_json=as_json)


@contextmanager
def _office(directory: Path) -> Iterator[FloatOffice]:
    from jinka.app.float_office import float_office

    with float_office(directory) as office:
        yield office


@contextmanager
def _desk(directory: Path) -> Iterator[RefundDesk]:
    from jinka.app.float_refunds import refund_desk

    with refund_desk(directory) as desk:
        yield desk


def _date(text: str) -> dt.date:
    return parse_date(text, where="--on")


def _put_statement(statement: FloatStatement, lang: Language) -> None:
    chinese = lang is Language.ZH
    for row in statement.issuers:
        put(f"{row.issuer}: {row.cards} {'张卡' if chinese else 'cards'}")
        for name, words in _TERMS.items():
            put(f"  {words[chinese]}: {format_minor(getattr(row, name))}")
    verdict = {
        True: ("the float is proven", "备付金核对相符"),
        False: ("the float is NOT proven", "备付金核对不符"),
    }
    put(verdict[statement.holds][chinese])


def _put_refunds(found: Sequence[Any], lang: Language, *, as_json: bool) -> None:
    if as_json:
        put_json([each.as_dict() for each in found])
        return
    chinese = lang is Language.ZH
    _table(
        _REFUND_HEADS[chinese],
        [
            [each.id[:8], each.kind.value[chinese], each.as_dict()["card"], each.state.value[chinese],
             each.due.isoformat(), format_minor(each.amount + each.deposit)]
            for each in found
        ],
    )  # fmt: skip


def _deed(deed: Any) -> dict[str, Any]:
    from jinka.settlement.float_rules import masked

    return {
        "deed": deed.kind.word, "card": masked(deed.card) if deed.card else "", "subject": deed.subject,
        "on": deed.on.isoformat(), "amount_fen": deed.amount, "reason": deed.reason, "actor": deed.actor,
        "debit": f"{deed.debit.code.name} {deed.debit.owner}" if deed.debit else "",
        "credit": f"{deed.credit.code.name} {deed.credit.owner}" if deed.credit else "",
    }  # fmt: skip


def _put_deeds(deeds: Sequence[Any], lang: Language, *, as_json: bool = False) -> None:
    if as_json:
        put_json([_deed(deed) for deed in deeds])
        return
    for deed in deeds:
        row = _deed(deed)
        title = deed.kind.value[1] if lang is Language.ZH else row["deed"]
        put(
            f"{title} {row['card']} {format_minor(deed.amount)}: {row['debit']} > {row['credit']} {row['reason']}"
        )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
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
