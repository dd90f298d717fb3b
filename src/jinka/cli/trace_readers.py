"""`jinka trace readers`: run a station of UHF readers, ask it, try its readers, be a reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, json_command, put_either, put_json, put_table
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.app.readers import ReaderTry

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="UHF readers (LLRP) and what they see. Example: [bold]jinka trace readers run readers.toml[/bold]",
)
File = Annotated[Path, typer.Argument(help="The station's file (docs/readers.md).", metavar="FILE")]
Lang = Annotated[Language, typer.Option(help="Language of the text.")]

_WORDS = {
    Language.EN: {
        "reader": "reader", "state": "state", "reads": "reads", "connections": "connections", "gaps": "gaps",
        "reason": "said", "reading": "reading", "lost": "lost", "not connected": "not connected",
        "there": "{place}: {count} there",
        "outbox": "to send: {waiting}, refused: {refused}",
        "counts": "reads dropped: {dropped_reads}, without a place: {unplaced_reads}, no EPC: {not_epc_reads}",
        "good": "{reader} ({address}): {model}, {antennas} antennas",
        "file": "{reader} ({address})",
        "wrong": "{reader} ({address}): wrong: {wrong}",
        "clock": "  its clock is wrong by {seconds:+.1f} s (reads are told in our time)",
    },
    Language.ZH: {
        "reader": "读写器", "state": "状态", "reads": "读取次数", "connections": "连接次数", "gaps": "中断次数",
        "reason": "说明", "reading": "读取中", "lost": "失联", "not connected": "未连接",
        "there": "{place}：在场 {count}",
        "outbox": "待发送：{waiting}，被拒：{refused}",
        "counts": "丢弃的读数：{dropped_reads}，天线未归属：{unplaced_reads}，非 EPC：{not_epc_reads}",
        "good": "{reader}（{address}）：{model}，天线 {antennas} 个",
        "file": "{reader}（{address}）",
        "wrong": "{reader}（{address}）：有误：{wrong}",
        "clock": "  其时钟相差 {seconds:+.1f} 秒（读取时间按本机时钟换算）",
    },
}  # fmt: skip


@app.callback()
def root() -> None:
    """UHF readers (LLRP) and what they see."""


@app.command()
@command
def run(file: File) -> None:
    """Run the station until SIGTERM or Ctrl-C. One line of JSON on standard output says that it has begun.

    Example: [bold]jinka trace readers run readers.toml[/bold]
    """
    from jinka.app.readers import run_readers

    run_readers(file, started=put_json)


@app.command()
@command
def status(file: File, as_json: Json = False, lang: Lang = Language.EN) -> None:
    """Readers, who is at the places, what waits to be sent, and what may have been missed, of a running station.

    Example: [bold]jinka trace readers status readers.toml[/bold]
    """
    from jinka.app.readers import readers_status

    found = readers_status(file)
    if as_json:
        put_json(found)
        return
    put_table(_status_table(found, lang))
    words = _WORDS[lang]
    lines = [words["there"].format(place=place, count=count) for place, count in found["places"].items()]
    lines += [words["outbox"].format(**found["outbox"]), words["counts"].format(**found)]
    put_either(found, "\n".join(lines), as_json=False)


@app.command()
@command
def check(
    file: File,
    connect: Annotated[bool, typer.Option(help="Visit each reader; nothing on it is changed.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Read the station's file and name its mistakes; with --connect try its readers. Code 6 if one is wrong.

    Example: [bold]jinka trace readers check readers.toml --connect[/bold]
    """
    from jinka.app.readers import check_readers

    tries = check_readers(file, connect=connect)
    text = "\n".join(line for each in tries for line in _try_lines(each, lang, connect=connect))
    put_either([each.as_dict() for each in tries], text, as_json=as_json)
    return 6 if any(each.wrong for each in tries) else 0


@app.command()
@json_command
def bind(
    file: File,
    epc: Annotated[str, typer.Argument(help="What the tag is on: an EPC URN.")],
    tid: Annotated[str, typer.Argument(help="The chip's number, in hexadecimal.")],
) -> dict[str, Any]:
    """Tell a running station that a chip is right for an EPC: the tag was replaced, or written anew.

    Example: [bold]jinka trace readers bind readers.toml urn:epc:id:sgtin:0614141.812345.6789 E2801105...[/bold]
    """
    from jinka.app.readers import bind_chip

    return bind_chip(file, epc, tid)


@app.command()
@command
def emulate(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 5084,
    tags: Annotated[int, typer.Option(help="How many tags.", min=0, max=100_000)] = 20,
    walk: Annotated[
        str, typer.Option(help="stay at antenna 1; in: past antenna 1, then 2; out: past 2, then 1.")
    ] = "stay",
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 1,
    uptime: Annotated[bool, typer.Option(help="A reader without a UTC clock.")] = False,
) -> None:
    """Be a UHF reader for any LLRP client, without a radio, until SIGTERM or Ctrl-C. Says where, as JSON.

    Example: [bold]jinka trace readers emulate --port 5084 --walk in[/bold]
    """
    from jinka.app.readers import emulate_reader

    emulate_reader(host, port, tags=tags, seed=seed, walk=walk, uptime=uptime, listening=put_json)


def _try_lines(found: ReaderTry, lang: Language, *, connect: bool) -> list[str]:
    words, facts = _WORDS[lang], found.as_dict()
    lines = [words["wrong" if found.wrong else "good" if connect else "file"].format(**facts)]
    if found.clock_wrong_micros:
        lines.append(words["clock"].format(seconds=found.clock_wrong_micros / 1_000_000))
    return lines


def _status_table(found: dict[str, Any], lang: Language) -> Any:
    from rich.table import Table

    words = _WORDS[lang]
    table = Table(*(words[name] for name in ("reader", "state", "reads", "connections", "gaps", "reason")))
    for name, reader in found["readers"].items():
        numbers = (f"{reader[each]:,}" for each in ("reads", "connections", "gaps"))
        table.add_row(name, words[reader["state"]], *numbers, reader["reason"])
    return table
