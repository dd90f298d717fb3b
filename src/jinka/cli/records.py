"""`jinka records`: base records written by their sources, looked at under rules; the log that their holders read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, say
from jinka.cli.records_tables import (
    CaseNumber,
    Database,
    Department,
    Directory,
    Fields,
    Find,
    Lang,
    Officer,
    Purpose,
    Reason,
    Record,
    show_fact,
    show_rows,
    split,
)
from jinka.kit import Usage, parse_date
from jinka.reports import Language

if TYPE_CHECKING:  # help loads no engine
    from jinka.identity.base_records import Look, Sought

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Base records of persons, organisations and vehicles: shared as law, purpose and consent allow. "
    "Example: [bold]jinka records demo --dir out/records[/bold]",
)
FINDINGS = 6
_WRITTEN = {
    Language.EN: "{record}: {statements} statements",
    Language.ZH: "{record}：共 {statements} 条登记",
}


@app.callback()
def root() -> None:
    """Share base records as law, purpose and consent allow."""


@app.command()
@command
def rules(
    department: Annotated[str, typer.Option("--as", help="Only those of a department.")] = "",
    kind: Annotated[str, typer.Option(help="Only those about a kind of record.")] = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List who may see which fields, for which purpose, by which clause.

    Example: [bold]jinka records rules --as bank --lang zh[/bold]
    """
    from jinka.app.records_words import rule_rows

    rows = rule_rows(department, kind, chinese=lang is Language.ZH)
    show_rows(rows, "department who purpose kind fields needs article", lang, as_json=as_json)


@app.command()
@command
def fields(
    kind: Annotated[str, typer.Argument(help="A kind of record; without it all.")] = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List the kinds of records with their fields: who writes each, and how sensitive it is.

    Example: [bold]jinka records fields vehicle --lang zh[/bold]
    """
    from jinka.app.records_words import field_rows

    rows = field_rows(kind, chinese=lang is Language.ZH)
    show_rows(rows, "kind field text source sensitivity", lang, as_json=as_json)


@app.command()
@command
def demo(directory: Directory = Path("out/records"), as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Make a register with a family, and play what departments may and may not see of it.

    Example: [bold]jinka records demo --dir out/records --lang zh[/bold]
    """
    from jinka.app.records_demo import play

    steps = play(directory)
    if as_json:
        put_json([step.as_dict() for step in steps])
        return
    for number, step in enumerate(steps, 1):
        put(f"{number:2}  {step.told[lang is Language.ZH]}")
        put(f"      {step.result[lang is Language.ZH]}")


@app.command()
@command
def write(
    target: Annotated[str, typer.Argument(help="A record (person:12), or a kind for a new one (person).")],
    values: Annotated[
        list[str], typer.Argument(help="FIELD=VALUE ...; a VALUE of - is read from standard input.")
    ],
    directory: Directory,
    department: Department,
    officer: Officer,
    why: Annotated[str, typer.Option(help="What it rests on, such as a certificate.")],
    valid_from: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD; today by default.")] = "",
    valid_to: Annotated[str, typer.Option("--to", help="Last day; none by default.")] = "",
    corrects: Annotated[int, typer.Option(help="The statement that it replaces (see show).", min=0)] = 0,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Write fields that a department keeps. Nothing is overwritten; copies of others are told.

    Example: [bold]jinka records write person name=- --as public-security --officer li-si --why "birth 7"
    --dir out/records[/bold]
    """
    from jinka.app.records import office

    said = dict(split(text, "FIELD=VALUE") for text in values)
    with office(directory, database=database, new=True) as open_:
        fact = open_.write(
            target,
            said,
            department=department,
            officer=officer,
            why=why,
            valid_from=parse_date(valid_from, where="--from") if valid_from else None,
            valid_to=parse_date(valid_to, where="--to") if valid_to else None,
            corrects=corrects,
        )
    show_fact(fact, _WRITTEN, lang, as_json=as_json)


@app.command()
@command
def correct(
    record: Annotated[str, typer.Argument(help="The record, such as person:12.")],
    statement: Annotated[int, typer.Argument(help="The number of the wrong statement (see show).", min=1)],
    value: Annotated[str, typer.Argument(help="FIELD=VALUE; a VALUE of - is read from standard input.")],
    directory: Directory,
    department: Department,
    officer: Officer,
    why: Annotated[str, typer.Option(help="What it rests on.")],
    valid_from: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD; today by default.")] = "",
    valid_to: Annotated[str, typer.Option("--to", help="Last day; none by default.")] = "",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Correct a statement at its source: the old one stays readable, and everybody who holds a copy is told.

    Example: [bold]jinka records correct person:1 2 name=- --as public-security --officer li-si --why "typo"
    --dir out/records[/bold]
    """
    from jinka.app.records import office

    name, text = split(value, "FIELD=VALUE")
    with office(directory, database=database) as open_:
        fact = open_.write(
            record,
            {name: text},
            department=department,
            officer=officer,
            why=why,
            valid_from=parse_date(valid_from, where="--from") if valid_from else None,
            valid_to=parse_date(valid_to, where="--to") if valid_to else None,
            corrects=statement,
        )
    show_fact(fact, _WRITTEN, lang, as_json=as_json)


@app.command()
@command
def show(
    record: Annotated[str, typer.Argument(help="The record, such as person:12.")],
    directory: Directory,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Show a record's history without its values: which field, since when, by whom and why. Values take a look.

    Example: [bold]jinka records show person:1 --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        rows = open_.history(record)
    show_rows(rows, "statement field from to source officer why corrects corrected_by", lang, as_json=as_json)


@app.command()
@command
def look(
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
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Break the glass: a life is in danger. A review follows.")
    ] = False,
    on: Annotated[str, typer.Option(help="The day that is asked about; today by default.")] = "",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Look at a record as a department. Every look is noted, a refused one too, and the holder can read it.

    Example: [bold]jinka records look person --record person:1 --as bank --officer li --purpose account-opening --case 7
    --dir out/records[/bold]
    """
    from jinka.app.records import office
    from jinka.app.records_words import seen_rows

    asked = asked_look(department, officer, purpose, kind, field, case, reason, emergency=emergency)
    with office(directory, database=database) as open_:
        seen = open_.look(asked, sought(record, find), on=parse_date(on, where="--on") if on else None)
        rows = seen_rows(open_.catalogue, seen, chinese=lang is Language.ZH)
    if as_json:
        values = {name: list(found) for name, found in seen.values.items()}
        put_json(
            {"record": str(seen.ref), "values": values, "grounds": dict(seen.grounds), "entry": seen.entry,
             "review": seen.review}
        )  # fmt: skip
        return
    show_rows(rows, "field value grounds", lang, as_json=False)
    if seen.review:
        say(f"review {seen.review}")


@app.command()
@command
def log(
    directory: Directory,
    holder: Annotated[str, typer.Option(help="What concerns a holder: person:12.")] = "",
    department: Annotated[str, typer.Option("--as", help="What a department did.")] = "",
    looks: Annotated[bool, typer.Option("--looks", help="Looks alone, not what was written.")] = False,
    last: Annotated[int, typer.Option(help="The last so many; 0 for all.", min=0)] = 0,
    lines: Annotated[
        Path | None, typer.Option(help="Write the chained lines to a file, for jinka audit.")
    ] = None,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Who looked at a holder's records, when, why and at which fields; refused looks too.

    Example: [bold]jinka records log --holder person:1 --dir out/records --lang zh[/bold]
    """
    from jinka.app.records import office
    from jinka.app.records_words import log_lines

    with office(directory, database=database) as open_:
        if lines is not None:
            from jinka.node import write_durable

            write_durable(lines, open_.lines())
        rows = open_.log(holder, department, looks=looks)[-last:]
        known = open_.catalogue
    if as_json:
        put_json(rows)
        return
    for row in rows:
        for line in log_lines(known, row, chinese=lang is Language.ZH):
            put(line)


@app.command()
@command
def verify(
    directory: Directory,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint that another holds; may be repeated.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The public key that it is signed with.")] = None,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Hold the log against itself, the tables and checkpoints; ends with 6 when something was changed.

    Example: [bold]jinka records verify --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        report = open_.examine(checkpoint or (), key)
    if as_json:
        put_json(
            {"entries": report.entries, "sound": report.sound, "head": report.head.hex(),
             "root": report.root.hex(), "findings": [finding.as_dict() for finding in report.findings]}
        )  # fmt: skip
    else:
        words = ("sound", "not sound") if lang is Language.EN else ("完好", "已被改动")
        put(f"{report.entries}  {words[not report.sound]}")
        for finding in report.findings:
            put(f"{finding.code}  {finding.where}: {finding.what}")
    return 0 if report.sound else FINDINGS


def sought(record: str, find: str) -> Sought:
    """What ``--record`` or ``--find`` names."""
    from jinka.identity.base_records import Ref, Sought

    if bool(record) == bool(find):
        raise Usage("which record?", where="--record", fix="give --record person:12, or --find FIELD=VALUE")
    if record:
        return Sought(ref=Ref.parse(record))
    field, value = split(find, "--find")
    return Sought(field=field, value=value)


def asked_look(
    department: str, officer: str, purpose: str, kind: str, field: list[str] | None, case: str, reason: str, *,
    emergency: bool = False,
) -> Look:  # fmt: skip
    """The look that the options describe."""
    from jinka.identity.base_records import Look

    return Look(
        department=department, officer=officer, purpose=purpose, kind=kind, fields=tuple(field or ()), case=case,
        reason=reason, emergency=emergency,
    )  # fmt: skip
