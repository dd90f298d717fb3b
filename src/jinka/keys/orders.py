"""Orders for the production of PSAMs and cards: keys that leave only under the transport key of whoever gets them.

A PSAM takes a key by WRITE KEY under its own transport key (JR/T 0025 PSAM): enciphered, with a MAC over the command
that starts from the module's challenge, so a command serves one module once. That transport key comes down from the
root ``transport/TDES`` by the module's serial. Card keys go to a bureau in bulk under
``transport/AES-256-GCM@bureau``: one blob for each key of the profile, authenticated with a header that says whose,
which and for which cards. A key on a token that does not let it out is refused. Only a simulated service opens a card
order, for chips that are software.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from jinka.codec import Algorithm
from jinka.crypto.block import invert, pad80
from jinka.keys.border import Border, verb
from jinka.keys.catalogue import KeyName, Use
from jinka.keys.hierarchy import LEVELS
from jinka.keys.port import Purpose
from jinka.keys.provider import Key, KeyKind
from jinka.kit import Refused, Usage
from jinka.profile import ALGORITHM_LABELS

_FORMAT = "jinka.card-keys/1"
_ORDER_MAX = 64 << 20
# Usage byte of a module's key: levels below it in the upper three bits, type in the lower five.
SAM_USAGE = {Purpose.PURCHASE: 2 << 5 | 0x02, Purpose.GREY_LOCK: 2 << 5 | 0x0D}
_WRITE_KEY = bytes.fromhex("84D40000")


class OrderVerbs(Border):
    """The verbs of production. ``_city8`` is the city's factor."""

    _city8: bytes

    @verb
    def write_sam_key(
        self,
        *,
        psam_id: bytes,
        purpose: Purpose,
        algorithm: Algorithm,
        version: int,
        rand4: bytes,
        transport: int = 1,
    ) -> bytes:
        """The WRITE KEY command that gives one module one national key; ``rand4`` is the module's challenge."""
        if purpose not in SAM_USAGE:
            raise Refused(f"a PSAM holds no {purpose.value} key", where="write_sam_key")
        if len(rand4) != 4:
            raise Usage(f"{len(rand4)} bytes", where="write_sam_key.rand4", fix="the module's 4 random bytes")
        root = self._root(purpose, algorithm, version, Use.MAKE)
        data = bytes((SAM_USAGE[purpose], version, ALGORITHM_LABELS[algorithm])) + root.reveal()
        with self._sam_transport(psam_id, transport) as key:
            body = key.encrypt(pad80(bytes((len(data),)) + data, key.kind.block))
            head = _WRITE_KEY + bytes((len(body) + 4,))
            return head + body + message_mac(key, rand4, head + body)

    @verb
    def sam_transport_key(self, *, psam_id: bytes, transport: int = 1) -> bytes:
        """The transport key of a simulated module (16 bytes), for the day it is made; `Refused` unless simulated."""
        if not self.simulated:
            raise Refused("keys leave a simulated service only", where="sam_transport_key")
        with self._sam_transport(psam_id, transport) as key:
            return key.reveal()

    @verb
    def order_card_keys(
        self,
        *,
        purpose: Purpose,
        algorithm: Algorithm,
        version: int,
        factors8: npt.NDArray[np.uint8],
        bureau: str,
        transport: int = 1,
        owner: str = "",
    ) -> bytes:
        """The keys of N cards, wrapped for a bureau; ``factors8`` is ``(N, 8)``. Header and blob as JSON.

        The nonce is a hash of the header, and all that is sealed follows from the header, so it is never used for
        two different texts.
        """
        if purpose not in LEVELS:
            raise Refused(f"{purpose.value} is no purpose of a chip's key", where="order_card_keys")
        name = KeyName(purpose=purpose, algorithm=algorithm.name, version=version, owner=owner)
        values = self._chip_values(name, factors8)
        key = self._key(_bureau_key(bureau, transport), Use.MAKE)
        found = self.holding.find(name)
        head = {
            "format": _FORMAT,
            "issuer": self.issuer,
            "bureau": bureau,
            "transport": transport,
            "key": str(name),
            "check": found[0].check if found else "",
            "city": self._city8.hex() if LEVELS[purpose] > 1 else "",
            "cards": len(factors8),
            "factors": hashlib.sha256(np.ascontiguousarray(factors8).tobytes()).hexdigest(),
        }
        context = json.dumps(head, sort_keys=True)
        nonce = hashlib.sha256(context.encode()).digest()[:12]
        blob = key.seal(values.tobytes(), context=context, nonce12=nonce)
        return json.dumps(head | {"keys": blob.hex()}, sort_keys=True).encode() + b"\n"

    @verb
    def open_card_keys(self, order: bytes, *, factors8: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The bureau's side: ``(N, 16)`` keys for simulated chips; `Refused` unless simulated, and unless the order is
        whole and for these cards."""
        if not self.simulated:
            raise Refused("keys leave a simulated service only", where="open_card_keys")
        head, blob = _read_order(order)
        wanted = hashlib.sha256(np.ascontiguousarray(factors8).tobytes()).hexdigest()
        if head["factors"] != wanted or head["cards"] != len(factors8):
            raise Refused("the order is for other cards", where="card order", fix="bring their numbers")
        key = self._key(_bureau_key(str(head["bureau"]), int(head["transport"])), Use.CHECK)
        try:
            plain = key.unseal(blob, context=json.dumps(head, sort_keys=True))
        except Refused:  # its own words would repeat the header
            raise Refused(
                "changed, or sealed under another transport key", where="card order", fix="send it again"
            ) from None
        return np.frombuffer(plain, np.uint8).reshape(len(factors8), 16)

    def _chip_values(self, name: KeyName, factors8: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The values of cards' keys, which stay in this process or leave wrapped."""
        root = self._key(name, Use.MAKE)
        if LEVELS[name.purpose] == 1:
            return root.diversify(factors8)
        city = root.derive(self._city8 + invert(self._city8))
        try:
            return city.diversify(factors8)
        finally:
            city.close()

    @contextmanager
    def _sam_transport(self, psam_id: bytes, version: int) -> Iterator[Key]:
        if len(psam_id) != 10:
            raise Usage(f"{len(psam_id)} bytes", where="psam_id", fix="the module's serial of 10 bytes")
        root = self._root(Purpose.TRANSPORT, Algorithm.TDES, version, Use.MAKE)
        key = root.derive(psam_id[2:] + invert(psam_id[2:]))
        try:
            yield key
        finally:
            key.close()


def message_mac(key: Key, rand4: bytes, message: bytes) -> bytes:
    """The MAC of secure messaging (JR/T 0025.1) by a provider's steps, 4 bytes; initial value ``rand4 | 00..``."""
    block = key.kind.block
    padded, start = pad80(message, block), rand4 + bytes(block - 4)
    if key.kind is not KeyKind.TDES:
        return key.encrypt_cbc(padded, start)[-block:][:4]
    left = key.left()  # ISO/IEC 9797-1 algorithm 3
    try:
        chain = (start + left.encrypt_cbc(padded[:-8], start))[-8:]
    finally:
        left.close()
    return key.encrypt(bytes(a ^ b for a, b in zip(chain, padded[-8:], strict=True)))[:4]


def _bureau_key(bureau: str, version: int) -> KeyName:
    return KeyName(purpose=Purpose.TRANSPORT, algorithm=KeyKind.GCM.value, version=version, owner=bureau)


def _read_order(order: bytes) -> tuple[dict[str, str | int], bytes]:
    try:
        head = json.loads(order if len(order) <= _ORDER_MAX else b"")
        blob = bytes.fromhex(head.pop("keys"))
        if head["format"] != _FORMAT or not {"factors", "cards", "bureau", "transport"} <= set(head):
            raise ValueError
        int(head["transport"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Refused("not an order of card keys", where="card order", fix="send it again") from None
    return head, blob
