"""`jinka certificate`: lists, escrow, officers, machines, requests of one's own, and the service."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.certificate import Algorithm
from jinka.cli.certificate_authority import Dns, Folder, Name, Officer, Shares, Socket
from jinka.cli.frame import Json, command, put_either, put_files, put_json, say
from jinka.kit import Usage

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
By = Annotated[list[str], typer.Option("--by", help="An officer who orders it; twice, two different ones.")]


@app.command()
@command
def crl(
    folder: Folder,
    officer: Officer,
    out: Annotated[Path, typer.Option("--out", help="Where it is written: PEM for .pem, else DER.")],
    delta: Annotated[
        bool, typer.Option("--delta", help="What changed since the last complete list alone.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=400, help="Until the next one at the latest.")] = 7,
    share: Shares = None,
    keys: Socket = None,
    as_json: Json = False,
) -> None:
    """Sign the next revocation list; serve gives it out at once.

    Example: [bold]jinka certificate crl out/issuing --officer li-si --out issuing.crl.pem[/bold]
    """
    from jinka.app.authority_office import Office
    from jinka.app.certificates import as_pem
    from jinka.node import file_errors, write_durable

    with Office(folder) as office, office.folder.unlocked(share or (), keys) as key:
        found = office.publish(officer=officer, days=days, delta=delta, key=key)
    with file_errors(out):
        write_durable(out, as_pem(found.der, "X509 CRL") if out.suffix == ".pem" else found.der)
    since = f", changes since {found.base_number}" if found.base_number else ""
    put_either(
        {"file": str(out), "number": found.number, "base_number": found.base_number or None},
        f"{out}: list {found.number}{since}",
        as_json=as_json,
    )


@app.command()
@command
def recover(
    folder: Folder,
    name: Name,
    to: Annotated[str, typer.Option(help="The application of the owner's new certificate.")],
    by: By,
    out: Annotated[Path, typer.Option("--out", help="Where the envelope is written, for the new key alone.")],
    share: Shares = None,
    keys: Socket = None,
    as_json: Json = False,
) -> None:
    """Give an escrowed encryption key out again, in an envelope for the owner's new signing key.

    Example: [bold]jinka certificate recover out/issuing 3fa8 --to 77c1 --by a --by b --out key.envelope[/bold]
    """
    from jinka.app.authority_office import Office
    from jinka.node import file_errors, write_durable

    first, second = _two(by)
    with Office(folder) as office, office.folder.unlocked(share or (), keys) as key:
        found = office.recover(name, to, officers=(first, second), key=key)
    with file_errors(out):
        write_durable(out, found.envelope, private=True)
    put_files([out], as_json=as_json)


@app.command()
@command
def officer(
    folder: Folder,
    person: Annotated[str, typer.Argument(help="Who is admitted or dismissed.", metavar="NAME")],
    by: By,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="The person acts no more.")] = False,
    as_json: Json = False,
) -> None:
    """Admit an officer, or dismiss one; two others say so.

    Example: [bold]jinka certificate officer out/issuing zhao-liu --by li-si --by wang-wu[/bold]
    """
    from jinka.app.authority_office import Office

    with Office(folder) as office:
        names = sorted(office.change_officer(person, by=_two(by), admitted=not dismiss))
    put_either(names, "\n".join(names), as_json=as_json)


@app.command()
@command
def machine(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="The name under which it will ask.", metavar="NAME")],
    officer: Officer,
    as_json: Json = False,
) -> None:
    """Admit a machine to enrolment over EST; its secret is shown once and not kept.

    Example: [bold]jinka certificate machine out/issuing centre-1 --officer li-si[/bold]
    """
    from jinka.app.authority_office import Office

    with Office(folder) as office:
        secret = office.admit_machine(name, officer=officer)
    put_either({"name": name, "secret": secret}, secret, as_json=as_json)
    say(f"give it to {name}: it is not shown again")


@app.command()
@command
def request(
    out: Annotated[
        Path,
        typer.Argument(
            help="Where the request is written (PEM); the key beside it, as .key.", metavar="REQUEST"
        ),
    ],
    name: Annotated[str, typer.Option(help="The common name: of a terminal its 12 hexadecimal digits.")],
    organisation: Annotated[str, typer.Option(help="Whose it is.")] = "",
    code: Annotated[str, typer.Option(help="The organisation's unified social credit code.")] = "",
    dns: Dns = None,
    algorithm: Annotated[Algorithm, typer.Option(help="The key pair that is made.")] = Algorithm.ECDSA,
    reader: Annotated[
        str, typer.Option(help="Take the key of the identity card in this reader (number or name) instead.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make a key pair and ask for its certificate; or have a card sign the request, whose PIN is asked for.

    Example: [bold]jinka certificate request c.csr --name c1 --organisation X --code C --dns c.sz.example[/bold]
    """
    from jinka.app.certificate_request import Wish, request_by_card, request_with_new_key
    from jinka.crypto.x509_fields import Subject
    from jinka.crypto.x509_keys import KeyKind

    subject = Subject(common_name=name, organisation=organisation, organisation_code=code)
    wish = Wish(subject=subject, dns_names=tuple(dns or ()))
    if reader:
        written = [request_by_card(out, wish, reader=reader, pin=_pin())]
    else:
        written = request_with_new_key(out, wish, KeyKind[algorithm.name])
    put_files(written, as_json=as_json)


@app.command()
@command
def serve(
    folder: Folder,
    status: Annotated[str, typer.Option(help="HOST:PORT for OCSP and lists, over HTTP.")] = "",
    responder: Annotated[
        Path | None, typer.Option(help="The responder's certificate, of this authority.")
    ] = None,
    responder_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    est: Annotated[str, typer.Option(help="HOST:PORT for EST, over TLS.")] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="The server's certificate for TLS, RSA or ECDSA.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
) -> None:
    """Answer OCSP, give out lists, take requests of machines, until Ctrl-C. The authority's key is not opened.

    Lists lie at /authority.crl and /delta.crl. Officers act meanwhile, in the same folder.

    Example: [bold]jinka certificate serve out/issuing --status 127.0.0.1:8080 --responder ocsp.pem --responder-key
    ocsp.key[/bold]
    """
    import signal
    import threading

    from jinka.app.certificate_serving import Pair, Place, Serving

    def pair(found: Path | None, secret: Path | None, what: str) -> Pair:
        if found is None or secret is None:
            raise Usage("a certificate and its key are needed", where=what, fix="see --help")
        return Pair(certificate=found, key=secret)

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with Serving(
        folder,
        status=(Place.parse(status), pair(responder, responder_key, "--status")) if status else None,
        est=(Place.parse(est), pair(certificate, key, "--est")) if est else None,
    ) as serving:
        put_json(serving.facts())
        stopped.wait()


def _two(by: list[str]) -> tuple[str, str]:
    if len(by) != 2:
        raise Usage(f"{len(by)} officers", where="--by", fix="name two")
    return by[0], by[1]


def _pin() -> str:
    """The card's PIN: typed without echo, or a line of standard input."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("PIN of the card: ")
    return sys.stdin.readline().strip()
