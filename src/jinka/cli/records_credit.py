"""`jinka records credit`: credit entries reported, read by their subject or with consent, disputed, deleted in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put_json, say
from jinka.cli.records import asked_look, sought
from jinka.cli.records_share import CASE_TEXT
from jinka.cli.records_tables import (
    CaseNumber,
    Database,
    Department,
    Directory,
    Find,
    Lang,
    Officer,
    Purpose,
    Reason,
    Record,
    show_fact,
    show_rows,
)
from jinka.kit import parse_date
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.store.base_records_credit import CreditReport

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Credit records. Example: [bold]jinka records credit own person:1 --dir out/records[/bold]",
)
Subject = Annotated[str, typer.Argument(help="person:12 or organisation:3.", metavar="SUBJECT")]
_REPORTED = {
    Language.EN: "entry {entry}; to be deleted on: {delete_on}",
    Language.ZH: "条目 {entry}；应删除日期：{delete_on}",
}
_PURGED = {Language.EN: "{deleted} entries deleted", Language.ZH: "已删除 {deleted} 条"}
_FEE = {
    Language.EN: "report {number} of this year{fee}",
    Language.ZH: "本年度第 {number} 次查询{fee}",
}
_FEE_DUE = {Language.EN: "; a fee may be asked for it", Language.ZH: "；可以收取费用"}


@app.command()
@command
def report(
    subject: Subject,
    text: Annotated[str, typer.Argument(help="What it tells.")],
    directory: Directory,
    institution: Annotated[
        str, typer.Option("--as", help="The institution that reports: a department's code.")
    ],
    officer: Officer,
    since: Annotated[str, typer.Option(help="The day of what it tells, YYYY-MM-DD.")],
    sign: Annotated[str, typer.Option(help="good, bad or published.")] = "good",
    amount: Annotated[int, typer.Option(help="In fen.", min=0)] = 0,
    ended: Annotated[str, typer.Option(help="The day on which it ended; five years run from there.")] = "",
    replaces: Annotated[int, typer.Option(help="The entry that it ends or corrects.", min=0)] = 0,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Report an entry, or one that replaces another.

    Example: [bold]jinka records credit report person:1 "overdue" --sign bad --since 2026-01-05 --as bank --officer li
    --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.report_credit(
            subject,
            institution=institution,
            officer=officer,
            sign=sign,
            text=text,
            amount_fen=amount,
            since=parse_date(since, where="--since"),
            ended=parse_date(ended, where="--ended") if ended else None,
            replaces=replaces,
        )
    show_fact(fact, _REPORTED, lang, as_json=as_json)


@app.command()
@command
def own(
    subject: Subject,
    directory: Directory,
    officer: Annotated[str, typer.Option(help="Who serves the subject.")] = "holder",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """A subject reads its own record: all of it, twice a year for nothing.

    Example: [bold]jinka records credit own person:1 --dir out/records --lang zh[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        found = open_.own_credit(subject, officer=officer)
    _show(found, lang, as_json=as_json)
    say(_FEE[lang].format(number=found.number, fee=_FEE_DUE[lang] if found.fee_due else ""))


@app.command()
@command
def look(
    directory: Directory,
    department: Department,
    officer: Officer,
    purpose: Purpose,
    record: Record = "",
    find: Find = "",
    case: CaseNumber = "",
    reason: Reason = "",
    kind: Annotated[str, typer.Option("--of", help="credit, or enterprise-credit.")] = "credit",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Read a credit record as a department; of a person with a written consent for that purpose alone.

    Example: [bold]jinka records credit look --record person:1 --as bank --officer li --purpose loan-review
    --dir out/records[/bold]
    """
    from jinka.app.records import office

    asked = asked_look(department, officer, purpose, kind, ["entries"], case, reason)
    with office(directory, database=database) as open_:
        found = open_.look_at_credit(asked, sought(record, find))
    _show(found, lang, as_json=as_json)


@app.command()
@command
def dispute(
    subject: Subject,
    entry: Annotated[int, typer.Argument(help="The entry's number.", min=1)],
    directory: Directory,
    note: Annotated[str, typer.Option(help="What is wrong.")],
    officer: Annotated[str, typer.Option(help="Who took it down.")] = "holder",
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Dispute an entry: it bears a mark until the answer, which is due in 20 days.

    Example: [bold]jinka records credit dispute person:1 1 --note "I paid" --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.dispute_credit(subject, entry, officer=officer, text=note)
    show_fact(fact, CASE_TEXT, lang, as_json=as_json)


@app.command()
@command
def purge(
    directory: Directory,
    officer: Officer,
    database: Database = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Delete what is over its time: negative entries of persons five years after what they tell of ended.

    Example: [bold]jinka records credit purge --officer li --dir out/records[/bold]
    """
    from jinka.app.records import office

    with office(directory, database=database) as open_:
        fact = open_.purge_credit(officer=officer)
    show_fact(fact, _PURGED, lang, as_json=as_json)


def _show(found: CreditReport, lang: Language, *, as_json: bool) -> None:
    if as_json:
        put_json(
            {"subject": str(found.subject), "entries": list(found.entries), "number": found.number,
             "fee_due": found.fee_due}
        )  # fmt: skip
    else:
        show_rows(
            found.entries, "entry institution sign text amount_fen since ended disputed", lang, as_json=False
        )
