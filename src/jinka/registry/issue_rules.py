"""An issue needs grants: what an order of cards or devices must rest on, as a table, and the one check against it.

`CN_2001` is 计价格[2001]1928号 (approved by the State Council): IC cards follow the standards (11), are made by whoever
has a production licence (12, and 国办发[1997]22号), are issued where the department or place in charge approved
them (5), at fees that were approved (8, 10). What of it still binds is not told here: `SCHEME` leaves the licence
out, and a register takes rules of its own as JSON. Numbers of issuers, ranges and applications are registrations of
their own (`jinka.registry.registration`) and are asked for where cards are made.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from jinka.kit import Finding, Refused, Severity, Usage
from jinka.registry.registration import GRANTS, Kind, Registration, State
from jinka.registry.terms import FACTS, check_fact

COUNT_MAX = 10**9
_PARTY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{1,63}")
_NUMBER = re.compile(r"[0-9A-F]{4,40}")
_ORDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}")
_NEEDS_MAX, _RULES_MAX = 40, 20


class Item(Enum):
    """What is made and issued."""

    CARD = "card"  # an IC card that is no bank card
    BANK_CARD = "bank-card"
    PSAM = "psam"
    TERMINAL = "terminal"
    METER = "meter"
    TAG = "tag"


class Party(Enum):
    """Of the two that an order names, whose grant is asked for."""

    MAKER = "maker"
    ISSUER = "issuer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One row: for an item, a grant of a kind to a party, whose scope covers these facts; ``basis`` is the clause."""

    item: Item
    kind: Kind
    party: Party
    facts: tuple[str, ...]
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """What a register demands. ``fee_items``: for these, a fee is asked only as an approval says."""

    name: str
    needs: tuple[Need, ...]
    fee_items: tuple[Item, ...] = ()

    def needs_of(self, item: Item) -> list[Need]:
        """The rows of an item; an item without any is not issued under these rules."""
        return [need for need in self.needs if need.item is item]

    def to_text(self) -> str:
        """As JSON; `from_text` reads it."""
        rows = [
            {
                "item": n.item.value,
                "kind": n.kind.value,
                "party": n.party.value,
                "facts": n.facts,
                "basis": n.basis,
            }
            for n in self.needs
        ]
        body = {"name": self.name, "needs": rows, "fee_items": [item.value for item in self.fee_items]}
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> RuleSet:
        """Rules of a register's own; raises `Usage`."""
        try:
            body = json.loads(text)
            rows = body["needs"]
            if set(body) - {"name", "needs", "fee_items"} or not 0 < len(rows) <= _NEEDS_MAX:
                raise ValueError
            needs = tuple(
                Need(
                    item=Item(row["item"]), kind=Kind(row["kind"]), party=Party(row["party"]),
                    facts=tuple(str(fact) for fact in row["facts"]), basis=str(row["basis"]),
                )
                for row in rows
            )  # fmt: skip
            fee_items = tuple(Item(item) for item in body.get("fee_items", ()))
            name = str(body["name"])
        except (ValueError, KeyError, TypeError, AttributeError):
            fix = 'as JSON: {"name", "needs": [{"item", "kind", "party", "facts", "basis"}], "fee_items"}'
            raise Usage("not a set of rules", where="rules", fix=fix) from None
        for need in needs:
            if need.kind not in GRANTS or not need.facts or set(need.facts) - set(FACTS) or not need.basis:
                raise Usage(
                    "not a need", where=f"rules, {need.item.value}", fix="a kind of grant, facts, a basis"
                )
        return cls(name=name, needs=needs, fee_items=fee_items)


_LAW = "计价格[2001]1928号"
_CHIP, _SYSTEM, _MODEL = (
    ("item", "chip", "chip_version"),
    ("item", "os", "os_version"),
    ("item", "model", "model_version"),
)


def _need(item: Item, kind: Kind, party: Party, facts: tuple[str, ...], basis: str) -> Need:
    return Need(item=item, kind=kind, party=party, facts=facts, basis=basis)


_CERTIFIED = tuple(
    _need(item, Kind.PRODUCT_CERTIFICATE, Party.MAKER, facts, basis)
    for item, facts, basis in (
        (Item.CARD, _CHIP, f"{_LAW}, 11"),
        (Item.CARD, _SYSTEM, f"{_LAW}, 11"),
        (Item.BANK_CARD, _CHIP, f"{_LAW}, 11"),
        (Item.BANK_CARD, _SYSTEM, f"{_LAW}, 11"),
        (Item.PSAM, _CHIP, "the scheme's own"),
        (Item.PSAM, _SYSTEM, "the scheme's own"),
        (Item.TERMINAL, _MODEL, "the scheme's own"),
        (Item.METER, _MODEL, "the scheme's own"),
        (Item.TAG, _MODEL, "the scheme's own"),
    )
)
_APPROVED = (
    _need(Item.CARD, Kind.CARD_APPROVAL, Party.ISSUER, ("use", "region", "purse"), f"{_LAW}, 5"),
    _need(Item.PSAM, Kind.KEY_ISSUE, Party.ISSUER, ("item", "region"), "the scheme's own"),
)
_LICENSED = (
    *(
        _need(item, Kind.MAKER_LICENCE, Party.MAKER, ("item",), f"{_LAW}, 12; 国办发[1997]22号")
        for item in (Item.CARD, Item.BANK_CARD, Item.PSAM)
    ),
    _need(Item.TERMINAL, Kind.MAKER_LICENCE, Party.MAKER, ("item",), "XK09-008 (cards and readers, 2007)"),
)
CN_2001 = RuleSet(name="cn-2001", needs=(*_LICENSED, *_CERTIFIED, *_APPROVED), fee_items=(Item.CARD,))
SCHEME = RuleSet(name="scheme", needs=(*_CERTIFIED, *_APPROVED), fee_items=(Item.CARD,))
RULE_SETS: Mapping[str, RuleSet] = MappingProxyType({rules.name: rules for rules in (CN_2001, SCHEME)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be issued: ``count`` things of one make, numbered ``first`` to ``last``, both included.

    ``fee_fen`` is what the holder of one is asked for; ``again`` says that it is in place of one lost or damaged.
    """

    id: str
    item: Item
    maker: str
    issuer: str
    facts: tuple[tuple[str, str], ...]  # in their order, without the item
    first: str = field(repr=False)  # they may be card numbers
    last: str = field(repr=False)
    count: int
    fee_fen: int = 0
    again: bool = False

    def __post_init__(self) -> None:
        if not _ORDER.fullmatch(self.id):
            raise Usage("not an order's name", where="order", fix="letters, digits and ._:/-, at most 120")
        for name in ("maker", "issuer"):
            if not _PARTY.fullmatch(getattr(self, name)):
                raise Usage("not a code", where=name, fix="letters, digits, . and -, 2 to 64")
        if list(self.facts) != sorted(dict(self.facts).items()) or "item" in dict(self.facts):
            raise Usage("facts twice or not in their order", where="order", fix="name each once, and no item")
        for name, value in self.facts:
            check_fact(name, value)
        if not (_NUMBER.fullmatch(self.first) and _NUMBER.fullmatch(self.last)) or len(self.first) != len(
            self.last
        ):
            raise Usage("not numbers of one length", where="order", fix="digits or hexadecimal, 4 to 40")
        if not 0 < self.count <= COUNT_MAX or pieces(self.first, self.last) != self.count:
            raise Usage(
                f"{self.count} pieces do not fill the range", where="order", fix="first to last, each one"
            )
        if self.fee_fen < 0:
            raise Usage(f"a fee of {self.fee_fen} fen", where="fee", fix="0 or more")

    def has(self, number: str) -> bool:
        """Whether a number is one of its own; a hexadecimal one is in no decimal range."""
        inside = len(number) == len(self.first) and self.first <= number <= self.last
        return inside and (number.isdigit() or not (self.first + self.last).isdigit())

    def fact(self, name: str) -> str:
        """The fact's value, empty where the order does not tell it."""
        return self.item.value if name == "item" else dict(self.facts).get(name, "")

    def party(self, party: Party) -> str:
        """Who that is."""
        return self.maker if party is Party.MAKER else self.issuer

    def as_dict(self) -> dict[str, Any]:
        """Plain data; the numbers are the caller's to mask."""
        return asdict(self) | {"item": self.item.value, "facts": dict(self.facts)}


def pieces(first: str, last: str) -> int:
    """How many numbers a range has: decimal ones, or hexadecimal ones where an end has a letter; raises `Usage`."""
    base = 10 if (first + last).isdigit() else 16
    try:
        return int(last, base) - int(first, base) + 1
    except ValueError:
        raise Usage("not numbers", where="order", fix="digits or hexadecimal") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A grant as the register has it, and how many were issued on it."""

    grant: Registration
    used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The grants that an order rests on, by their numbers in the register, each counted once."""

    order: Order
    grants: tuple[int, ...]


class MissingGrants(Refused):
    """An order that rests on nothing, or not on enough: all that is missing, at once."""

    def __init__(self, order: Order, findings: tuple[Finding, ...]) -> None:
        self.order, self.findings = order, findings
        told = "; ".join(f"({number}) {found.what}" for number, found in enumerate(findings, 1))
        fixes = dict.fromkeys(found.fix for found in findings if found.fix)
        super().__init__(
            f"{order.count} {order.item.value}s are not issued: {told}",
            where=f"order {order.id}",
            fix="; ".join(fixes),
        )


def check_issue(rules: RuleSet, held: Iterable[Held], order: Order, on: dt.date) -> Granted:
    """The grants that the order may be issued on, that day; raises `MissingGrants` with a finding for each need."""
    everything = sorted(held, key=lambda one: one.grant.number)
    findings: list[Finding] = []
    grants: dict[int, Held] = {}
    short: list[Held] = []  # grants that lack nothing but pieces: what they say of fees holds
    needs = rules.needs_of(order.item)
    if not needs:
        findings.append(
            _finding("NO_RULE", order, f"the rules {rules.name} allow no {order.item.value}", "other rules")
        )
    for need in needs:
        untold = [fact for fact in need.facts if not order.fact(fact)]
        if untold:
            fix = "say them with --made NAME=VALUE"
            findings.append(_finding("UNTOLD", order, f"it does not say its {', '.join(untold)}", fix))
            continue
        found = _met(need, everything, order, on)
        if isinstance(found, Finding):
            findings.append(found)
            short += [one for one in everything if _lacks_pieces(one, need, order, on)]
        else:
            grants[found.grant.number] = found
    if order.fee_fen and order.item in rules.fee_items:
        findings += _fee_findings(order, [*grants.values(), *short])
    if findings:
        raise MissingGrants(order, tuple(dict.fromkeys(findings)))
    return Granted(order=order, grants=tuple(sorted(grants)))


def _met(need: Need, held: Iterable[Held], order: Order, on: dt.date) -> Held | Finding:
    """The first grant that meets a need, else what is wrong with the one that comes nearest."""
    party = order.party(need.party)
    wanted = ", ".join(f"{fact} {order.fact(fact)}" for fact in need.facts)
    nearest, rank = ("NOT_GRANTED", "there is none"), 0
    for one in held:
        grant = one.grant
        if grant.kind is not need.kind or grant.holder != party or grant.terms is None:
            continue
        problem = _problem(one, need, order, on)
        if problem is None:
            return one
        if problem[2] >= rank:
            nearest, rank = (problem[0], f"{grant.value} {problem[1]}"), problem[2]
    code, why = nearest
    words = need.kind.value.replace("-", " ")
    return _finding(
        code, order, f"no {words} of {party} for {wanted} [{need.basis}]: {why}",
        f"jinka registry apply {need.kind.value} NUMBER --holder {party} --scope ..., then review and grant it",
    )  # fmt: skip


def _lacks_pieces(one: Held, need: Need, order: Order, on: dt.date) -> bool:
    grant = one.grant
    if grant.kind is not need.kind or grant.holder != order.party(need.party) or grant.terms is None:
        return False
    problem = _problem(one, need, order, on)
    return problem is not None and problem[0] == "QUANTITY"


def _problem(one: Held, need: Need, order: Order, on: dt.date) -> tuple[str, str, int] | None:
    """Why a grant does not meet a need: code, words, and how near it comes; None when it does."""
    grant, terms = one.grant, one.grant.terms
    assert terms is not None, "a grant has terms"
    for fact in need.facts:
        if not terms.covers(fact, order.fact(fact)):
            allowed = ", ".join(dict(terms.scope).get(fact, ())) or "none"
            return "OTHER_SCOPE", f"covers {fact} {allowed}, not {order.fact(fact)}", 1
    if grant.state is not State.GRANTED:
        return grant.state.name, f"is {grant.state.value}", 2
    if on > grant.valid_to:
        return "LAPSED", f"lapsed on {grant.valid_to}", 3
    if on < grant.valid_from:
        return "NOT_YET", f"begins on {grant.valid_from}", 3
    if terms.quantity is not None and one.used + order.count > terms.quantity:
        left = max(terms.quantity - one.used, 0)
        return "QUANTITY", f"has {left} left of {terms.quantity}, not {order.count}", 4
    return None


def _fee_findings(order: Order, grants: Iterable[Held]) -> list[Finding]:
    terms = [one.grant.terms for one in grants if one.grant.terms is not None]
    limits = [one.fees.limit_fen(again=order.again) for one in terms if one.fees is not None]
    if not limits:
        what = f"no fee was approved [{_LAW}, 8 and 10], {order.fee_fen} fen are asked"
        return [_finding("FEE", order, what, "have the fee approved with the card, or ask for none")]
    if order.fee_fen > max(limits):
        which = "another card" if order.again else "a card"
        what = f"{order.fee_fen} fen are asked for {which}, {max(limits)} were approved [{_LAW}, 10]"
        return [_finding("FEE", order, what, f"ask for {max(limits)} fen at most")]
    return []


def _finding(code: str, order: Order, what: str, fix: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=f"order {order.id}", what=what, fix=fix)
