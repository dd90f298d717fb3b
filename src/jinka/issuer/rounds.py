"""How a list of requests shares the flushes: in rounds, and those in waves; and what a round knows while it is decided.

A round is written as received at once and decided at once, two durable writes however many requests it has. Requests
of one card, or of one original, follow one another in waves of a round, each on what the former ones left. A new round
begins where a row has to be durable by itself first: a second PIN of a card, whose try has to be taken after the first
one was compared; a transaction asked again; an original behind its own reversal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jinka.issuer.accounts import IssuedCard
from jinka.issuer.authorisation import AuthorisationRequest, Kind, card_id
from jinka.issuer.books import NOT_THE_HOLDERS, Booking, Deed, State
from jinka.issuer.cases import Case
from jinka.issuer.past import Past

_ZERO = bytes(16)
_ROUND_MAX = 2_000  # requests; at most four transfers each, and a ledger takes 8,190 at once
Waves = list[list[tuple[int, AuthorisationRequest]]]  # with their places in the list that was given


def rounds(requests: Sequence[AuthorisationRequest]) -> list[Waves]:
    """Rounds of waves, none of them empty. What has nothing in common may change its order."""
    found: list[Waves] = []
    numbered = list(enumerate(requests))
    for start in range(0, len(numbered), _ROUND_MAX):
        found += _rounds(numbered[start : start + _ROUND_MAX])
    return found


def _rounds(requests: Sequence[tuple[int, AuthorisationRequest]]) -> list[Waves]:
    found: list[Waves] = []
    last: dict[bytes, tuple[int, int]] = {}  # where a card, an id or an original was met last
    alone: dict[tuple[str, bytes], int] = {}  # the round in which something was that must not be twice in one
    for number, request in requests:
        touched = {request.card_id, request.id, request.original_id} - {_ZERO}
        if request.kind is Kind.TRANSFER:
            touched.add(card_id(request.receiver))
        met = [last[key] for key in touched if key in last]
        place = (0, 0)
        if met:
            at, wave = max(met)
            once = alone.get(("id", request.id)) == at or alone.get(("original", request.id)) == at
            tried = request.pin is not None and alone.get(("pin", request.card_id)) == at
            place = (at + 1, 0) if once or tried else (at, wave + 1)
        if place[0] == len(found):
            found.append([])
        waves = found[place[0]]
        if place[1] == len(waves):
            waves.append([])
        waves[place[1]].append((number, request))
        last.update(dict.fromkeys(touched, place))
        alone["id", request.id] = alone["original", request.original_id] = place[0]
        if request.pin is not None:
            alone["pin", request.card_id] = place[0]
    return found


@dataclass(slots=True, kw_only=True)
class Round:
    """``old`` are answers that were given before; cards, ``known`` rows and the past follow what is decided."""

    waves: Waves
    old: Mapping[bytes, Booking]
    cases: Mapping[bytes, Case]
    cards: dict[str, IssuedCard]
    known: dict[bytes, Booking]
    past: dict[bytes, Past]
    since: int  # microseconds: how far limits and rules look back
    rows: dict[bytes, Booking] = field(default_factory=dict)
    changed: dict[str, IssuedCard] = field(default_factory=dict)

    def take_up(self, wave: Iterable[tuple[int, AuthorisationRequest]]) -> list[Case]:
        """The cases of a wave, with their cards as they are by now."""
        cases = [self.cases[request.id] for _, request in wave if request.id in self.cases]
        for case in cases:
            if case.card is not None:
                case.card = self.cards[case.card.pan]
        return cases

    def before(self, case: Case) -> list[Deed]:
        """The past of the case's card, oldest first."""
        past = list(self.past.get(case.row.card, {}).values())
        if past and past[0].at_micros < self.since:
            return [deed for deed in past if deed.at_micros >= self.since]
        return past

    def learn(self, case: Case) -> None:
        """A case was decided."""
        for row in case.final_rows():
            self.rows[row.id] = self.known[row.id] = row
            past = self.past.get(row.card)
            if past is not None and row.reason in NOT_THE_HOLDERS:
                past.pop(row.id, None)
            elif past is not None and (row.id in past or _counts(row, case)):
                newest = next(reversed(past.values())).at_micros if past else 0
                past[row.id] = Deed.of(row)
                if row.at_micros < newest:
                    ordered = sorted(past.values(), key=lambda other: other.at_micros)
                    self.past[row.card] = {other.id: other for other in ordered}
        card = case.changed_card()
        if card is not None:
            self.cards[card.pan] = self.changed[card.pan] = card


def _counts(row: Booking, case: Case) -> bool:
    """Whether the row is new in its card's past."""
    return (
        row.id == case.row.id
        and row.kind is not Kind.REVERSAL
        and row.state not in (State.UNSEEN, State.USED)
    )
