"""`jinka records`: what holders allow, and take back."""

from __future__ import annotations

from typing import Annotated

import typer

from jinka.cli.frame import Json, command
from jinka.cli.records_tables import (
    Database,
    Directory,
    Fields,
    Holder,
    Lang,
    Purpose,
    show_fact,
    show_rows,
)
from jinka.kit import parse_date
from jinka.reports import Language

app = typer.Typer(rich_markup_mode="rich")
_CONSENTED = {
    Language.EN: "consent {consent} for {department} until the end of {until}",
    Language.ZH: "已向 {department} 给予同意 {consent}，有效至 {until}（含）",
}
_WITHDRAWN = {
    Language.EN: "consent {consent} is withdrawn; {copies_ended} copies are told to erase",
    Language.ZH: "同意 {consent} 已撤回；{copies_ended} 份副本须删除",
}


@app.command()
@command
def consent(
    holder: Holder,
    directory: Directory,
    department: Annotated[str, typer.Option("--for", help="Who may look.")],
    purpose: Purpose,
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    field: Fields = None,
    kind: Annotated[str, typer.Option("--of", help="The kind of record that the fields are of.")] = "person",
    separate: Annotated[
        bool, typer.Option("--separate", help="It was asked for by itself: what is sensitive wants that.")
    ] = False,
    guardian: Annotated[str, typer.Option(help="Of a child: who consents, person:12.")] = "",
    officer: Annotated[str, typer.Option(help="Who took it down.")] = "holder",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take down a holder's consent: one department, one purpose, some fields, until a day.

    Example: [bold]jinka records consent person:1 --for bank --purpose loan-review --field name --until 2027-01-31
    --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.consent(
            holder,
            department=department,
            purpose=purpose,
            kind=kind,
            fields=field or (),
            until=parse_date(until, where="--until"),
            separate=separate,
            guardian=guardian,
            officer=officer,
        )
    show_fact(fact, _CONSENTED, lang, as_json=as_json)


@app.command()
@command
def withdraw(
    holder: Holder,
    number: Annotated[int, typer.Argument(help="The consent's number.", min=1)],
    directory: Directory,
    officer: Annotated[str, typer.Option(help="Who took it down.")] = "holder",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Withdraw a consent. Copies that rested on it are told to erase.

    Example: [bold]jinka records withdraw person:1 2 --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.withdraw(holder, number, officer=officer)
    show_fact(fact, _WITHDRAWN, lang, as_json=as_json)


@app.command()
@command
def consents(
    holder: Holder,
    directory: Directory,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List what a holder allowed, withdrawn and expired consents too.

    Example: [bold]jinka records consents person:1 --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        rows = open_.consents(holder)
    show_rows(rows, "consent department purpose kind fields separate until withdrawn", lang, as_json=as_json)
