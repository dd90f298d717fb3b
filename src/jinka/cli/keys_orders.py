"""`jinka keys order-psam`, `order-cards`, `withdraw-psam`, `report stolen-psam`: keys that go out, and lost ones."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put, put_either, put_json, say
from jinka.reports import Language

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
report = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Reports on keys. Example: [bold]jinka keys report stolen-psam out/keys --psam 0101..[/bold]",
)
app.add_typer(report, name="report")

Folder = Annotated[Path, typer.Argument(help="The folder of the key store.", metavar="DIR")]
Serial = Annotated[str, typer.Option("--psam", help="The module's serial, 20 hex digits.")]
Region = Annotated[str, typer.Option(help="The city, a code of GB/T 2260.")]


class Form(Enum):
    """How a report is printed."""

    TEXT = "text"
    HTML = "html"
    JSON = "json"


@app.command("order-psam")
@command
def order_psam(
    folder: Folder,
    module: Annotated[Path, typer.Argument(help="The module's image.", metavar="IMAGE")],
    key: Annotated[list[str], typer.Option(help="A key, such as purchase/TDES/2; once for each.")],
    region: Region = "440300",
    as_json: Json = False,
) -> None:
    """Write national keys into a PSAM under its own transport key, by its own commands; its image is sealed then.

    Example: [bold]jinka keys order-psam out/keys psam.jsi --key purchase/TDES/2[/bold]
    """
    from jinka.app.card_files import open_card, open_key_folder
    from jinka.app.key_folder import KeyFolder
    from jinka.app.key_orders import give_module_keys
    from jinka.keys import KeyName

    keys = open_key_folder(folder, region)
    try:
        file = open_card(module, keys)
        serial = give_module_keys(KeyFolder(folder), file.chip, [KeyName.parse(text) for text in key], keys)
        file.seal(keys, f"psam/{serial.hex()}")  # a module that is software holds its keys in its image
        file.save()
    finally:
        keys.close()
    put_either(
        {"module": serial.hex(), "keys": key}, f"module {serial.hex()}: {len(key)} keys", as_json=as_json
    )


@app.command("order-cards")
@command
def order_cards(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="Where the order's files are written.", metavar="OUT")],
    profile: Annotated[str, typer.Option(help="The application.")],
    first: Annotated[str, typer.Option(help="The first card number, 16 digits.")],
    count: Annotated[int, typer.Option(help="How many cards.")],
    bureau: Annotated[str, typer.Option(help="Who gets it: the owner of transport/AES-256-GCM/1@BUREAU.")],
    sm4: Annotated[bool, typer.Option("--sm4", help="SM4 keys instead of 3DES.")] = False,
    region: Region = "440300",
    as_json: Json = False,
) -> None:
    """Wrap the keys of a range of cards for a bureau under its transport key.

    Example: [bold]jinka keys order-cards out/keys out/order --profile cn.shenzhen.transit --first 5180000001000000
    --count 1000 --bureau bureau.sz[/bold]
    """
    from jinka.app.card_files import open_key_folder, profile_named
    from jinka.app.key_orders import order_card_keys
    from jinka.codec import Algorithm
    from jinka.kit import Usage

    if len(first) != 16 or not (first.isascii() and first.isdigit()):
        raise Usage("not a card number", where="--first", fix="16 digits")
    algorithm = Algorithm.SM4 if sm4 else Algorithm.TDES
    keys = open_key_folder(folder, region)
    try:
        written = order_card_keys(
            keys, profile_named(profile, algorithm), algorithm=algorithm, first=int(first), count=count,
            bureau=bureau, out=out,
        )  # fmt: skip
    finally:
        keys.close()
    put_either(
        {"cards": count, "keys_each": len(written), "folder": str(out)},
        f"{count} cards, {len(written)} keys each: {out}",
        as_json=as_json,
    )


@app.command("withdraw-psam")
@command
def withdraw(
    centre: Annotated[Path, typer.Argument(help="A centre: the --dir of a day.", metavar="DIR")],
    psam: Serial,
    as_json: Json = False,
) -> None:
    """Take a module out of use in the centre's registry: its records are rejected when days are cleared from now on.

    Example: [bold]jinka keys withdraw-psam out/day --psam 01010101440300000001[/bold]
    """
    from jinka.app.key_report import withdraw_psam

    withdraw_psam(centre, psam)
    put_either({"module": psam, "state": "withdrawn"}, f"module {psam}: withdrawn", as_json=as_json)


@report.callback()
def report_root() -> None:
    """Reports on keys."""


@report.command("stolen-psam")
@command
def stolen(
    folder: Folder,
    psam: Serial,
    centre: Annotated[Path | None, typer.Option(help="A centre: the --dir of a day.")] = None,
    stolen_on: Annotated[str, typer.Option("--on", help="When it was stolen, YYYY-MM-DD.")] = "",
    closed_on: Annotated[
        str, typer.Option("--closed-on", help="From when no terminal asks for the versions it held.")
    ] = "",
    last_expiry: Annotated[str, typer.Option(help="When the last card that carries them expires.")] = "",
    form: Annotated[Form, typer.Option("--as", help="How it is printed.")] = Form.TEXT,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of the text.")] = Language.EN,
) -> int:
    """What a stolen PSAM exposes, what is at risk and until when, and what is still to be done (exit code 6).

    Example: [bold]jinka keys report stolen-psam out/keys --psam 01010101440300000001 --centre out/day[/bold]
    """
    from jinka.app.key_folder import KeyFolder
    from jinka.app.key_report import read_registry, stolen_psam

    found = stolen_psam(
        KeyFolder(folder),
        psam,
        registry=read_registry(centre) if centre is not None else None,
        stolen_on=stolen_on,
        closed_on=closed_on,
        last_expiry=last_expiry,
    )
    if as_json or form is Form.JSON:
        put_json(found.as_dict())
    else:
        put(found.as_html() if form is Form.HTML else found.as_text(lang))
    if not found.settled:
        say("not settled: see what is to be done")
        return 6
    return 0
