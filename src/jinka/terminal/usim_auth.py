"""Network side of a USIM: vectors, the check of the card's answer, resynchronisation (3GPP TS 33.102, 6.3).

`AuthenticationCentre` stands for the home network, the only one that holds subscriber keys; `NetworkTerminal` for the
visited network with a phone between it and the card. No identities but the IMSI, no key agreement beyond CK and IK.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from jinka.codec.imsi import decode_imsi
from jinka.crypto import milenage
from jinka.crypto.milenage import AuthenticationVector
from jinka.kit import NotFound, Randomness, Refused, Usage
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly

_INDICES = 32
_SQN_MAX = (1 << 48) - 1
_FALSE_MAC = 0x9862
_SELECT_NO_DATA = b"\x00\xa4\x04\x0c"


@dataclass(slots=True)
class Subscriber:
    """One subscription at the home network; ``sqn`` is the last number that was handed out."""

    k: bytes
    opc: bytes
    amf: bytes = b"\x80\x00"
    sqn: int = 0

    def __repr__(self) -> str:
        return "Subscriber(..)"


class VectorSource(Protocol):
    """The home network, as the visited one sees it."""

    def vector(self, imsi: str) -> AuthenticationVector:
        """A fresh vector; `NotFound` for a stranger."""
        ...

    def resynchronise(self, imsi: str, rand: bytes, auts: bytes) -> None:
        """Take over the card's number; `Refused` when AUTS is false."""
        ...


class AuthenticationCentre:
    """The home network's vectors. A number is never handed out twice: SEQ grows, the index goes round."""

    def __init__(self, subscribers: dict[str, Subscriber], randomness: Randomness) -> None:
        self._subscribers, self._randomness = subscribers, randomness

    def vector(self, imsi: str) -> AuthenticationVector:
        """A fresh vector; `NotFound` for a stranger, `Refused` when the numbers are used up."""
        one = self._subscriber(imsi)
        sequence, index = one.sqn // _INDICES + 1, (one.sqn + 1) % _INDICES
        number = sequence * _INDICES + index
        if number > _SQN_MAX:
            raise Refused("the sequence numbers are used up", where="authentication", fix="issue a new card")
        one.sqn = number
        rand = self._randomness.token_bytes(16)
        return milenage.make_vector(one.k, one.opc, rand, number.to_bytes(6, "big"), one.amf)

    def resynchronise(self, imsi: str, rand: bytes, auts: bytes) -> None:
        """Go on behind the card's highest number; `Refused` when AUTS is false."""
        one = self._subscriber(imsi)
        one.sqn = int.from_bytes(milenage.open_auts(one.k, one.opc, rand, auts), "big")

    def _subscriber(self, imsi: str) -> Subscriber:
        try:
            return self._subscribers[imsi]
        except KeyError:
            raise NotFound("no such subscriber", where=f"IMSI ..{imsi[-4:]}") from None


class AttachStatus(Enum):
    """How an attach ended. The card refuses a false network (``NETWORK_FALSE``), the network a false card."""

    DONE = "done"
    NETWORK_FALSE = "network false"
    CARD_FALSE = "card false"
    OUT_OF_STEP = "out of step"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """``ck`` and ``ik`` with DONE; ``sw`` and ``step`` with REFUSED."""

    status: AttachStatus
    imsi: str = ""
    ck: bytes = b""
    ik: bytes = b""
    resynchronised: bool = False
    sw: int = 0
    step: str = ""

    def __repr__(self) -> str:
        return f"Attach({self.status.name})"


class NetworkTerminal:
    """A phone and the network behind it."""

    def __init__(self, aid: bytes, home: VectorSource) -> None:
        self._aid, self._home = aid, home

    def attach(self, link: ApduLink, pin: bytes = b"") -> Attach:
        """Select, verify the PIN if one is given, read the IMSI, authenticate; one resynchronisation at most."""
        try:
            ask(link, "select", _SELECT_NO_DATA + bytes((len(self._aid),)) + self._aid)
            if pin:
                ask(link, "verify PIN", bytes.fromhex("0020000108") + pin.ljust(8, b"\xff"))
            imsi = _read_imsi(link)
            for resynchronised in (False, True):
                found = self._once(link, imsi, resynchronised)
                if found is not None:
                    return found
            return Attach(status=AttachStatus.OUT_OF_STEP, imsi=imsi)
        except ChipRefused as error:
            if error.sw == _FALSE_MAC:
                return Attach(status=AttachStatus.NETWORK_FALSE)
            return Attach(status=AttachStatus.REFUSED, sw=error.sw, step=error.step)

    def _once(self, link: ApduLink, imsi: str, resynchronised: bool) -> Attach | None:
        """One vector; None after a resynchronisation."""
        vector = self._home.vector(imsi)
        data = b"\x10" + vector.rand + b"\x10" + vector.autn
        answer = ask(link, "authenticate", b"\x00\x88\x00\x81" + bytes((len(data),)) + data + b"\x00")
        values = _values(answer[1:])
        if answer[:1] == b"\xdc" and len(values) == 1:
            try:
                self._home.resynchronise(imsi, vector.rand, values[0])
            except Refused:
                return Attach(status=AttachStatus.CARD_FALSE, imsi=imsi)
            return None
        if answer[:1] != b"\xdb" or len(values) not in (3, 4):
            return Attach(status=AttachStatus.CARD_FALSE, imsi=imsi)
        res, ck, ik = values[:3]
        if not hmac.compare_digest(res, vector.xres) or (ck, ik) != (vector.ck, vector.ik):
            return Attach(status=AttachStatus.CARD_FALSE, imsi=imsi)
        return Attach(
            status=AttachStatus.DONE, imsi=imsi, ck=vector.ck, ik=vector.ik, resynchronised=resynchronised
        )


def _read_imsi(link: ApduLink) -> str:
    try:
        return decode_imsi(ask_exactly(link, "read IMSI", bytes.fromhex("00B0870009"), 9))
    except Usage:
        raise ChipRefused("read IMSI", 0x6A80) from None


def _values(raw: bytes) -> list[bytes]:
    """Values with a length byte each; none when the lengths do not fit."""
    found, at = [], 0
    while at < len(raw):
        found.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return found if at == len(raw) else []
