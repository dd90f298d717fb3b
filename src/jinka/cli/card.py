"""`jinka card VERB`: put a card into the virtual reader, read one, talk to one, replay a transcript, show its files."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import command, put, say
from jinka.codec import Algorithm

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Cards as PC/SC programs see them. Example: [bold]jinka card read --show[/bold]",
)

Json = Annotated[bool, typer.Option("--json", help="Print the data as JSON.")]
Image = Annotated[Path | None, typer.Option("--image", help="A card image instead of a reader.")]
Keys = Annotated[
    Path | None, typer.Option("--keys", help="Folder whose key store opens sealed images.", metavar="DIR")
]


@app.command()
@command
def vpcd(
    image: Annotated[Path | None, typer.Argument(help="A card image.", metavar="[IMAGE]")] = None,
    profile: Annotated[str, typer.Option(help="A fresh test card of this application.")] = "",
    psam: Annotated[bool, typer.Option("--psam", help="A fresh test security module.")] = False,
    balance: Annotated[int, typer.Option(min=0, help="What a fresh card holds, in minor units.")] = 0,
    sm4: Annotated[bool, typer.Option("--sm4", help="Fresh keys are SM4 instead of 3DES.")] = False,
    keys: Keys = None,
    slot: Annotated[int, typer.Option(help="Slot of the reader: 0 or 1.")] = 0,
    host: Annotated[str, typer.Option(help="Where vpcd listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the first slot.")] = 0x8C7B,
    trace: Annotated[bool, typer.Option("--trace", help="Print every command as a transcript.")] = False,
) -> None:
    """Put a card into vpcd's virtual reader, so that pcscd and every PC/SC program sees it; Ctrl-C takes it out.

    Example: [bold]jinka card vpcd my.card --profile cn.shenzhen.transit[/bold] (makes my.card if it is not there)
    """
    from jinka.app.card_vpcd import VpcdOptions, serve_card

    options = VpcdOptions(
        image=image,
        profile=profile,
        psam=psam,
        algorithm=Algorithm.SM4 if sm4 else Algorithm.TDES,
        balance=balance,
        keys=keys,
        slot=slot,
        host=host,
        port=port,
    )

    def show(sent: bytes, answer: bytes) -> None:
        put(f"> {sent.hex().upper()}\n< {answer.hex().upper()}")

    say(f"waiting for vpcd at {host}:{port + slot}; Ctrl-C takes the card out")
    serve_card(
        options,
        threading.Event(),
        connected=lambda: say(f"the card is in slot {slot}"),
        watch=show if trace else None,
    )
