"""Chips in the readers of this machine: PC/SC through pyscard, real readers and virtual ones alike.

PC/SC Workgroup, part 5 (resource manager). One `PcscLink` is one card in one reader, connected for one program alone
until it is closed; it hides what ISO/IEC 7816-3 leaves to the transport: 61xx (fetch the answer) and 6Cxx (ask again).
pyscard is the extra ``cards``: it is compiled when it is installed, so the base does without.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from jinka.kit import JinkaError, NotFound
from jinka.terminal import CardRemoved

_FETCHES_MAX = 32  # 61xx in a row; 32 * 256 bytes are more than a short command can be owed
_MORE, _OTHER_LE = 0x61, 0x6C


class ReaderError(JinkaError):
    """The resource manager, the reader or the card did not do what was asked."""


def list_readers() -> list[str]:
    """The names of the readers, in the order of the resource manager; empty when it runs and has none."""
    scard = _scard()
    context = _context(scard)
    try:
        status, names = scard.SCardListReaders(context, [])
        if status == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        _require(scard, status, "list the readers")
        return list(names)
    finally:
        scard.SCardReleaseContext(context)


def choose_reader(wanted: str) -> str:
    """The reader with this number or with this text in its name; `NotFound` names those that there are."""
    names = list_readers()
    if wanted.isdigit() and int(wanted) < len(names):
        return names[int(wanted)]
    found = [name for name in names if wanted.lower() in name.lower()]
    if not wanted.isdigit() and len(found) == 1:
        return found[0]
    there = "; ".join(f"{number}: {name}" for number, name in enumerate(names)) or "none"
    raise NotFound(f"no single reader {wanted!r}", where="reader", fix=f"readers: {there}")


class PcscLink:
    """One card in one reader; implements `jinka.terminal.ApduLink`. A context manager: it lets the card go."""

    def __init__(self, reader: str) -> None:
        self._scard = scard = _scard()
        self.reader = reader
        self._context = _context(scard)
        try:
            status, self._card, protocol = scard.SCardConnect(
                self._context,
                reader,
                scard.SCARD_SHARE_EXCLUSIVE,
                scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            )
            if status in (scard.SCARD_E_NO_SMARTCARD, scard.SCARD_W_REMOVED_CARD):
                raise NotFound("no card in the reader", where=reader, fix="insert a card")
            _require(scard, status, "connect", reader)
        except JinkaError:
            scard.SCardReleaseContext(self._context)
            raise
        self._protocol = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1

    def __enter__(self) -> PcscLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the card go, without power."""
        self._scard.SCardDisconnect(self._card, self._scard.SCARD_UNPOWER_CARD)
        self._scard.SCardReleaseContext(self._context)

    @property
    def atr(self) -> bytes:
        """What the card answered to its reset."""
        status, _, _, _, atr = self._scard.SCardStatus(self._card)
        _require(self._scard, status, "read the ATR", self.reader)
        return bytes(atr)

    def reset(self) -> None:
        """A warm reset: the card starts a session anew."""
        scard = self._scard
        status, _ = scard.SCardReconnect(
            self._card,
            scard.SCARD_SHARE_EXCLUSIVE,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            scard.SCARD_RESET_CARD,
        )
        _require(scard, status, "reset the card", self.reader)

    def transmit(self, command: bytes) -> bytes:
        """Send a command APDU, return the whole response; raises `CardRemoved` when the card is gone."""
        answer = self._once(command)
        if len(answer) == 2 and answer[0] == _OTHER_LE and len(command) >= 5:
            answer = self._once(_with_le(command, answer[1]))
        data = b""
        for _ in range(_FETCHES_MAX):
            if len(answer) < 2 or answer[-2] != _MORE:
                break
            data += answer[:-2]
            answer = self._once(bytes((command[0] & 0x03, 0xC0, 0, 0, answer[-1])))
        return data + answer

    def _once(self, command: bytes) -> bytes:
        status, answer = self._scard.SCardTransmit(self._card, self._protocol, list(command))
        if status != self._scard.SCARD_S_SUCCESS:
            raise CardRemoved(_text(self._scard, status), where=self.reader, fix="present the card again")
        return bytes(answer)


def _with_le(command: bytes, le: int) -> bytes:
    """The same command with another Le; one that had none gets it."""
    has_data = len(command) > 5
    without = command[: 5 + command[4]] if has_data else command[:4]
    return without + bytes((le,))


def _scard() -> Any:
    try:
        import smartcard.scard as scard
    except ImportError:
        raise NotFound(
            "pyscard is not installed", where="PC/SC", fix="python -m pip install 'jinka[cards]'"
        ) from None
    return scard


def _context(scard: Any) -> Any:
    status, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if status == scard.SCARD_E_NO_SERVICE:
        raise NotFound("the PC/SC service does not run", where="PC/SC", fix="start pcscd --foreground")
    _require(scard, status, "reach the PC/SC service")
    return context


def _require(scard: Any, status: int, what: str, where: str = "PC/SC") -> None:
    if status != scard.SCARD_S_SUCCESS:
        raise ReaderError(f"cannot {what}: {_text(scard, status)}", where=where)


def _text(scard: Any, status: int) -> str:
    return str(scard.SCardGetErrorMessage(status)).strip().rstrip(".")
