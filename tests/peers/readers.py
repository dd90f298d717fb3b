"""Chips in the slots of the virtual reader, for as long as a `with` block lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jinka.node.pcscd import PcscService
from jinka.node.vpcd import Chip, VpcdSlot

WAIT_S = 10.0


@contextmanager
def chip_in_slot(service: PcscService, chip: Chip, slot: int = 0) -> Iterator[VpcdSlot]:
    """The chip is seen by PC/SC programs when the block begins, and gone when it has ended."""
    served = VpcdSlot(chip, port=service.port + slot)
    stop = threading.Event()
    thread = threading.Thread(target=served.serve, args=(stop,), daemon=True)
    thread.start()
    try:
        wait_until(lambda: has_card(service.readers[slot]))
        yield served
    finally:
        stop.set()
        thread.join(WAIT_S)
        wait_until(lambda: not has_card(service.readers[slot]))


def has_card(reader: str) -> bool:
    """What the resource manager itself says, asked through pyscard."""
    from smartcard import scard

    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    try:
        _, [(_, state, _)] = scard.SCardGetStatusChange(context, 0, [(reader, scard.SCARD_STATE_UNAWARE)])
        return bool(state & scard.SCARD_STATE_PRESENT)
    finally:
        scard.SCardReleaseContext(context)


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, "nothing happened in ten seconds"
        time.sleep(0.02)
