"""`jinka certificate`: an authority that lasts, from its first day on: officers' acts, lists, certificates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.certificate import Algorithm
from jinka.cli.frame import Json, command, put, put_files, put_json, put_table, say
from jinka.kit import Usage
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.identity import Application, Issued

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
Folder = Annotated[Path, typer.Argument(help="The authority's folder.", metavar="DIR")]
Name = Annotated[
    str, typer.Argument(help="The application's id, or as much of it as is needed.", metavar="ID")
]
Request = Annotated[Path, typer.Argument(help="A PKCS #10 request, PEM or DER.", metavar="REQUEST")]
Officer = Annotated[str, typer.Option(help="Who acts: a code such as li-si.")]
Note = Annotated[str, typer.Option(help="What else is to be kept; card numbers in it are masked.")]
Shares = Annotated[
    list[Path] | None,
    typer.Option("--share", help="A custodian's share, once for each; those in the folder without it."),
]
Socket = Annotated[
    Path | None,
    typer.Option("--keys", help="Socket of a key service that holds the authority's key (jinka keys serve)."),
]
Out = Annotated[
    Path, typer.Option("--out", help="Where the certificates are written (PEM, with their chain).")
]
Lang = Annotated[Language, typer.Option(help="Language of what is shown.")]
Dns = Annotated[list[str] | None, typer.Option(help="A DNS name, once for each.")]


class Profile(Enum):
    """Who a certificate is for (`jinka.identity.ProfileName`)."""

    ORGANISATION = "organisation"
    PERSON = "person"
    DEVICE = "device"
    TERMINAL = "terminal"
    CENTRE = "centre"
    AUTHORITY = "authority"
    RESPONDER = "responder"


class Why(Enum):
    """Why a certificate is revoked (RFC 5280, 5.3.1)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    AUTHORITY_COMPROMISE = "authority-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION = "cessation"
    PRIVILEGE_WITHDRAWN = "privilege-withdrawn"


@app.command()
@command
def init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="The authority's name.")],
    custodian: Annotated[
        list[str], typer.Option(help="NAME or NAME=PATH, who keeps a share; once for each.")
    ],
    officer: Annotated[list[str], typer.Option(help="Who may act: three or more, once for each.")],
    organisation: Annotated[str, typer.Option(help="Whose authority it is.")] = "",
    code: Annotated[str, typer.Option(help="The organisation's unified social credit code.")] = "",
    root: Annotated[
        bool, typer.Option("--root", help="An offline root, which certifies authorities.")
    ] = False,
    algorithm: Annotated[Algorithm, typer.Option(help="Its key pair.")] = Algorithm.SM2,
    needed: Annotated[int, typer.Option(help="How many shares open its key (M of N).")] = 2,
    crl_url: Annotated[str, typer.Option(help="Where its lists are found; written into certificates.")] = "",
    ocsp_url: Annotated[str, typer.Option(help="Where its responder is found.")] = "",
    as_json: Json = False,
) -> None:
    """Begin an authority: its key under custodians' shares, its officers, and a root's certificate or a request.

    Example: [bold]jinka certificate init out/root --root --name R --custodian A --custodian B --officer a --officer b
    --officer c[/bold]
    """
    from jinka.app.authority_folder import Plan
    from jinka.app.authority_folder import init as begin
    from jinka.crypto.x509_fields import Subject
    from jinka.crypto.x509_keys import KeyKind
    from jinka.identity import Addresses

    made = begin(
        folder,
        Plan(
            subject=Subject(common_name=name, organisation=organisation, organisation_code=code),
            kind=KeyKind[algorithm.name],
            root=root,
            custodians=tuple(custodian),
            needed=needed,
            officers=tuple(officer),
            addresses=Addresses(crl_url=crl_url, ocsp_url=ocsp_url),
        ),
    )
    put_files([made.own if root else made.request], as_json=as_json)
    say("print the custodians' forms and take their folders away")


@app.command()
@command
def install(
    folder: Folder,
    certificate: Annotated[Path, typer.Argument(help="What the root issued.", metavar="CERTIFICATE")],
    officer: Officer,
    above: Annotated[Path, typer.Option(help="The root's certificate, and those between.")],
    as_json: Json = False,
) -> None:
    """Take in the certificate that a root gave this authority; from then on it issues.

    Example: [bold]jinka certificate install out/issuing issued.pem --above out/root/authority.pem --officer a[/bold]
    """
    from jinka.app.authority_folder import install as take_in

    take_in(folder, certificate, above, officer)
    put_files([folder / "authority.pem"], as_json=as_json)


@app.command()
@command
def apply(
    folder: Folder,
    request: Request,
    profile: Annotated[Profile, typer.Option(help="Who it is for.")],
    officer: Officer,
    permit_organisation: Annotated[
        list[str] | None, typer.Option(help="Of an authority: whom alone it may certify, once for each.")
    ] = None,
    permit_dns: Annotated[
        list[str] | None, typer.Option(help="Of an authority: the DNS trees that it may serve.")
    ] = None,
    exclude_dns: Annotated[
        list[str] | None, typer.Option(help="Of an authority: trees that it may not.")
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take in a request whose applicant the officer has seen. Two other officers approve it.

    Example: [bold]jinka certificate apply out/issuing centre.csr --profile centre --officer li-si[/bold]
    """
    from jinka.app.authority_folder import pem_of
    from jinka.app.authority_office import Office
    from jinka.crypto.x509_fields import Constraints, organisation_tree
    from jinka.identity import ProfileName

    rule = None
    if profile is Profile.AUTHORITY:
        trees = tuple(map(organisation_tree, permit_organisation or ()))
        rule = Constraints(
            permitted_dns=tuple(permit_dns or ()),
            excluded_dns=tuple(exclude_dns or ()),
            permitted_trees=trees,
        )
    elif permit_organisation or permit_dns or exclude_dns:
        raise Usage("name constraints for an authority alone", where="apply", fix="leave them out")
    with Office(folder) as office:
        found = office.apply(ProfileName(profile.value), pem_of(request), officer=officer, constraints=rule)
    _show(found, as_json=as_json, lang=lang)


@app.command()
@command
def renew(
    folder: Folder,
    name: Name,
    request: Request,
    officer: Officer,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take in a request with a new key for a certificate that is to be replaced; it is approved as the first was.

    Example: [bold]jinka certificate renew out/issuing 3fa8 next.csr --officer li-si[/bold]
    """
    from jinka.app.authority_folder import pem_of
    from jinka.app.authority_office import Office

    with Office(folder) as office:
        found = office.renew(name, pem_of(request), officer=officer)
    _show(found, as_json=as_json, lang=lang)


def _verb(verb: str, sentence: str) -> Callable[..., None]:
    """A command that does one act on one application."""

    def run(
        folder: Folder,
        name: Name,
        officer: Officer,
        note: Note = "",
        as_json: Json = False,
        lang: Lang = Language.EN,
    ) -> None:
        from jinka.app.authority_office import Office
        from jinka.identity import Act

        with Office(folder) as office:
            found = office.act(name, Act(verb), officer=officer, note=note)
        _show(found, as_json=as_json, lang=lang)

    run.__doc__ = (
        f"{sentence}\n\nExample: [bold]jinka certificate {verb} out/issuing 3fa8 --officer wang-wu[/bold]"
    )
    run.__name__ = verb
    return command(run)


for _word, _sentence in (
    ("approve", "Approve an application: two different officers, and not who asked."),
    ("reject", "Reject an application; say why."),
    ("suspend", "Suspend a certificate; the next list says so."),
    ("resume", "Resume a suspended certificate; not by whoever suspended it or asked for it."),
):
    app.command(name=_word)(_verb(_word, _sentence))


@app.command()
@command
def revoke(
    folder: Folder,
    name: Name,
    officer: Officer,
    reason: Annotated[Why, typer.Option(help="Why.")],
    note: Note = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Revoke a certificate, and its pair, for good; sign a new list afterwards.

    Example: [bold]jinka certificate revoke out/issuing 3fa8 --officer wang-wu --reason key-compromise[/bold]
    """
    from jinka.app.authority_office import Office
    from jinka.crypto.x509_crl import Reason
    from jinka.identity import Act

    with Office(folder) as office:
        found = office.act(name, Act.REVOKE, officer=officer, reason=Reason[reason.name], note=note)
    _show(found, as_json=as_json, lang=lang)


@app.command()
@command
def issue(
    folder: Folder,
    name: Name,
    officer: Officer,
    out: Out,
    share: Shares = None,
    keys: Socket = None,
    as_json: Json = False,
) -> None:
    """Sign the certificates of what two officers approved. Killed meanwhile, it is done or not done: see list, fetch.

    Example: [bold]jinka certificate issue out/issuing 3fa8 --officer zhao-liu --out centre.pem[/bold]
    """
    from jinka.app.authority_office import Office

    with Office(folder) as office, office.folder.unlocked(share or (), keys) as key:
        _, issued = office.issue(name, officer=officer, key=key)
    _write(folder, issued, out, as_json=as_json)


@app.command()
@command
def fetch(folder: Folder, name: Name, out: Out, as_json: Json = False) -> None:
    """Write the certificates of an application once more.

    Example: [bold]jinka certificate fetch out/issuing 3fa8 --out centre.pem[/bold]
    """
    from jinka.app.authority_office import listed
    from jinka.kit import NotFound

    if len(found := [issued for _, issued in listed(folder, name) if issued]) != 1:
        raise NotFound(f"{len(found)} certificates begin so", where=f"application {name}", fix="see list")
    _write(folder, found[0], out, as_json=as_json)


@app.command(name="list")
@command
def list_(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="Only those whose id begins so.", metavar="[ID]")] = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List applications and what became of them.

    Example: [bold]jinka certificate list out/issuing --lang zh[/bold]
    """
    from jinka.app.authority_office import listed

    found = listed(folder, name)
    if as_json:
        put_json([_as_dict(application, issued) for application, issued in found])
        return
    from rich.table import Table

    from jinka.identity import PROFILES
    from jinka.identity.words import LABELS

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "profile", "name", "state", "requester", "until", "serial"):
        table.add_column(_of(LABELS[column], lang), overflow="fold")
    for application, issued in found:
        profile, ends = PROFILES[application.profile], _ends(issued)
        table.add_row(
            application.id.hex()[:8],
            _of((profile.title_en, profile.title_zh), lang),
            application.subject.common_name,
            _of(application.state.value, lang),
            application.requester,
            f"{min(ends):%Y-%m-%d}" if ends else "",
            " ".join(f"{serial:x}" for serial in application.serials),
        )
    put_table(table)


def _write(folder: Path, issued: Issued, out: Path, *, as_json: bool) -> None:
    """Certificate, its pair, and its chain in one PEM; the envelope of an escrowed key beside it."""
    from jinka.app.authority_folder import AuthorityFolder
    from jinka.app.certificates import as_pem
    from jinka.node import file_errors, write_durable

    own = AuthorityFolder(folder)
    first, *pair = issued.certificates()
    chain = [first.der, own.certificate().der, *(one.der for one in own.above() if one.issuer != one.subject)]
    written = {out: b"".join(map(as_pem, chain))}
    for second in pair:
        written[out.with_suffix(".encryption.pem")] = as_pem(second.der)
        written[out.with_suffix(".envelope")] = issued.envelope
    for path, content in written.items():
        with file_errors(path):
            write_durable(path, content)
    put_files(written, as_json=as_json)


def _show(found: Application, *, as_json: bool, lang: Language) -> None:
    if as_json:
        put_json(_as_dict(found, None))
        return
    from jinka.identity import PROFILES
    from jinka.identity.words import ACTS, REASONS

    title = _of((PROFILES[found.profile].title_en, PROFILES[found.profile].title_zh), lang)
    put(f"{found.id.hex()}  {title}  {found.subject.common_name}  {_of(found.state.value, lang)}")
    for step in found.steps:
        reason = _of(REASONS[step.reason], lang) if step.reason else ""
        words = (f"{step.at:%Y-%m-%dT%H:%M:%SZ}", _of(ACTS[step.act], lang), step.officer, reason, step.note)
        put("    " + "  ".join(word for word in words if word))


def _as_dict(found: Application, issued: Issued | None) -> dict[str, Any]:
    return {
        "id": found.id.hex(),
        "profile": found.profile.value,
        "name": found.subject.common_name,
        "organisation_code": found.subject.organisation_code,
        "dns_names": list(found.dns_names),
        "state": found.state.value[0],
        "requester": found.requester,
        "renews": found.renews.hex() if found.renews else None,
        "serials": [f"{serial:x}" for serial in found.serials],
        "until": [end.isoformat() for end in _ends(issued)],
        "acts": [
            {
                "act": step.act.value, "officer": step.officer, "at": step.at.isoformat(),
                "reason": step.reason.value if step.reason else None, "note": step.note,
            }
            for step in found.steps
        ],
    }  # fmt: skip


def _ends(issued: Issued | None) -> list[dt.datetime]:
    return [certificate.not_after for certificate in issued.certificates()] if issued else []


def _of(pair: tuple[str, str], lang: Language) -> str:
    return pair[1] if lang is Language.ZH else pair[0]
