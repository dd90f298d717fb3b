"""`jinka proof`: what became of a record, proven by the centre's signature, and checked by whoever doubts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put, put_json
from jinka.kit import Usage, parse_date
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.app.proof_check import Checked

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Proof of clearing: days in a signed log. Example: [bold]jinka proof log out/day[/bold]",
)
FINDINGS = 6
Directory = Annotated[
    Path, typer.Argument(help="Where a day was run (its --dir), or a centre's folder.", metavar="DIR")
]
Date = Annotated[str | None, typer.Option(help="Which day, YYYY-MM-DD; the log's last one without it.")]
Out = Annotated[Path | None, typer.Option(help="File for the document; standard output without it.")]
Lang = Annotated[Language, typer.Option(help="Language of the lines.")]
_DAY = {
    Language.EN: "{centre}  {date}  edition {edition}: {size} leaves, root {root}",
    Language.ZH: "{centre}  {date}  第{edition}版：{size} 个叶子，根 {root}",
}
_GREW = {
    Language.EN: "proven: the log only grew, from {old} to {new} statements",
    Language.ZH: "已证明：日志只增未改，由 {old} 条增至 {new} 条",
}
_EDITION = {
    Language.EN: "proven: edition {new} of {date} begins with edition {old}",
    Language.ZH: "已证明：{date} 第{new}版完整包含第{old}版",
}
_RECORD = {
    Language.EN: "proven: {centre} {date} place {place}: card {card} amount {amount} {outcome} {reason}, to {operator}",
    Language.ZH: "已证明：{centre} {date} 第{place}位：卡号 {card}，金额 {amount}，{outcome} {reason}，归 {operator}",
}


@app.command()
@command
def log(directory: Directory, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List the days of a centre's log, its key and its signed checkpoint.

    Example: [bold]jinka proof log out/day[/bold]
    """
    from jinka.app.proof import proof_folder

    folder = proof_folder(directory)
    note, key = folder.checkpoint(), str(folder.key())
    days = [_day(one) for one in folder.statements()]
    if as_json:
        put_json({"key": key, "checkpoint": note, "days": days})
        return
    for day in days:
        put(_DAY[lang].format(**day))
    put(f"{key}\n\n{note}")


@app.command()
@command
def get(
    directory: Directory,
    record: Annotated[int | None, typer.Option(help="One record by its id in the outcomes.")] = None,
    card: Annotated[str | None, typer.Option(help="All records of a card by its number.")] = None,
    batch: Annotated[
        str | None, typer.Option(help="All records of a batch by its id, 32 hex digits.")
    ] = None,
    date: Date = None,
    out: Out = None,
    as_json: Json = True,  # noqa: ARG001 it prints a document, which has no other form
) -> None:
    """Write the document that proves what became of records. It tells of these records alone.

    Example: [bold]jinka proof get out/day --card 3105840000000000283 --out proof.json[/bold]
    """
    from jinka.app.proof import outcomes_of, proof_folder

    wanted: dict[str, Any] = {}
    if record is not None:
        wanted["record_id"] = record
    if card is not None:
        wanted["card_no"] = _hex(card.rjust(20, "0"), 10, "--card")
    if batch is not None:
        wanted["batch"] = _hex(batch, 16, "--batch")
    if not wanted:
        raise Usage("which records?", where="proof get", fix="give --record, --card or --batch")
    day = None if date is None else parse_date(date, where="--date")
    _write(proof_folder(directory).document(outcomes_of(directory, day), wanted, day), out)


@app.command()
@command
def consistency(
    directory: Directory,
    since: Annotated[
        Path | None, typer.Option(help="The checkpoint that you hold: the log only grew.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(help="Show that a day's newest edition begins with its first.")
    ] = None,
    out: Out = None,
    as_json: Json = True,  # noqa: ARG001 it prints a document, which has no other form
) -> None:
    """Write the document that proves that a log, or a day, was added to and not changed.

    Example: [bold]jinka proof consistency out/day --since held.note[/bold]
    """
    from jinka.app.proof import proof_folder
    from jinka.node import file_errors

    folder = proof_folder(directory)
    if (since is None) == (date is None):
        raise Usage("one of them", where="--since, --date", fix="give a checkpoint or a day")
    if since is None:
        _write(folder.editions(parse_date(date or "", where="--date")), out)
        return
    with file_errors(since):
        held = since.read_text(encoding="utf-8", errors="replace")
    _write(folder.consistency(held), out)


@app.command()
@command
def verify(
    file: Annotated[
        Path, typer.Argument(help="A document of jinka proof get or consistency.", metavar="FILE")
    ],
    key: Annotated[
        Path, typer.Option(help="The centre's public key (name+hash+key), got from the centre itself.")
    ],
    records: Annotated[
        Path | None, typer.Option(help="Your own records (Parquet): each must be proven as it was sent.")
    ] = None,
    witness: Annotated[
        Path | None, typer.Option(help="The key of the centre's parent: it must have signed this state too.")
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Check a document; ends with 5 when something is not proven, with 6 when records of yours were dropped or altered.

    Example: [bold]jinka proof verify proof.json --key centre.key --records sent.parquet[/bold]
    """
    from jinka.app.proof_check import check_file

    checked = check_file(file, key, records, witness)
    if as_json:
        put_json(checked.as_dict())
    else:
        _show(checked, lang)
    return FINDINGS if checked.findings else 0


def _show(checked: Checked, lang: Language) -> None:
    if checked.kind == "consistency":
        put(_GREW[lang].format(old=checked.states[0].size, new=checked.states[1].size))
    if checked.kind == "editions":
        old, new = checked.days
        put(_EDITION[lang].format(old=old.edition, new=new.edition, date=new.date))
    for one in checked.records:
        words, day = one.fields["words"], checked.days[0]
        line = _RECORD[lang].format(
            centre=day.centre,
            date=day.date,
            place=one.place,
            card=one.fields["card_no"].lstrip("0"),
            amount=one.fields["amount"],
            outcome=words["outcome"],
            reason=words["reason"],
            operator=words["operator"],
        )
        put(shown(line))
    for finding in checked.findings:
        put(shown(f"{finding.code}  {finding.where}: {finding.what} ({finding.fix})"))


def shown(text: str) -> str:
    """A line with a centre's own words in it, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _day(statement: Any) -> dict[str, Any]:
    return {
        "centre": statement.centre,
        "date": str(statement.date),
        "edition": statement.edition,
        "size": statement.size,
        "root": statement.root.hex(),
    }


def _hex(text: str, width: int, where: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != width:
        raise Usage(f"not {2 * width} digits", where=where)
    return raw


def _write(document: dict[str, Any], out: Path | None) -> None:
    from jinka.app.proof import write_document

    if out is None:
        put_json(document)
    else:
        write_document(document, out)
        put(str(out))
