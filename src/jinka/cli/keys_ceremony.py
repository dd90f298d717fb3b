"""`jinka keys ceremony` and the acts that come after it: who is present, what is done, what was recorded."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, say
from jinka.cli.keys_records import Folder, Name, facts

if TYPE_CHECKING:
    from jinka.app.key_folder import Ask
    from jinka.keys.acts import Act
    from jinka.keys.minutes import Minutes

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
By = Annotated[
    list[str],
    typer.Option("--by", help="A custodian who is present, NAME or NAME=PATH; once for each."),
]
Custodian = Annotated[
    list[str],
    typer.Option(help="NAME or NAME=PATH, the place that this person alone keeps; once for each."),
]
Date = Annotated[str, typer.Option(help="Date of the act, YYYY-MM-DD; today without it.")]


@app.command()
@command
def ceremony(
    folder: Folder,
    issuer: Annotated[str, typer.Option(help="Whose keys they are, such as issuer.szt.")],
    custodian: Custodian,
    needed: Annotated[int, typer.Option(help="How many shares open the store (M of N).")] = 2,
    components: Annotated[
        bool, typer.Option("--components", help="Components that are all needed, instead of M-of-N shares.")
    ] = False,
    bureau: Annotated[
        bool,
        typer.Option(
            "--bureau", help="No issuer's roots: only what a bureau seals with. Card keys are ordered."
        ),
    ] = False,
    simulated: Annotated[bool, typer.Option("--simulated", help="Mark all of it as simulated.")] = False,
    date: Date = "",
    as_json: Json = False,
) -> None:
    """Make the roots and part their wrapping key among custodians; each gets share, form and signing key.

    Example: [bold]jinka keys ceremony out/keys --issuer issuer.szt --custodian Li --custodian Wu --custodian He[/bold]
    """
    from jinka.app.key_acts import Asked, hold
    from jinka.app.key_folder import KeyFolder
    from jinka.keys import Sharing
    from jinka.keys.ceremony import SEALING

    room = KeyFolder(folder)
    asked = Asked(
        issuer=issuer,
        places=tuple(room.place(text) for text in custodian),
        needed=len(custodian) if components else needed,
        date=date or _today(),
        sharing=Sharing.COMPONENTS if components else Sharing.SHAMIR,
        simulated=simulated,
        names=SEALING if bureau else (),
    )
    _show(hold(room, asked), as_json=as_json)
    for place in asked.places:
        say(f"{place.custodian}: print the form and take away {place.path}")


@app.command()
@command
def components(
    folder: Folder,
    name: Name,
    custodian: Custodian,
    date: Date = "",
    as_json: Json = False,
) -> None:
    """Draw a new key as components, one for each custodian; it is whole nowhere until they are added up.

    Example: [bold]jinka keys components out/keys zone_master/TDES/1@bank --custodian Li --custodian Wu[/bold]
    """
    from jinka.app.key_components import hand_out_components
    from jinka.app.key_folder import KeyFolder
    from jinka.keys import KeyName

    room = KeyFolder(folder)
    last = room.minutes()[-1]
    check = hand_out_components(
        KeyName.parse(name),
        [room.place(text) for text in custodian],
        issuer=last.issuer,
        date=date or _today(),
        simulated=last.simulated,
    )
    if as_json:
        put_json({"key": name, "check": check, "components": len(custodian)})
    else:
        put(f"{name}: check value {check.upper()}, {len(custodian)} components")


@app.command()
@command
def add(
    folder: Folder,
    name: Name,
    by: By,
    component: Annotated[
        list[str] | None,
        typer.Option(help="A custodian who brings a component, NAME or NAME=PATH; drawn here without it."),
    ] = None,
    check: Annotated[
        str, typer.Option(help="The check value of the key, from the forms (with --component).")
    ] = "",
    valid_from: Annotated[str, typer.Option("--from", help="First day of use, YYYY-MM-DD.")] = "",
    valid_to: Annotated[str, typer.Option("--to", help="Last day on which it makes something new.")] = "",
    term: Annotated[
        list[str] | None,
        typer.Option(help="What binds it for good: export=trusted, method=ibm3624, table=..., NAME=VALUE."),
    ] = None,
    date: Date = "",
    as_json: Json = False,
) -> None:
    """Take a key in: drawn here, or added up from components that custodians bring or type.

    Example: [bold]jinka keys add out/keys zone_pin/TDES/1@bank --by Zhao --by Sun --component Li --component Wu[/bold]
    """
    from jinka.app.key_acts import perform
    from jinka.app.key_components import take_components
    from jinka.app.key_folder import KeyFolder
    from jinka.keys import KeyName, acts
    from jinka.keys.catalogue import parse_terms

    room, parsed, ask = KeyFolder(folder), KeyName.parse(name), _ask()
    if component and not check and ask is not None:
        check = typer.prompt("check value of the key, from the form")
    places = [room.place(text) for text in component or []]
    terms, dates = parse_terms(",".join(term or [])), {"valid_from": valid_from, "valid_to": valid_to}
    if places:
        secret = take_components(parsed, places, check=check, ask=ask)
        done = perform(
            room,
            acts.Act.ADD,
            [room.place(text) for text in by],
            lambda store, _: acts.add(store, parsed, secret, **dates, terms=terms),
            date=date or _today(),
            ask=ask,
        )
    else:
        done = perform(
            room,
            acts.Act.ADD,
            [room.place(text) for text in by],
            lambda store, randomness: acts.draw(store, parsed, randomness, **dates, terms=terms),
            date=date or _today(),
            ask=ask,
        )
    _show(done, as_json=as_json)


@app.command()
@command
def rotate(
    folder: Folder,
    line: Annotated[str, typer.Argument(help="purpose/algorithm[@owner], such as purchase/TDES.")],
    by: By,
    valid_from: Annotated[str, typer.Option("--from", help="First day of the new version, YYYY-MM-DD.")] = "",
    old_until: Annotated[str, typer.Option(help="Last day on which the old ones make something new.")] = "",
    date: Date = "",
    as_json: Json = False,
) -> None:
    """Draw the next version of a key.

    Example: [bold]jinka keys rotate out/keys tac/TDES --by Zhao --by Sun --from 2027-01-01[/bold]
    """
    from jinka.app.key_acts import perform
    from jinka.app.key_folder import KeyFolder
    from jinka.keys import KeyName, acts

    room = KeyFolder(folder)
    body, at, owner = line.partition("@")
    key = KeyName.parse(f"{body}/1{at}{owner}")
    done = perform(
        room,
        acts.Act.ROTATE,
        [room.place(text) for text in by],
        lambda store, randomness: acts.rotate(
            store, key.purpose, key.algorithm, randomness, owner=key.owner, valid_from=valid_from,
            old_until=old_until,
        ),
        date=date or _today(),
        ask=_ask(),
    )  # fmt: skip
    _show(done, as_json=as_json)


def _life(verb: str, sentence: str) -> Callable[..., None]:
    """A command that takes one step in the life of one key."""

    def run(folder: Folder, name: Name, by: By, date: Date = "", as_json: Json = False) -> None:
        from jinka.keys.acts import Act

        _move(folder, name, by, Act[verb.upper()], date, as_json)

    example = f"jinka keys {verb} out/keys tac/SM4/1 --by A --by B"
    run.__name__, run.__doc__ = verb, f"{sentence}\n\nExample: [bold]{example}[/bold]"
    return command(run)


for _word, _sentence in (
    ("retire", "A key makes nothing new any more; it still checks what it made."),
    ("resume", "Take a retired key into use again."),
    ("compromise", "Somebody else may have the key: nothing uses it any more; it can only be destroyed."),
    ("destroy", "Take the value of a retired or compromised key out of the store for good; its line stays."),
):
    app.command(name=_word)(_life(_word, _sentence))


@app.command()
@command
def reshare(
    folder: Folder,
    by: By,
    custodian: Custodian,
    needed: Annotated[int, typer.Option(help="How many of the new shares open the store.")] = 2,
    components: Annotated[bool, typer.Option("--components", help="Components that are all needed.")] = False,
    date: Date = "",
    as_json: Json = False,
) -> None:
    """Give the keys to new custodians under a new wrapping key; the old shares open no later store.

    Example: [bold]jinka keys reshare out/keys --by Zhao --by Sun --custodian Li --custodian Wu --custodian He[/bold]
    """
    from jinka.app.key_acts import Asked
    from jinka.app.key_acts import reshare as share_anew
    from jinka.app.key_folder import KeyFolder
    from jinka.keys import Sharing

    room = KeyFolder(folder)
    last = room.minutes()[-1]
    asked = Asked(
        issuer=last.issuer,
        places=tuple(room.place(text) for text in custodian),
        needed=len(custodian) if components else needed,
        date=date or _today(),
        sharing=Sharing.COMPONENTS if components else Sharing.SHAMIR,
        simulated=last.simulated,
    )
    _show(share_anew(room, [room.place(text) for text in by], asked, ask=_ask()), as_json=as_json)


@app.command()
@command
def restore(
    folder: Folder,
    copy: Annotated[Path, typer.Argument(help="A copy of store.sealed.", metavar="COPY")],
    by: By,
    date: Date = "",
    as_json: Json = False,
) -> None:
    """Put back a copy of a store that was lost or damaged; an older version is refused.

    Example: [bold]jinka keys restore out/keys backup/store.sealed --by Zhao --by Sun[/bold]
    """
    from jinka.app.key_acts import restore as put_back
    from jinka.app.key_folder import KeyFolder

    room = KeyFolder(folder)
    places = [room.place(text) for text in by]
    _show(put_back(room, places, copy, date=date or _today(), ask=_ask()), as_json=as_json)


def _move(folder: Path, name: str, by: list[str], act: Act, date: str, as_json: bool) -> None:
    from jinka.app.key_acts import perform
    from jinka.app.key_folder import KeyFolder
    from jinka.keys import KeyName, acts

    room, key = KeyFolder(folder), KeyName.parse(name)
    places = [room.place(text) for text in by]
    done = perform(
        room, act, places, lambda store, _: acts.move(store, key, act), date=date or _today(), ask=_ask()
    )
    _show(done, as_json=as_json)


def _show(minutes: Minutes, *, as_json: bool) -> None:
    if as_json:
        put_json(facts(minutes))
        return
    put(f"record {minutes.number}: {minutes.act.value} on {minutes.date}, signed by "
        + ", ".join(key.name for key in minutes.must_sign))  # fmt: skip
    for key in minutes.keys:
        if key.name in minutes.touched:
            put(f"{key.name}: check value {key.check.upper()}, {key.state.value}")
    put(f"digest {minutes.digest}")


def _ask() -> Ask | None:
    """Ask for what is typed, without echo; only where a person sits."""
    if not sys.stdin.isatty():
        return None
    from getpass import getpass

    return getpass


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()
