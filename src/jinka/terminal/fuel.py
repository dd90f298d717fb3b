"""The fuel pump: lock the purse, fill, debit and release it; and all the ways in which that is interrupted.

JR/T 0025.9, CJ/T 304 (grey lock). `lock` before the nozzle opens, `settle` with the amount when it closes, `release`
when the card is there. A card that went away is released later: at this pump, at another pump of the station, at
any station after a while (`FuelDevice.elsewhere_after`), or by the issuer online. What the card did is asked of the
card itself (GET LOCK PROOF), so nothing is debited twice and no TAC is lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from jinka.codec import StatusWord
from jinka.codec.clearing import ClearingRecord
from jinka.kit import Refused, bcd_date, bcd_time
from jinka.profile import ALGORITHM_LABELS, GreySpec
from jinka.terminal import torn
from jinka.terminal.fuel_release import ReleaseAuthority, ask_release, grey_unlock
from jinka.terminal.fuel_state import FuelState
from jinka.terminal.grey import CLEAR_PROOF, GREY, GreyClaim, GreyHold, LockProof, read_proof
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused, ask, ask_exactly
from jinka.terminal.lists import Acknowledgement, BlockList, DownloadKind
from jinka.terminal.lists_download import Download, Downloads
from jinka.terminal.reading import BuyingRule, PublicData, card_algorithm, read_public, read_rule, select

_HOLDS_MAX = 10_000


class FuelStatus(Enum):
    """``UNSURE``: the lock was sent and no answer came, fill nothing. ``GREY``: locked elsewhere.

    ``TORN``: the debit was sent and no answer came; present the card again.
    """

    LOCKED = "locked"
    DONE = "done"
    UNSURE = "unsure"
    GREY = "grey"
    BLOCKED = "blocked"
    REFUSED = "refused"
    REMOVED = "removed"
    TORN = "torn"
    SETTLED_ONLINE = "settled online"


@dataclass(frozen=True, slots=True, kw_only=True)
class FuelOutcome:
    """``hold`` with LOCKED and UNSURE, ``record`` with DONE (confirmed) and TORN, ``proof`` with GREY."""

    status: FuelStatus
    hold: GreyHold | None = None
    record: ClearingRecord | None = None
    proof: LockProof | None = None
    sw: int = 0
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FuelDevice:
    """What a pump is told when it is set up. ``purse`` 02, or 01 for a passbook."""

    aid: bytes
    profile: str
    profile_version: int
    purse: int
    key_index: int
    release_key_index: int
    grey: GreySpec
    station: str
    zone: str
    product: str  # of the tariff: what its claims name
    operator: str
    acquirer: str
    issuers: Mapping[bytes, str]
    psam_name: bytes
    elsewhere_after: dt.timedelta = dt.timedelta(hours=48)
    grade: int = 0  # what the nozzle sells, a bit of the card's file 001C; 0 sells to every card


class FuelTerminal:
    """One pump with its PSAM.

    ``holds`` and ``claims`` must outlive a loss of power: ``keep`` is given them as bytes before a card can become grey
    and before a claim is told to anybody, and returns when they are durable. What is kept may lag behind a release: the
    claim then comes again, and the card shows that it was paid. ``state`` is what `FuelState.from_bytes` read.
    """

    __slots__ = (
        "_data",
        "_keep",
        "_psam",
        "block_list",
        "business_date",
        "claims",
        "downloads",
        "holds",
        "psam_id",
        "terminal_id",
    )

    def __init__(
        self,
        data: FuelDevice,
        psam: ApduLink,
        business_date: dt.date,
        *,
        downloads: Downloads | None = None,
        state: FuelState | None = None,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        """Read the PSAM's numbers; `Refused` for the state of another terminal."""
        self._data, self._psam, self.business_date = data, psam, business_date
        self.block_list = BlockList()
        self._keep = keep
        self.holds: dict[bytes, GreyHold] = {}
        self.claims: dict[bytes, GreyClaim] = {}
        self.terminal_id = ask_exactly(psam, "psam 0016", bytes.fromhex("00B0960006"), 6)
        self.psam_id = ask_exactly(psam, "psam 0015", bytes.fromhex("00B095000A"), 10)
        select(psam, data.psam_name)
        self.downloads = downloads if downloads is not None else Downloads(self.terminal_id)
        if self.downloads.terminal_id != self.terminal_id:
            raise Refused("another terminal's state", where="downloads", fix="give each pump its own")
        self._obey()
        if state is not None:
            if state.terminal_id != self.terminal_id:
                raise Refused("another terminal's state", where="state", fix="give each pump its own")
            self.holds.update((hold.card_no, hold) for hold in state.holds)
            self.claims.update((claim.hold.card_no, claim) for claim in state.claims)

    @property
    def state(self) -> FuelState:
        """What must outlive a loss of power."""
        holds, claims = tuple(self.holds.values()), tuple(self.claims.values())
        return FuelState(terminal_id=self.terminal_id, holds=holds, claims=claims)

    def receive(self, download: Download, at: dt.datetime) -> Acknowledgement:
        """Take a block list; it is obeyed from its time on. Raises `Refused`, and `Usage` for a body without sense."""
        if download.kind is not DownloadKind.BLOCK_LIST:
            raise Refused(f"a pump has no use for a {download.kind.value}", where="receive")
        BlockList.from_body(download.version, download.body)
        answer = self.downloads.install(download, at)
        self._obey()
        return answer

    def _obey(self) -> None:
        download = self.downloads.current(DownloadKind.BLOCK_LIST)
        if download is not None and download.version != self.block_list.version:
            self.block_list = BlockList.from_body(download.version, download.body)

    def lock(self, card: ApduLink, at: dt.datetime) -> FuelOutcome:
        """Lock the purse before filling; goes on with an own lock, and settles an own claim first."""
        if self.downloads.switch(at):
            self._obey()
        try:
            return self._lock(card, at)
        except ChipRefused as error:
            return FuelOutcome(status=FuelStatus.REFUSED, sw=error.sw, step=error.step)
        except CardRemoved as error:
            return FuelOutcome(status=FuelStatus.REMOVED, step=error.where)

    def settle(self, card_no: bytes, amount: int) -> GreyClaim:
        """The nozzle is back: turn the hold into a claim over ``amount`` (0 when nothing flowed).

        Raises `Refused` without a certain hold, or beyond `GreyHold.most`; asking again for the same is harmless.
        """
        present = self.claims.get(card_no)
        hold = present.hold if present is not None else self.holds.get(card_no)
        if hold is None or not hold.certain:
            raise Refused("the card is not locked here", where="settle", fix="lock it first")
        if not 0 <= amount <= hold.most:
            raise Refused(
                f"{amount} of {hold.most}", where="settle", fix="stop the nozzle at the hold's most"
            )
        data = bytes((self._data.grey.unlock_type,)) + card_no[2:] + hold.counter.to_bytes(2, "big")
        command = b"\xe0\x44\x00\x00\x0f" + data + amount.to_bytes(4, "big") + b"\x04"
        gmac = ask_exactly(self._psam, "psam gmac", command, 4)
        claim = self.claims[card_no] = GreyClaim(hold=hold, amount=amount, gmac=gmac)
        self.holds.pop(card_no, None)
        self._save()
        return claim

    def release(self, card: ApduLink, claim: GreyClaim, at: dt.datetime) -> FuelOutcome:
        """Debit and release the card; ``claim`` may be another pump's."""
        hold, data = claim.hold, self._data
        if hold.station != data.station and at - hold.locked_at < data.elsewhere_after:
            return FuelOutcome(status=FuelStatus.REFUSED, step="too early at another station")
        try:
            select(card, data.aid)
            if read_public(card).card_no != hold.card_no:
                return FuelOutcome(status=FuelStatus.REFUSED, step="another card")
            return self._release(card, claim, at)
        except ChipRefused as error:
            return FuelOutcome(status=FuelStatus.REFUSED, sw=error.sw, step=error.step)
        except CardRemoved as error:
            return FuelOutcome(status=FuelStatus.REMOVED, step=error.where)

    def release_online(self, card: ApduLink, at: dt.datetime, authority: ReleaseAuthority) -> int:
        """Let the issuer release a grey card; returns the amount. Raises `Refused` and `CardRemoved`."""
        data = self._data
        select(card, data.aid)
        card_no = read_public(card).card_no
        proof = read_proof(card)
        if proof.state != GREY and proof.type == data.grey.online_type:  # torn before, here or elsewhere
            authority.released(card_no, proof.counter, proof.mac)
            self._forget(card_no)
            return proof.amount
        request = ask_release(
            card,
            card_no,
            purse=data.purse,
            key_index=data.release_key_index,
            txn_type=data.grey.online_type,
            terminal_id=self.terminal_id,
            moment=bcd_date(at) + bcd_time(at),
        )
        amount, mac2 = authority.release(request)
        mac3 = grey_unlock(card, request, amount, mac2, is_7c=data.grey.online_unlock_is_7c)
        authority.released(card_no, request.online_counter, mac3)
        self._forget(card_no)
        return amount

    def settled(self, record: ClearingRecord) -> None:
        """The issuer says that it released a card for a claim of this pump: the claim is done with."""
        claim = self.claims.get(record.card_no)
        lock = (record.terminal_id, record.terminal_serial)
        if claim is not None and lock == (self.terminal_id, int.from_bytes(claim.hold.serial, "big")):
            self._forget(record.card_no)

    def _lock(self, card: ApduLink, at: dt.datetime) -> FuelOutcome:
        data = self._data
        select(card, data.aid)
        public = read_public(card)
        claim = self.claims.get(public.card_no)
        if claim is not None:
            return self._release(card, claim, at)
        proof = read_proof(card)
        if proof.state == GREY:
            return self._resume(public, proof)
        self.holds.pop(
            public.card_no, None
        )  # an unsure lock that never happened, or one that was released elsewhere
        if self.block_list.blocks(public.card_no, at):
            return FuelOutcome(status=FuelStatus.BLOCKED, step="list")
        if not public.start <= bcd_date(at) <= public.expiry:
            return FuelOutcome(status=FuelStatus.REFUSED, step="dates")
        issuer = data.issuers.get(public.issuer)
        if issuer is None:
            return FuelOutcome(status=FuelStatus.REFUSED, step="issuer")
        if len(self.holds) >= _HOLDS_MAX:
            return FuelOutcome(status=FuelStatus.REFUSED, step="holds")
        rule = read_rule(card)
        if not rule.allows(data.grade):
            return FuelOutcome(status=FuelStatus.REFUSED, step="grade")
        return self._send_lock(card, public, issuer, rule, at)

    def _resume(self, public: PublicData, proof: LockProof) -> FuelOutcome:
        """A card that is grey already: ours, unsure or not, or somebody else's."""
        hold = self.holds.get(public.card_no)
        if hold is None or not hold.locked_by(proof):
            return FuelOutcome(status=FuelStatus.GREY, proof=proof)
        if not hold.certain:  # the MAC2 and the GTAC that were lost stand in the proof
            ask(self._psam, "psam certificate", b"\xe0\x42\x00\x00\x04" + proof.value)
            hold = self.holds[public.card_no] = replace(hold, gtac=proof.mac, certain=True)
            self._save()
        return FuelOutcome(status=FuelStatus.LOCKED, hold=hold)

    def _send_lock(
        self, card: ApduLink, public: PublicData, issuer: str, rule: BuyingRule, at: dt.datetime
    ) -> FuelOutcome:
        data = self._data
        begin = bytes((0xE0, 0x7A, 0x08, data.purse, 7, data.key_index)) + self.terminal_id + b"\x0f"
        opened = ask_exactly(card, "initialize for grey lock", begin, 15)
        algorithm = card_algorithm(opened[10], "initialize for grey lock")
        moment = bcd_date(at) + bcd_time(at)
        request = (
            opened[11:15]
            + opened[4:6]
            + opened[:4]
            + bytes((data.grey.lock_type,))
            + moment
            + opened[9:10]
            + bytes((ALGORITHM_LABELS[algorithm],))
            + public.factor8
            + public.region_factor
        )
        signed = ask_exactly(
            self._psam, "psam init grey lock", b"\xe0\x40\x00\x00\x24" + request + b"\x0c", 12
        )
        hold = GreyHold(
            card_no=public.card_no,
            card_len=public.card_len,
            issuer=issuer,
            key_version=public.key_version,
            algorithm=public.algorithm,
            balance=int.from_bytes(opened[:4], "big"),
            counter=int.from_bytes(opened[4:6], "big"),
            serial=signed[:4],
            moment=moment,
            locked_at=at,
            terminal_id=self.terminal_id,
            psam_id=self.psam_id,
            station=data.station,
            operator=data.operator,
            acquirer=data.acquirer,
            profile=data.profile,
            profile_version=data.profile_version,
            zone=data.zone,
            product=data.product,
            lock_type=data.grey.lock_type,
            certain=False,
            most_fen=rule.most_fen,
        )
        self.holds[public.card_no] = hold  # before the card is asked: from here on it may be grey
        self._save()
        command = b"\xe0\x7c\x08\x00\x13" + signed[:8] + moment + signed[8:] + b"\x08"
        try:
            answer = ask_exactly(card, "grey lock", command, 8)
        except CardRemoved:
            return FuelOutcome(status=FuelStatus.UNSURE, hold=hold)
        except ChipRefused:
            del self.holds[public.card_no]
            raise
        ask(self._psam, "psam certificate", b"\xe0\x42\x00\x00\x04" + answer[4:])
        hold = self.holds[public.card_no] = replace(hold, gtac=answer[:4], certain=True)
        self._save()
        return FuelOutcome(status=FuelStatus.LOCKED, hold=hold)

    def _release(self, card: ApduLink, claim: GreyClaim, at: dt.datetime) -> FuelOutcome:
        """The application is selected and the card is the claim's."""
        moment = bcd_date(at) + bcd_time(at)
        record = claim.record(self._data.grey.unlock_type, moment, self.business_date)
        proof = read_proof(card)
        if proof.state == GREY and not claim.hold.locked_by(proof):  # a wrong GMAC would cost the card a try
            found = torn.find_release(card, record)
            if found is None:
                return FuelOutcome(status=FuelStatus.GREY, proof=proof)
            self._forget(claim.hold.card_no)
            return FuelOutcome(status=FuelStatus.DONE, record=found)
        try:
            tac = ask_exactly(card, "debit for unlock", claim.debit(self._data.purse, moment), 4)
        except CardRemoved:
            return FuelOutcome(status=FuelStatus.TORN, record=record)
        except ChipRefused as error:
            if error.sw not in (StatusWord.CONDITIONS_NOT_SATISFIED, StatusWord.PROOF_UNAVAILABLE):
                raise
            return self._look_back(card, claim, error)
        self._forget(claim.hold.card_no)
        self._clear(card)
        return FuelOutcome(status=FuelStatus.DONE, record=record.confirmed(tac))

    def _look_back(self, card: ApduLink, claim: GreyClaim, error: ChipRefused) -> FuelOutcome:
        """The card is not grey for this claim any more: find its release in the proof or in the log."""
        grey, hold, proof = self._data.grey, claim.hold, read_proof(card)
        paid = (proof.counter, proof.terminal_id, proof.amount) == (
            hold.counter,
            hold.terminal_id,
            claim.amount,
        )
        if proof.state != GREY and proof.type == grey.unlock_type and paid:
            self._forget(hold.card_no)
            self._clear(card)
            record = claim.record(grey.unlock_type, proof.moment, self.business_date)
            return FuelOutcome(status=FuelStatus.DONE, record=record.confirmed(proof.mac))
        left = hold.balance - claim.amount
        if proof.state != GREY and proof.type == grey.online_type and proof.balance == left:
            self._forget(hold.card_no)
            return FuelOutcome(status=FuelStatus.SETTLED_ONLINE, proof=proof)
        found = torn.find_release(card, claim.record(grey.unlock_type, bytes(7), self.business_date))
        if found is None:
            raise error
        self._forget(hold.card_no)
        return FuelOutcome(status=FuelStatus.DONE, record=found)

    def _clear(self, card: ApduLink) -> None:
        """Tell the card that its TAC was read; nothing depends on it."""
        try:
            card.transmit(CLEAR_PROOF)
        except CardRemoved:
            return

    def _forget(self, card_no: bytes) -> None:
        self.claims.pop(card_no, None)
        self.holds.pop(card_no, None)

    def _save(self) -> None:
        if self._keep is not None:
            self._keep(self.state.to_bytes())
