"""`jinka float`: the money on cards, proven daily; what is missing of it chased and written off; refunds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli import float_refund
from jinka.cli.float_refund import Actor, Directory, Lang, On, on_date, show_rows
from jinka.cli.frame import Json, command, put, put_json
from jinka.kit import format_minor
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.app.float_office import FloatOffice
    from jinka.settlement.float_proof import FloatStatement

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The money on cards. Example: [bold]jinka float take out/day && jinka float prove out/day[/bold]",
)
app.add_typer(float_refund.app, name="refund")
FINDINGS = 6
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
    day, chinese = on_date(on), lang is Language.ZH
    with _office(directory) as office:
        found = [] if ask else office.gaps(day)
        rows = office.requests(day) if ask else [each.as_dict() for each in found]
    if as_json:
        put_json(rows)
    elif ask:
        names = ("operator", "terminal", "serial_from", "records", "after", "before", "gaps")
        show_rows(_ASK_HEADS[chinese], [[str(row[name]) for name in names] for row in rows])
    else:
        show_rows(
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
        deeds = office.write_off(on_date(on), actor)
    _put_deeds(deeds, lang, as_json=as_json)


@app.command()
@command
def sleep(
    directory: Directory, on: On, actor: Actor, as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Put aside the money of cards that nobody has used for so long; it comes back when they are used.

    Example: [bold]jinka float sleep out/day --on 2021-09-05 --actor li[/bold]
    """
    with _office(directory) as office:
        deeds = office.sleep(on_date(on), actor)
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
        deeds = office.settle(on_date(on), actor)
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


@contextmanager
def _office(directory: Path) -> Iterator[FloatOffice]:
    from jinka.app.float_office import float_office

    with float_office(directory) as office:
        yield office


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
