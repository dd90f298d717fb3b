"""`jinka card VERB`: put a card into the virtual reader, read one, talk to one, replay a transcript, show its files."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Annotated

import typer

from jinka.cli import card_domain
from jinka.cli.frame import Json, command, put, put_json, put_table, say
from jinka.kit import Usage
from jinka.reports import Language

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Cards as PC/SC programs see them. Example: [bold]jinka card read --show[/bold]",
)
app.add_typer(card_domain.app, name="domain")

Image = Annotated[Path | None, typer.Option("--image", help="A card image instead of a reader.")]
Profile = Annotated[str, typer.Option("--profile", help="A fresh test card instead of a reader.")]
Reader = Annotated[str, typer.Option("--reader", help="Number of the reader, or text of its name.")]
Lang = Annotated[Language, typer.Option(help="Language of the table.")]
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
    from jinka.codec import Algorithm

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


@app.command()
@command
def read(
    image: Image = None,
    profile: Profile = "",
    reader: Reader = "0",
    keys: Keys = None,
    show: Annotated[bool, typer.Option("--show", help="Show numbers and names in full.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Read what a card gives without a key: number, holder class, balance, log. Exit code 3 when it knows nothing.

    Example: [bold]jinka card read --reader 0 --show[/bold]
    """
    from jinka.app.card_link import CardPlace, card_at
    from jinka.app.card_read import read_card

    with card_at(CardPlace(image=image, profile=profile, keys=keys, reader=reader)) as link:
        content = read_card(link)
    if as_json:
        found = [reading.as_dict(show=show) for reading in content.readings]
        put_json({"applications": found, "notes": content.notes, "notes_zh": content.notes_zh})
    else:
        from jinka.cli.card_tables import reading_table

        for reading in content.readings:
            put_table(reading_table(reading, lang, show=show))
    for note in content.notes_zh if lang is Language.ZH else content.notes:
        say(note)
    return 0 if content.readings else 3


@app.command()
@command
def apdu(
    hex_command: Annotated[str, typer.Argument(help="The command APDU in hex.", metavar="HEX")],
    image: Image = None,
    profile: Profile = "",
    reader: Reader = "0",
    keys: Keys = None,
    as_json: Json = False,
) -> int:
    """Send one command and say what the answer means. Exit code 4 when the card refused it.

    Example: [bold]jinka card apdu "00A4040008 A000000632010105"[/bold]
    """
    from jinka.app.card_link import CardPlace, card_at
    from jinka.app.card_script import ask_one, read_command

    sent = read_command("".join(hex_command.split()), where="HEX")
    with card_at(CardPlace(image=image, profile=profile, keys=keys, reader=reader)) as link:
        found = ask_one(sent, link)
    if as_json:
        words = {"en": found.words.english, "zh": found.words.chinese, "known": found.words.known}
        put_json({"data": found.data.hex().upper(), "sw": f"{found.sw:04X}", "words": words})
    else:
        put(f"> {sent.hex().upper()}\n< {found.data.hex().upper()}{found.sw:04X}\n  {found.words}")
    return 0 if found.words.known and found.sw >> 8 in (0x61, 0x62, 0x90) else 4


@app.command()
@command
def script(
    file: Annotated[Path, typer.Argument(help="A transcript: lines > command, < answer.", metavar="FILE")],
    image: Image = None,
    profile: Profile = "",
    reader: Reader = "0",
    keys: Keys = None,
    as_json: Json = False,
) -> int:
    """Replay a transcript and stop at the first answer that deviates. Exit code 6 then.

    Example: [bold]jinka card script transcript.txt --profile cn.shenzhen.transit[/bold]
    """
    from jinka.app.card_files import open_key_folder, read_opened
    from jinka.app.card_link import CardPlace, card_at
    from jinka.app.card_script import read_script, replay

    raw, _ = read_opened(file, open_key_folder(keys) if keys is not None else None)
    steps = read_script(raw.decode("utf-8", "replace"), where=str(file))
    with card_at(CardPlace(image=image, profile=profile, keys=keys, reader=reader)) as link:
        done = replay(steps, link)
    deviation = done.deviation
    if as_json:
        found = None
        if deviation is not None:
            words = {"en": deviation.words.english, "zh": deviation.words.chinese}
            found = {"line": deviation.line, "command": deviation.command, "wanted": deviation.wanted,
                     "found": deviation.found, "words": words}  # fmt: skip
        put_json({"exchanges": done.exchanges, "deviation": found})
    elif deviation is None:
        put(f"{done.exchanges} exchanges, all as written / 共 {done.exchanges} 条，全部一致")
    else:
        put(
            f"{file}:{deviation.line}: the answer deviates / 应答不一致\n{deviation.diff}\n  {deviation.words}"
        )
    return 0 if deviation is None else 6


@app.command()
@command
def tree(
    image: Image = None,
    profile: Annotated[str, typer.Option("--profile", help="The declared files of this application.")] = "",
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Show the files of a card image or of a declared application, with their access rights.

    Example: [bold]jinka card tree --profile cn.shenzhen.transit[/bold]
    """
    from jinka.app.card_files import declared_profiles, open_card, open_key_folder, profile_named
    from jinka.app.card_tree import card_tree, declared_tree

    if (image is None) == (not profile):
        names = ", ".join(declared_profiles())
        raise Usage("name one of --image and --profile", where="card tree", fix=f"applications: {names}")
    if image is not None:
        node = card_tree(open_card(image, open_key_folder(keys) if keys is not None else None).chip)
    else:
        node = declared_tree(profile_named(profile))
    if as_json:
        put_json(node.as_dict())
    else:
        from jinka.cli.card_tables import tree_table

        put_table(tree_table(node, lang))


@app.command()
@command
def inspect(
    image: Annotated[Path | None, typer.Argument(help="A card image.", metavar="[IMAGE]")] = None,
    mrz: Annotated[
        tuple[str, str],
        typer.Option(
            help="The printed zone; of three lines the last two are one value.", metavar="LINE1 LINE2"
        ),
    ] = ("", ""),
    anchor: Annotated[
        list[Path] | None,
        typer.Option(help="Country signers' certificates; may be given again.", metavar="FILE"),
    ] = None,
    at: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Judge as of this day instead of today.")
    ] = None,
    profile: Profile = "",
    reader: Reader = "0",
    keys: Keys = None,
    show: Annotated[bool, typer.Option("--show", help="Show number and name in full.")] = False,
    as_json: Json = False,
) -> int:
    """Inspect a travel document whose printed zone you read. Exit code 6 unless it is genuine beyond doubt.

    Example: [bold]jinka card inspect my.card --mrz "P<UTO..." "L898902C36UTO..." --anchor csca.pem[/bold]
    """
    from jinka.app.card_inspect import inspect_document, inspection_values
    from jinka.app.card_link import CardPlace
    from jinka.terminal.inspection import Verdict

    if not all(mrz):
        raise Usage("no printed zone", where="--mrz", fix="its two lines, in quotes")
    now = at.replace(tzinfo=dt.UTC) if at is not None else dt.datetime.now(dt.UTC)
    place = CardPlace(image=image, profile=profile, keys=keys, reader=reader)
    found = inspect_document(place, mrz, anchor or (), now)
    values = inspection_values(found, show=show)
    if as_json:
        put_json(values)
    else:
        from jinka.cli.card_tables import inspection_table

        put_table(inspection_table(values))
    return 0 if found.verdict is Verdict.GENUINE else 6
