"""`jinka certificate`: look at certificates, judge them, rehearse an authority."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put, put_files, put_json, say
from jinka.kit import parse_date

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Look at certificates and judge them. Example: [bold]jinka certificate rehearse out/ca --algorithm sm2[/bold]",
)
Files = list[Path]


class Algorithm(Enum):
    """What a key pair is."""

    SM2 = "sm2"
    ECDSA = "ecdsa"
    RSA = "rsa"


class For(Enum):
    """What a certificate is to be used for."""

    SIGN = "sign"
    ENCRYPT = "encrypt"
    CLIENT = "client"
    SERVER = "server"


@app.callback()
def root() -> None:
    """Look at certificates and judge them."""


@app.command()
@command
def show(
    file: Annotated[Path, typer.Argument(help="PEM or DER.", metavar="FILE")], as_json: Json = False
) -> None:
    """Say what the certificates in a file say. Nothing is believed: see [bold]check[/bold].

    Example: [bold]jinka certificate show centre.pem[/bold]
    """
    from jinka.app.certificates import describe, read_certificates

    found = [describe(certificate) for certificate in read_certificates(file)]
    if as_json:
        put_json(found)
        return
    for number, facts in enumerate(found):
        if number:
            put("")
        for name, value in facts.items():
            put(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")


@app.command()
@command
def check(
    file: Annotated[Path, typer.Argument(help="The certificate, and authorities behind it.", metavar="FILE")],
    anchor: Annotated[Files, typer.Option(help="A root that is trusted, once for each.")],
    authority: Annotated[Files | None, typer.Option(help="An issuing authority, once for each.")] = None,
    crl: Annotated[
        Files | None, typer.Option(help="A revocation list, once for each; with one, every issuer needs one.")
    ] = None,
    use: Annotated[For, typer.Option("--for", help="What it is to be used for.")] = For.SIGN,
    dns: Annotated[str, typer.Option(help="The DNS name that it must carry.")] = "",
    date: Annotated[str | None, typer.Option(help="Judge it on this day, YYYY-MM-DD (UTC).")] = None,
    as_json: Json = False,
) -> None:
    """Judge a certificate: path, times, names, usage, lists. Exit code 4 and the reason when it is refused.

    Example: [bold]jinka certificate check centre.pem --anchor root.pem --authority issuing.pem --for server[/bold]
    """
    from jinka.app.certificates import judge
    from jinka.crypto.x509_fields import KeyUsage, Purpose

    usage = KeyUsage.KEY_ENCIPHERMENT if use is For.ENCRYPT else KeyUsage.SIGNATURE
    purposes = {For.CLIENT: Purpose.CLIENT, For.SERVER: Purpose.SERVER}
    at = dt.datetime.combine(parse_date(date, where="--date"), dt.time(), dt.UTC) if date else None
    path = judge(
        file, anchors=anchor, authorities=authority or [], lists=crl or [], at=at, usage=usage,
        purpose=purposes.get(use), dns_name=dns,
    )  # fmt: skip
    if as_json:
        put_json({"path": path, "lists_asked": bool(crl)})
        return
    put(" < ".join(path))
    if not crl:
        say("no revocation list was asked; give one with --crl")


@app.command()
@command
def rehearse(
    folder: Annotated[Path, typer.Argument(help="Where certificates and lists are written.", metavar="DIR")],
    algorithm: Annotated[Algorithm, typer.Option(help="The keys of the authorities.")] = Algorithm.SM2,
    request: Annotated[
        Path | None,
        typer.Option(
            help="A PKCS #10 request with a DNS name and an organisation's code; a fresh key without it."
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Answer OCSP on this port of 127.0.0.1 until Ctrl-C.")] = 0,
    as_json: Json = False,
) -> None:
    """Play an authority: root, issuing authority, one centre, lists. Its keys end with it and are never written.

    Example: [bold]jinka certificate rehearse out/ca --algorithm sm2[/bold]
    """
    from jinka.app.certificates import rehearse as play
    from jinka.crypto.x509_keys import KeyKind

    played = play(folder, kind=KeyKind[algorithm.name], request=request, port=port)
    put_files(played.files, as_json=as_json)
    if port:
        import threading

        with played.server(port):
            say(f"OCSP on http://127.0.0.1:{port}/, Ctrl-C ends it")
            threading.Event().wait()
