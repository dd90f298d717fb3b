"""The holder's verification by the card's list 8E (EMV Book 3, 10.5; codes of annex C3).

Rules are tried in order until one succeeds, or fails without leave to go on. Conditions and methods are tables; what
the terminal cannot do counts as a failure of the rule, not of the transaction. Results are set as Book 4, 6.3.4.5,
table 2, says: only a rule that was carried out is named there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jinka.codec.emv_tags import Tag
from jinka.crypto import emv
from jinka.crypto.emv_oda import PublicKey
from jinka.kit import Refused
from jinka.terminal.emv_data import Aip, Capability, Run, Tsi, Tvr
from jinka.terminal.emv_oda import card_key
from jinka.terminal.emv_selection import send

_NEXT = 0x40
_UNKNOWN, _FAILED, _DONE = 0x00, 0x01, 0x02
_RULES_MAX = 32
_ATTEMPTS_MAX = 5
_PLAIN, _ENCIPHERED = 0x80, 0x88
_CASH, _CASHBACK = 0x01, 0x09
_NO_RULE, _NONE_FITS = b"\x3f\x00\x00", b"\x3f\x00\x01"
_CVR_PIN_DONE, _CVR_PIN_FAILED = 0x04, 0x02  # first byte of the card's results (JR/T 0025.5)

# Method -> what the terminal must be able to do.
METHODS: dict[int, Capability] = {
    0x01: Capability.PLAIN_PIN,
    0x02: Capability.ONLINE_PIN,
    0x03: Capability.PLAIN_PIN | Capability.SIGNATURE,
    0x04: Capability.ENCIPHERED_PIN,
    0x05: Capability.ENCIPHERED_PIN | Capability.SIGNATURE,
    0x1E: Capability.SIGNATURE,
    0x1F: Capability.NO_CVM,
}
_OFFLINE_PIN = frozenset({0x01, 0x03, 0x04, 0x05})
_PIN_METHODS = _OFFLINE_PIN | {0x02}


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the list, with the list's two amounts in fen."""

    run: Run
    method: int
    x_fen: int
    y_fen: int

    @property
    def possible(self) -> bool:
        """Whether the terminal can do it."""
        wanted = METHODS.get(self.method)
        return wanted is not None and self.run.device.capabilities & wanted == wanted

    @property
    def fen(self) -> int | None:
        """The amount, when it is in the card's currency."""
        run = self.run
        own = run.values.get(Tag.CURRENCY_APPLICATION) == run.device.currency
        return run.sale.amount_fen if own else None


# Condition -> whether a rule applies.
CONDITIONS: dict[int, Callable[[Rule], bool]] = {
    0x00: lambda _: True,
    0x01: lambda rule: rule.run.device.atm and rule.run.sale.type == _CASH,
    0x02: lambda rule: rule.run.sale.type not in (_CASH, _CASHBACK),
    0x03: lambda rule: rule.possible,
    0x04: lambda rule: not rule.run.device.atm and rule.run.sale.type == _CASH,
    0x05: lambda rule: rule.run.sale.type == _CASHBACK,
    0x06: lambda rule: rule.fen is not None and rule.fen < rule.x_fen,
    0x07: lambda rule: rule.fen is not None and rule.fen > rule.x_fen,
    0x08: lambda rule: rule.fen is not None and rule.fen < rule.y_fen,
    0x09: lambda rule: rule.fen is not None and rule.fen > rule.y_fen,
}


def verify_holder(run: Run) -> None:
    """Go through the list; the result is 9F34 and bits of the TVR."""
    run.values[Tag.CVM_RESULTS] = _NO_RULE
    listed = run.values.get(Tag.CVM_LIST, b"")
    if not run.aip(Aip.CVM):
        return
    if len(listed) < 10 or len(listed) % 2:
        run.mark(Tvr.DATA_MISSING)
        return
    run.tsi |= Tsi.CVM
    run.values[Tag.CVM_RESULTS] = _NONE_FITS
    x, y = int.from_bytes(listed[:4], "big"), int.from_bytes(listed[4:8], "big")
    for at in range(8, min(len(listed), 8 + 2 * _RULES_MAX), 2):
        code, condition = listed[at], listed[at + 1]
        method, applies = code & 0x3F, CONDITIONS.get(condition)
        if applies is None or not applies(Rule(run, method, x, y)):
            continue
        result = _perform(run, method)
        if result is not None:
            run.values[Tag.CVM_RESULTS] = bytes((code, condition, result))
        if result not in (None, _FAILED):
            return
        if not code & _NEXT:
            break
    run.mark(Tvr.CVM_FAILED)


def pin_disputed(run: Run) -> bool:
    """Whether the terminal takes an offline PIN for verified, and the card's own results say that it was not.

    Somebody between the two can answer VERIFY in the card's name. The card's results are in its cryptogram and its
    combined signature; they are read where 9F10 has the form of JR/T 0025.5.
    """
    own, results = run.values.get(Tag.ISSUER_DATA, b""), run.values.get(Tag.CVM_RESULTS, _NO_RULE)
    if len(own) < 7 or own[0] != 7 or own[3] != 3:
        return False
    if results[0] & 0x3F not in _OFFLINE_PIN or results[2] == _FAILED:
        return False
    return own[4] & (_CVR_PIN_DONE | _CVR_PIN_FAILED) != _CVR_PIN_DONE


def _perform(run: Run, method: int) -> int | None:
    """The result of a rule; None when the terminal cannot carry it out."""
    wanted = METHODS.get(method)
    if method == 0x00:
        return _FAILED
    if wanted is None:
        run.mark(Tvr.CVM_UNKNOWN)
        return None
    if run.device.capabilities & wanted != wanted:
        if method in _PIN_METHODS:
            run.mark(Tvr.PIN_PAD_MISSING)
        return None
    if method == 0x02:
        return _online_pin(run)
    if method in _PIN_METHODS and not _offline_pin(run, enciphered=method in (0x04, 0x05)):
        return _FAILED
    if method in (0x03, 0x05, 0x1E):
        run.signature_wanted = True
        return _UNKNOWN
    return _DONE


def _online_pin(run: Run) -> int:
    """The PIN goes to the issuer by the acquirer's own encryption; here it only counts that it was entered."""
    if _asked_pin(run) is None:
        return _FAILED
    run.mark(Tvr.ONLINE_PIN)
    return _UNKNOWN


def _asked_pin(run: Run) -> str | None:
    """Once the holder has passed over a PIN, no other rule asks for one (Book 4, 6.3.4.3)."""
    pin = None if run.tvr & Tvr.PIN_NOT_ENTERED else run.sale.pin()
    if pin is None:
        run.mark(Tvr.PIN_NOT_ENTERED)
    return pin


def _offline_pin(run: Run, *, enciphered: bool) -> bool:
    tries = send(run.link, b"\x80\xca\x9f\x17\x00")
    if tries.sw == 0x9000 and tries.data[-1:] == b"\x00":
        run.mark(Tvr.PIN_TRIES_EXCEEDED)
        return False
    for _ in range(_ATTEMPTS_MAX):
        pin = _asked_pin(run)
        if pin is None:
            return False
        block = emv.pin_block(pin)
        sw = _verify_enciphered(run, block) if enciphered else _verify(run, _PLAIN, block)
        if sw == 0x9000:
            return True
        if sw in (0x63C0, 0x6983, 0x6984):
            run.mark(Tvr.PIN_TRIES_EXCEEDED)
            return False
        if sw & 0xFFF0 != 0x63C0:
            return False
    return False


def _verify(run: Run, reference: int, data: bytes) -> int:
    return send(run.link, bytes((0x00, 0x20, 0x00, reference, len(data))) + data).sw


def _verify_enciphered(run: Run, block: bytes) -> int:
    """7F, block, the card's challenge, random filling, under the card's key (Book 2, 7.2)."""
    challenge = send(run.link, bytes.fromhex("0084000008"))
    if challenge.sw != 0x9000 or len(challenge.data) != 8:
        return challenge.sw if challenge.sw != 0x9000 else 0x6700
    try:
        key = run.icc_key or card_key(run)
        if not isinstance(key, PublicKey):
            return 0x6985  # no public source says how a PIN is enciphered with SM2
        filling = run.randomness.token_bytes(key.size - 17)
        return _verify(run, _ENCIPHERED, key.open(b"\x7f" + block + challenge.data + filling))
    except Refused:
        return 0x6985
