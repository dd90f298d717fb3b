"""The rows of a day's report, and the JSON made of them.

A `DayReport` holds figures and the words for them, nothing that has to be looked up again. `to_json` is the
public form: its keys are stable, its order is fixed, and the same inputs give the same bytes. What differs
from one run to the next (`timings`, `engines`) is left out unless it is asked for. Amounts are whole fen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from jinka.kit import Finding, Severity

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_FINDINGS = 6


class SourceKind(Enum):
    """Where the taps came from."""

    TAPS_FILE = "taps_file"
    GENERATED = "generated"


class Outcome(Enum):
    """What became of a record or of a whole batch."""

    PAID = "paid"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    UNCONFIRMED = "unconfirmed"  # torn, nothing has shown yet whether the card was debited
    VOID = "void"  # torn, and shown not to have been debited
    PARKED = "parked"  # a whole batch, or a record with it
    REPLAYED = "replayed"  # a batch that came again, acknowledged and not taken in


@dataclass(frozen=True, slots=True)
class Text:
    """One wording in both languages of the report."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the day was made from. ``name`` is the file's name without its folder, or the generated city's."""

    kind: SourceKind
    name: str
    city: Text
    business_date: str  # YYYY-MM-DD
    seed: int
    simulated: tuple[Text, ...] = ()  # what in this day is simulated, one sentence each


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """One service operator. ``net_fen`` is what it is paid: charged + subsidy - fees."""

    code: str
    name: Text
    taps: int
    gross_fen: int
    charged_fen: int
    subsidy_fen: int
    fees_fen: int
    net_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    """One product of the tariff, and what was charged under it."""

    product: str
    title: Text
    count: int
    gross_fen: int
    charged_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRow:
    """One hour of the day's curve, 0 to 23, local time."""

    hour: int
    entries: int
    boards: int
    exits: int
    charged_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """How many records ended so, for which one reason, and how much money they ask for.

    ``batches`` of them were parked or replayed whole; 0 where records were judged one by one.
    """

    outcome: Outcome
    reason: str
    title: Text
    count: int
    amount_fen: int
    batches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """How often one kind of finding occurred. ``code`` is a word in capitals, as in `jinka.kit.Finding`."""

    code: str
    severity: Severity
    title: Text
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredRow:
    """A fact that the source does not hold and that was inferred from it, with how often."""

    code: str
    title: Text
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatProof:
    """What cards hold, what is on its way and what is in suspense must equal the purse liability."""

    cards_fen: int
    transit_fen: int
    suspense_fen: int
    liability_fen: int

    @property
    def difference_fen(self) -> int:
        return self.cards_fen + self.transit_fen + self.suspense_fen - self.liability_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementProof:
    """Whether everybody was paid: what the ledger leaves open, and what operators lack.

    ``operators_short_fen`` adds up, operator by operator, how far its order is from what its paid records and their
    subsidies earn less its fees, summed from the outcome file and not from the netting.
    """

    open_fen: int
    funds_fen: int
    liability_fen: int
    operators_short_fen: int

    @property
    def holds(self) -> bool:
        return self.open_fen == 0 and self.operators_short_fen == 0 and self.funds_fen == self.liability_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """All debits and all credits that the ledger holds."""

    debits_fen: int
    credits_fen: int

    @property
    def balanced(self) -> bool:
        return self.debits_fen == self.credits_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """One participant's net position: above zero it receives, below it pays. All of them add up to zero."""

    code: str
    role: str
    name: Text
    position_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One settlement order."""

    number: str
    payer: str
    payee: str
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoilRow:
    """One kind of injected fault: found with the right reason, with another one, or not at all."""

    kind: str
    title: Text
    injected: int
    right: int
    other: int
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    """An engine that took part, with its version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one stage took on this machine in this run."""

    stage: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A city's day, from the taps that were read to the books that balance."""

    source: Source
    rows_read: int
    duplicates_dropped: int
    taps: int
    debits: int
    loads: int
    loaded_fen: int
    cards: int
    terminals: int
    gross_fen: int  # of the records that were paid
    charged_fen: int  # of the records that were paid
    unexplained: int  # charges that no product of the tariff explains
    nowhere_fen: int  # balance that appeared on cards without a load: to be looked at, not posted
    float_proof: FloatProof
    trial_balance: TrialBalance
    settlement_proof: SettlementProof
    by_operator: tuple[OperatorRow, ...] = ()
    by_product: tuple[ProductRow, ...] = ()
    hours: tuple[HourRow, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    finding_samples: tuple[Finding, ...] = ()  # the first few, with their place (file:line) and reason
    inferred: tuple[InferredRow, ...] = ()
    positions: tuple[PositionRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    spoil: tuple[SpoilRow, ...] = ()  # empty when no faults were injected
    false_rejections: int = 0  # good records that were refused; known only when faults were injected
    engines: tuple[EngineRow, ...] = ()
    timings: tuple[Timing, ...] = ()

    @property
    def books_balance(self) -> bool:
        """Debits equal credits, the float is proven, everybody was paid, and the positions add up to zero."""
        positions = sum(row.position_fen for row in self.positions)
        proven = self.float_proof.difference_fen == 0 and self.settlement_proof.holds
        return self.trial_balance.balanced and proven and positions == 0

    @property
    def exit_code(self) -> int:
        """1 when the scheme itself failed, 6 when someone has to look at a finding, otherwise 0.

        The scheme failed when its books do not balance, when an injected fault was not found for the right reason,
        or when a good record was refused. A finding to look at is an ERROR, an unexplained charge, or anything refused.
        """
        if (
            not self.books_balance
            or self.false_rejections
            or any(row.missed or row.other for row in self.spoil)
        ):
            return EXIT_FAILURE
        refused = {Outcome.REJECTED, Outcome.PARKED}
        if (
            self.unexplained
            or any(row.count and row.severity is Severity.ERROR for row in self.findings)
            or any((row.count or row.batches) and row.outcome in refused for row in self.outcomes)
        ):
            return EXIT_FINDINGS
        return EXIT_OK

    def as_dict(self, *, with_run: bool = False) -> dict[str, Any]:
        """Return what `to_json` writes, as plain values."""
        counts = {row.code.lower(): row.count for row in self.findings}
        counts["unexplained_charge"] = self.unexplained
        plain = {
            name: _plain(getattr(self, name))
            for name in _JSON_FIELDS
            if name not in ("findings", "engines", "timings")
        }
        plain["float_proof"]["difference_fen"] = self.float_proof.difference_fen
        plain["settlement_proof"]["holds"] = self.settlement_proof.holds
        plain["trial_balance"]["balanced"] = self.trial_balance.balanced
        plain["books_balance"] = self.books_balance
        plain["findings"] = dict(sorted(counts.items()))
        plain["findings_detail"] = _plain(self.findings)
        plain["exit_code"] = self.exit_code
        if with_run:
            plain["run"] = {
                "engines": {row.name: row.version for row in self.engines},
                "seconds": {row.stage: round(row.seconds, 3) for row in self.timings},
            }
        return plain

    def to_json(self, *, with_run: bool = False) -> str:
        """The report as JSON text. ``with_run`` adds engines and timings, which differ from run to run."""
        return json.dumps(self.as_dict(with_run=with_run), ensure_ascii=False, indent=2) + "\n"


_JSON_FIELDS = tuple(field.name for field in fields(DayReport))


def _plain(value: Any) -> Any:
    """Dataclasses, enums and tuples as what JSON knows."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
