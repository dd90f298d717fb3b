"""`jinka centre parcels`: what is on a centre's line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.centre import Directory, Lang
from jinka.cli.frame import Json, command, json_command, put, put_json, put_table
from jinka.reports import Language

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
_HEADS = {
    Language.EN: ("parcel", "state", "since"),
    Language.ZH: ("数据包", "状态", "起始时间"),
}
_WORDS = {
    Language.EN: {
        "waiting": "waits for its turn", "parked": "parked", "unreceipted": "not receipted yet",
        "missing": "missing", "contradiction": "signed twice", "nothing": "nothing waits and nothing is missing",
    },
    Language.ZH: {
        "waiting": "待处理", "parked": "搁置", "unreceipted": "未收到回执", "missing": "缺失",
        "contradiction": "同号两份签名", "nothing": "无待办，无缺失",
    },
}  # fmt: skip


@app.command()
@command
def parcels(
    directory: Directory,
    evidence: Annotated[
        Path | None, typer.Option(help="Write the envelopes that contradict one another into this folder.")
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Say what waits on a centre's line, what is missing since when, and who signed one number twice.

    Example: [bold]jinka centre parcels out/44 --lang zh[/bold]
    """
    from jinka.app.centre_parcels import parcels_of

    found, words = parcels_of(directory, evidence), _WORDS[lang]
    if as_json:
        put_json(found)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in _HEADS[lang]:
        table.add_column(head, overflow="fold")
    for one in found["missing"]:
        table.add_row(f"{one['stream']}/{one['first']}-{one['last']}", words["missing"], one["since"])
    for one in found["contradictions"]:
        table.add_row(one["parcel"], words["contradiction"], one["seen"])
    for one in found["held"]:
        table.add_row(one["parcel"], words[one["state"]], one["taken"])
    for one in found["unreceipted"]:
        table.add_row(one["parcel"], words["unreceipted"], one["made"])
    if table.row_count:
        put_table(table)
    else:
        put(words["nothing"])
    for name in found["files"]:
        put(name)


Parcel = Annotated[
    str, typer.Argument(help="As parcels names it: SENDER>RECEIVER/KIND/NUMBER.", metavar="PARCEL")
]
Officer = Annotated[str, typer.Option(help="Who says so.")]
Reason = Annotated[str, typer.Option(help="Why; its sender is told.")]


@app.command()
@json_command
def release(directory: Directory, parcel: Parcel, officer: Officer, reason: Reason) -> dict[str, Any]:
    """Take a parked parcel after all: examined again, and its rows go on with the next parcel of its stream.

    Example: [bold]jinka centre release out/44 "4403>44/records/7" --officer chen --reason "child admitted"[/bold]
    """
    from jinka.app.centre_notices import decide_parcel

    return decide_parcel(directory, parcel, officer=officer, reason=reason, release=True)


@app.command()
@json_command
def refuse(directory: Directory, parcel: Parcel, officer: Officer, reason: Reason) -> dict[str, Any]:
    """Refuse a parked parcel for good; it is kept as evidence, and its sender is told.

    Example: [bold]jinka centre refuse out/44 "4403>44/positions/7" --officer chen --reason "invented"[/bold]
    """
    from jinka.app.centre_notices import decide_parcel

    return decide_parcel(directory, parcel, officer=officer, reason=reason, release=False)


@app.command()
@json_command
def resend(directory: Directory, parcel: Parcel, officer: Officer, reason: Reason) -> dict[str, Any]:
    """Let the records of a parcel that the parent refused go up once more, with the next round as late records.

    Example: [bold]jinka centre resend out/4403 "4403>44/records/7" --officer li --reason "honest records"[/bold]
    """
    from jinka.app.centre_resend import resend_parcel

    return resend_parcel(directory, parcel, officer=officer, reason=reason)
