"""Verbs for many checks at once: PINs of one zone, and card values, for a host that has dozens a moment.

The rules are those of one by one (`jinka.keys.pins`, `jinka.keys.payment`), and so are the guards: each row is counted
for its account number before anything is compared. The border is passed once for all. A row says no more than one by
one: right or not, or that it had no answer, because too many failed before it or there is nothing to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jinka.crypto.card_value import check_value_key, value_data, value_of
from jinka.crypto.pin_block import PAN_DIGITS, PinFormat, PinZone, decipher_pins
from jinka.crypto.pvv_batch import check_pvvs
from jinka.keys.border import verb
from jinka.keys.catalogue import Use
from jinka.keys.payment import CardValueVerbs
from jinka.keys.payment_port import Checked
from jinka.keys.pins import IBM, PIN_PURPOSES, PINS_MAX, PinVerbs, check_reference
from jinka.keys.port import Purpose
from jinka.keys.steps import StepKey
from jinka.kit import Refused, Usage


class CheckBatchVerbs(PinVerbs, CardValueVerbs):
    """Lists of one length; more than `PINS_MAX` rows are `Usage`."""

    @verb
    def verify_pins(
        self,
        blocks: list[bytes],
        *,
        zone: str,
        zone_format: PinFormat,
        pans: list[str],
        key: str,
        references: list[str],
    ) -> Checked:
        """`verify_pin` for N blocks under one zone's key, which is none of DUKPT's."""
        _check_sizes("verify_pins", blocks, pans, references)
        checker, method = self._checker(key, Use.CHECK)
        incoming = PinZone(key=self._step(zone, Use.CHECK, *PIN_PURPOSES), format=zone_format)
        asked = [
            n
            for n, (pan, reference) in enumerate(zip(pans, references, strict=True))
            if _is_pan(pan) and _is_reference(method, reference)
        ]

        def compare(open_: list[int]) -> Sequence[bool]:
            rows = [asked[n] for n in open_]
            chosen = [blocks[n] for n in rows], [pans[n] for n in rows], [references[n] for n in rows]
            if method == IBM:
                right, valid = self._compare_ibm(key, checker, incoming, *chosen)
            else:
                right, valid = check_pvvs(chosen[0], incoming, checker, chosen[1], chosen[2])
            self.holding.working.blocks.add(len(valid) - sum(valid), self._mark(zone))
            return right

        mark = self._mark(key)
        found = self.holding.working.pins.each([(mark, pans[n]) for n in asked], compare)
        return _spread(len(blocks), asked, found)

    def _compare_ibm(
        self,
        key: str,
        checker: StepKey,
        zone: PinZone,
        blocks: list[bytes],
        pans: list[str],
        references: list[str],
    ) -> tuple[list[bool], list[bool]]:
        """One by one: natural PINs are rare among issuers that have many at once."""
        ibm = self._ibm(key, checker)
        right, valid = [False] * len(blocks), [False] * len(blocks)
        for n, pin in enumerate(decipher_pins(zone, blocks, pans)):
            if pin is None:
                continue
            valid[n] = True
            try:
                ibm.check(pans[n], pin, references[n])
                right[n] = True
            except (Refused, Usage):
                continue
        return right, valid

    @verb
    def verify_card_values(
        self, *, key: str, pans: list[str], dates: list[str], services: list[str], values: list[str]
    ) -> Checked:
        """`verify_card_value` for N cards."""
        _check_sizes("verify_card_values", pans, dates, services, values)
        step = self._step(key, Use.CHECK, Purpose.CARD_VERIFY)
        check_value_key(step)
        data: dict[int, bytes] = {}
        for n, words in enumerate(zip(pans, dates, services, strict=True)):
            try:
                data[n] = value_data(*words)
            except Usage:
                continue
        asked = list(data)

        def compare(open_: list[int]) -> Sequence[bool]:
            rows = [asked[n] for n in open_]
            macs = step.chains([data[n] for n in rows])
            return [value_of(mac, values[n]) for mac, n in zip(macs, rows, strict=True)]

        mark = self._mark(key)
        found = self.holding.working.values.each([(mark, pans[n]) for n in asked], compare)
        return _spread(len(pans), asked, found)


def _spread(count: int, asked: list[int], found: tuple[list[bool], list[bool]]) -> Checked:
    """Answers at the places of their rows."""
    right, answered = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    right[asked], answered[asked] = found
    return right, answered


def _check_sizes(where: str, *lists: Sequence[object]) -> None:
    sizes = {len(values) for values in lists}
    if len(sizes) != 1 or max(sizes) > PINS_MAX:
        raise Usage(f"lists of {sorted(sizes)}", where=where, fix=f"lists of one length, at most {PINS_MAX}")


def _is_pan(pan: str) -> bool:
    return pan.isascii() and pan.isdigit() and len(pan) in PAN_DIGITS


def _is_reference(method: str, reference: str) -> bool:
    try:
        check_reference(method, reference)
    except Usage:
        return False
    return True
