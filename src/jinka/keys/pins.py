"""Verbs of PINs: translate one or many between two zones, check one against PVV or IBM 3624, make what is stored.

ISO 9564-1 and ANSI X9.8 (restrictions of translation), PCI PIN v3.1. No PIN comes in or goes out in clear. A wrong PIN
and a block that is none have one message; both are counted, and after too many even the right PIN waits. The decimal
table and the method belong to the PIN verification key's own line of the catalogue.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jinka.crypto.dukpt import DukptUse
from jinka.crypto.pin_batch import translate_pins as translate_batch
from jinka.crypto.pin_block import (
    PinFormat,
    PinZone,
    check_pan,
    check_translation,
    decipher_pin,
    encipher_pin,
)
from jinka.crypto.pin_verify import (
    STANDARD_TABLE,
    Ibm3624,
    check_pin_verification_value,
    pin_verification_value,
)
from jinka.keys.border import verb
from jinka.keys.catalogue import KeyName, Use
from jinka.keys.payment import WorkingKeyVerbs
from jinka.keys.port import Purpose
from jinka.keys.steps import StepKey
from jinka.keys.wire import add_enums
from jinka.kit import Refused, Usage

PINS_MAX = 1 << 15  # rows of a batch: the account numbers travel in a header that has an end
PIN_PURPOSES = (Purpose.ZONE_PIN, Purpose.TERMINAL_PIN)
_PVV, IBM = "pvv", "ibm3624"

add_enums(PinFormat)

Bytes = npt.NDArray[np.uint8]


class PinVerbs(WorkingKeyVerbs):
    """A zone is a key with the format that PINs have under it; with ``serial`` the key is DUKPT's."""

    @verb
    def translate_pin(
        self,
        block: bytes,
        *,
        source: str,
        source_format: PinFormat,
        target: str,
        target_format: PinFormat,
        pan: str,
        serial: bytes = b"",
    ) -> bytes:
        """The same PIN for the same account number under another zone's key; raises `Refused`."""
        check_pan(pan)
        outgoing = self._zone(target, target_format)
        with self._working(source, Use.CHECK, PIN_PURPOSES, serial, DukptUse.PIN) as key:
            incoming = PinZone(key=key, format=source_format)
            check_translation(incoming, outgoing)
            pin = self._opened(source, incoming, block, pan)
            return encipher_pin(outgoing, pin, pan, self.holding.working.randomness)

    @verb
    def translate_pins(
        self,
        blocks: Bytes,
        *,
        source: str,
        source_format: PinFormat,
        target: str,
        target_format: PinFormat,
        pans: list[str],
    ) -> tuple[Bytes, npt.NDArray[np.bool_]]:
        """`translate_pin` for N blocks of one zone: (N, 8 or 16), and for each row whether it was done."""
        if len(pans) > PINS_MAX:
            raise Usage(f"{len(pans)} PINs", where="translate_pins", fix=f"at most {PINS_MAX} at once")
        incoming = PinZone(key=self._step(source, Use.CHECK, *PIN_PURPOSES), format=source_format)
        outgoing = self._zone(target, target_format)
        done, good = translate_batch(blocks, incoming, outgoing, pans, self.holding.working.randomness)
        self.holding.working.blocks.add(int(len(good) - good.sum()), self._mark(source))
        return done, good

    @verb
    def verify_pin(
        self,
        block: bytes,
        *,
        zone: str,
        zone_format: PinFormat,
        pan: str,
        key: str,
        reference: str,
        serial: bytes = b"",
    ) -> None:
        """Check a PIN; raises `Refused`. ``reference`` is what the issuer stored: offset, or key index and PVV."""
        check_pan(pan)
        checker, method = self._checker(key, Use.CHECK)
        check_reference(method, reference)
        with self._working(zone, Use.CHECK, PIN_PURPOSES, serial, DukptUse.PIN) as working:
            incoming = PinZone(key=working, format=zone_format)
            with self.holding.working.pins.attempt(self._mark(key), pan):
                try:
                    pin = self._opened(zone, incoming, block, pan)
                    if method == IBM:
                        self._ibm(key, checker).check(pan, pin, reference)
                    else:
                        check_pin_verification_value(checker, pan, pin, int(reference[0]), reference[1:])
                except (Refused, Usage):
                    raise Refused("the PIN is refused", where="PIN") from None

    @verb
    def make_pvv(
        self,
        block: bytes,
        *,
        zone: str,
        zone_format: PinFormat,
        pan: str,
        key: str,
        index: int,
        serial: bytes = b"",
    ) -> str:
        """What is stored for a PIN that the holder chose: the key's index and the PVV, 5 digits."""
        check_pan(pan)
        checker, method = self._checker(key, Use.MAKE)
        _require_method(key, method, _PVV)
        with self._working(zone, Use.CHECK, PIN_PURPOSES, serial, DukptUse.PIN) as working:
            pin = self._opened(zone, PinZone(key=working, format=zone_format), block, pan)
            return f"{index}{pin_verification_value(checker, pan, pin, index)}"

    @verb
    def make_offset(
        self,
        block: bytes,
        *,
        zone: str,
        zone_format: PinFormat,
        pan: str,
        key: str,
        serial: bytes = b"",
    ) -> str:
        """What is stored for a PIN that the holder chose: the offset of IBM 3624, as long as the PIN."""
        check_pan(pan)
        checker, method = self._checker(key, Use.MAKE)
        _require_method(key, method, IBM)
        ibm = self._ibm(key, checker)
        with self._working(zone, Use.CHECK, PIN_PURPOSES, serial, DukptUse.PIN) as working:
            pin = self._opened(zone, PinZone(key=working, format=zone_format), block, pan)
            return ibm.offset(pan, pin)

    def _zone(self, target: str, form: PinFormat) -> PinZone:
        return PinZone(key=self._step(target, Use.MAKE, *PIN_PURPOSES), format=form)

    def _opened(self, zone: str, incoming: PinZone, block: bytes, pan: str) -> str:
        with self.holding.working.blocks.attempt(self._mark(zone)):
            return decipher_pin(incoming, block, pan)

    def _checker(self, key: str, use: Use) -> tuple[StepKey, str]:
        step = self._step(key, use, Purpose.PIN_VERIFY)
        return step, self._term(key, "method", _PVV)

    def _ibm(self, key: str, checker: StepKey) -> Ibm3624:
        return Ibm3624(
            key=checker,
            start=int(self._term(key, "start", "0")),
            length=int(self._term(key, "length", "16")),
            filler=self._term(key, "filler", "F"),
            table=self._term(key, "table", STANDARD_TABLE),
        )

    def _term(self, key: str, name: str, otherwise: str) -> str:
        found = self.holding.find(KeyName.parse(key))
        return otherwise if found is None else found[0].term(name, otherwise)


def check_reference(method: str, reference: str) -> None:
    """`Usage` unless it is something that a PIN can be compared with by this method."""
    sizes = range(4, 13) if method == IBM else (5,)
    if not (reference.isascii() and reference.isdigit() and len(reference) in sizes):
        raise Usage("no such reference", where="verify_pin", fix="an offset, or key index and PVV: 5 digits")


def _require_method(key: str, method: str, wanted: str) -> None:
    if method != wanted:
        raise Refused(f"the key is for {method}, not {wanted}", where=f"keys.{key}")
