"""The issuer's host: decides authorisations, and books them on the ledger, each once.

The order is: rows are written as received, with the wrong PINs already counted; then everything is checked; then the
ledger moves the money, and with it the decisions are written where books and ledger are one database, else after it. So
a crash leaves rows that are only received, and `recover` settles them from what the ledger holds: transfers have ids
made from their row. Requests come in lists and share the flushes (`jinka.issuer.rounds`). One host writes to its books;
it has no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jinka.issuer.accounts import HolderAccount, IssuedCard
from jinka.issuer.advices import believe, certificate_of, needs_proof
from jinka.issuer.authorisation import AuthorisationRequest, Decision, Flow, Kind
from jinka.issuer.books import Booking, IssuerBooks, State, Tries
from jinka.issuer.card_checks import CardChecks
from jinka.issuer.cases import Case, received, repeat
from jinka.issuer.chart import IssuerAccount, holder_account, office_account
from jinka.issuer.day_names import DayNames
from jinka.issuer.lapsing import Sweep, lapse
from jinka.issuer.limits import Declined
from jinka.issuer.past import Pasts
from jinka.issuer.policy import Policy
from jinka.issuer.posting import Plan, Poster, Way
from jinka.issuer.reasons import Reason
from jinka.issuer.rounds import Round, Waves, rounds
from jinka.issuer.wave_checks import WaveChecks
from jinka.kit import Usage
from jinka.ledger import LedgerEngine, TransferResult

_ZERO = bytes(16)
_OFFICES = (IssuerAccount.SHORTFALL, IssuerAccount.VAULT, IssuerAccount.DISPUTED)
_DAY_S = 86_400
_MICROS = 1_000_000
_DONE = frozenset({TransferResult.CREATED, TransferResult.EXISTS})
# An id that a ledger refused once it may refuse for good: only want of money is tried again here.
_SHORT = frozenset({TransferResult.EXCEEDS_CREDITS, TransferResult.ID_ALREADY_FAILED})
# What is booked whether the money is there or not.
_MUST = frozenset({Kind.VOID, Kind.REVERSAL, Kind.PARTIAL})


class IssuerHost:
    """Decides for one issuer. ``acquirers`` are those that it settles with; their accounts are opened here."""

    def __init__(
        self,
        *,
        issuer: str,
        books: IssuerBooks,
        ledger: LedgerEngine,
        checks: CardChecks,
        policy: Policy,
        acquirers: Sequence[str],
    ) -> None:
        self._books, self._ledger, self._checks, self._policy = books, ledger, checks, policy
        self._acquirers = frozenset(acquirers)
        self._gates = WaveChecks(policy, checks, self._acquirers)
        self._pasts, self._names = Pasts(books), DayNames(books)
        self._poster = Poster(issuer, completion_percent=policy.completion_percent)
        offices = [office_account(IssuerAccount.ACQUIRER, name) for name in sorted(self._acquirers)]
        offices += [office_account(code, issuer) for code in _OFFICES]
        self._ledger.create_accounts(offices)

    def open_account(self, account: HolderAccount) -> None:
        """Open a holder's account on the ledger and in the books; again is harmless."""
        self._ledger.create_accounts([holder_account(account.number)])
        self._books.write(accounts=[account])

    def add_card(self, card: IssuedCard) -> None:
        """Put a card into the books, or what an act made of it. `Usage` for an account that is not there."""
        if card.account not in self._books.accounts([card.account]):
            raise Usage("no such account", where="card.account", fix="open the account first")
        self._books.write(cards=[card])

    def decide(self, request: AuthorisationRequest) -> Decision:
        """Decide one request; durable when it returns."""
        return self.decide_all([request])[0]

    def decide_all(self, requests: Sequence[AuthorisationRequest]) -> list[Decision]:
        """Decide a list; durable when it returns. A request that was decided before gets that answer."""
        answers: dict[int, Decision] = {}
        opened: Round | None = None
        requests = self._names.as_in_books(requests)
        try:
            for waves in [*rounds(requests), None]:
                with self._books.together():  # the end of a round and the beginning of the next share a flush
                    if opened is not None:
                        answers |= self._decide_round(opened)
                    opened = self._open(waves) if waves is not None else None
        except BaseException:
            self._pasts.forget()
            raise
        return [answers[at] for at in range(len(requests))]

    def lapse(self, now_micros: int) -> Sweep:
        """Let go of holds that are older than the policy allows; durable when it returns."""
        before = now_micros - self._policy.hold_days * _DAY_S * _MICROS
        try:
            return lapse(self._books, self._ledger, before_micros=before, now_micros=now_micros)
        finally:
            self._pasts.forget()

    def recover(self) -> list[Decision]:
        """After a crash: settle what was received and not decided. Reversals and advices are carried out."""
        self._pasts.forget()
        with self._books.together():
            self._books.write(cards=self._books.tried())
            return [self._settle(row) for row in self._books.unfinished()]

    def _settle(self, row: Booking) -> Decision:
        case, known = Case(row=row), self._known([row])
        if not self._was_booked(case, known):
            if _must(row) and not needs_proof(row.kind, forced=row.forced):
                self._must_book(case, known)
            else:
                case.decline(Declined(Reason.INTERRUPTED))
        self._books.write(case.final_rows())
        return case.decision()

    def _was_booked(self, case: Case, known: Mapping[bytes, Booking]) -> bool:
        """Whether the ledger has what the row would have posted; the plan is then the case's."""
        for way in Way if _must(case.row) else (Way.ACCOUNT,):
            try:
                plan = self._poster.plan(case.row, known, way=way)
            except Declined:
                return False
            ids = [t.id for t in plan.transfers]
            if ids and len(self._ledger.lookup(ids)) == len(ids):
                case.plan, case.transfers = plan, plan.transfers
                if way is Way.DISPUTED:
                    case.reason = Reason.DISPUTED
                return True
        return False

    def _open(self, waves: Waves) -> Round:
        """Learn what a round has to know, and write it down as received, the tries of its PINs taken."""
        requests = [request for wave in waves for _, request in wave]
        old, fresh = self._asked_before(requests)
        named = {id_ for r in fresh for id_ in (r.original_id, certificate_of(r))} - {_ZERO}
        known = self._originals(named)
        if any(row.state is State.RECEIVED for row in (*known.values(), *old.values())):
            self.recover()  # an earlier call broke off: what it booked has to be known first
            old, fresh = self._asked_before(requests)
            known = self._originals(named)
        cards = self._books.cards({pan for r in fresh for pan in (r.pan, r.receiver) if pan})
        accounts = self._books.accounts({card.account for card in cards.values()})
        cases = {r.id: received(r, cards, accounts) for r in fresh}
        for id_ in cases.keys() & old.keys():
            cases[id_].heard_before = not old[id_].forced
        asking = [c.row for c in cases.values() if c.card is not None and _is_limited(c.row)]
        window = max(_DAY_S, self._policy.rules.window_s) * _MICROS
        since = min([row.at_micros for row in asking], default=0) - window
        beside = {case.row.card for case in cases.values()}
        past = self._pasts.of({row.card for row in asking}, since, beside=beside)
        tries = {
            id_: Tries(c.card.pan, c.card.tries_left - 1)
            for id_, c in cases.items()
            if c.card is not None and c.tries
        }
        if cases:
            self._books.receive([c.row for c in cases.values()], tries)
        return Round(waves=waves, old=old, cases=cases, cards=cards, known=known, past=past, since=since)

    def _asked_before(
        self, requests: Sequence[AuthorisationRequest]
    ) -> tuple[dict[bytes, Booking], list[AuthorisationRequest]]:
        """What is in the books of these requests, and those that have to be decided."""
        old = self._books.bookings([r.id for r in requests])
        return old, [r for r in requests if r.id not in old or _overrides(r, old[r.id])]

    def _decide_round(self, opened: Round) -> dict[int, Decision]:
        """Check, book and write down; the answers by their requests' places in the list."""
        answers: dict[int, Decision] = {}
        for wave in opened.waves:
            self._decide_wave(opened, opened.take_up(wave))
            for at, request in wave:
                case = opened.cases.get(request.id)
                decided = case.decision() if case is not None else repeat(request, opened.old[request.id])
                answers[at] = decided
        if opened.rows:
            self._books.write(list(opened.rows.values()), list(opened.changed.values()))
        self._pasts.keep(opened.past)
        return answers

    def _decide_wave(self, opened: Round, cases: Sequence[Case]) -> None:
        for case in self._gates.passed(cases, opened.before):
            self._believe(case, opened.known)
            try:
                self._plan(case, opened.known)
            except Declined as declined:
                case.decline(declined)
        self._book([case for case in cases if case.plan is not None], opened.known)
        for case in cases:
            if case.question is not None and case.card is not None:
                case.chip = self._checks.answer(case.question, case.card, case.reason)
            if case.reason is Reason.APPROVED and case.row.kind is Kind.BALANCE:
                case.available_fen = self._available(case)
            opened.learn(case)

    def _believe(self, case: Case, known: Mapping[bytes, Booking]) -> None:
        """Of an advice: whether the holder bears it, or it is disputed."""
        request, card = case.request, case.card
        if request is None or card is None or not needs_proof(request.kind, forced=request.forced):
            return
        belief = believe(
            request, card, known, self._checks.prove,
            unproven_fen=self._policy.unproven_fen, here_before=case.heard_before,
        )  # fmt: skip
        case.used = belief.used
        if belief.doubt is not None:
            case.way, case.reason = Way.DISPUTED, Reason.DISPUTED
            case.rule, case.title = belief.doubt.rule, belief.doubt.title

    def _plan(self, case: Case, known: Mapping[bytes, Booking], way: Way | None = None) -> None:
        """Set the case's plan; raises `Declined`."""
        row = case.row
        if row.kind is not Kind.REVERSAL or row.original in known:
            case.plan = self._poster.plan(row, known, way=way or case.way)
            if case.used != _ZERO:
                used = replace(row, id=case.used, state=State.USED, original=row.id, fingerprint=_ZERO)
                case.plan = replace(case.plan, rows=(*case.plan.rows, used))
            return
        # The original has not come: remembered, so that it is refused when it does.
        unseen = replace(row, id=row.original, state=State.UNSEEN, original=_ZERO, fingerprint=_ZERO)
        case.plan = Plan(transfers=(), rows=(row, unseen))
        case.reason = Reason.REMEMBERED

    def _book(self, cases: Sequence[Case], known: Mapping[bytes, Booking]) -> None:
        """Move the money of a wave; who must be booked and has no cover goes the second way."""
        transfers = [t for case in cases if case.plan for t in case.plan.transfers]
        results = iter(self._ledger.create_transfers(transfers) if transfers else ())
        for case in cases:
            plan = case.plan
            if plan is None:
                continue
            outcome = {next(results) for _ in plan.transfers}
            if outcome <= _DONE:
                case.transfers = plan.transfers
            elif outcome & _SHORT and _must(case.row):
                self._must_book(case, known, Way.SHORTFALL)
            else:
                case.decline(Declined(Reason.FUNDS if outcome & _SHORT else Reason.INVALID))

    def _must_book(self, case: Case, known: Mapping[bytes, Booking], first: Way = Way.ACCOUNT) -> None:
        """Book what happened already: from the account, or without cover."""
        for way in (first, Way.SHORTFALL):
            try:
                self._plan(case, known, way)
            except Declined as declined:
                case.decline(declined)
                return
            transfers = case.plan.transfers if case.plan is not None else ()
            results = set(self._ledger.create_transfers(transfers)) if transfers else set()
            if results <= _DONE:
                case.transfers = transfers
                return
        case.decline(Declined(Reason.INVALID))

    def _available(self, case: Case) -> int:
        sums = self._ledger.balances([case.row.account])[case.row.account]
        return sums.credits_posted - sums.debits_posted - sums.debits_pending

    def _known(self, rows: Sequence[Booking]) -> dict[bytes, Booking]:
        return self._originals({row.original for row in rows} - {_ZERO})

    def _originals(self, wanted: set[bytes]) -> dict[bytes, Booking]:
        """Originals, and theirs, as deep as they go: a reversal of a void of a completion of a hold."""
        known: dict[bytes, Booking] = {}
        while wanted:
            found = self._books.bookings(wanted)
            known |= found
            wanted = {b.original for b in found.values()} - {_ZERO} - set(known)
        return known


def _is_limited(row: Booking) -> bool:
    """Whether limits and rules look at the card's past."""
    return row.kind.flow in (Flow.DEBIT, Flow.HOLD) and not row.forced


def _must(row: Booking) -> bool:
    """Whether it is booked even without cover."""
    return row.forced or row.kind in _MUST


def _overrides(request: AuthorisationRequest, old: Booking) -> bool:
    """Whether what was declined here is decided anew: it moved nothing, and what asks is no question but a fact."""
    if old.state is not State.DECLINED:
        return False
    if request.kind in (Kind.REVERSAL, Kind.PARTIAL):
        return True  # it has no number of its own: a wrong one must not stand in the way of the right one
    if not request.forced or old.fingerprint != request.fingerprint:
        return False
    # The advice of something that was declined and happened all the same, or of what came before its original.
    return not old.forced or old.reason in (Reason.INTERRUPTED, Reason.NO_ORIGINAL)
