"""`jinka trace access`: who takes part in a repository's chain, what each shares, and who looked at what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put_either

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Participants and what they see. Example: [bold]jinka trace access list trace.toml[/bold]",
)
File = Annotated[Path, typer.Argument(help="The repository's file (docs/epcis.md).", metavar="FILE")]
Who = Annotated[str, typer.Argument(help="The participant.", metavar="ID")]


@app.command("put")
@command
def put_one(
    file: File,
    id_: Who,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    owns: Annotated[
        list[str] | None,
        typer.Option(
            help="A place, a party, or a GS1 company prefix of its own; once for each. '': nothing."
        ),
    ] = None,
    up: Annotated[
        str | None, typer.Option(help="What those before it see: nothing, redacted (at first), whole.")
    ] = None,
    down: Annotated[str | None, typer.Option(help="What those behind it see.")] = None,
    certificate: Annotated[str | None, typer.Option(help="The common name in its certificate.")] = None,
    sees_all: Annotated[
        bool | None, typer.Option("--sees-all/--sees-its-part", help="An authority sees everything.")
    ] = None,
    signs: Annotated[
        bool | None, typer.Option("--signs/--no-signs", help="What it captures must be signed.")
    ] = None,
    new_token: Annotated[bool, typer.Option("--new-token", help="Give it another token.")] = False,
    as_json: Json = False,
) -> None:
    """Add a participant, or change what is named of it. A new token is shown once, and kept only as a hash.

    Example: [bold]jinka trace access put trace.toml mill --owns 6901234 --down whole[/bold]
    """
    from jinka.app.trace_access import put_participant

    facts = put_participant(
        file, id_, name=name, owns=[own for own in owns if own] if owns else None, up=up, down=down,
        sees_all=sees_all, signs=signs, certificate=certificate, new_token=new_token,
    )  # fmt: skip
    token = f"\n{facts['token']}" if "token" in facts else ""
    put_either(facts, _line(facts) + token, as_json=as_json)


@app.command()
@command
def stop(file: File, id_: Who, as_json: Json = False) -> None:
    """Let a participant in no more. What it captured stays its own.

    Example: [bold]jinka trace access stop trace.toml mill[/bold]
    """
    from jinka.app.trace_access import stop_participant

    facts = stop_participant(file, id_)
    put_either(facts, _line(facts), as_json=as_json)


@app.command("list")
@command
def list_all(file: File, as_json: Json = False) -> None:
    """List the participants and what each shares.

    Example: [bold]jinka trace access list trace.toml[/bold]
    """
    from jinka.app.trace_access import list_participants

    found = list_participants(file)
    put_either(found, "\n".join(map(_line, found)) or "nobody", as_json=as_json)


@app.command()
@command
def looks(
    file: File,
    participant: Annotated[str, typer.Option("--by", help="Of this participant alone.")] = "",
    most: Annotated[int, typer.Option(help="Looks at most.", min=1)] = 100,
    as_json: Json = False,
) -> None:
    """Show who looked at what, the newest first.

    Example: [bold]jinka trace access looks trace.toml --by mill[/bold]
    """
    from jinka.app.trace_access import list_looks

    found = list_looks(file, participant, most)
    lines = [
        f"{look['at']}  {look['participant']}: {look['what']} ({look['shown']} shown, {look['hidden']} hidden)"
        for look in found
    ]
    put_either(found, "\n".join(lines) or "nobody looked", as_json=as_json)


def _line(facts: Mapping[str, Any]) -> str:
    marks = [word for word in ("sees_all", "signs") if facts[word]] + ([] if facts["active"] else ["stopped"])
    shares = f"up {facts['up']}, down {facts['down']}"
    owns = ", ".join(facts["owns"]) or "nothing of its own"
    return f"{facts['id']}: {owns}; {shares}" + "".join(f"; {mark.replace('_', ' ')}" for mark in marks)
