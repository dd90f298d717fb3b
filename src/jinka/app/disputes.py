"""`jinka dispute`: disputes over a folder's books, their evidence kept beside them.

The folder is a cleared day's, whose records and cards are disputed and whose ledger posts; any other folder keeps the
disputes of bank cards in a store and ledger of its own::

    centre/centre.db            of a day; disputes.db elsewhere
    centre/evidence/<sha256>    documents by their hash, for the owner's eyes; evidence/ elsewhere
    centre/audit-disputes.jsonl what was done and what was refused, chained; beside disputes.db elsewhere

Who may sit at this machine, and under which name, is the business of its accounts: the actor is named by the caller.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jinka.app.cleared_books import ClearedBooks, cleared_books, is_centre
from jinka.app.dispute_audit import LOG, ORIGIN, AuditedDisputes
from jinka.app.dispute_originals import (
    Found,
    card_id,
    decided_elsewhere,
    host_word,
    of_dead_card,
    of_record,
    of_switch,
    record_row,
    shadow_balance,
)
from jinka.app.dispute_terms import DisputeRules, read_dispute_rules
from jinka.app.float_refunds import refunded
from jinka.app.reached import require_reached
from jinka.clearing.dispute import Dispute, Evidence, Parties, Step
from jinka.clearing.dispute_tables import TABLES, Kind, require_kind
from jinka.clearing.dispute_words import Actor, Event, EvidenceKind, Machine, Place, State, by_word
from jinka.issuer.online_load import LoadState
from jinka.keys.audit import withhold
from jinka.kit import Finding, NotFound, Refused, Severity, Usage
from jinka.node import AuditLog, FolderLock, file_errors, write_durable
from jinka.node.system import SystemClock
from jinka.registry import Registry
from jinka.settlement import BusinessDay, DisputeDesk, DisputeMove, DisputeOrder, NewDispute, settle_disputes
from jinka.settlement.dispute_posting import account_name, suspense_of
from jinka.store import SqlDisputes, SqlFloat, SqlLedger, database_at, load_registry

ZONE = "Asia/Shanghai"
EVIDENCE_MAX = 32 * 1024 * 1024
NOTE_MAX = 500
_DATABASE = "disputes.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What somebody points at: a record's number, a card, or a trace number of a switch; and the right fare."""

    record: int | None = None
    card: str = ""
    switch: Path | None = None
    date: dt.date | None = None
    trace: str = ""
    terminal: str = ""
    credit: bool = False
    scheme: str = "scheme"
    gross: int | None = None
    product: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does something, when, with which documents (``kind=path``). ``amount`` 0 is the whole."""

    actor: str
    on: dt.date
    amount: int = 0
    note: str = ""
    evidence: tuple[str, ...] = ()
    issuer: Path | None = None  # file of the issuer's host, whose word on a load is asked for


class DisputeOffice:
    """The disputes of one folder; made by `dispute_office`."""

    def __init__(
        self,
        folder: Path,
        ledger: SqlLedger,
        books: AuditedDisputes,
        registry: Callable[[], Registry],
        *,
        day: ClearedBooks | None,
        zone: str,
        rules: DisputeRules,
        refunded: Callable[[bytes], int],
    ) -> None:
        self.folder, self._day, self._zone = folder, day, zone
        self._refunded = refunded  # what the float gave back for a card
        self._ledger, self._books, self._registry = ledger, books, registry
        self._desk = DisputeDesk(ledger, books, zone=zone, is_open=rules.is_open, terms=rules.terms)
        self._papers = (day.home if day else folder) / "evidence"

    def open(self, kind_word: str, subject: Subject, act: Act, *, reason: str, reference: str) -> Dispute:
        """Open a dispute about what the books say; raises `Refused`, `NotFound` and `Usage`."""
        kind = require_kind(kind_word)
        with self._noting(act.actor, kind.event.word, kind.word):
            return self._open(kind, subject, act, reason, reference)

    def _open(self, kind: Kind, subject: Subject, act: Act, reason: str, reference: str) -> Dispute:
        require_reached(act.on)
        found = self._found(kind, subject, act.on)
        step = TABLES[kind.machine].find(State.START, kind.event)
        assert step is not None
        claimed = act.amount or found.claim
        if claimed > found.claim:
            raise Refused(f"{claimed} of {found.claim}", where="amount", fix=f"at most {found.claim}")
        return self._desk.open(
            NewDispute(
                kind=kind, original=found.original, parties=found.parties, claimed=claimed, reason=reason,
                reference=reference, who=_role([step], found.parties, act.actor), actor=act.actor, on=act.on,
                subsidy=found.subsidy if claimed == found.claim else 0, note=withhold(act.note, NOTE_MAX),
                evidence=self._keep(act.evidence),
            )
        )  # fmt: skip

    def step(self, dispute: str, event_word: str, act: Act) -> Dispute:
        """Take a step; deadlines that have passed come first."""
        event, found = by_word(Event, event_word, where="event"), self.find(dispute)
        with self._noting(act.actor, event.word, f"dispute:{found.id.hex()}"):
            return self._step(found, event, act)

    def _step(self, found: Dispute, event: Event, act: Act) -> Dispute:
        require_reached(act.on)
        if event is Event.SETTLE and not self._is_decided(found):
            raise Refused("the clearing has not decided it", where="event", fix="clear the day again")
        steps = [step for step in TABLES[found.machine].steps if step.event is event]
        if not steps:
            raise Usage(
                f"a {found.machine.title[0]} dispute has no {event.word}", where="event", fix="see the table"
            )
        papers, amount = self._keep(act.evidence), act.amount
        if event is Event.DETERMINE:
            amount, paper = self._determined(found, act)
            papers = (*papers, paper)
        if act.issuer is not None:
            papers = (*papers, self._host_word(found, event, act.issuer))
        return self._desk.step(
            found.id,
            DisputeMove(
                event=event, who=_role(steps, found.parties, act.actor), actor=act.actor, on=act.on,
                amount=amount, note=withhold(act.note, NOTE_MAX), evidence=papers,
            ),
        )  # fmt: skip

    def pass_deadlines(self, on: dt.date) -> list[Dispute]:
        """Let every deadline pass that is over on that day."""
        require_reached(on)
        return self._desk.pass_deadlines(on)

    def settle(self, on: dt.date) -> list[DisputeOrder]:
        """Order and post what disputes left open between participants; nothing when nothing is."""
        owners, funds = {}, {}
        for dispute in self.listed():
            parties = dispute.parties
            bank = dispute.machine is Machine.BANK
            funds[dispute.id] = parties.scheme if bank else parties.claimant
            for place in Place:
                if place is Place.GOVERNMENT and not parties.government:
                    continue
                name = account_name(place, dispute.id, parties)
                owners[name.id] = name.owner
        day = BusinessDay(date=on, zone=self._zone)
        return settle_disputes(self._ledger, day, owners=owners, funds_of=funds)

    def listed(self) -> list[Dispute]:
        return self._books.listed()

    def find(self, text: str) -> Dispute:
        """The dispute whose id begins so; raises `NotFound`, and `Usage` when several do."""
        fits = [each for each in self.listed() if len(text) >= 4 and each.id.hex().startswith(text.lower())]
        if not fits:
            raise NotFound(f"no dispute {text}", where="dispute", fix="see jinka dispute list")
        if len(fits) > 1:
            raise Usage(f"{len(fits)} disputes begin so", where="dispute", fix="give more digits of its id")
        return fits[0]

    def examine(self, disputes: Iterable[Dispute]) -> list[Finding]:
        """What does not fit: a suspense beside its deeds, a missing document, a record that was paid after all."""
        found = []
        for dispute in disputes:
            where = f"dispute {dispute.id.hex()}"
            if suspense_of(self._ledger, dispute.id) != (dispute.held, dispute.pending):
                found.append(
                    _finding("DISPUTE_SUSPENSE", where, "the ledger holds another amount than its deeds say")
                )
            for deed in dispute.deeds:
                for paper in deed.evidence:
                    if not self._is_kept(paper):
                        found.append(
                            _finding("EVIDENCE_LOST", where, f"{paper.name} is not there as it was handed in")
                        )
            if dispute.returned and self._is_decided(dispute):
                found.append(
                    _finding("PAID_BY_CLEARING_TOO", where, "the clearing has decided the record since")
                )
        return found

    @contextmanager
    def _noting(self, actor: str, act: str, subject: str) -> Iterator[None]:
        """What a rule refuses is in the log as well."""
        try:
            yield
        except Refused:
            self._books.refused(actor, act, subject)
            raise

    def _found(self, kind: Kind, subject: Subject, on: dt.date) -> Found:
        if kind.machine is Machine.BANK:
            if subject.switch is None or subject.date is None or not subject.trace:
                raise Usage(
                    "no transaction is named", where="transaction", fix="give --switch, --date and --trace"
                )
            return of_switch(
                subject.switch, subject.date, subject.trace, subject.terminal, credit=subject.credit,
                scheme=subject.scheme,
            )  # fmt: skip
        day = self._require_day()
        registry = self._registry()
        if kind.machine is Machine.DEAD_CARD:
            card = _card_no(subject.card)
            earlier = [
                each for each in self.listed() if each.original.id == card_id(card, each.original.date)
            ]
            returned = sum(each.reserved for each in earlier if each.original.date != on)
            returned += self._refunded(card)
            return of_dead_card(
                day.outcomes,
                registry,
                card,
                on=on,
                returned=returned,
                disputed=self._states(),
                scheme=day.scheme,
            )
        if subject.record is None:
            raise Usage("no record is named", where="record", fix="give --record")
        right = None if subject.gross is None else (subject.gross, subject.product)
        row = record_row(day.outcomes, subject.record)
        if day.at_home and not {row["issuer"], row["operator"]} <= day.at_home:
            raise Refused(
                f"record {subject.record} is of {row['issuer']} and {row['operator']}", where="record",
                fix="what crosses centres is disputed between them, and each posts its own side",
            )  # fmt: skip
        return of_record(kind.machine, row, registry, right, day.scheme, tariff=day.prices.tariff)

    def _states(self) -> dict[bytes, State]:
        """How the newest dispute of each original stands."""
        return {each.original.id: each.state for each in self.listed()}

    def _require_day(self) -> ClearedBooks:
        if self._day is None:
            raise Usage("no cleared day", where=str(self.folder), fix="purses are disputed in a day's folder")
        return self._day

    def _is_decided(self, dispute: Dispute) -> bool:
        if dispute.machine not in (Machine.TORN_TAP, Machine.UNCONFIRMED_LOAD) or self._day is None:
            return False
        return decided_elsewhere(self._day.outcomes, dispute.original)

    def _determined(self, dispute: Dispute, act: Act) -> tuple[int, Evidence]:
        """What the shadow account says now, at most the claim; and the statement of it."""
        day, registry = self._require_day(), self._registry()
        for card in registry.cards["card_no"].to_pylist():
            if card_id(card, dispute.original.date) == dispute.original.id:
                balance, issuer, records = shadow_balance(day.outcomes, registry, card, self._states())
                break
        else:
            raise NotFound("its card is not registered any more", where="dispute", fix="restore the registry")
        others = [
            each for each in self.listed()
            if each.id != dispute.id and each.original.id == card_id(card, each.original.date)
        ]  # fmt: skip
        gone = sum(each.reserved for each in others) + self._refunded(card)
        left = min(balance - gone, dispute.claimed)
        if left <= 0:
            raise Refused("its shadow account is empty", where="card", fix="reject the claim")
        amount = act.amount or left
        if amount > left:
            raise Refused(f"{amount} of {left}", where="amount", fix=f"at most {left}")
        said = {"card": f"******{card.hex()[-4:]}", "issuer": issuer, "records": records, "on": act.on.isoformat(),
                "balance_fen": balance, "determined_fen": amount}  # fmt: skip
        content = json.dumps(said, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        return amount, self._stored(EvidenceKind.BALANCE, "balance.json", content)

    def _host_word(self, dispute: Dispute, event: Event, issuer: Path) -> Evidence:
        """The word of the issuer's host on a load as evidence; raises `Refused` when it says something else."""
        wanted = {Event.SHOW_CREDITED: LoadState.CONFIRMED, Event.SHOW_NOT_CREDITED: LoadState.VOIDED}.get(
            event
        )
        if dispute.machine is not Machine.UNCONFIRMED_LOAD or wanted is None:
            raise Usage(
                "a host has no word on that", where="issuer", fix="ask it about a load that is shown or not"
            )
        said = host_word(self._require_day().outcomes, dispute.original, issuer)
        if said["state"] != wanted.value[0]:
            raise Refused(
                f"the host says {said['state']}", where="issuer", fix="present the card: it decides"
            )
        content = json.dumps(said, sort_keys=True).encode() + b"\n"
        return self._stored(EvidenceKind.CARD_READING, "host.json", content)

    def _keep(self, named: Sequence[str]) -> tuple[Evidence, ...]:
        """Store what was handed in, as ``kind=path``; raises `Usage` and `NotFound`."""
        return tuple(self._kept(text) for text in named)

    def _kept(self, text: str) -> Evidence:
        word, _, name = text.partition("=")
        kind, path = by_word(EvidenceKind, word, where="evidence"), Path(name)
        if not name:
            raise Usage("no file", where="evidence", fix=f"{word}=FILE")
        with file_errors(path):
            if path.exists() and not path.is_file():
                raise Usage("is no regular file", where=str(path), fix="hand in a document")
            if path.stat().st_size > EVIDENCE_MAX:
                raise Refused(f"larger than {EVIDENCE_MAX} bytes", where=str(path), fix="hand it in in parts")
            content = path.read_bytes()
        if not content:
            raise Refused("is empty", where=str(path), fix="hand in the document")
        return self._stored(kind, withhold(path.name, 100), content)

    def _stored(self, kind: EvidenceKind, name: str, content: bytes) -> Evidence:
        digest = hashlib.sha256(content)
        place = self._papers / digest.hexdigest()
        if not place.exists():
            self._papers.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durable(place, content, private=True)
        return Evidence(kind=kind, sha256=digest.digest(), name=name, size=len(content))

    def _is_kept(self, paper: Evidence) -> bool:
        place = self._papers / paper.sha256.hex()
        return place.is_file() and hashlib.sha256(place.read_bytes()).digest() == paper.sha256


@contextmanager
def dispute_office(folder: Path, *, opening: str = "") -> Iterator[DisputeOffice]:
    """The office of a folder, alone in it. ``opening``: a kind to be opened; one of a bank card may begin a folder."""
    new = bool(opening) and require_kind(opening).machine is Machine.BANK
    day = cleared_books(folder) if is_centre(folder) or (folder / "day.json").exists() else None
    zone = day.zone if day else ZONE
    path = day.database if day else folder / _DATABASE
    if not path.exists() and not (new and day is None):
        raise NotFound(
            "no disputes are here", where=str(folder), fix="open one, or name a cleared day's folder"
        )
    rules = read_dispute_rules(folder)
    with file_errors(folder), ExitStack() as stack:
        stack.enter_context(FolderLock(day.lock if day else folder))
        database = stack.enter_context(database_at(path))
        ledger = SqlLedger(database)
        log = AuditLog(path.parent / LOG, origin=ORIGIN, clock=SystemClock())
        stack.callback(log.close)
        books = AuditedDisputes(SqlDisputes(database, ledger), log)
        yield DisputeOffice(
            folder, ledger, books, lambda: load_registry(database), day=day, zone=zone, rules=rules,
            refunded=lambda card: refunded(SqlFloat(database, ledger, zone=zone), card),
        )  # fmt: skip


def _role(steps: Iterable[Step], parties: Parties, actor: str) -> Actor:
    """In which part somebody acts in these steps; any, when none fits: the rules then refuse it by name."""
    parts = [who for step in steps for who in step.who]
    return next((who for who in parts if parties.of(who) == actor), parts[0])


def _card_no(text: str) -> bytes:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) <= 20):
        raise Usage("not a card number", where="card", fix="its digits, at most 20")
    return bytes.fromhex(digits.rjust(20, "0"))


def _finding(code: str, where: str, what: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, what=what, fix="have an officer look")
