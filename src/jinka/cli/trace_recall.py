"""`jinka trace recall`: draft, approve, notify, take answers, close. Things are held back from the approval on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_files, put_json, put_table
from jinka.cli.trace_lineage import At, moment
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.trace.recall import Recall, RecallEvent

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Recalls: scope, notices, quarantine, answers, report. Example: [bold]jinka trace recall list[/bold]",
)
Number = Annotated[int, typer.Argument(help="The recall's number.", min=1, metavar="NUMBER")]
By = Annotated[str, typer.Option(help="Who does it.")]
Holder = Annotated[str, typer.Argument(help="The holder, as the recall names it.", metavar="HOLDER")]
Reason = Annotated[str, typer.Option(help="Why.")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
Folder = Annotated[Path, typer.Option("--dir", help="Where the files go.")]


@app.command(name="draft")
@command
def draft_(
    title: Annotated[str, typer.Argument(help="What is wrong, in a few words.", metavar="TITLE")],
    names: Annotated[
        list[str], typer.Argument(help="Lots, items, containers, places or devices.", metavar="NAMES")
    ],
    by: By,
    kind: Annotated[str, typer.Option(help="lot, item, container, place, input or device.")] = "lot",
    grade: Annotated[str, typer.Option(help="1, 2 or 3: how serious.")] = "1",
    since: Annotated[str, typer.Option(help="From when on it was unsafe: 2026-05-01T08:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Until when.")] = "",
    hazard: Annotated[str, typer.Option(help="What may happen to people, for the notices.")] = "",
    drill: Annotated[bool, typer.Option("--drill", help="An exercise: everything but holding back.")] = False,
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Find who has something of it, and keep that as a draft. Nothing is held back before its approval.

    Example: [bold]jinka trace recall draft "glass" urn:epc:class:lgtin:4012345.011111.4444 --by li[/bold]
    """
    from jinka.app.trace_recall import Plan, recall_desk

    plan = Plan(
        title=title, grade=grade, kind=kind, names=names, since_us=moment(since, where="--since"),
        until_us=moment(until, where="--until"), hazard=hazard, drill=drill,
    )  # fmt: skip
    with recall_desk(at) as desk:
        _put(desk.draft(plan, by=by), lang, as_json=as_json)


@app.command(name="list")
@command
def list_(at: At = "trace.toml", as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List recalls and where they stand.

    Example: [bold]jinka trace recall list --at trace.toml --lang zh[/bold]
    """
    from jinka.app.trace_recall import recall_desk
    from jinka.reports.trace_recall import LIST_HEADS, words_of

    with recall_desk(at) as desk:
        found = desk.books.listed()
        if as_json:
            put_json([_summary(recall) for recall in found])
        else:
            _table(LIST_HEADS[lang is Language.ZH], (words_of(recall, lang) for recall in found))


@app.command()
@command
def show(number: Number, at: At = "trace.toml", as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Show a recall: whom it concerns, what they answered, and what is open.

    Example: [bold]jinka trace recall show 1 --at trace.toml[/bold]
    """
    from jinka.app.trace_recall import recall_desk

    with recall_desk(at) as desk:
        if as_json:
            put_json(desk.facts(number))
        else:
            _put(desk.books.get(number), lang, as_json=False)


@app.command()
@command
def things(
    number: Number,
    holder: Annotated[str, typer.Option(help="Only what this holder is asked for.")] = "",
    at: At = "trace.toml",
    as_json: Json = False,
) -> None:
    """List the things of a recall by their names.

    Example: [bold]jinka trace recall things 1 --holder https://id.gs1.org/414/6901204000008[/bold]
    """
    from jinka.app.trace_recall import recall_desk

    with recall_desk(at) as desk:
        found = desk.things(number, holder)
        if as_json:
            put_json(list(found))
        else:
            put("\n".join(found))


@app.command()
@command
def approve(
    number: Number, by: By, at: At = "trace.toml", as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Begin it: its things are held back and its notices are due. By another officer than who drafted it.

    Example: [bold]jinka trace recall approve 1 --by wang --at trace.toml[/bold]
    """
    _act("APPROVE", number, at, lang, as_json=as_json, by=by)


@app.command()
@command
def widen(
    number: Number, by: By, at: At = "trace.toml", as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Find the scope again with what was captured since; new holders get notices.

    Example: [bold]jinka trace recall widen 1 --by li --at trace.toml[/bold]
    """
    _act("WIDEN", number, at, lang, as_json=as_json, by=by)


@app.command()
@command
def acknowledge(
    number: Number,
    holder: Holder,
    by: By,
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Note that a holder knows.

    Example: [bold]jinka trace recall acknowledge 1 https://id.gs1.org/414/6901204000008 --by chen[/bold]
    """
    _act("ACKNOWLEDGE", number, at, lang, as_json=as_json, by=by, holder=holder)


@app.command()
@command
def answer(
    number: Number,
    holder: Holder,
    by: By,
    outcome: Annotated[
        list[str],
        typer.Option(help="FATE=AMOUNT of items, LOT:FATE=AMOUNT; with sold: before it, of what was sold."),
    ],
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Note what a holder says became of it: quarantined, returned, destroyed, corrected, sold, used, missing.

    Example: [bold]jinka trace recall answer 1 https://id.gs1.org/414/6901204000008 --by li --outcome sold=5[/bold]
    """
    _act("REPORT", number, at, lang, as_json=as_json, by=by, holder=holder, outcomes=outcome)


@app.command()
@command
def remind(
    number: Number,
    holder: Holder,
    by: By,
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Note that a holder was reminded.

    Example: [bold]jinka trace recall remind 1 https://id.gs1.org/414/6901204000008 --by li[/bold]
    """
    _act("REMIND", number, at, lang, as_json=as_json, by=by, holder=holder)


@app.command()
@command
def close(
    number: Number,
    by: By,
    reason: Reason,
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """End it: nothing is held back any more. With holders who have not answered only for a reason "open: ...".

    Example: [bold]jinka trace recall close 1 --by wang --reason "all accounted for"[/bold]
    """
    _act("CLOSE", number, at, lang, as_json=as_json, by=by, reason=reason)


@app.command()
@command
def cancel(
    number: Number,
    by: By,
    reason: Reason,
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take it back, since it was an error.

    Example: [bold]jinka trace recall cancel 1 --by wang --reason "another lot"[/bold]
    """
    _act("CANCEL", number, at, lang, as_json=as_json, by=by, reason=reason)


@app.command()
@command
def notices(
    number: Number, folder: Folder, at: At = "trace.toml", as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Write a notice and a list of things for each holder.

    Example: [bold]jinka trace recall notices 1 --dir out/notices --lang zh[/bold]
    """
    from jinka.app.trace_recall import recall_desk

    with recall_desk(at) as desk:
        put_files(desk.notices(number, folder, lang), as_json=as_json)


@app.command()
@command
def report(
    number: Number, folder: Folder, at: At = "trace.toml", as_json: Json = False, lang: Lang = Language.EN
) -> None:
    """Write the report as a page and as tables; `show --json` has the same as JSON.

    Example: [bold]jinka trace recall report 1 --dir out/recall --lang zh[/bold]
    """
    from jinka.app.trace_recall import recall_desk

    with recall_desk(at) as desk:
        put_files(desk.report(number, folder, lang), as_json=as_json)


def _act(event: str, number: int, at: str, lang: Language, *, as_json: bool, by: str, holder: str = "",
         reason: str = "", outcomes: Iterable[str] = ()) -> None:  # fmt: skip
    from jinka.app.trace_recall import recall_desk
    from jinka.trace.recall import RecallEvent as Events

    chosen: RecallEvent = Events[event]
    with recall_desk(at) as desk:
        _put(
            desk.act(number, chosen, by=by, holder=holder, reason=reason, outcomes=list(outcomes)), lang,
            as_json=as_json,
        )  # fmt: skip


def _put(recall: Recall, lang: Language, *, as_json: bool) -> None:
    from jinka.reports.trace_recall import HOLDER_HEADS, LIST_HEADS, holder_rows, words_of

    if as_json:
        put_json(_summary(recall))
        return
    zh = lang is Language.ZH
    _table(LIST_HEADS[zh], [words_of(recall, lang)])
    _table(HOLDER_HEADS[zh], holder_rows(recall, lang))


def _summary(recall: Recall) -> dict[str, object]:
    from jinka.reports.trace_recall import recall_facts

    facts = recall_facts(recall, recall.acts[-1].at_us)
    return {
        name: facts[name] for name in ("number", "title", "grade", "state", "drill", "holds_back", "holders")
    }


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(*heads)
    for row in rows:
        table.add_row(*row)
    put_table(table)
