"""A terminal's conversation with its host: ask, keep, believe only what has a right MAC, take back what is in doubt.

ISO 8583:1987, 4.1; the order of UnionPay's terminals: what is owed goes before the next transaction. Every step is
written to the journal before what follows from it (`jinka.terminal.till_states` has the table). An answer that nobody
vouches for, whatever it says, counts as none: a forged refusal would leave the holder charged. The line, the journal's
disk and the clock are the caller's; the card is a kernel's business.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from jinka.codec.iso8583 import DecodeError, Message
from jinka.kit import Clock, Fault, JinkaError, Refused, Usage
from jinka.terminal.host_messages import (
    REASON_MAC,
    REASON_OTHER,
    REASON_TIMEOUT,
    CardFacts,
    HostMessages,
    balance_of,
    transmission,
)
from jinka.terminal.host_verbs import SETTLE, VERBS, Verb
from jinka.terminal.pin_pad import PinPad
from jinka.terminal.till_states import DEBTS, TillEntry, TillState, TillStep, check_original

APPROVED_CODES = frozenset({"00", "11", "A2", "A4", "A5", "A6"})
# Answers to a reversal after which nothing is owed: done, or the host never had the original.
TAKEN_BACK = frozenset({"00", "11", "25"})
# Answers after which the same is sent again: the host is not able to take it now.
TRY_AGAIN = frozenset({"09", "19", "68", "77", "90", "91", "92", "96", "98", "A0"})
# Answers that a host gives who does not know our keys: a new sign-in helps.
SIGN_IN_AGAIN = frozenset({"77", "A0"})
_EPOCH = dt.datetime(1970, 1, 1)
_STRAY_MAX = 100  # messages on the line that are not the answer


class HostGone(JinkaError):
    """No line to the host, and nothing was sent."""

    fault = Fault.PEER


class HostLine(Protocol):
    """One line to the host, opened when it is needed."""

    def open(self) -> bool:
        """Have a line; True when it is a new one. `HostGone` when there is none."""
        ...

    def send(self, raw: bytes) -> None:
        """Send on it; the time for an answer begins. Whether all of it left is not known."""
        ...

    def receive(self) -> bytes | None:
        """The next message; None when the time for an answer is up, or the line is gone."""
        ...

    def close(self) -> None:
        """Hang up: what comes on this line is no longer believed."""
        ...


class TillJournal(Protocol):
    """Where entries are kept; durable when `write` returns."""

    def entries(self) -> Sequence[TillEntry]:
        """All that was written, oldest first."""
        ...

    def write(self, entry: TillEntry) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TillRules:
    """How a terminal behaves. ``offset_minutes`` is its time zone's."""

    tries: int = 3  # of a reversal or a fact, before the next transaction waits
    offset_minutes: int = 480
    signs_in: bool = False
    first_batch: str = (
        "000001"  # of a terminal whose journal is empty; after a loss of it, a number never used
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a transaction. ``field55`` is the issuer's word to the chip."""

    entry: TillEntry
    field55: bytes = field(default=b"", repr=False)

    @property
    def approved(self) -> bool:
        return self.entry.state in (TillState.APPROVED, TillState.DONE)


class Till:
    """One terminal. What an earlier run left open becomes owed when it starts."""

    def __init__(
        self, messages: HostMessages, pad: PinPad, line: HostLine, journal: TillJournal, clock: Clock,
        rules: TillRules,
    ) -> None:  # fmt: skip
        self.messages, self.pad, self.rules = messages, pad, rules
        self._line, self._journal, self._clock = line, journal, clock
        self.entries: dict[tuple[str, str], TillEntry] = {}
        self.batch = rules.first_batch
        self.strays = 0
        self._trace = 0
        for entry in journal.entries():
            self._know(entry)
        for entry in list(self.entries.values()):
            if entry.state in (TillState.ASKED, TillState.APPROVED):
                self._lost(entry, REASON_TIMEOUT)

    @property
    def owed(self) -> list[TillEntry]:
        """What has to be taken back or told, oldest first."""
        return [e for e in self.entries.values() if e.state in DEBTS]

    @property
    def disputed(self) -> list[TillEntry]:
        """What a person has to look at."""
        return [e for e in self.entries.values() if e.state is TillState.DISPUTED]

    def find(self, trace: str, batch: str = "") -> TillEntry:
        """A transaction of this terminal by its trace number; the newest, unless a batch is named."""
        found = [
            e for e in self.entries.values() if e.trace == trace.zfill(6) and e.batch == (batch or e.batch)
        ]
        if not found:
            raise Usage("no such transaction here", where=f"trace {trace}", fix="see the receipt")
        return found[-1]

    def ask(
        self, verb: Verb, amount_fen: int, card: CardFacts, *, pin: str | None = None,
        original: TillEntry | None = None, target: str = "",
    ) -> Reply:  # fmt: skip
        """Ask the host; what is owed goes first. The reply's entry is APPROVED until `complete` or `refuse`."""
        self.make_ready()
        if self._unsettled():
            raise Refused(
                "the batch's totals were told, and not answered", where=f"batch {self.batch}", fix="settle it"
            )
        check_original(self.entries.values(), verb, original, amount_fen)
        entry = self._entry(verb, amount_fen, card, original)
        block = self.pad.pin_block(pin, card.pan) if pin is not None else b""
        if verb.advice:
            entry = replace(entry, state=TillState.TOLD)
        message = self.messages.request(entry, card, pin_block=block, target=target)
        self._write(entry)
        if verb.advice:
            return Reply(entry=self._tell(entry))
        try:
            answer, fault = self._exchange(message)
        except HostGone:
            return Reply(entry=self._step(entry, TillStep.FAIL))
        if answer is None:
            return Reply(entry=self._lost(entry, fault))
        return self._judged(entry, message, answer)

    def advise(self, amount_fen: int, card: CardFacts) -> TillEntry:
        """What a card paid offline: kept now, told when there is time (`settle_debts`)."""
        entry = replace(self._entry(VERBS["offline"], amount_fen, card, None), state=TillState.TOLD)
        entry = replace(entry, field55=card.field55)
        self._write(entry)
        return entry

    def new_entry(self, verb: Verb, amount_fen: int, card: CardFacts) -> TillEntry:
        """The next entry, written nowhere: for who keeps no journal."""
        return self._entry(verb, amount_fen, card, None)

    def pay(self, entry: TillEntry) -> TillEntry:
        """Money is about to be handed out."""
        return self._step(entry, TillStep.PAY)

    def complete(self, entry: TillEntry) -> TillEntry:
        """The card agreed, or the money was taken."""
        return self._step(entry, TillStep.COMPLETE)

    def refuse(self, entry: TillEntry) -> TillEntry:
        """The card refused what the host approved, or nothing was handed out: it is taken back, now if that can be."""
        owed = self._step(entry, TillStep.REFUSE, reason=REASON_OTHER)
        return self._reverse(owed)

    def keep(self, entry: TillEntry, stays_fen: int) -> TillEntry:
        """A part was handed out: the rest is given back, now if that can be."""
        return self._reverse(self._step(entry, TillStep.KEEP, stays_fen=stays_fen, reason=REASON_OTHER))

    def make_ready(self) -> None:
        """Pay what is owed and have work keys; `Refused` when either cannot be."""
        self.settle_debts()
        self._sign_in_first()

    def settle_debts(self) -> list[TillEntry]:
        """Send what is owed; `Refused` when the host cannot be reached for it: no transaction passes a debt."""
        done = []
        for entry in self.owed:
            settle = self._tell if entry.state is TillState.TOLD else self._reverse
            for _ in range(self.rules.tries):
                self._sign_in_first()
                entry = settle(entry)
                if entry.state not in DEBTS:
                    break
            else:
                raise Refused(
                    "the host does not take what is owed", where=f"trace {entry.trace}",
                    fix="try again when there is a line; no transaction goes before it",
                )  # fmt: skip
            done.append(entry)
        return done

    def sign_in(self) -> None:
        """Fetch work keys; `Refused` when the host says no or sends keys whose check values are wrong."""
        message = self.messages.sign_in(self.next_trace(), self.batch)
        try:
            answer, _ = self._exchange(message)
        except HostGone:
            answer = None
        if answer is None or answer.text(39) != "00":
            code = answer.text(39) if answer is not None else "no answer"
            raise Refused(f"sign-in: {code}", where="host", fix="check the terminal's registration")
        self.pad.take_keys(answer.raw(62))
        batch = answer.text(60)[2:8]
        if len(batch) == 6 and batch.isdigit() and int(batch) and not self._in_batch():
            self.batch = batch

    def exchange(self, message: Message) -> Message | None:
        """A message without an entry of its own, of a batch; None when nobody answered it rightly."""
        try:
            return self._exchange(message)[0]
        except HostGone:
            return None

    def moment(self) -> str:
        """Field 7, now."""
        return transmission(self._clock.now_micros())

    def now(self) -> dt.datetime:
        """The terminal's local time."""
        minutes = self.rules.offset_minutes
        return _EPOCH + dt.timedelta(microseconds=self._clock.now_micros(), minutes=minutes)

    def open_settlement(self) -> TillEntry:
        """The entry of a batch's totals, written."""
        entry = self._entry(SETTLE, 0, CardFacts(pan=""), None)
        self._write(entry)
        return entry

    def close_settlement(self, entry: TillEntry, *, answered: bool) -> TillEntry:
        """With an answer the batch is closed and the next begins."""
        if not answered:
            return self._step(entry, TillStep.FORGET)
        if self.rules.signs_in:
            self.pad.forget_keys()
        return self._step(self._step(entry, TillStep.APPROVE), TillStep.COMPLETE)

    def _unsettled(self) -> bool:
        """The host may have closed the batch: it takes nothing more into it."""
        mine = [e for e in self.entries.values() if e.batch == self.batch and e.verb == SETTLE.name]
        return bool(mine) and mine[-1].state is not TillState.DONE

    def _in_batch(self) -> bool:
        return any(entry.batch == self.batch for entry in self.entries.values())

    def _sign_in_first(self) -> None:
        if self.rules.signs_in and not self.pad.signed_in:
            self.sign_in()

    def _entry(self, verb: Verb, amount_fen: int, card: CardFacts, original: TillEntry | None) -> TillEntry:
        if not 0 <= amount_fen < 10**12 or (not amount_fen and verb.name not in ("balance", SETTLE.name)):
            raise Usage("no such amount", where="amount", fix="1 fen to 9,999,999,999.99 yuan")
        return TillEntry(
            verb=verb.name, state=TillState.ASKED, batch=self.batch, trace=self.next_trace(),
            at=self.now(),
            moment=self.moment(), amount_fen=amount_fen, pan=card.pan, expiry4=card.expiry4,
            sequence=card.sequence, entry_mode=card.entry_mode,
            original=original.as_original if original is not None else "",
            approval=original.approval if original is not None else "",
            reference=original.reference if original is not None else "",
        )  # fmt: skip

    def _judged(self, entry: TillEntry, asked: Message, answer: Message) -> Reply:
        code = answer.text(39)
        found = {
            "code": code, "approval": answer.text(38), "reference": answer.text(37),
            "balance_fen": balance_of(answer),
        }  # fmt: skip
        if code in APPROVED_CODES:
            if answer.text(4) != asked.text(4) and 4 in answer.fields:
                return Reply(entry=self._lost(entry, REASON_OTHER))
            entry = self._step(entry, TillStep.APPROVE, **found)
        elif code == "10":  # a part of the amount: not offered here, so what was held is given back
            return Reply(entry=self._lost(entry, REASON_OTHER))
        else:
            entry = self._step(entry, TillStep.DECLINE, **found)
        given = answer.fields.get(55, b"")
        return Reply(entry=entry, field55=given if isinstance(given, bytes) else b"")

    def _lost(self, entry: TillEntry, reason: str) -> TillEntry:
        """Nobody knows what the host made of it."""
        step = TillStep.LOSE if entry.kind.reversible else TillStep.FORGET
        if step is TillStep.FORGET and entry.state is not TillState.ASKED:
            step = TillStep.COMPLETE
        return self._step(entry, step, reason=reason)

    def _reverse(self, entry: TillEntry) -> TillEntry:
        part = entry.state is TillState.PART
        if part and not self.messages.tells_parts:
            return self._step(entry, TillStep.GIVE_UP)
        message = self.messages.reversal(entry, trace=self.next_trace(), moment=self.moment())
        code = self._told(message)
        if code in (APPROVED_CODES if part else TAKEN_BACK):
            changes = {"amount_fen": entry.stays_fen} if part else {}
            return self._step(entry, TillStep.TAKE_BACK, **changes)
        if code == "" or code in TRY_AGAIN:
            return self._step(entry, TillStep.RETRY, tries=entry.tries + 1)
        return self._step(entry, TillStep.GIVE_UP, code=code)

    def _tell(self, entry: TillEntry) -> TillEntry:
        card = CardFacts(
            pan=entry.pan, expiry4=entry.expiry4, sequence=entry.sequence, entry_mode=entry.entry_mode,
            field55=entry.field55,
        )  # fmt: skip
        code = self._told(self.messages.request(entry, card, pin_block=b""))
        if code in APPROVED_CODES:
            return self._step(entry, TillStep.ACCEPT, code=code)
        if code == "" or code in TRY_AGAIN:
            return self._step(entry, TillStep.RETRY, tries=entry.tries + 1)
        return self._step(entry, TillStep.GIVE_UP, code=code)

    def _told(self, message: Message) -> str:
        """The host's code for a fact; empty without an answer that can be believed."""
        answer = self.exchange(message)
        return "" if answer is None else answer.text(39)

    def _exchange(self, message: Message) -> tuple[Message | None, str]:
        """The answer, or why there is none; `HostGone` when nothing was sent."""
        raw = self.messages.seal(message, self.pad)
        if self._line.open() and self.messages.signs_on:
            hello, _ = self._heard(self.messages.sign_on(self.next_trace(), self.moment()))
            if hello is None or hello.text(39) != "00":
                self._line.close()
                raise HostGone("the host does not take the line", where="sign-on", fix="check its peers")
        return self._heard(message, raw)

    def _heard(self, message: Message, raw: bytes = b"") -> tuple[Message | None, str]:
        self._line.send(raw or self.messages.seal(message, self.pad))
        for _ in range(_STRAY_MAX):
            given = self._line.receive()
            if given is None:
                break
            try:
                answer = self.messages.open(given, message)
                if answer is None:
                    self.strays += 1
                    continue
                self.messages.check(given, answer, self.pad)
            except DecodeError:
                break
            except Refused:
                self._line.close()
                if self.rules.signs_in and answer is not None and answer.text(39) in SIGN_IN_AGAIN:
                    self.pad.forget_keys()
                return None, REASON_MAC
            return answer, ""
        self._line.close()
        return None, REASON_TIMEOUT

    def _step(self, entry: TillEntry, step: TillStep, **changes: object) -> TillEntry:
        after = entry.after(step, **changes)
        self._write(after)
        return after

    def _write(self, entry: TillEntry) -> None:
        self._journal.write(entry)
        self._know(entry)

    def _know(self, entry: TillEntry) -> None:
        if entry.key not in self.entries:
            self._trace, self.batch = int(entry.trace), entry.batch
        self.entries[entry.key] = entry
        if entry.verb == SETTLE.name and entry.state is TillState.DONE:
            self.batch = f"{int(entry.batch) % 999_999 + 1:06d}"

    def next_trace(self) -> str:
        """The next of this terminal's trace numbers."""
        self._trace = self._trace % 999_999 + 1
        return f"{self._trace:06d}"
