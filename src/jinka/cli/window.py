"""`jinka window`: settlement windows, opened, closed, held, settled or aborted over the books of a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table
from jinka.kit import format_minor
from jinka.reports import Language

if TYPE_CHECKING:  # settlement loads the clearing's engine, and help loads none
    from rich.table import Table

    from jinka.app.windows import WindowOffice, WindowView

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Settlement windows over a folder's books. Example: [bold]jinka window open out/window[/bold]",
)
FINDINGS = 6
Directory = Annotated[Path, typer.Argument(help="A folder with a business-day.toml.", metavar="DIR")]
Centre = Annotated[str, typer.Option(help="The centre's code.")]
Chain = Annotated[
    str | None, typer.Option(help="The schedule, by its code; the one for all others without it.")
]
At = Annotated[str | None, typer.Option(help="The moment, as 2026-11-20T23:30 local time; now without it.")]
Officer = Annotated[str, typer.Option(help="Who does it.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Party = Annotated[str, typer.Option(help="The participant's code.")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
_HEADS = {Language.EN: ("participant", "receives", "pays"), Language.ZH: ("参与方", "应收", "应付")}
_LINE = {
    Language.EN: "window {window}: {state}, {date} cycle {cycle}, {claims} claims",
    Language.ZH: "窗口 {window}：{state}，{date} 第 {cycle} 场，{claims} 笔债权",
}
_WAITS = {Language.EN: "waits", Language.ZH: "待下一窗口"}
_BREACH = {Language.EN: "owes {owed}, cap {limit}", Language.ZH: "应付 {owed}，限额 {limit}"}
_WORDS = {
    Language.EN: {"cap": "cap", "suspended": "suspended", "aborted": "aborted"},
    Language.ZH: {"cap": "超限", "suspended": "已暂停", "aborted": "窗口中止"},
}


@app.command(name="open")
@command
def open_(
    directory: Directory,
    centre: Centre = "centre",
    chain: Chain = None,
    at: At = None,
    cycle: Annotated[
        int | None, typer.Option(help="Another number than the schedule's: after an abort.", min=1)
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Open the next window: for the business date and cycle that run, with what the last window left.

    Example: [bold]jinka window open out/window --at 2026-11-20T09:00[/bold]
    """
    return _run(directory, centre, chain, lambda office: office.open(at, cycle), as_json=as_json, lang=lang)


@app.command()
@command
def take(
    directory: Directory,
    claims: Annotated[
        Path,
        typer.Argument(
            help="CSV: reference,kind,payer,payee,amount_minor; or a cleared day's folder.", metavar="CLAIMS"
        ),
    ],
    centre: Centre = "centre",
    chain: Chain = None,
    at: At = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Take claims into the open window: of a table, or what a cleared day's participants owe one another.

    A claim that was taken before changes nothing. Example: [bold]jinka window take out/window out/day[/bold]
    """
    return _run(directory, centre, chain, lambda office: office.take(claims, at), as_json=as_json, lang=lang)


@app.command()
@command
def close(
    directory: Directory,
    centre: Centre = "centre",
    chain: Chain = None,
    at: At = None,
    early: Annotated[bool, typer.Option("--early", help="Before the time for late files is over.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Take no more claims, and hold positions against the caps; ends with 6 when somebody has to look.

    Example: [bold]jinka window close out/window --early[/bold]
    """
    return _run(
        directory, centre, chain, lambda office: office.close(at, early=early), as_json=as_json, lang=lang
    )


@app.command()
@command
def hold(
    directory: Directory, centre: Centre = "centre", chain: Chain = None, at: At = None, as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:  # fmt: skip
    """Hold the orders of a closed window: it is pending, until an officer and the bank agree.

    Example: [bold]jinka window hold out/window[/bold]
    """
    return _run(directory, centre, chain, lambda office: office.hold(at), as_json=as_json, lang=lang)


@app.command()
@command
def settle(
    directory: Directory, centre: Centre = "centre", chain: Chain = None, at: At = None, as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:  # fmt: skip
    """Post a pending window, claims and orders: for good. Refused (4) while a breach of a cap is not approved.

    Example: [bold]jinka window settle out/window[/bold]
    """
    return _run(directory, centre, chain, lambda office: office.settle(at), as_json=as_json, lang=lang)


@app.command()
@command
def show(
    directory: Directory, centre: Centre = "centre", chain: Chain = None, as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:  # fmt: skip
    """Show the newest window: its positions, what waits and why, and which caps are breached.

    Example: [bold]jinka window show out/window --lang zh[/bold]
    """
    return _run(directory, centre, chain, lambda office: office.view(), as_json=as_json, lang=lang)


@app.command()
@command
def suspend(
    directory: Directory, participant: Party, officer: Officer, reason: Reason, centre: Centre = "centre",
    chain: Chain = None, at: At = None, as_json: Json = False, lang: Lang = Language.EN,
) -> int:  # fmt: skip
    """Suspend a participant: every claim for and against it waits, in this window and those that follow.

    Example: [bold]jinka window suspend out/window --participant op.sz.cab --officer li --reason insolvent[/bold]
    """
    return _officer("SUSPEND", directory, centre, chain, at, officer, reason, participant, as_json, lang)


@app.command()
@command
def resume(
    directory: Directory, participant: Party, officer: Officer, reason: Reason, centre: Centre = "centre",
    chain: Chain = None, at: At = None, as_json: Json = False, lang: Lang = Language.EN,
) -> int:  # fmt: skip
    """Let a suspended participant take part again.

    Example: [bold]jinka window resume out/window --participant op.sz.cab --officer li --reason paid[/bold]
    """
    return _officer("RESUME", directory, centre, chain, at, officer, reason, participant, as_json, lang)


@app.command()
@command
def approve(
    directory: Directory, participant: Party, officer: Officer, reason: Reason, centre: Centre = "centre",
    chain: Chain = None, at: At = None, as_json: Json = False, lang: Lang = Language.EN,
) -> int:  # fmt: skip
    """Approve that a participant owes more than its cap in this pending window.

    Example: [bold]jinka window approve out/window --participant gov.sz --officer li --reason "budget is voted"[/bold]
    """
    return _officer("APPROVE", directory, centre, chain, at, officer, reason, participant, as_json, lang)


@app.command()
@command
def abort(
    directory: Directory, officer: Officer, reason: Reason, centre: Centre = "centre", chain: Chain = None,
    at: At = None, as_json: Json = False, lang: Lang = Language.EN,
) -> int:  # fmt: skip
    """Abort a window that is not settled: its orders are void, and all its claims go to the next one.

    Example: [bold]jinka window abort out/window --officer li --reason "the bank's line is down"[/bold]
    """
    return _officer("ABORT", directory, centre, chain, at, officer, reason, "", as_json, lang)


def _officer(
    event: str, directory: Path, centre: str, chain: str | None, at: str | None, officer: str, reason: str,
    participant: str, as_json: bool, lang: Language,
) -> int:  # fmt: skip
    from jinka.settlement import WindowEvent

    def act(office: WindowOffice) -> WindowView:
        kind = WindowEvent[event]
        return office.by_officer(kind, at, officer=officer, reason=reason, participant=participant)

    return _run(directory, centre, chain, act, as_json=as_json, lang=lang)


def _run(
    directory: Path,
    centre: str,
    chain: str | None,
    act: Callable[[WindowOffice], WindowView],
    *,
    as_json: bool,
    lang: Language,
) -> int:
    from jinka.app.windows import window_office

    with window_office(directory, centre=centre, chain=chain) as office:
        view = act(office)
        if as_json:
            put_json(view.as_dict())
        else:
            _show(view, lang)
    return FINDINGS if view.findings else 0


def _show(view: WindowView, lang: Language) -> None:
    window = view.desk.window
    put(
        _LINE[lang].format(
            window=window.key.name, state=window.state.value[lang is Language.ZH], claims=len(window.claims),
            date=window.key.day.date.isoformat(), cycle=window.key.day.cycle,
        )
    )  # fmt: skip
    if window.admission.positions:
        put_table(_positions(view, lang))
    for row in window.admission.waiting:
        claim, why = row.claim, _WORDS[lang][row.reason.value]
        put(
            f"{_WAITS[lang]} {claim.payer} > {claim.payee} {format_minor(claim.amount)} ({why}: {row.participant})"
        )
    for breach in window.admission.breaches:
        amounts = {"owed": format_minor(breach.owed), "limit": format_minor(breach.limit)}
        put(f"{breach.participant}: {_BREACH[lang].format(**amounts)}")
    for finding in view.findings:
        put(f"{finding.code}  {finding.where}: {finding.what} ({finding.fix})")


def _positions(view: WindowView, lang: Language) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    name, *amounts = _HEADS[lang]
    table.add_column(name, overflow="fold")
    for heading in amounts:
        table.add_column(heading, justify="right")
    for code, amount in view.desk.window.admission.positions.items():
        shown = format_minor(abs(amount))
        # A code is a stranger's text: it may look like markup, and must not be any.
        table.add_row(Text(code), *((shown, "") if amount >= 0 else ("", shown)))
    return table
