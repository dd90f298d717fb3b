"""The walker's trial of rights that write: every use of a journey again, on copies of its card, pulled at each command.

A card writes records one by one (ISO/IEC 7816-4, UPDATE RECORD). Whenever it is pulled away, nobody is admitted before
all is written; shown again at the same device it ends as if it had never been pulled; and elsewhere a half-written use
gives no right that the card had neither before the use nor after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from jinka.app.sector_uses import UPDATE_RECORD, Pulled, Use
from jinka.card import Card
from jinka.kit import JinkaError
from jinka.profile.entitlement import Entitlement, Fact
from jinka.terminal.entitlement import NotEntitled, TornUse, UseTorn, judge
from jinka.terminal.link import CardRemoved
from jinka.terminal.records import holder_values, read_records

Complain = Callable[[str, str, str], None]
Values = Mapping[str, str]


def check_torn_uses(rights: Iterable[Entitlement], uses: Iterable[Use], complain: Complain) -> int:
    """Try the first use of each right that journeys made; returns how many were tried."""
    all_rights = tuple(rights)
    first: dict[tuple[str, str], Use] = {}
    for use in uses:
        first.setdefault((use.right.application, use.right.name), use)
    for use in first.values():
        others = [right for right in all_rights if right.application == use.right.application]
        _pulled_everywhere(use, others, complain)
    return len(first)


def _pulled_everywhere(use: Use, others: Iterable[Entitlement], complain: Complain) -> None:
    card = use.card()
    before = _held(use, card)
    use.admit(card)
    after, where = _held(use, card), f"{use.right.name} torn"
    for only, seen in ((None, False), (UPDATE_RECORD, True)):
        place = 0
        while _pulled_once(use, Pulled(card := use.card(), place, seen=seen, only=only), card, before, after, where,
                           others, complain):  # fmt: skip
            place += 1


def _pulled_once(
    use: Use,
    link: Pulled,
    card: Card,
    before: Values,
    after: Values,
    where: str,
    others: Iterable[Entitlement],
    complain: Complain,
) -> bool:
    """One trial; returns whether the card was pulled, so that the next place is to be tried."""
    torn: TornUse | None = None
    try:
        use.admit(link)
    except UseTorn as error:
        torn = error.use
    except CardRemoved:
        pass
    if not link.was_pulled:
        return False
    held = _held(use, card)
    for right in others if held not in (before, after) else ():
        for known in (before, after):
            told = _told(right, known)
            if _has(right, held, told) and not (_has(right, before, told) or _has(right, after, told)):
                complain("RIGHTS", where, f"a half-written use gives the right to {right.name}")
    try:
        use.admit(card, torn)
    except JinkaError as error:
        complain("RIGHTS", where, f"shown again at the same device it is refused: {error}")
        return True
    if _held(use, card) != after:
        complain("RIGHTS", where, "shown again at the same device the card holds another result")
    return True


def _held(use: Use, card: Card) -> dict[str, str]:
    return holder_values(read_records(card, use.aid, use.records, pin=use.pin, access=use.access))


def _told(right: Entitlement, known: Values) -> dict[str, str]:
    """Facts of a terminal for which the conditions hold as far as they can for what stands on a whole card."""
    found = dict[str, str]()
    for condition in right.conditions:
        if isinstance(condition.against, Fact):
            found.setdefault(condition.against.name, known.get(condition.record, "").split(",")[0])
    return found


def _has(right: Entitlement, values: Values, facts: Values) -> bool:
    told = {change_fact.name: "0" for change_fact in _facts_of_changes(right)} | dict(facts)
    try:
        judge(right, values, told)
    except NotEntitled:
        return False
    except (JinkaError, ValueError):  # a fact of another form: no terminal says so
        return False
    return True


def _facts_of_changes(right: Entitlement) -> list[Fact]:
    return [change.fact for change in right.changes if change.fact is not None]
