"""`jinka card domain VERB`: list, install, lock, unlock and remove what a security domain has on a card."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put_json, put_table, say
from jinka.kit import Usage
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.issuer.field_update import FieldUpdate

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="What a security domain has on a card. Example: [bold]jinka card domain list my.card[/bold]",
)

Image = Annotated[Path | None, typer.Argument(help="A card image; it is written back.", metavar="[IMAGE]")]
Reader = Annotated[str, typer.Option("--reader", help="Number of the reader, or text of its name.")]
Folder = Annotated[
    Path | None, typer.Option("--keys", help="Folder whose key store opens sealed images.", metavar="DIR")
]
Domain = Annotated[str, typer.Option("--domain", help="AID of the domain in hex; without it the issuer's.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--domain-keys",
        help="JSON with version, enc, mac, dek; mode 0600. Without it the test keys.",
        metavar="FILE",
    ),
]
Aid = Annotated[str, typer.Option("--aid", help="AID of the application, package or domain, in hex.")]


@app.command()
@command
def new(image: Annotated[Path, typer.Argument(help="The file to write.", metavar="IMAGE")]) -> None:
    """Write a fresh test card with an issuer domain under the test keys, and nothing else.

    Example: [bold]jinka card domain new my.card[/bold]
    """
    from jinka.app.card_domain import fresh_domain_card

    fresh_domain_card(image)
    say(f"{image}: a card with an issuer domain / 带发行方安全域的卡片")


@app.command("list")
@command
def list_(
    image: Image = None,
    reader: Reader = "",
    keys: Folder = None,
    domain: Domain = "",
    domain_keys: KeyFile = None,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of the table.")] = Language.EN,
) -> None:
    """List the applications, domains and packages that the domain has; the issuer sees all of the card.

    Example: [bold]jinka card domain list my.card[/bold]
    """
    from jinka.app.card_domain import content_row

    with _session(image, reader, keys, domain, domain_keys) as update:
        rows = [content_row(line) for line in update.content()]
    if as_json:
        put_json(rows)
    else:
        from jinka.cli.card_tables import content_table

        put_table(content_table(rows, lang))


@app.command()
@command
def install(
    profile: Annotated[str, typer.Option("--profile", help="The declared application.")],
    image: Image = None,
    reader: Reader = "",
    keys: Folder = None,
    domain: Domain = "",
    domain_keys: KeyFile = None,
    sm4: Annotated[bool, typer.Option("--sm4", help="Its keys are SM4 instead of 3DES.")] = False,
) -> None:
    """Load an application's package, unless the card has it, and install it. It holds nobody's data yet.

    Example: [bold]jinka card domain install my.card --profile cn.fuel[/bold]
    """
    from jinka.app.card_files import profile_named
    from jinka.codec import Algorithm
    from jinka.issuer.field_update import package_aid

    wanted = profile_named(profile, Algorithm.SM4 if sm4 else Algorithm.TDES)
    with _session(image, reader, keys, domain, domain_keys) as update:
        if package_aid(wanted) not in {line.aid for line in update.content()}:
            update.load(wanted)
        update.install(wanted)
    say(f"{wanted.aid.hex().upper()} installed / 已安装")


@app.command()
@command
def lock(
    aid: Aid,
    image: Image = None,
    reader: Reader = "",
    keys: Folder = None,
    domain: Domain = "",
    domain_keys: KeyFile = None,
    whole: Annotated[bool, typer.Option("--all", help="A domain with all that it has.")] = False,
) -> None:
    """Take an application or a domain out of use; `unlock` gives it back.

    Example: [bold]jinka card domain lock my.card --aid 4A494E4B412E4655454C2E3031[/bold]
    """
    with _session(image, reader, keys, domain, domain_keys) as update:
        update.lock(_aid(aid), with_all=whole)
    say(f"{aid.upper()} locked / 已锁定")


@app.command()
@command
def unlock(
    aid: Aid,
    image: Image = None,
    reader: Reader = "",
    keys: Folder = None,
    domain: Domain = "",
    domain_keys: KeyFile = None,
    whole: Annotated[bool, typer.Option("--all", help="A domain with all that it has.")] = False,
) -> None:
    """Undo `lock`.

    Example: [bold]jinka card domain unlock my.card --aid 4A494E4B412E4655454C2E3031[/bold]
    """
    with _session(image, reader, keys, domain, domain_keys) as update:
        update.unlock(_aid(aid), with_all=whole)
    say(f"{aid.upper()} unlocked / 已解锁")


@app.command()
@command
def remove(
    aid: Aid,
    image: Image = None,
    reader: Reader = "",
    keys: Folder = None,
    domain: Domain = "",
    domain_keys: KeyFile = None,
    related: Annotated[bool, typer.Option("--all", help="A package with its applications.")] = False,
) -> None:
    """Delete an application, a package or an empty domain, for good.

    Example: [bold]jinka card domain remove my.card --aid 4A494E4B412E4655454C2E3031[/bold]
    """
    with _session(image, reader, keys, domain, domain_keys) as update:
        update.remove(_aid(aid), with_related=related)
    say(f"{aid.upper()} removed / 已删除")


def _aid(text: str, where: str = "--aid") -> bytes:
    from jinka.app.card_domain import read_aid

    return read_aid(text, where=where)


def _session(
    image: Path | None, reader: str, keys: Path | None, domain: str, domain_keys: Path | None
) -> AbstractContextManager[FieldUpdate]:
    """A card that is to be changed is named: no reader is taken because no image was given."""
    from jinka.app.card_domain import DomainPlace, domain_at
    from jinka.app.card_link import CardPlace

    if (image is None) == (not reader):
        raise Usage("name one of IMAGE and --reader", where="card domain", fix="a fresh one: card domain new")
    place = DomainPlace(card=CardPlace(image=image, keys=keys, reader=reader), key_file=domain_keys)
    if domain:
        place = DomainPlace(card=place.card, domain=_aid(domain, "--domain"), key_file=domain_keys)
    return domain_at(place)
