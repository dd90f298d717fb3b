"""`jinka keys`: serve keys, hold ceremonies, move keys onto a token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import command, put, put_json, say

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Hold, serve and move keys. Example: [bold]jinka keys serve out/keys[/bold]",
)
Folder = Annotated[
    Path, typer.Argument(help="The folder with keys/store.sealed and keys.toml.", metavar="DIR")
]
Shares = Annotated[
    list[Path] | None,
    typer.Option("--share", help="A custodian's share, once for each; by default those in DIR/custodians."),
]


@app.callback()
def root() -> None:
    """Hold, serve and move keys."""


@app.command()
@command
def serve(folder: Folder, share: Shares = None) -> None:
    """Serve the keys to the callers that keys.toml names, until SIGTERM or Ctrl-C.

    The process cannot be dumped or debugged, its memory is locked as far as the system allows, and every verb is in
    DIR/keys-audit.jsonl before it is answered. One line of JSON on standard output says that it listens.

    Example: [bold]jinka keys serve out/keys --share a/share.json --share b/share.json[/bold]
    """
    import signal
    from getpass import getpass

    from jinka.app.key_serving import KeyServing

    serving = KeyServing(folder, shares=share or [], ask_pin=lambda: getpass("PIN of the token: "))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: serving.interrupt())
    try:
        serving.start()
        facts = serving.facts()
        put_json(facts)
        if not facts["memory_locked"]:
            say("the system locks only the pages of the keys, not all memory: raise RLIMIT_MEMLOCK")
        serving.wait()
    finally:
        serving.stop()


@app.command("to-token")
@command
def to_token(
    folder: Folder,
    module: Annotated[
        Path, typer.Option(help="The PKCS#11 module, such as /usr/lib/softhsm/libsofthsm2.so.")
    ],
    label: Annotated[str, typer.Option(help="The token's label.")] = "jinka",
    pin_file: Annotated[Path | None, typer.Option(help="A file with the PIN; asked for without it.")] = None,
    share: Shares = None,
) -> None:
    """Move all keys that the token can hold out of the sealed store and onto it.

    Example: [bold]jinka keys to-token out/keys --module /usr/lib/softhsm/libsofthsm2.so --label jinka[/bold]
    """
    from getpass import getpass

    from jinka.app.key_serving import read_pin
    from jinka.app.key_token import move_to_token

    pin = read_pin(pin_file) if pin_file else getpass("PIN of the token: ")
    moved = move_to_token(folder, module=module, label=label, pin=pin, shares=share or [])
    put_json({"token": moved.token, "moved": list(moved.moved), "stayed": list(moved.stayed)})


@app.command()
@command
def scan(
    folder: Folder,
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders to look through; DIR itself by default.")
    ] = None,
    share: Shares = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the data as JSON.")] = False,
) -> int:
    """Look for clear keys and PIN blocks in everything that was left behind: bytes, hex, base64, Parquet columns.

    Every key of DIR is derived from its sealed store, each registered card's included. Exit code 6 when one is found.

    Example: [bold]jinka keys scan out/city-16000-2018-09-03-seed-1 /var/log[/bold]
    """
    from jinka.app.key_scan import scan as look

    found = look([folder], paths or [folder], shares=share or [])
    if as_json:
        facts = {"secrets": found.secrets, "files": found.files, "bytes_read": found.bytes_read}
        put_json(facts | {"findings": [finding.as_dict() for finding in found.findings]})
    else:
        for finding in found.findings:
            put(f"{finding.where}: {finding.code}: {finding.what} ({finding.fix})")
        size = f"{found.files:,} files, {found.bytes_read:,} bytes"
        put(f"{len(found.findings)} of {found.secrets:,} secrets found in {size}")
    return 6 if found.findings else 0
