"""`jinka records`: objections and other cases, and the copies that departments keep."""

from __future__ import annotations

from typing import Annotated

import typer

from jinka.cli.frame import Json, command
from jinka.cli.records import asked_look, sought
from jinka.cli.records_tables import (
    CaseNumber,
    Database,
    Department,
    Directory,
    Fields,
    Find,
    Holder,
    Lang,
    Officer,
    Purpose,
    Reason,
    Record,
    show_fact,
    show_rows,
    split,
)
from jinka.reports import Language

app = typer.Typer(rich_markup_mode="rich")
CASE_TEXT = {
    Language.EN: "{machine} {case}: {state}; it is for {keeper}; due {due}",
    Language.ZH: "{machine} {case}：{state}；由 {keeper} 处理；期限 {due}",
}
_COPY = {
    Language.EN: "copy {copy} of {record}: {fields}",
    Language.ZH: "副本 {copy}（{record}）：{fields}",
}
_ACKED = {Language.EN: "{acknowledged} messages acknowledged", Language.ZH: "已确认 {acknowledged} 条消息"}


@app.command(name="object")
@command
def object_(
    holder: Holder,
    record: Annotated[str, typer.Argument(help="The record, such as vehicle:7.")],
    statement: Annotated[int, typer.Argument(help="The number of the statement (see show).", min=1)],
    directory: Directory,
    note: Annotated[str, typer.Option(help="What is wrong.")],
    officer: Annotated[str, typer.Option(help="Who took it down.")] = "holder",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """A holder asks the source to correct a statement.

    Example: [bold]jinka records object person:1 person:1 2 --note "my name is written wrong" --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.object_to(holder, record, statement, officer=officer, text=note)
    show_fact(fact, CASE_TEXT, lang, as_json=as_json)


@app.command()
@command
def step(
    case: Annotated[int, typer.Argument(help="The case's number (see cases).", min=1)],
    act: Annotated[
        str, typer.Argument(help="What is done: accept, refuse, correct, justify, blame, confirm, ...")
    ],
    directory: Directory,
    actor: Annotated[str, typer.Option("--as", help="The department, or the holder (person:12).")],
    officer: Officer,
    note: Annotated[str, typer.Option(help="Why; most steps want it.")] = "",
    value: Annotated[
        str, typer.Option(help="To correct an objection: the right value; - reads it from standard input.")
    ] = "",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take a step of a review, an objection or a dispute. What may follow what is in docs/base-records.md.

    Example: [bold]jinka records step 1 justify --as supervision --officer wu --note "heart attack"
    --dir out/records[/bold]
    """
    from jinka.app.records import office

    right = split(f"value={value}", "--value")[1] if value else ""
    with office(directory, database=database) as open_:
        fact = open_.step(case, act, actor=actor, officer=officer, text=note, value=right)
    show_fact(fact, CASE_TEXT, lang, as_json=as_json)


@app.command()
@command
def cases(
    directory: Directory,
    unfinished: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List reviews of emergency looks, objections and disputes.

    Example: [bold]jinka records cases --open --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        rows = open_.cases(open_only=unfinished)
    show_rows(rows, "case machine state holder keeper record due overdue", lang,
              as_json=as_json)  # fmt: skip


@app.command()
@command
def case(
    number: Annotated[int, typer.Argument(help="The case's number.", min=1)],
    directory: Directory,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Show a case with its acts.

    Example: [bold]jinka records case 1 --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.case(number)
    show_fact(fact, CASE_TEXT, lang, as_json=as_json)
    if not as_json:
        acts = [act | {"department": act["actor"], "text": act["note"]} for act in fact["acts"]]
        show_rows(acts, "at department officer act text", lang, as_json=False)


@app.command()
@command
def copy(
    kind: Annotated[str, typer.Argument(help="The kind of record.")],
    directory: Directory,
    department: Department,
    officer: Officer,
    purpose: Purpose,
    record: Record = "",
    find: Find = "",
    field: Fields = None,
    case: CaseNumber = "",
    reason: Reason = "",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Begin a department's copy of some fields, where it may see them; corrections flow to it.

    Example: [bold]jinka records copy person --record person:1 --as social-insurance --officer li
    --purpose insurance-enrolment --case 7 --field name --dir out/records[/bold]
    """
    from jinka.app.records import office

    asked = asked_look(department, officer, purpose, kind, field, case, reason)
    with office(directory, database=database) as open_:
        fact = open_.open_copy(asked, sought(record, find))
    show_fact(fact, _COPY, lang, as_json=as_json)


@app.command()
@command
def outbox(
    directory: Directory,
    department: Department,
    officer: Officer,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Fetch what a department's copies are told; the same until it is acknowledged.

    Example: [bold]jinka records outbox --as social-insurance --officer li --json --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        rows = open_.outbox(department, officer)
    told = [row | {"values": [one["value"] for one in row["values"]]} for row in rows]
    show_rows(rows if as_json else told, "message copy record field version values", lang, as_json=as_json)


@app.command()
@command
def ack(
    messages: Annotated[list[int], typer.Argument(help="Numbers of messages that were applied.")],
    directory: Directory,
    department: Department,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Acknowledge messages; again does no harm.

    Example: [bold]jinka records ack 1 2 3 --as social-insurance --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.acknowledge(department, messages)
    show_fact(fact, _ACKED, lang, as_json=as_json)


@app.command()
@command
def behind(
    directory: Directory, database: Database = "", as_json: Json = False, lang: Lang = Language.EN
) -> int:
    """List the copies that did not acknowledge what they were told; ends with 6 when there are any.

    Example: [bold]jinka records behind --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        rows = open_.behind()
    show_rows(rows, "copy department record messages since", lang, as_json=as_json)
    return 6 if rows else 0
