"""`jinka issue`: make an order of cards, or finish one that was interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import command, progress, put, put_json, say

if TYPE_CHECKING:
    from jinka.app.issue import Issued, IssueOptions

Made = Annotated[
    list[str] | None,
    typer.Option(help="Of the blank cards, for a register that is demanded: maker=CODE, chip=, os=, ..."),
]
Fee = Annotated[int, typer.Option(help="What the holder of a card is asked for, in fen.", min=0)]
Again = Annotated[bool, typer.Option("--again", help="In place of cards lost or damaged.")]
Share = Annotated[
    list[Path] | None,
    typer.Option("--share", help="A custodian's share, once for each; by default those in DIR/custodians."),
]


@command
def issue(
    profile: Annotated[str, typer.Option(help="The application.")],
    cards: Annotated[str, typer.Option(help="How many, or a CSV file of holders.", metavar="N|FILE.csv")],
    directory: Annotated[Path, typer.Option("--dir", help="The bureau: keys, range, registry, orders.")],
    order: Annotated[str, typer.Option(help="Name of the order; the same name goes on with it.")] = "order-1",
    numbers: Annotated[str, typer.Option("--range", help="Card numbers, FIRST-LAST.")] = "",
    sm4: Annotated[bool, typer.Option("--sm4", help="SM4 keys instead of 3DES.")] = False,
    script: Annotated[
        bool, typer.Option("--script", help="APDU scripts for physical cards instead of images (sealed).")
    ] = False,
    oda: Annotated[
        str,
        typer.Option(help="What bank cards prove offline: none, sda, dda (and CDA, fDDA) or sm2 as well."),
    ] = "dda",
    draw: Annotated[
        bool, typer.Option("--draw", help="Fill the sealed pool to N RSA keys for later cards; makes none.")
    ] = False,
    letters: Annotated[
        bool, typer.Option("--letters", help="Print an order's PINs and subscriber keys; makes nothing.")
    ] = False,
    share: Share = None,
    card_keys: Annotated[
        Path | None,
        typer.Option("--keys", help="An issuer's order of keys for these cards: jinka keys order-cards."),
    ] = None,
    made: Made = None,
    fee_fen: Fee = 0,
    again: Again = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the data as JSON.")] = False,
) -> int:
    """Personalise cards: check holders, reserve numbers, derive keys, write sealed images, emboss, register.

    Example: [bold]jinka issue --profile cn.shenzhen.transit --cards holders.csv --dir out/bureau[/bold]
    """
    from jinka.app.bureau_folder import RANGE_DEFAULT
    from jinka.app.issue import IssueOptions, open_letters
    from jinka.app.issue import issue as make
    from jinka.app.issue_bank import OfflineAuth
    from jinka.app.issue_gate import Making
    from jinka.codec import Algorithm
    from jinka.kit import Usage

    chosen = next((kind for kind in OfflineAuth if kind == oda), None)
    if chosen is None:
        raise Usage(f"{oda!r}", where="--oda", fix="one of " + ", ".join(OfflineAuth))
    counted = cards.isascii() and cards.isdigit()
    options = IssueOptions(
        directory=directory,
        profile=profile,
        cards=min(int(cards), 1_000_000_000) if counted and len(cards) < 30 else 0,
        holders=None if counted else Path(cards),
        order=order,
        algorithm=Algorithm.SM4 if sm4 else Algorithm.TDES,
        numbers=numbers or RANGE_DEFAULT,
        scripts=script,
        oda=chosen,
        share_files=tuple(share or ()),
        card_keys=card_keys,
        making=Making.of(made or (), fee_fen=fee_fen, again=again),
    )
    if letters:
        put_json(open_letters(directory, order, options.share_files))
        return 0
    if draw:
        return _draw(options, as_json=as_json)
    with progress() as steps:
        done = make(options, steps)
    return _tell(done, as_json=as_json)


def _draw(options: IssueOptions, *, as_json: bool) -> int:
    from jinka.app.issue import draw_card_keys

    with progress() as steps:
        drawn = draw_card_keys(
            options.directory, options.profile, options.cards, options.numbers, steps, options.share_files
        )
    put_json({"drawn": drawn}) if as_json else put(
        f"{drawn} keys drawn; the pool holds {options.cards} or more"
    )
    return 0


def _tell(done: Issued, *, as_json: bool) -> int:
    if as_json:
        put_json(done.as_dict())
    else:
        for finding in done.findings:
            put(
                f"{finding.where}: {finding.code}: {finding.what}"
                + (f" ({finding.fix})" if finding.fix else "")
            )
        if not done.findings:
            put(f"{done.made} cards made, {done.before} before; {done.first} to {done.last}; {done.folder}")
    if done.findings:
        say(f"{len(done.findings)} findings: nothing was made")
        return 6
    return 0
