"""`jinka dispute`: open, step, list and show disputes of bank cards and of purses; let deadlines pass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table, say
from jinka.kit import Finding, format_minor, parse_date
from jinka.reports import Language

if TYPE_CHECKING:  # clearing loads its engine, and help loads none
    from rich.table import Table

    from jinka.app.disputes import Act
    from jinka.clearing.dispute import Dispute
    from jinka.settlement import DisputeOrder

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Disputes: opened, answered, decided, posted. Example: [bold]jinka dispute list out/day[/bold]",
)
FINDINGS = 6
Directory = Annotated[
    Path, typer.Argument(help="A cleared day's folder; any folder for bank cards.", metavar="DIR")
]
Id = Annotated[
    str, typer.Argument(help="The dispute's id, or how it begins (4 digits or more).", metavar="ID")
]
Actor = Annotated[str, typer.Option("--as", help="Who acts: a participant's code.")]
On = Annotated[str, typer.Option("--on", help="The day on which it is done, YYYY-MM-DD.")]
Amount = Annotated[int, typer.Option("--amount", help="A part, in fen; the whole without it.", min=0)]
Papers = Annotated[
    list[str] | None,
    typer.Option("--evidence", help="A document, KIND=FILE, such as receipt=slip.pdf; may be repeated."),
]
Note = Annotated[str, typer.Option(help="What else is to be kept; card numbers are masked.")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
_HEADS = {
    Language.EN: ("dispute", "kind", "original", "state", "claimed", "returned", "held", "deadline"),
    Language.ZH: ("争议", "类别", "原交易", "状态", "主张金额", "已退还", "挂账", "期限"),
}
_ORDER_HEADS = {
    Language.EN: ("order", "account", "from", "to", "amount"),
    Language.ZH: ("指令", "账户", "付款方", "收款方", "金额"),
}


@app.command(name="open")
@command
def open_(
    directory: Directory,
    kind: Annotated[
        str,
        typer.Argument(
            help="inquiry, retrieval, chargeback, adjustment, exception, torn-tap, unconfirmed-load, lost-exit, "
            "wrong-fare or dead-card."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Its reason code, such as B02; see docs/disputes.md.")],
    actor: Actor,
    on: On,
    record: Annotated[
        int | None, typer.Option(help="Of a tap or load: its record_id in the outcomes.")
    ] = None,
    gross: Annotated[int | None, typer.Option(help="Of a fare: the right gross fare, in fen.", min=0)] = None,
    product: Annotated[str, typer.Option(help="Of a fare: the tariff's product that is right.")] = "",
    card: Annotated[str, typer.Option(help="Of a dead card: its number.")] = "",
    switch: Annotated[Path | None, typer.Option(help="Of a bank card: the switch's file.")] = None,
    date: Annotated[str, typer.Option(help="Of a bank card: business date of the transaction.")] = "",
    trace: Annotated[str, typer.Option(help="Of a bank card: its trace number (field 11).")] = "",
    terminal: Annotated[str, typer.Option(help="Of a bank card: its terminal, where several fit.")] = "",
    credit: Annotated[bool, typer.Option("--credit", help="Of a bank card: it is a credit card.")] = False,
    scheme: Annotated[str, typer.Option(help="Of a bank card: who decides and earns the fees.")] = "scheme",
    reference: Annotated[str, typer.Option(help="Your own number: the same one is the same dispute.")] = "1",
    amount: Amount = 0,
    evidence: Papers = None,
    note: Note = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Open a dispute about a record, a card or a bank card's transaction that the books have.

    Example: [bold]jinka dispute open out/day torn-tap --record 7 --reason P01 --as issuer.szt --on 2018-09-04[/bold]
    """
    from jinka.app.disputes import Subject, dispute_office

    subject = Subject(
        record=record, card=card, switch=switch, date=parse_date(date, where="--date") if date else None, trace=trace,
        terminal=terminal, credit=credit, scheme=scheme, gross=gross, product=product,
    )  # fmt: skip
    act = _act(actor, on, amount, note, evidence)
    with dispute_office(directory, opening=kind) as office:
        found = office.open(kind, subject, act, reason=reason, reference=reference)
    _show(found, (), as_json=as_json, lang=lang)


@app.command()
@command
def step(
    directory: Directory,
    dispute: Id,
    event: Annotated[str, typer.Argument(help="What happens: represent, accept, show-debited, pay-out, ...")],
    actor: Actor,
    on: On,
    amount: Amount = 0,
    evidence: Papers = None,
    issuer: Annotated[
        Path | None,
        typer.Option(help="Of a load: the file of the issuer's host, whose word is the evidence."),
    ] = None,
    note: Note = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take a step. What may follow what, by whom and with which evidence is in docs/disputes.md.

    Example: [bold]jinka dispute step out/day 3f2a agree --as op.sz.bus --on 2018-09-06[/bold]
    """
    from jinka.app.disputes import dispute_office

    with dispute_office(directory) as office:
        found = office.step(dispute, event, _act(actor, on, amount, note, evidence, issuer))
    _show(found, (), as_json=as_json, lang=lang)


@app.command()
@command
def deadlines(directory: Directory, on: On, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Let every deadline pass that is over on a day, and post what follows; lists the disputes that it moved.

    Example: [bold]jinka dispute deadlines out/day --on 2018-10-31[/bold]
    """
    from jinka.app.disputes import dispute_office

    with dispute_office(directory) as office:
        moved = office.pass_deadlines(parse_date(on, where="--on"))
    _list(moved, (), as_json=as_json, lang=lang)


@app.command()
@command
def settle(directory: Directory, on: On, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Settle what disputes left open between participants: an order for each account, posted as paid.

    Example: [bold]jinka dispute settle out/day --on 2018-09-10[/bold]
    """
    from jinka.app.disputes import dispute_office

    with dispute_office(directory) as office:
        orders = office.settle(parse_date(on, where="--on"))
    if as_json:
        put_json([order.as_row() for order in orders])
    elif orders:
        put_table(_orders(orders, lang))


@app.command(name="list")
@command
def list_(
    directory: Directory,
    unfinished: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """List disputes; ends with 6 when one does not fit the ledger, its evidence or the clearing.

    Example: [bold]jinka dispute list out/day --open --lang zh[/bold]
    """
    from jinka.app.disputes import dispute_office

    with dispute_office(directory) as office:
        found = office.listed()
        findings = office.examine(found)
    chosen = [each for each in found if not (unfinished and each.ended)]
    _list(chosen, findings, as_json=as_json, lang=lang)
    return FINDINGS if findings else 0


@app.command()
@command
def show(directory: Directory, dispute: Id, as_json: Json = False, lang: Lang = Language.EN) -> int:
    """Show a dispute: its deeds, what each posted, its evidence, and what may follow; ends with 6 when it does not fit.

    Example: [bold]jinka dispute show out/day 3f2a --lang zh[/bold]
    """
    from jinka.app.disputes import dispute_office

    with dispute_office(directory) as office:
        found = office.find(dispute)
        findings = office.examine([found])
    _show(found, findings, as_json=as_json, lang=lang)
    return FINDINGS if findings else 0


def _act(
    actor: str, on: str, amount: int, note: str, evidence: Sequence[str] | None, issuer: Path | None = None
) -> Act:
    from jinka.app.disputes import Act

    date, papers = parse_date(on, where="--on"), tuple(evidence or ())
    return Act(actor=actor, on=date, amount=amount, note=note, evidence=papers, issuer=issuer)


def _list(found: Sequence[Dispute], findings: Sequence[Finding], *, as_json: bool, lang: Language) -> None:
    from jinka.app.dispute_report import brief

    if as_json:
        put_json(
            {"disputes": [brief(each) for each in found], "findings": [each.as_dict() for each in findings]}
        )
        return
    put_table(_table(found, lang))
    _say_findings(findings)


def _table(found: Sequence[Dispute], lang: Language) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADS[lang]:
        table.add_column(heading, overflow="fold")
    for each in found:
        table.add_row(
            each.id.hex()[:8],
            _word(each.machine.title, lang),
            Text(each.original.title),  # a journal's or an operator's words, which may look like markup
            _word(each.state.title, lang),
            format_minor(each.claimed),
            format_minor(each.returned),
            format_minor(each.held + each.pending),
            _day(each.due),
        )
    return table


def _orders(orders: Sequence[DisputeOrder], lang: Language) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _ORDER_HEADS[lang]:
        table.add_column(heading, overflow="fold")
    for each in orders:
        table.add_row(
            each.reference[:8], each.account.name, each.debtor, each.creditor, format_minor(each.amount)
        )
    return table


def _show(found: Dispute, findings: Sequence[Finding], *, as_json: bool, lang: Language) -> None:
    from jinka.app.dispute_report import full, lines

    if as_json:
        put_json(full(found) | {"findings": [each.as_dict() for each in findings]})
        return
    for line in lines(found, chinese=lang is Language.ZH):
        put(line)
    _say_findings(findings)


def _say_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        say(f"{finding.code}  {finding.where}: {finding.what} ({finding.fix})")


def _word(pair: tuple[str, str], lang: Language) -> str:
    return pair[lang is Language.ZH]


def _day(date: dt.date | None) -> str:
    return date.isoformat() if date else ""
