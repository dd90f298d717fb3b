"""Judges a holder's right by the card's records, and writes back what its use costs (LD/T 33 records; JR/T 0025.1
MAC).

The conditions are declared (`jinka.profile.entitlement`). A record that cannot be read is a condition that does not
hold: nobody gets in by a card that refuses. What is written back is written under the maintenance key before anybody
is admitted.

Cards write one record at once and have no transaction over several, so the order of the changes is the declaration's:
a card that was pulled away between two holds those before. The terminal that tried knows of it (`UseTorn`), also where
the last answer alone was lost, and finishes that use when the same card is back within `AGAIN`; elsewhere, or later,
the card is judged by what it holds. A terminal cannot tell its own value from the same one written elsewhere within
that time: records have no counter, as purses have.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jinka.codec import Command
from jinka.codec.fields import encode_field
from jinka.kit import Refused, Usage
from jinka.profile.entitlement import Against, Change, Condition, Entitlement, Fact, Test
from jinka.profile.records import RecordSpec
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused, ask, ask_exactly
from jinka.terminal.lists import BlockList
from jinka.terminal.maintenance import MacProvider
from jinka.terminal.reading import read_public, select, verify_pin
from jinka.terminal.records import FileAccess, read_records

EVERYTHING = "*"
NO_LIST = BlockList()
_NOT_SATISFIED = (
    0x6982  # a terminal that opens nothing of what the right asks has not the key, or not the PIN
)
AGAIN = dt.timedelta(minutes=1)  # how long a terminal finishes a use that was torn


class NotEntitled(Refused):
    """A condition does not hold; ``reason`` is its code."""

    def __init__(self, entitlement: Entitlement, condition: Condition) -> None:
        super().__init__(condition.reason, where=entitlement.name, fix=f"needs: {condition.text()}")
        self.reason, self.condition = condition.reason, condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What was read, and what was written back. Values are as `codec.fields` shows them."""

    card_no: bytes
    values: Mapping[str, str]
    written: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Admission(card=******{self.card_no.hex()[-4:]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TornUse:
    """A use that was begun: what was read, told and meant to be written when the card went away."""

    card_no: bytes
    entitlement: str
    facts: Mapping[str, str]
    values: Mapping[str, str]
    written: Mapping[str, str]
    at: dt.datetime

    def __repr__(self) -> str:
        return f"TornUse({self.entitlement}, card=******{self.card_no.hex()[-4:]})"

    def is_begun(self, values: Mapping[str, str]) -> bool:
        """Whether the card holds a part of it: nothing but what stood there and what was to be written."""
        now = {name: values.get(name, "") for name in self.written}
        before = {name: self.values.get(name, "") for name in self.written}
        return now != before and all(now[name] in (before[name], self.written[name]) for name in now)


class UseTorn(CardRemoved):
    """The card was pulled away while a use was written; nobody was admitted. ``use`` is for its next presentation."""

    def __init__(self, use: TornUse) -> None:
        super().__init__(
            "pulled away while a use was written", where=use.entitlement, fix="present the card again here"
        )
        self.use = use


def judge(entitlement: Entitlement, values: Mapping[str, str], facts: Mapping[str, str]) -> dict[str, str]:
    """What the use writes; raises `NotEntitled` for the first condition that does not hold, `Usage` for a missing
    fact.
    """
    for condition in entitlement.conditions:
        if not _holds(condition, values.get(condition.record, ""), facts, entitlement.name):
            raise NotEntitled(entitlement, condition)
    return {change.record: _changed(change, values, facts, entitlement) for change in entitlement.changes}


def admit(
    link: ApduLink,
    entitlement: Entitlement,
    *,
    aid: bytes,
    records: Sequence[RecordSpec],
    at: dt.datetime,
    facts: Mapping[str, str],
    macs: MacProvider | None = None,
    pin: bytes = b"",
    torn: TornUse | None = None,
    block_list: BlockList = NO_LIST,
    access: FileAccess | None = None,
) -> Admission:
    """Read, judge, write back. Raises `Listed`, `NotEntitled`, `ChipRefused`, `CardRemoved` and `UseTorn`; nobody was
    admitted then.

    ``torn`` is what `UseTorn` told when this terminal last saw the card: begun and not over, it is finished.
    """
    known = {"date": f"{at:%Y%m%d}", "time": f"{at:%H%M}", "moment": f"{at:%Y%m%d%H%M}", **facts}
    wanted = {condition.record for condition in entitlement.conditions}
    wanted |= {change.record for change in entitlement.changes}
    asked = [spec for spec in records if spec.name in wanted]
    missing = wanted - {spec.name for spec in asked}
    if missing:
        raise Usage(
            f"no record {sorted(missing)[0]!r}", where=entitlement.name, fix="see the profile's records"
        )
    readings = read_records(link, aid, asked, pin=pin, access=access)
    if readings and all(one.sw == _NOT_SATISFIED for one in readings):
        raise ChipRefused(f"read {readings[0].record.name}", _NOT_SATISFIED)
    values = {one.record.name: one.value for one in readings if one.value is not None}
    card_no = read_public(link).card_no
    block_list.refuse(card_no, at)
    use = TornUse(
        card_no=card_no, entitlement=entitlement.name, facts=dict(facts), values=values, written={}, at=at
    )
    if torn is not None and _is_same(torn, use) and torn.is_begun(values):
        use = torn
    else:
        use = replace(use, written=judge(entitlement, values, known))
    left = {
        name: value for name, value in use.written.items() if use is not torn or values.get(name) != value
    }
    if left:
        if macs is None:
            raise Usage("a use that writes needs the maintenance key", where=entitlement.name)
        try:
            write_records(link, macs, aid=aid, card_no=card_no, records=records, values=left, pin=pin)
        except CardRemoved as error:
            raise UseTorn(use) from error
    return Admission(card_no=card_no, values=use.values, written=use.written)


def _is_same(torn: TornUse, now: TornUse) -> bool:
    known = (torn.card_no, torn.entitlement, torn.facts) == (now.card_no, now.entitlement, now.facts)
    return known and dt.timedelta(0) <= now.at - torn.at <= AGAIN


def write_records(
    link: ApduLink,
    macs: MacProvider,
    *,
    aid: bytes,
    card_no: bytes,
    records: Sequence[RecordSpec],
    values: Mapping[str, str],
    pin: bytes = b"",
    block_list: BlockList = NO_LIST,
    at: dt.datetime | None = None,
) -> None:
    """UPDATE RECORD under secure messaging, one record after another. `Usage` for a record that is not declared,
    `Listed` for a card that is on the list at ``at``.
    """
    if at is not None:
        block_list.refuse(card_no, at)
    by_name = {spec.name: spec for spec in records}
    unknown = set(values) - by_name.keys()
    if unknown:
        raise Usage(f"no record {sorted(unknown)[0]!r}", where="records", fix="see the profile's records")
    select(link, aid)
    if pin:
        verify_pin(link, pin)
    for name, value in values.items():
        spec = by_name[name]
        body = bytes((spec.number, spec.length)) + encode_field(spec.coding, value, spec.length)
        rand4 = ask_exactly(link, "get challenge", bytes.fromhex("0084000004"), 4)
        head = Command(0x04, 0xDC, spec.number, (spec.fid & 0x1F) << 3 | 0x04, body + bytes(4)).build()
        message = head[: 5 + len(body)]
        ask(link, f"update {name}", message + macs.message_mac(card_no, rand4, message))


def _holds(condition: Condition, value: str, facts: Mapping[str, str], where: str) -> bool:
    test = condition.test
    if test is Test.IS_SET:
        return bool(value)
    if not value:
        return False
    if test is Test.ONE_OF:
        against = condition.against
        return value in (against if isinstance(against, tuple) else (_said(against, facts, where),))
    said = _said(condition.against, facts, where)
    if test is Test.EQUALS:
        return value == said
    if test is Test.LISTS:
        return value == EVERYTHING or said in value.split(",")
    if not said:
        return False  # not established: no number, no day
    if test is Test.BEFORE:
        return int(value) < int(said)
    if test in (Test.NOT_AFTER, Test.AT_MOST):
        return int(value) <= int(said)
    return int(value) >= int(said)


def _said(against: Against, facts: Mapping[str, str], where: str) -> str:
    if isinstance(against, Fact):
        try:
            return facts[against.name]
        except KeyError:
            raise Usage(
                f"the fact {against.name!r} is missing", where=where, fix="tell the terminal"
            ) from None
    if isinstance(against, tuple):
        raise Usage("a list where one value stands", where=where)
    return str(against)


def _changed(
    change: Change, values: Mapping[str, str], facts: Mapping[str, str], entitlement: Entitlement
) -> str:
    fact = change.fact
    if fact is not None and fact.shown and not _said(fact, facts, entitlement.name):
        raise NotEntitled(entitlement, Condition(change.record, Test.EQUALS, fact, "NOT_SHOWN"))
    if change.put is not None:
        return _said(change.put, facts, entitlement.name)
    value = values.get(change.record) or ""
    if change.months is not None:
        if not value:
            raise NotEntitled(entitlement, Condition(change.record, Test.IS_SET, "", "NOT_WRITTEN"))
        return _months_on(value, int(_said(change.months, facts, entitlement.name)))
    assert change.take is not None, "one of the three is given"
    left = int(value or 0) - int(_said(change.take, facts, entitlement.name))
    if left < 0 and not change.rest:
        raise NotEntitled(entitlement, Condition(change.record, Test.AT_LEAST, change.take, "NOT_ENOUGH"))
    return str(max(0, left))


def _months_on(day: str, months: int) -> str:
    """YYYYMMDD so many months later, on the last day of a month that is too short."""
    years, month = divmod(int(day[4:6]) - 1 + months, 12)
    year = int(day[:4]) + years
    last = calendar.monthrange(year, month + 1)[1]
    return f"{year:04}{month + 1:02}{min(int(day[6:]), last):02}"
