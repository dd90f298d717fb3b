"""Cards that nobody has used for long: their money is put aside as unclaimed, and comes back when they are used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis

from jinka.app.float_shadows import Shadows, day_of
from jinka.settlement.chart import AccountCode
from jinka.settlement.float_acts import Deed, DeedKind, named
from jinka.settlement.float_rules import FloatRules, sleeps_since

_SHORT_MONTH = 28


def asleep(
    shadows: Shadows, rules: FloatRules, closed: frozenset[bytes], *, first: dt.date, on: dt.date, actor: str
) -> list[Deed]:
    """Deeds for cards that sleep by that day. ``closed`` have a refund; unused ones count from the ``first`` day."""
    cards, latest = shadows.cards, on - dt.timedelta(days=rules.dormant_months * _SHORT_MONTH)
    limit = ibis.literal(bytes.fromhex(latest.strftime("%Y%m%d")), type="binary")
    old = cards.filter(cards.shown > 0, cards.last_date <= limit)
    rows = shadows.engine.collect(old.select("card_no", "issuer", "shown", "last_date").order_by("card_no"))
    deeds = []
    for row in rows.to_pylist():
        used = day_of(row["last_date"]) if any(row["last_date"]) else first
        if row["card_no"] in closed or sleeps_since(used, rules.dormant_months) > on:
            continue
        deeds.append(
            Deed(
                kind=DeedKind.DORMANT, subject=f"since {used}", card=row["card_no"], on=on, amount=row["shown"],
                debit=named(AccountCode.PURSE_LIABILITY, row["issuer"]),
                credit=named(AccountCode.UNCLAIMED, row["issuer"]), worth=-row["shown"], actor=actor,
                reason=f"not used for {rules.dormant_months} months",
            )
        )  # fmt: skip
    return deeds


def awake(shadows: Shadows, done: Sequence[Deed], *, on: dt.date) -> list[Deed]:
    """Deeds that give sleeping cards their money back, because they were used after they fell asleep."""
    sleeping = _sleeping(done)
    if not sleeping:
        return []
    wanted = {deed.card for deed in sleeping}
    rows = shadows.engine.collect(shadows.cards.select("card_no", "last_date")).to_pylist()
    last = {row["card_no"]: row["last_date"] for row in rows if row["card_no"] in wanted}
    return [
        _woken(deed, on, "the card was used")
        for deed in sleeping
        if any(last[deed.card]) and f"since {day_of(last[deed.card])}" > deed.subject
    ]


def woken(done: Sequence[Deed], card: bytes, *, on: dt.date) -> list[Deed]:
    """The deed that gives one sleeping card its money back, because its holder came with it; none when it is awake."""
    return [_woken(deed, on, "its holder came") for deed in _sleeping(done) if deed.card == card]


def _sleeping(done: Sequence[Deed]) -> list[Deed]:
    back = {(deed.card, deed.subject) for deed in done if deed.kind is DeedKind.REVIVED}
    return [deed for deed in done if deed.kind is DeedKind.DORMANT and (deed.card, deed.subject) not in back]


def _woken(deed: Deed, on: dt.date, reason: str) -> Deed:
    return Deed(
        kind=DeedKind.REVIVED, subject=deed.subject, card=deed.card, on=on, amount=deed.amount,
        debit=deed.credit, credit=deed.debit, worth=-deed.worth, reason=reason, actor="rule",
    )  # fmt: skip
