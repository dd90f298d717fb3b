"""`jinka fuzz WHAT`: attack a part with generated input until the time is over or a promise is broken."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import command, progress, put, put_json

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Attack with generated input. Example: [bold]jinka fuzz apdu --seconds 60[/bold]",
)


@app.callback()
def root() -> None:
    """Keeps the name of the part in the command line, also while there is one part alone."""


@app.command()
@command
def apdu(
    seconds: Annotated[float, typer.Option(min=0.1, max=1_000_000, help="How long.")] = 600.0,
    seed: Annotated[int | None, typer.Option(help="The same seed attacks in the same order.")] = None,
    only: Annotated[str, typer.Option(help="One application, psam or globalplatform.")] = "",
    directory: Annotated[Path, typer.Option("--dir", help="Where the transcript of a failure goes.")] = Path(
        "out"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the data as JSON.")] = False,
) -> int:
    """Hostile commands for every application: a status word, no exception, no money that moves by itself.

    Example: [bold]jinka fuzz apdu --seconds 600 --seed 1[/bold] (exit code 6 when a promise was broken)
    """
    from jinka.app.fuzz_apdu import fuzz

    chosen = secrets.randbelow(2**32) if seed is None else seed
    with progress() as steps:
        found = fuzz(seconds=seconds, seed=chosen, directory=directory, only=only, progress=steps)
    if as_json:
        put_json(found.as_dict())
    else:
        put(
            f"{found.commands:,} commands in {found.seconds:.1f} s, {found.rate:,} a second, seed {found.seed}"
        )
        put("; ".join(f"{name} {count:,}" for name, count in found.by_target.items()))
        if found.failure:
            put(f"broken: {found.failure}\ntranscript: {found.transcript}")
    return 6 if found.failure else 0


@app.command()
@command
def iso8583(
    seconds: Annotated[float, typer.Option(min=0.1, max=1_000_000, help="How long.")] = 60.0,
    seed: Annotated[int | None, typer.Option(help="The same seed attacks in the same order.")] = None,
    directory: Annotated[Path, typer.Option("--dir", help="Where the bytes of a failure go.")] = Path("out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the data as JSON.")] = False,
) -> int:
    """Hostile messages for every dialect and framing: a value or a fault, never anything else.

    Example: [bold]jinka fuzz iso8583 --seconds 60 --seed 1[/bold] (exit code 6 when a promise was broken)
    """
    from jinka.app.fuzz_iso8583 import fuzz_iso8583

    chosen = secrets.randbelow(2**32) if seed is None else seed
    with progress() as steps:
        found = fuzz_iso8583(seconds=seconds, seed=chosen, directory=directory, progress=steps)
    if as_json:
        put_json(found.as_dict())
    else:
        put(
            f"{found.messages:,} messages, {found.read:,} of them read, {found.streams:,} streams, seed {found.seed}"
        )
        if found.failure:
            put(f"broken: {found.failure}\nkept: {found.kept}")
    return 6 if found.failure else 0


@app.command()
@command
def switch(
    seconds: Annotated[float, typer.Option(min=0.1, max=1_000_000, help="How long.")] = 60.0,
    seed: Annotated[int | None, typer.Option(help="The same seed attacks in the same order.")] = None,
    directory: Annotated[Path, typer.Option("--dir", help="Where the transcript of a failure goes.")] = Path(
        "out"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the data as JSON.")] = False,
) -> int:
    """Hostile messages, lost lines and kills for the switch: it goes on, and its books agree with the bank's.

    Example: [bold]jinka fuzz switch --seconds 60 --seed 1[/bold] (exit code 6 when a promise was broken)
    """
    from jinka.app.fuzz_switch import fuzz_switch

    chosen = secrets.randbelow(2**32) if seed is None else seed
    with progress() as steps:
        found = fuzz_switch(seconds=seconds, seed=chosen, directory=directory, progress=steps)
    if as_json:
        put_json(found.as_dict())
    else:
        put(f"{found.events:,} events in {found.rounds:,} rounds, {found.seconds:.1f} s, seed {found.seed}")
        put(f"{len(found.steps)} kinds of steps, {found.counts} kinds of counts")
        if found.states_missed:
            put(f"never met: {', '.join(found.states_missed)}")
        if found.failure:
            put(f"broken: {found.failure}\ntranscript: {found.kept}")
    return 6 if found.failure else 0
