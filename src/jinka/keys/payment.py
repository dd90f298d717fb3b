"""Verbs of messages and card values: MACs, data between parties, CVV and its family.

ISO/IEC 9797-1, ANSI X9.9 and X9.19, UnionPay's MACs, DUKPT (ANSI X9.24), Visa and Mastercard card values. Keys go by
their names; a base derivation key needs the message's key serial number, and a serial number serves once for each use.
What comes to be checked is as long as the caller agreed with his peer, not as long as it happens to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jinka.crypto import card_value as values
from jinka.crypto import dukpt, dukpt_aes
from jinka.crypto.block import invert
from jinka.crypto.block_key import BlockCipher, CipherKey
from jinka.crypto.dukpt import DukptUse
from jinka.crypto.dukpt_aes import AesDukptType, AesDukptUse, AesSerial
from jinka.crypto.emv import card_block
from jinka.crypto.mac import MacAlgorithm, MacScheme, Padding, check_mac, make_mac
from jinka.crypto.pin_block import check_pan
from jinka.crypto.unionpay_mac import PosMacForm, check_interbank_mac, check_pos_mac, interbank_mac, pos_mac
from jinka.keys.border import Border, verb
from jinka.keys.catalogue import KeyName, Use
from jinka.keys.port import Purpose
from jinka.keys.steps import StepKey
from jinka.keys.wire import add_enums
from jinka.kit import Refused, Usage

DATA_MAX = 1 << 20
MAC_PURPOSES = (Purpose.ZONE_MAC, Purpose.TERMINAL_MAC)
# The uses of DUKPT's keys, seen from the host: it checks requests and makes responses.
_AES_USES = {
    DukptUse.PIN: AesDukptUse.PIN,
    DukptUse.MAC_REQUEST: AesDukptUse.MAC_GENERATE,  # named for the side that derives the key first, the terminal
    DukptUse.MAC_RESPONSE: AesDukptUse.MAC_VERIFY,
    DukptUse.DATA_REQUEST: AesDukptUse.DATA_ENCRYPT,
    DukptUse.DATA_RESPONSE: AesDukptUse.DATA_DECRYPT,
}
_AES_TYPES = {16: AesDukptType.AES_128, 24: AesDukptType.AES_192, 32: AesDukptType.AES_256}

add_enums(MacAlgorithm, Padding, PosMacForm)


class WorkingKeyVerbs(Border):
    """How the verbs of payments come to their key."""

    def _step(self, key: str, use: Use, *purposes: Purpose) -> StepKey:
        return StepKey(self._named(key, use, *purposes))

    @contextmanager
    def _working(
        self, key: str, use: Use, purposes: tuple[Purpose, ...], serial: bytes, what: DukptUse
    ) -> Iterator[CipherKey]:
        """The named key, or with a serial number the key that DUKPT derives; the number is used up if all goes well."""
        if not serial:
            yield self._step(key, use, *purposes)
            return
        base = self._step(key, use, Purpose.BASE_DERIVATION)
        if base.cipher is BlockCipher.AES:
            number = AesSerial.parse(serial)
            initial = dukpt_aes.initial_key(base, number.initial_id)
            kind = _AES_TYPES[base.size]
            yield dukpt_aes.working_key(initial, number, _AES_USES[what], kind)
            terminal, counter = number.initial_id, number.counter
        else:
            counter = dukpt.serial_counter(serial)
            yield dukpt.working_key(base.in_memory(), serial, what)
            terminal = serial[:7] + bytes((serial[7] & 0xE0,))
        self.holding.working.serials.accept(self._mark(key), terminal, what.name, counter)

    def _mark(self, key: str) -> str:
        """What guards know a key by: its check value, so that the same key under a second name is no second chance."""
        found = self.holding.find(KeyName.parse(key))
        if found is None:
            raise Refused("no such key", where=f"keys.{key}")
        return StepKey(found[1]).mark.hex()

    @contextmanager
    def _card_key(self, root: str, use: Use, purpose: Purpose, block8: bytes) -> Iterator[StepKey]:
        """A card's own key under the named root (EMV Book 2, A1.4)."""
        made = self._named(root, use, purpose).derive(block8 + invert(block8))
        try:
            yield StepKey(made)
        finally:
            made.close()


class MessageVerbs(WorkingKeyVerbs):
    """MACs and data."""

    @verb
    def generate_mac(
        self,
        data: bytes,
        *,
        key: str,
        algorithm: MacAlgorithm,
        padding: Padding = Padding.METHOD_1,
        size: int = 8,
        serial: bytes = b"",
    ) -> bytes:
        """A MAC of ISO/IEC 9797-1 under a zone's, a terminal's or a DUKPT key (``serial``: of the request)."""
        scheme = MacScheme(algorithm=algorithm, padding=padding, size=size)
        with self._working(key, Use.MAKE, MAC_PURPOSES, serial, DukptUse.MAC_RESPONSE) as working:
            return make_mac(scheme, working, _data(data))

    @verb
    def verify_mac(
        self,
        data: bytes,
        mac: bytes,
        *,
        key: str,
        algorithm: MacAlgorithm,
        padding: Padding = Padding.METHOD_1,
        size: int = 8,
        serial: bytes = b"",
    ) -> None:
        """Check a MAC of exactly ``size`` bytes; raises `Refused`."""
        scheme = MacScheme(algorithm=algorithm, padding=padding, size=size)
        with self._working(key, Use.CHECK, MAC_PURPOSES, serial, DukptUse.MAC_REQUEST) as working:
            check_mac(scheme, working, _data(data), mac)

    @verb
    def generate_pos_mac(self, message: bytes, *, key: str, form: PosMacForm = PosMacForm.HEX) -> bytes:
        """Field 64 of a UnionPay terminal's message, 8 bytes."""
        return pos_mac(self._step(key, Use.MAKE, *MAC_PURPOSES), _data(message), form)

    @verb
    def verify_pos_mac(
        self, message: bytes, field64: bytes, *, key: str, form: PosMacForm = PosMacForm.HEX
    ) -> None:
        """Check field 64; raises `Refused`."""
        check_pos_mac(self._step(key, Use.CHECK, *MAC_PURPOSES), _data(message), field64, form)

    @verb
    def generate_interbank_mac(self, fields: list[str], *, key: str) -> bytes:
        """Field 128 between UnionPay's members, 8 bytes."""
        return interbank_mac(self._step(key, Use.MAKE, Purpose.ZONE_MAC), fields)

    @verb
    def verify_interbank_mac(self, fields: list[str], field128: bytes, *, key: str) -> None:
        """Check field 128; raises `Refused`."""
        check_interbank_mac(self._step(key, Use.CHECK, Purpose.ZONE_MAC), fields, field128)

    @verb
    def encrypt_data(self, data: bytes, *, key: str, iv: bytes, serial: bytes = b"") -> bytes:
        """Whole blocks in CBC for another party; padding is the message's. With ``serial`` a DUKPT response."""
        with self._working(key, Use.MAKE, (Purpose.ZONE_DATA,), serial, DukptUse.DATA_RESPONSE) as working:
            return working.cbc_encrypt(_blocks(working, data), _start(working, iv))

    @verb
    def decrypt_data(self, data: bytes, *, key: str, iv: bytes, serial: bytes = b"") -> bytes:
        """The inverse of `encrypt_data`; with ``serial`` a DUKPT request."""
        with self._working(key, Use.CHECK, (Purpose.ZONE_DATA,), serial, DukptUse.DATA_REQUEST) as working:
            return working.cbc_decrypt(_blocks(working, data), _start(working, iv))


class CardValueVerbs(WorkingKeyVerbs):
    """CVV, CVC, iCVV, CVV2 and the dynamic ones. Wrong values are counted for each key and account number."""

    @verb
    def make_card_value(self, *, key: str, pan: str, date4: str, service3: str, digits: int = 3) -> str:
        """A static value; ``service3`` tells which: the stripe's own code, 000 (CVV2) or 999 (iCVV)."""
        return values.card_value(self._step(key, Use.MAKE, Purpose.CARD_VERIFY), pan, date4, service3, digits)

    @verb
    def verify_card_value(self, *, key: str, pan: str, date4: str, service3: str, value: str) -> None:
        """Check a static value; raises `Refused`."""
        step = self._step(key, Use.CHECK, Purpose.CARD_VERIFY)
        with self._counted(key, pan):
            values.check_card_value(step, pan, date4, service3, value)

    @verb
    def verify_dynamic_value(
        self, *, key: str, pan: str, sequence: str, date4: str, service3: str, counter: int, value: str
    ) -> None:
        """Check a dCVV under the card's key of the named root; raises `Refused`. Its novelty is for the host."""
        check_pan(pan)
        block8 = card_block(pan, sequence)
        with self._counted(key, pan), self._card_key(key, Use.CHECK, Purpose.CARD_VERIFY, block8) as card:
            values.check_dynamic_value(card, pan, date4, service3, counter, value)

    @verb
    def verify_cvc3(
        self,
        *,
        key: str,
        pan: str,
        sequence: str,
        track: bytes,
        unpredictable4: bytes,
        counter: int,
        value: str,
    ) -> None:
        """Check a CVC3 under the card's key of the named root; raises `Refused`."""
        check_pan(pan)
        block8 = card_block(pan, sequence)
        with self._counted(key, pan), self._card_key(key, Use.CHECK, Purpose.CARD_VERIFY, block8) as card:
            values.check_cvc3(card, track, unpredictable4, counter, value)

    @contextmanager
    def _counted(self, key: str, pan: str) -> Iterator[None]:
        with self.holding.working.values.attempt(self._mark(key), pan):
            yield


def _data(data: bytes) -> bytes:
    if len(data) > DATA_MAX:
        raise Usage(f"{len(data)} bytes", where="data", fix=f"at most {DATA_MAX}")
    return data


def _blocks(key: CipherKey, data: bytes) -> bytes:
    if not data or len(_data(data)) % key.cipher.block:
        raise Usage(f"{len(data)} bytes", where="data", fix=f"whole blocks of {key.cipher.block}")
    return data


def _start(key: CipherKey, iv: bytes) -> bytes:
    if len(iv) != key.cipher.block:
        raise Refused(f"an initial value of {len(iv)} bytes", where="data", fix="one block of the cipher")
    return iv
