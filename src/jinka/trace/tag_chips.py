"""Binds the chip to the item: the TID that was read with an EPC, and what it means when they part.

GS1 EPC Tag Data Standard 2.0, clause 16 (the TID bank): the chip's maker writes it and nobody can change it, so the
same EPC on another chip is a copy, or a tag that was replaced; another EPC on the same chip was written anew. A TID
without a serial number names a model and binds nothing; nor does one that was read short. Proof against a clone that
fakes the TID too is not here: that takes a tag with keys.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_CLASSES = (0xE0, 0xE2)  # ISO/IEC 15963 allocation classes
_SERIAL_LEAST = 8  # bytes: class, maker and model take four


class ChipSign(Enum):
    """What parted."""

    EPC_ON_ANOTHER_CHIP = "epc_on_another_chip"
    CHIP_WITH_ANOTHER_EPC = "chip_with_another_epc"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipMismatch:
    """An EPC and a TID that do not go together: what was bound before, and what was read now."""

    sign: ChipSign
    epc: str
    tid: bytes
    bound_epc: str
    bound_tid: bytes
    at_micros: int
    place: str


class ChipBindings:
    """EPC ↔ TID by first sight; the least recently seen of more than ``most`` is forgotten, and that is counted."""

    def __init__(self, *, most: int = 1_000_000) -> None:
        self._tids: OrderedDict[str, bytes] = OrderedDict()
        self._epcs: dict[bytes, str] = {}
        self._most = most
        self.forgotten = 0
        self.unserialised = 0

    def __len__(self) -> int:
        return len(self._tids)

    def bindings(self) -> Iterator[tuple[str, bytes]]:
        """All of them, the least recently seen first."""
        yield from self._tids.items()

    def bind(self, epc: str, tid: bytes) -> None:
        """Take a binding that is known from before, or is right after all."""
        old = self._tids.pop(epc, None)
        if old is not None and self._epcs.get(old) == epc:
            del self._epcs[old]
        other = self._epcs.pop(tid, None)
        if other is not None:
            self._tids.pop(other, None)
        self._tids[epc], self._epcs[tid] = tid, epc
        if len(self._tids) > self._most:
            _, gone = self._tids.popitem(last=False)
            self._epcs.pop(gone, None)
            self.forgotten += 1

    def saw(self, epc: str, tid: bytes, at_micros: int, place: str) -> ChipMismatch | bool:
        """Take a read: what parted, else whether a new binding was made. A mismatch leaves the binding as it is."""
        if not has_serial(tid):
            self.unserialised += 1
            return False
        bound_tid, bound_epc = self._tids.get(epc), self._epcs.get(tid)
        if bound_tid is not None and bound_tid != tid:
            return ChipMismatch(
                sign=ChipSign.EPC_ON_ANOTHER_CHIP, epc=epc, tid=tid, bound_epc=epc, bound_tid=bound_tid,
                at_micros=at_micros, place=place,
            )  # fmt: skip
        if bound_epc is not None and bound_epc != epc:
            return ChipMismatch(
                sign=ChipSign.CHIP_WITH_ANOTHER_EPC, epc=epc, tid=tid, bound_epc=bound_epc, bound_tid=tid,
                at_micros=at_micros, place=place,
            )  # fmt: skip
        if bound_tid is not None:
            self._tids.move_to_end(epc)
            return False
        self.bind(epc, tid)
        return True


def has_serial(tid: bytes) -> bool:
    """Whether a TID names one chip: a class that is allocated, and more than class, maker and model."""
    return len(tid) >= _SERIAL_LEAST and tid[0] in _CLASSES and any(tid[4:])
