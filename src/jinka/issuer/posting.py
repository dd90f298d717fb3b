"""How transactions are booked: from a row and its originals to transfers, and to the rows as they will stand.

Pure and repeatable: the same rows give the same transfers with the same ids, so that after a crash it can be asked
again what a row would have posted. What must not fail for want of money has a second way, from the shortfall account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from jinka.issuer.authorisation import TAKES, YUAN, Flow, Kind
from jinka.issuer.books import Booking, State, Step
from jinka.issuer.chart import CODES, IssuerAccount, IssuerTransfer, office_account, office_id
from jinka.issuer.limits import Declined
from jinka.issuer.reasons import Reason
from jinka.kit import Refused, make_id
from jinka.ledger import Transfer, TransferFlag

_ZERO = bytes(16)
_BACK = IssuerTransfer.TAKEN_BACK
_DEEPEST = 4  # a reversal of a void of a completion of a hold


class Way(Enum):
    """Who bears a row; the word is part of the ids of its transfers."""

    ACCOUNT = "account"
    SHORTFALL = "shortfall"  # the issuer, for want of money
    DISPUTED = "disputed"  # the issuer, for want of proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``rows`` are all rows as they stand when the transfers were made; the asking row is the first."""

    transfers: tuple[Transfer, ...]
    rows: tuple[Booking, ...]


class Poster:
    """Plans the transfers of one issuer. A completion may exceed its hold by ``completion_percent`` less 100."""

    def __init__(self, issuer: str, *, completion_percent: int = 115) -> None:
        self.shortfall = office_account(IssuerAccount.SHORTFALL, issuer).id
        self.disputed = office_account(IssuerAccount.DISPUTED, issuer).id
        self._percent = completion_percent

    def plan(self, row: Booking, known: Mapping[bytes, Booking], *, way: Way = Way.ACCOUNT) -> Plan:
        """Raises `Declined`. ``known`` has the original, and the original's."""
        original = known.get(row.original)
        if row.kind.needs_original and original is None:
            raise Declined(Reason.NO_ORIGINAL)
        account = original.account if original is not None else row.account
        bearers = {Way.ACCOUNT: account, Way.SHORTFALL: self.shortfall, Way.DISPUTED: self.disputed}
        bearer = bearers[way]
        if original is not None and _borne_by(original, known) == self.disputed:
            bearer = self.disputed  # what the holder never bore does not become the holder's by what follows
        work = _Work(row, account, bearer, way)
        if original is not None:
            self._on_original(work, original, known)
        elif row.kind is Kind.TRANSFER:
            work.debit(row, CODES[row.kind], into=row.hold)
        elif row.kind.flow is Flow.DEBIT:
            work.debit(row, CODES[row.kind])
        elif row.kind.flow is Flow.CREDIT:
            work.credit(row, row.amount_fen, CODES[row.kind])
        elif row.kind.flow is Flow.HOLD:
            work.hold(row)
        return work.done()

    def _on_original(self, work: _Work, original: Booking, known: Mapping[bytes, Booking]) -> None:
        row = work.row
        if original.kind not in TAKES[row.kind] or original.card != row.card:
            raise Declined(Reason.INVALID)
        if original.acquirer != row.acquirer:
            raise Declined(Reason.INVALID)
        try:
            if row.kind is Kind.COMPLETION:
                self._complete(work, original)
            elif row.kind is Kind.REFUND:
                self._refund(work, original)
            elif row.kind is Kind.VOID:
                _require_whole(row, original)
                self._take_back(work, original, known, Step.VOID)
            elif row.kind is Kind.PARTIAL:
                self._reverse_part(work, original)
            else:
                self._reverse(work, original, known)
        except Declined:
            raise
        except Refused:  # the table of steps
            raise Declined(Reason.INVALID) from None

    def _complete(self, work: _Work, hold: Booking) -> None:
        row = work.row
        if row.amount_fen * 100 > hold.amount_fen * self._percent:
            raise Declined(Reason.AMOUNT)
        state = hold.after(Step.COMPLETE)
        work.set(hold, state=state, hold=_ZERO)
        if hold.state is State.LAPSED:
            work.debit(row, IssuerTransfer.PREAUTHORISATION)
            return
        if row.amount_fen > hold.held_fen and work.source != work.account:
            # One account bears a row, so that taking it back gives each its own: here the second way's.
            work.resolve(hold, TransferFlag.VOID_PENDING, hold.held_fen)
            work.debit(row, IssuerTransfer.PREAUTHORISATION)
            return
        part = min(row.amount_fen, hold.held_fen)
        work.resolve(hold, TransferFlag.POST_PENDING, part)
        if row.amount_fen > part:
            rest = row.amount_fen - part
            work.move(hold.source, work.office, rest, IssuerTransfer.PREAUTHORISATION)
        work.set(row, source=hold.source)

    def _refund(self, work: _Work, sale: Booking) -> None:
        row = work.row
        state = sale.after(Step.REFUND)
        if sale.taken_fen + row.amount_fen > sale.amount_fen:
            raise Declined(Reason.AMOUNT)
        # To whoever bore the sale: a holder who never paid gets nothing.
        work.credit(row, row.amount_fen, IssuerTransfer.REFUND, into=sale.source)
        work.set(sale, state=state, taken_fen=sale.taken_fen + row.amount_fen)

    def _reverse(self, work: _Work, original: Booking, known: Mapping[bytes, Booking]) -> None:
        _require_whole(work.row, original)
        if original.state in (State.DECLINED, State.RECEIVED):
            if original.state is State.DECLINED:
                work.set(original, state=original.after(Step.REVERSE))
            return  # there is nothing to take back
        if original.kind is Kind.REFUND:
            sale = known[original.original]
            if work.way is Way.ACCOUNT:
                work.source = original.source
            work.debit(original, _BACK)
            work.set(sale, taken_fen=sale.taken_fen - original.amount_fen)
            if original.amount_fen == sale.amount_fen:
                work.set(sale, source=work.source)  # who pays it back bears the sale from now on
            work.set(original, state=original.after(Step.REVERSE))
        elif original.kind.flow is Flow.CREDIT:
            work.debit(original, _BACK)
            work.set(original, state=original.after(Step.REVERSE))
        elif original.kind is Kind.VOID:
            self._restore(work, known[original.original], known)
            work.set(original, state=original.after(Step.REVERSE))
        else:
            self._take_back(work, original, known, Step.REVERSE)

    def _reverse_part(self, work: _Work, original: Booking) -> None:
        """Less was given out than was booked: the row says how much, and the rest goes back."""
        row, state = work.row, original.after(Step.REFUND)
        if not 0 < row.amount_fen < original.amount_fen:
            raise Declined(Reason.AMOUNT)
        if original.taken_fen:
            raise Declined(Reason.INVALID)
        back_fen = original.amount_fen - row.amount_fen
        work.move(work.office, original.source, back_fen, _BACK)
        work.set(original, state=state, taken_fen=back_fen)

    def _take_back(self, work: _Work, original: Booking, known: Mapping[bytes, Booking], step: Step) -> None:
        state = original.after(step)
        if original.taken_fen and original.kind is not Kind.PREAUTHORISATION:
            raise Declined(Reason.INVALID)  # a part went back already
        if original.state is State.HELD:
            work.resolve(original, TransferFlag.VOID_PENDING, original.held_fen)
            work.set(original, state=state, hold=_ZERO)
            return
        if original.state is State.LAPSED:
            work.set(original, state=state)
            return
        giver = work.office
        if original.kind is Kind.TRANSFER:  # the receiver gives it back, or has spent it
            giver = self.shortfall if work.way is Way.SHORTFALL else original.hold
        work.move(giver, original.source, original.amount_fen, _BACK)
        work.set(original, state=state)
        if original.kind is Kind.COMPLETION:
            self._reopen(work, original, known[original.original])

    def _reopen(self, work: _Work, completion: Booking, hold: Booking) -> None:
        """A completion was taken back: its hold stands again, or as much of it as came back if the rest was spent."""
        work.set(hold, state=hold.after(Step.REOPEN))
        if work.way is Way.SHORTFALL and completion.source == work.account:
            # Held by the issuer's account instead, the holder could spend what came back, and the issuer pay again.
            work.source = work.account
            work.hold(hold, min(completion.amount_fen, hold.amount_fen))
        else:
            work.hold(hold)

    def _restore(self, work: _Work, original: Booking, known: Mapping[bytes, Booking]) -> None:
        """A void was taken back: what it took back stands again."""
        if original.kind is Kind.PREAUTHORISATION:
            work.set(original, state=original.after(Step.RESTORE_HOLD))
            work.hold(original)
            return
        if original.kind is Kind.COMPLETION:
            hold = known[original.original]  # the void opened it again; `Refused` if it was used since
            work.set(hold, state=hold.after(Step.COMPLETE), hold=_ZERO)
            work.resolve(hold, TransferFlag.VOID_PENDING, hold.held_fen)
        work.set(original, state=original.after(Step.RESTORE))
        work.debit(original, _BACK)


class _Work:
    """The transfers and rows of one plan."""

    def __init__(self, row: Booking, account: bytes, source: bytes, way: Way) -> None:
        self.row, self.account, self.source, self.way = row, account, source, way
        self.office = office_id(IssuerAccount.ACQUIRER, row.acquirer)
        self._transfers: list[Transfer] = []
        self._rows: dict[bytes, Booking] = {row.id: row}

    def set(self, row: Booking, **changes: object) -> None:
        self._rows[row.id] = replace(self._rows.get(row.id, row), **changes)  # type: ignore[arg-type]

    def debit(self, row: Booking, code: IssuerTransfer, into: bytes = b"") -> None:
        """The row's amount from the source, which bears the row from now on."""
        self.move(self.source, into or self.office, row.amount_fen, code)
        self.set(row, source=self.source)

    def credit(self, row: Booking, amount_fen: int, code: IssuerTransfer, into: bytes = b"") -> None:
        self.move(self.office, into or self.account, amount_fen, code)
        self.set(row, source=into or self.account)

    def hold(self, row: Booking, part_fen: int | None = None) -> None:
        """Hold the row's amount at the source, or a part of it."""
        code, amount_fen = IssuerTransfer.PREAUTHORISATION, row.amount_fen if part_fen is None else part_fen
        id_ = self.move(self.source, self.office, amount_fen, code, TransferFlag.PENDING)
        self.set(row, source=self.source, hold=id_, taken_fen=row.amount_fen - amount_fen)

    def resolve(self, row: Booking, how: TransferFlag, amount_fen: int) -> None:
        """Post or void the row's hold."""
        code = IssuerTransfer.PREAUTHORISATION
        self.move(row.source, self.office, amount_fen, code, how, pending=row.hold)

    def move(
        self,
        debit: bytes,
        credit: bytes,
        amount_fen: int,
        code: IssuerTransfer,
        flags: TransferFlag = TransferFlag.NONE,
        pending: bytes = _ZERO,
    ) -> bytes:
        id_ = make_id("jinka.issuer.transfer", self.row.id, len(self._transfers), self.way.value)
        self._transfers.append(
            Transfer(
                id=id_,
                debit_account=debit,
                credit_account=credit,
                amount=amount_fen,
                ledger=YUAN,
                code=code,
                flags=flags,
                pending_id=pending,
                user_data=self.row.id,
                timestamp=self.row.at_micros,
            )
        )
        return id_

    def done(self) -> Plan:
        linked = [replace(t, flags=t.flags | TransferFlag.LINKED) for t in self._transfers[:-1]]
        return Plan(transfers=(*linked, *self._transfers[-1:]), rows=tuple(self._rows.values()))


def _borne_by(row: Booking, known: Mapping[bytes, Booking]) -> bytes:
    """Who bears a row, or else what it is about; zeros where no money moved."""
    for _ in range(_DEEPEST):  # and no further: what was declined may name itself
        if row.source != _ZERO or row.original not in known:
            break
        row = known[row.original]
    return row.source


def _require_whole(row: Booking, original: Booking) -> None:
    """Raises `Declined` unless the whole amount is taken back."""
    if row.amount_fen != original.amount_fen:
        raise Declined(Reason.AMOUNT)
