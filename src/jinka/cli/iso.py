"""`jinka iso`: messages of card networks in words, and from JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put, put_either, put_json, put_table
from jinka.kit import Usage
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

    from jinka.app.iso_reading import Described

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="ISO 8583 messages. Example: [bold]jinka iso describe sale.bin --dialect unionpay-pos[/bold]",
)
Lang = Annotated[Language, typer.Option(help="Language of the table.")]
Dialect = Annotated[str, typer.Option(help="How messages are written; see jinka iso dialects.")]
_HEADS = {Language.EN: ("field", "name", "kind", "value"), Language.ZH: ("域", "名称", "属性", "内容")}


@app.command()
@command
def describe(
    source: Annotated[str, typer.Argument(help="A file, - for standard input, or hexadecimal text.")],
    dialect: Dialect = "iso1987-ascii",
    framing: Annotated[
        str, typer.Option(help="What stands before a message: unionpay-pos, or words such as 2-binary-tpdu.")
    ] = "",
    unmask: Annotated[bool, typer.Option("--unmask", help="Show test data whole.")] = False,
    test_data: Annotated[
        bool, typer.Option("--test-data", help="The data is no one's: invented cards.")
    ] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Show every field of a message; card numbers, tracks, PIN blocks and the chip's copies are masked.

    Example: [bold]jinka iso describe sale.bin --dialect unionpay-pos --framing unionpay-pos[/bold]
    """
    from jinka.app.iso_reading import allow_unmasked, describe_messages, read_source

    if unmask:
        allow_unmasked(test_data=test_data)
    for found in describe_messages(
        read_source(source), dialect, framing=framing, unmask=unmask, plain=as_json
    ):
        if as_json:
            put_json(_before(found) | found.data)
        else:
            before = "  ".join(f"{name} {value}" for name, value in _before(found).items())
            put(f"{found.message.mti}  {found.spec.title[lang is Language.ZH]}  {before}".rstrip())
            put_table(_table(found, lang))


@app.command()
@command
def encode(
    source: Annotated[str, typer.Argument(help="A file with JSON, or - for standard input.")],
    dialect: Dialect = "iso1987-ascii",
    as_json: Json = False,
) -> None:
    """Write the message that JSON describes, as hexadecimal text.

    Example: [bold]jinka iso encode sale.json --dialect unionpay-pos[/bold]
    """
    from jinka.app.iso_reading import encode_json, read_source

    try:
        data: Any = json.loads(read_source(source))
    except (ValueError, RecursionError):
        raise Usage(
            "not JSON", where="message", fix="as jinka iso describe --json --unmask prints it"
        ) from None
    message = encode_json(data, dialect).hex().upper()
    put_either({"dialect": dialect, "message": message}, message, as_json=as_json)


@app.command()
@command
def dialects(as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List the dialects and the framings that have a name.

    Example: [bold]jinka iso dialects --lang zh[/bold]
    """
    from rich.table import Table

    from jinka.codec.framing import FRAMINGS
    from jinka.codec.iso8583 import DIALECTS

    if as_json:
        put_json(
            {
                "dialects": {name: len(spec.fields) for name, spec in DIALECTS.items()},
                "framings": list(FRAMINGS),
            }
        )
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("dialect", "title", "fields") if lang is Language.EN else ("方言", "名称", "域数"):
        table.add_column(heading)
    for name, spec in DIALECTS.items():
        table.add_row(name, spec.title[lang is Language.ZH], str(len(spec.fields)))
    put_table(table)
    put(f"{'framings' if lang is Language.EN else '报文头'}: {', '.join(FRAMINGS)}")


def _before(found: Described) -> dict[str, str]:
    frame = found.frame
    if frame is None:
        return {}
    parts = {"dialled": frame.dialled, "tpdu": frame.tpdu, "head": frame.head}
    return {name: value.hex().upper() for name, value in parts.items() if value}


def _table(found: Described, lang: Language) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADS[lang]:
        table.add_column(heading, overflow="fold")
    for line in found.lines:
        # A value is a stranger's text: it may look like markup, and must not be any.
        value = Text(line.value)
        if line.fault:
            value.append(f"  ({line.fault})")
        indent = "  " * line.path.count(".")
        table.add_row(Text(indent + line.path), line.title[lang is Language.ZH], line.kind, value)
    return table
