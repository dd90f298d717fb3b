"""Plays the steps of numbered bills: counted and signed by a card at a till, handed in, and found out where they lie.

The number and the sums are written onto the card, in one record, before the bill is signed. A card that is pulled away
between the two leaves a number that the till has a bill for and no signature; the till signs that bill first when the
card comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinka.app.sector_authority import offices, utc
from jinka.app.sector_cards import VirtualCard
from jinka.app.sector_devices import block_list
from jinka.app.sector_identity import REASONS_ZH, Disbelieved, Document, document_of, documents, sign
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_remembered import fact_of
from jinka.app.sector_uses import use_right
from jinka.app.sector_world import NotItsOwn, StepFailed, World
from jinka.declaration import Counted
from jinka.declaration.steps import Step
from jinka.declaration.steps_invoice import Declare, Invoice
from jinka.kit import Usage, format_minor
from jinka.reports.day import Text
from jinka.terminal.entitlement import NotEntitled, write_records
from jinka.terminal.lists import Listed
from jinka.terminal.records import read_records

_BETWEEN = "; "
_NUMBER, _SUM = 10, 14  # digits


@dataclass(slots=True)
class _Till:
    """What a till keeps of one card: its bills in order, those handed in included, and the unsigned one."""

    bills: list[str] = field(default_factory=list)
    unsigned: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counter:
    """The one record in which a card counts."""

    number: int
    declared: int
    sums: Mapping[str, int]

    @classmethod
    def read(cls, digits: str, lines: tuple[str, ...]) -> _Counter:
        if len(digits) != 2 * _NUMBER + _SUM * len(lines):
            raise Usage(f"{len(digits)} digits", where="counter", fix="10, 10, and 14 for each sum")
        sums = digits[2 * _NUMBER :]
        return cls(
            number=int(digits[:_NUMBER]), declared=int(digits[_NUMBER : 2 * _NUMBER]),
            sums={line: int(sums[_SUM * at : _SUM * (at + 1)]) for at, line in enumerate(lines)},
        )  # fmt: skip

    @property
    def digits(self) -> str:
        """As the card keeps it; what does not fit is refused when it is encoded."""
        head = f"{self.number:0{_NUMBER}d}{self.declared:0{_NUMBER}d}"
        return head + "".join(f"{total:0{_SUM}d}" for total in self.sums.values())


def _till(world: World, card: str) -> _Till:
    tills: dict[str, _Till] = world.service("tills", dict)
    return tills.setdefault(card, _Till())


def _read(world: World, card: VirtualCard, application: str, names: tuple[str, ...]) -> dict[str, str]:
    specs = {spec.name: spec for spec in world.record_specs(application)}
    unknown = [name for name in names if name not in specs]
    if unknown:
        raise Usage(f"no record {unknown[0]!r}", where=application, fix="see the profile's records")
    readings = read_records(card.link, world.profile(application).aid, [specs[name] for name in names])
    for one in readings:
        if one.value is None:
            raise StepFailed(f"{one.record.name} cannot be read ({one.reason})", where=application)
    return {one.record.name: one.value or "" for one in readings}


def play_invoice(step: Invoice, world: World) -> Text:
    card, (sector, device) = world.card(step.card), world.device(step.device)
    right, sheet = sector.entitlement(step.entitlement), sector.sheet(step.sheet)
    try:
        world.require_own(step.device, right.application)
    except NotItsOwn as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.device, entitlement=right.name, reason=error.reason)
        return Text(
            f"{card.title.en} signs no bill at {device.title_en}: the application is not its own",
            f"{device.title_zh}不得用{card.title.zh}开票，非本机构应用",
        )
    till = _till(world, step.card)
    before = _finished(step, world, till)
    lines = world.fill(sheet, {name: fact_of(world, value) for name, value in step.facts.items()})
    for code, wanted in step.gives.items():
        if lines[code] != wanted:
            raise StepFailed(f"{code} comes to {lines[code]}, not {wanted}", where=sheet.name)
    held = _read(world, card, right.application, (step.counter, *step.tells))
    was = _Counter.read(held[step.counter], step.sums)
    number = was.number + 1
    now = replace(was, number=number, sums={line: total + lines[line] for line, total in was.sums.items()})
    facts = {"number": str(number), "amount": str(lines[step.charged]), "counter": now.digits}
    try:
        use_right(world, card, step.device, right, facts)
    except (NotEntitled, Listed) as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.device, entitlement=right.name, reason=error.reason)
        return Text(
            f"{before.en}{device.title_en} gets no bill of {card.title.en}: {error.reason}",
            f"{before.zh}{device.title_zh}开票被拒：{error.reason}",
        )
    said = [f"number={number}", f"day={world.now:%Y-%m-%d}", *(f"{name}={held[name]}" for name in step.tells)]
    said += [f"{line.code}={lines[line.code]}" for line in sheet.lines]
    bill = Document(step.document, _BETWEEN.join(said))
    if step.document in documents(world):
        raise Usage("a bill of that name stands already", where=step.document)
    shown = format_minor(lines[step.charged])
    till.unsigned = bill
    if step.torn:
        return Text(
            f"{before.en}{card.title.en} counts number {number} ({shown}) at {device.title_en} and is pulled away "
            "before it signs",
            f"{before.zh}{card.title.zh}在{device.title_zh}计入第{number}号（{shown}），签名前被拔出",
        )
    _sign_pending(step, world, till)
    expect_done(step.refused)
    told_en = ", ".join(
        f"{line.title_en} {format_minor(lines[line.code], line.unit)}" for line in sheet.lines
    )
    told_zh = "，".join(f"{line.title_zh}{format_minor(lines[line.code], line.unit)}" for line in sheet.lines)
    return Text(
        f"{before.en}{card.title.en} signs number {number} at {device.title_en}: {told_en}",
        f"{before.zh}{card.title.zh}在{device.title_zh}签发第{number}号：{told_zh}",
    )


def _finished(step: Invoice, world: World, till: _Till) -> Text:
    """Sign the bill that a pulled card left, which keeps its number and its content."""
    if till.unsigned is None:
        return Text("", "")
    name = _sign_pending(step, world, till)
    return Text(f"{name}, left unsigned, is signed now. ", f"补签{name}。")


def _sign_pending(step: Invoice, world: World, till: _Till) -> str:
    """The bill is pending until the card has signed it, whatever stops the card; returns its name."""
    bill = till.unsigned
    assert bill is not None, "asked for before"
    sign(world, step.card, bill, step.pin)
    till.unsigned = None
    documents(world)[bill.name] = bill
    till.bills.append(bill.name)
    return bill.name


def play_declare(step: Declare, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    application = world.application_of(step.device)
    held = _Counter.read(_read(world, card, application, (step.counter,))[step.counter], step.sums)
    first, last = held.declared + 1, held.number
    names = [name for name in _till(world, step.card).bills if name not in step.without]
    names += step.twice
    head = Text(f"{card.title.en} declares at {device.title_en}", f"{card.title.zh}在{device.title_zh}申报")
    try:
        bills = [bill for bill in (document_of(world, name) for name in names) if _number(bill) >= first]
        totals = _checked(step, world, bills, range(first, last + 1), held)
    except Disbelieved as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.device, reason=error.reason)
        return Text(
            f"{head.en}: {error.reason} ({error.what})",
            f"{head.zh}：不受理，{REASONS_ZH[error.reason]}（{error.reason}）",
        )
    expect_done(step.refused)
    if len(bills) != step.count or any(totals[name] != wanted for name, wanted in step.gives.items()):
        raise StepFailed(f"{len(bills)} bills with {totals}", where=step.device)
    write_records(
        card.link, world.maintenance(application), aid=world.profile(application).aid, card_no=card.number,
        records=world.record_specs(application), block_list=block_list(world), at=world.now,
        values={  # the counter last: a card pulled away before it declares once more
            **step.resets, step.counter: replace(held, declared=last, sums=dict.fromkeys(step.sums, 0)).digits,
        },
    )  # fmt: skip
    for name, line in step.remembers.items():
        world.remembered[name] = totals[line]
    world.count(Counted.WRITTEN, record=step.counter, application=application, device=step.device)
    titles = {line.code: line for sheet in world.sector.all_sheets for line in sheet.lines}
    told_en = ", ".join(f"{titles[code].title_en} {format_minor(total)}" for code, total in totals.items())
    told_zh = "，".join(f"{titles[code].title_zh}{format_minor(total)}" for code, total in totals.items())
    return Text(
        f"{head.en}: numbers {first} to {last} without a gap, {told_en}",
        f"{head.zh}：{first}至{last}号连续无缺，{told_zh}",
    )


def _checked(
    step: Declare, world: World, bills: list[Document], wanted: range, held: _Counter
) -> dict[str, int]:
    """Each bill believed and by this card, each number once, the sums those of the card."""
    office, at = offices(world), utc(world)
    own = None
    for bill in bills:
        [(signature, holder, _)] = bill.check(office, at)
        own = own or holder
        if signature.card != step.card or holder != own:
            raise Disbelieved("UNTRUSTED", "signed by another card", bill.name)
    numbers = [_number(bill) for bill in bills]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise Disbelieved("REPEATED", f"number {twice[0]} stands twice", step.device)
    missing = sorted(set(wanted) - set(numbers))
    if missing:
        raise Disbelieved("GAP", f"number {missing[0]} is missing", step.device)
    totals = {line: sum(int(_said(bill)[line]) for bill in bills) for line in step.sums}
    for line, total in totals.items():
        if total != held.sums[line]:
            raise Disbelieved("SUMS_DIFFER", f"{line}: the card holds {held.sums[line]}", step.device)
    return totals


def _said(bill: Document) -> dict[str, str]:
    """What a bill says, by name."""
    return {name: value for name, _, value in (part.partition("=") for part in bill.text.split(_BETWEEN))}


def _number(bill: Document) -> int:
    found = _said(bill).get("number", "")
    if not (found.isascii() and found.isdigit()):
        raise Disbelieved("ALTERED", "it has no number", bill.name)
    return int(found)


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {Invoice: play_invoice, Declare: play_declare}
