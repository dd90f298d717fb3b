"""`jinka registry demand|check|enter|cards|devices|recall|release|retire|fees`: what is issued, and on which grants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jinka.cli.frame import Json, command, put, put_either, put_json, put_table, say
from jinka.cli.registry import Directory, Lang, Number, Officer
from jinka.reports import Language

if TYPE_CHECKING:
    from jinka.registry import Entry, Item, Order

ITEM_NAMES = ("card", "bank-card", "psam", "terminal", "meter", "tag")
_FINDINGS = 6
Kind = Annotated[str, typer.Argument(help="What is issued. One of " + ", ".join(ITEM_NAMES) + ".")]
First = Annotated[str, typer.Option(help="The first number; hexadecimal for devices.")]
Last = Annotated[str, typer.Option(help="The last number; the first alone by default.")]
OrderName = Annotated[
    str, typer.Option("--order", help="The order's name; the same again is answered the same.")
]
Issuer = Annotated[str, typer.Option(help="Who issues.")]
Made = Annotated[
    list[str], typer.Option("--made", help="maker=CODE, and what the rules ask: chip=, model=, region=, ...")
]
Fee = Annotated[int, typer.Option("--fee-fen", help="What a holder is asked for, in fen.", min=0)]
Again = Annotated[bool, typer.Option("--again", help="In place of what was lost or damaged.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
One = Annotated[str, typer.Option("--number", help="Only the entry with this card or device.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `jinka registry`."""
    for function in (demand, check, enter, cards, devices, recall, release, retire, fees):
        app.command(name=function.__name__)(command(function))


def demand(
    directory: Directory,
    officer: Officer,
    rules: Annotated[str, typer.Option(help="cn-2001, scheme, or a JSON file.")] = "cn-2001",
    other: Annotated[str, typer.Option("--register", help="Ask the register in this folder instead.")] = "",
    as_json: Json = False,
) -> None:
    """Demand from now on that whatever is issued in this folder was granted.

    Example: [bold]jinka registry demand --rules cn-2001 --officer li-si --dir out/bureau[/bold]
    """
    from jinka.app.issue_office import IssueOffice
    from jinka.app.register_papers import rules_named

    wanted = rules_named(rules)
    with IssueOffice(directory) as office:
        office.demand(wanted, register=other, officer=officer)
    rows = [
        {
            "item": n.item.value,
            "grant": n.kind.value,
            "of": n.party.value,
            "for": list(n.facts),
            "basis": n.basis,
        }
        for n in wanted.needs
    ]
    if as_json:
        put_json({"rules": wanted.name, "register": other, "needs": rows})
        return
    put(f"{wanted.name}{f' in {other}' if other else ''}")
    for need in wanted.needs:
        facts = ", ".join(need.facts)
        put(f"    {need.item.value}: {need.kind.value} of the {need.party.value}, {facts}  [{need.basis}]")


def check(
    item: Kind,
    directory: Directory,
    order: OrderName,
    issuer: Issuer,
    first: First,
    made: Made,
    last: Last = "",
    fee_fen: Fee = 0,
    again: Again = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> int:
    """Ask whether an order could be issued, and what is missing (exit code 6); nothing is entered.

    Example: [bold]jinka registry check psam --order p1 --issuer issuer.a --first 44030001440300000001 --made
    maker=maker.a --made chip=SC01 --made chip_version=A1 --made os=POS --made os_version=1 --made region=440300
    --dir out/register[/bold]
    """
    from jinka.app.issue_office import IssueOffice
    from jinka.registry import MissingGrants
    from jinka.registry.issue_words import FINDINGS, LABELS

    asked = _order(item, order, issuer, first, last, made, fee_fen, again=again)
    try:
        with IssueOffice(directory) as office:
            grants = office.check(asked)
    except MissingGrants as refused:
        if as_json:
            put_json({"granted": False, "findings": [found.as_dict() for found in refused.findings]})
        else:
            for found in refused.findings:
                put(f"{_word(FINDINGS[found.code], lang)}: {found.what} ({found.fix})")
        say(f"{len(refused.findings)} findings: it would not be issued")
        return _FINDINGS
    text = f"{_word(LABELS['granted'], lang)} {', '.join(map(str, grants))}"
    put_either({"granted": True, "grants": list(grants)}, text, as_json=as_json)
    return 0


def enter(
    item: Kind,
    directory: Directory,
    officer: Officer,
    order: OrderName,
    issuer: Issuer,
    first: First,
    made: Made,
    last: Last = "",
    fee_fen: Fee = 0,
    again: Again = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Enter devices, or cards that were made elsewhere, on the grants that they rest on; refused without.

    Example: [bold]jinka registry enter terminal --order t1 --issuer op.a --first 440300000001 --last 440300000064
    --made maker=maker.a --made model=R1 --made model_version=2 --officer li-si --dir out/register[/bold]
    """
    from jinka.app.issue_office import IssueOffice

    asked = _order(item, order, issuer, first, last, made, fee_fen, again=again)
    with IssueOffice(directory) as office:
        found = office.enter(asked, officer=officer)
    _show([found], as_json=as_json, lang=lang)


def cards(directory: Directory, number: One = "", as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List the cards that were issued: who made them, on which grants, for whom, when, and where they stand.

    Example: [bold]jinka registry cards --dir out/bureau[/bold]
    """
    _list(directory, ITEM_NAMES[:2], number, as_json=as_json, lang=lang)


def devices(directory: Directory, number: One = "", as_json: Json = False, lang: Lang = Language.EN) -> None:
    """List the modules, terminals, meters and tags that were entered.

    Example: [bold]jinka registry devices --number 440300000001 --dir out/register[/bold]
    """
    _list(directory, ITEM_NAMES[2:], number, as_json=as_json, lang=lang)


def recall(
    number: Number,
    directory: Directory,
    officer: Officer,
    reason: Why,
    lists: Annotated[Path | None, typer.Option(help="Write lists for terminals into this folder.")] = None,
    version: Annotated[int, typer.Option(help="The version of the list.", min=1, max=2**32 - 1)] = 1,
    since: Annotated[str, typer.Option("--from", help="When the list takes effect, YYYYMMDDhhmmss.")] = "",
    centre: Annotated[
        Path | None, typer.Option(help="Take modules and terminals out of use in this centre.")
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Call back whatever rests on a grant that was suspended, withdrawn or is over; and put it on lists.

    Example: [bold]jinka registry recall 2 --reason "chip broken" --officer li-si --dir out/register --lists out/lists
    --from 20260601000000[/bold]
    """
    from jinka.app.issue_office import IssueOffice
    from jinka.app.recall_lists import withdraw_devices, write_lists
    from jinka.kit import Usage
    from jinka.registry import EntryState

    if lists is not None and not since:
        raise Usage("no time is told", where="--from", fix="YYYYMMDDhhmmss, when the list takes effect")
    with IssueOffice(directory) as office:
        _, found = office.recall(number, officer=officer, reason=reason)
    found = [entry for entry in found if entry.state is EntryState.RECALLED]
    told: dict[str, Any] = {"entries": [_as_dict(entry) for entry in found]}
    lines = []
    if lists is not None:
        written = write_lists(lists, number, found, version=version, effective_from=since)
        told |= {"files": [str(path) for path in written.files], "cards": written.cards}
        lines += [f"{path}" for path in written.files]
    if centre is not None:
        told["modules"], told["terminals"] = withdraw_devices(centre, found)
        lines.append(f"{centre}: {told['modules']} modules, {told['terminals']} terminals out of use")
    if as_json:
        put_json(told)
        return
    _show(found, as_json=False, lang=lang)
    for line in lines:
        put(line)


def release(
    number: Number,
    directory: Directory,
    officer: Officer,
    reason: Why,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Take a recall of an entry back; not by whoever recalled it.

    Example: [bold]jinka registry release 1 --reason "other chip" --officer wang-wu --dir out/register[/bold]
    """
    _act("release", number, directory, officer, reason, as_json=as_json, lang=lang)


def retire(
    number: Number,
    directory: Directory,
    officer: Officer,
    reason: Why,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """End an entry: nothing of it is used any more.

    Example: [bold]jinka registry retire 1 --reason "all shredded" --officer wang-wu --dir out/register[/bold]
    """
    _act("retire", number, directory, officer, reason, as_json=as_json, lang=lang)


def fees(
    rule: Annotated[str, typer.Argument(help="A fee rule; without it all are shown.")] = "",
    bare_fen: Annotated[int, typer.Option(help="What the bare card costs.", min=0)] = 0,
    making_fen: Annotated[int, typer.Option(help="What making it costs.", min=0)] = 0,
    loss_permille: Annotated[int, typer.Option(help="How many of a thousand are spoilt.", min=0)] = 0,
    card: Annotated[str, typer.Option(help="The kind of card, where the rule asks for it.")] = "",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Show the rules for fees, or the most that one allows for a card.

    Example: [bold]jinka registry fees cn-jiangsu-2010 --bare-fen 1800 --making-fen 221 --loss-permille 30[/bold]
    """
    from jinka.registry import FEE_RULES, fee_rule, highest_fees

    if not rule:
        rows = [
            {"rule": one.code, "en": one.title[0], "zh": one.title[1], "source": one.source}
            for one in FEE_RULES.values()
        ]
        text = "\n".join(
            f"{one.code}  {_word(one.title, lang)}  [{one.source}]" for one in FEE_RULES.values()
        )
        put_either(rows, text, as_json=as_json)
        return
    found = fee_rule(rule)
    cost = found.cost_fen(bare_fen=bare_fen, making_fen=making_fen, loss_permille=loss_permille)
    most = highest_fees(found, cost, card)
    text = (
        f"{most.rule}: {most.cost_fen} fen; {most.new_fen} at most, again {most.again_fen}  [{found.source}]"
    )
    put_either(most.as_dict() | {"source": found.source}, text, as_json=as_json)


def _act(
    name: str, number: int, directory: Path, officer: str, reason: str, *, as_json: bool, lang: Language
) -> None:
    from jinka.app.issue_office import IssueOffice
    from jinka.registry import EntryAct

    with IssueOffice(directory) as office:
        found = office.entry_act(number, EntryAct[name.upper()], officer, reason)
    _show([found], as_json=as_json, lang=lang)


def _order(
    item: str,
    name: str,
    issuer: str,
    first: str,
    last: str,
    made: Sequence[str],
    fee_fen: int,
    *,
    again: bool,
) -> Order:
    from jinka.app.issue_gate import Making

    low, high = first.upper(), (last or first).upper()
    making = Making.of(made, fee_fen=fee_fen, again=again)
    return making.order(_item(item), name=name, issuer=issuer, first=low, last=high)


def _item(name: str) -> Item:
    from jinka.kit import Usage
    from jinka.registry import Item

    if name not in ITEM_NAMES:
        raise Usage(f"no item {name!r}", where="item", fix="one of " + ", ".join(ITEM_NAMES))
    return Item(name)


def _list(directory: Path, items: Sequence[str], number: str, *, as_json: bool, lang: Language) -> None:
    from jinka.app.issue_office import read_entries

    found = read_entries(directory, [_item(name) for name in items], number)
    _show(found, as_json=as_json, lang=lang)


def _show(found: Sequence[Entry], *, as_json: bool, lang: Language) -> None:
    from rich.table import Table

    from jinka.registry.issue_words import ITEMS, LABELS

    if as_json:
        put_json([_as_dict(entry) for entry in found])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("entry", "item", "numbers", "count", "maker", "made", "issuer", "grants", "on", "state"):
        table.add_column(_word(LABELS[name], lang), overflow="fold")
    for entry in found:
        body = _as_dict(entry)
        table.add_row(
            str(entry.number),
            _word(ITEMS[entry.order.item], lang),
            f"{body['first']}–{body['last']}",
            f"{entry.order.count:,}",
            entry.order.maker,
            " ".join(value for _, value in entry.order.facts),
            entry.order.issuer,
            ", ".join(map(str, entry.grants)),
            str(entry.on),
            _word(entry.state.value, lang),
        )
    put_table(table)


def _as_dict(entry: Entry) -> dict[str, Any]:
    from jinka.issuer.embossing import masked_number

    order = entry.order
    is_card = order.item.value in ITEM_NAMES[:2]
    first, last = (masked_number(text) if is_card else text for text in (order.first, order.last))
    body = order.as_dict() | {
        "entry": entry.number,
        "first": first,
        "last": last,
        "grants": list(entry.grants),
    }
    body |= {"issued": str(entry.on), "state": entry.state.value[0]}
    acts = [{"act": d.act.value[0], "officer": d.officer, "reason": d.reason} for d in entry.deeds]
    return body | {"acts": acts}


def _word(pair: tuple[str, str], lang: Language) -> str:
    return pair[1] if lang is Language.ZH else pair[0]
