"""`jinka audit`: examine an audit log, show it, sign a checkpoint of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put, put_either, put_json, say

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Examine audit logs. Example: [bold]jinka audit verify out/bureau/audit.jsonl[/bold]",
)
Log = Annotated[Path, typer.Argument(help="The log, such as audit.jsonl.", metavar="FILE")]


@app.callback()
def root() -> None:
    """Examine audit logs."""


@app.command()
@command
def verify(
    log: Log,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A signed checkpoint that you hold; may come again.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The public key of whoever signed it (name+hash+key).")
    ] = None,
    as_json: Json = False,
) -> int:
    """Check that nothing was changed, moved or taken out; against a checkpoint also that no tail was cut off.

    Example: [bold]jinka audit verify audit.jsonl --checkpoint held.note --key centre.pub[/bold]
    """
    from jinka.app.audit import examine

    found = examine(log, checkpoint or (), key)
    if as_json:
        put_json(found.as_dict())
    else:
        for finding in found.report.findings:
            fix = f" ({finding.fix})" if finding.fix else ""
            put(f"{finding.where}: {finding.severity.value}: {finding.code}: {finding.what}{fix}")
        state = "sound" if found.report.sound else "NOT SOUND"
        put(f"{found.report.entries} entries, {state}; root {found.report.root.hex()}")
    if not found.report.sound:
        return 6
    if not found.checkpoints:
        say("without a checkpoint, a tail that was cut off does not show (--checkpoint)")
    return 0


@app.command()
@command
def show(
    log: Log,
    last: Annotated[int, typer.Option(help="How many, from the end; 0 for all.")] = 20,
    actor: Annotated[str, typer.Option(help="Only of this actor.")] = "",
    act: Annotated[str, typer.Option(help="Only acts that begin so, such as registry.")] = "",
    as_json: Json = False,
) -> None:
    """Show entries, oldest first.

    Example: [bold]jinka audit show out/bureau/audit.jsonl --act registry[/bold]
    """
    from jinka.app.audit import show as rows_of

    rows = rows_of(log, last=last, actor=actor, act=act)
    if as_json:
        put_json(rows)
        return
    for row in rows:
        if "problem" in row:
            put(f"line {row['line']}: {row['problem']}")
        else:
            words = (row["actor"], row["act"], row["outcome"], row["subject"])
            put(f"{row['seq']:>6}  {row['utc']}  {'  '.join(_printable(word) for word in words)}")


@app.command()
@command
def checkpoint(
    log: Log,
    signer: Annotated[
        Path, typer.Option(help="A private Ed25519 key, PEM (openssl genpkey -algorithm ed25519).")
    ],
    name: Annotated[str, typer.Option(help="The signer's name, such as centre.sz.")],
    out: Annotated[Path | None, typer.Option(help="Where the signed checkpoint goes as well.")] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Print the public key alone, and sign nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign the log as it stands, for another centre to hold (--public prints the key that it needs).

    Example: [bold]jinka audit checkpoint audit.jsonl --signer audit.pem --name centre.sz --out held.note[/bold]
    """
    from jinka.app.audit import read_signer, sign_checkpoint

    with_key = read_signer(signer, name)
    made = str(with_key.public) if public else sign_checkpoint(log, with_key, out)
    put_either({"public_key" if public else "checkpoint": made}, made, as_json=as_json)


def _printable(text: str) -> str:
    """What a terminal may be shown: no control characters, no text that runs backwards."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
