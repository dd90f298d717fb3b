"""`LocalKeyService`: the verbs of the key service, composed of a provider's steps. See `jinka.keys.port`.

Purposes follow JR/T 0025.1, batch seals RFC 2104, images AES-256-GCM (NIST SP 800-38D). The same code serves keys in
memory and keys on a token. What leaves is a MAC, a status or a sealed blob, and never a key but for the exception that
the port names.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import Algorithm
from jinka.crypto.block import invert, pad80, xor
from jinka.keys.border import EMBEDDED, Audit, Caller, Holding, verb
from jinka.keys.catalogue import KeyName, KeyState, Use
from jinka.keys.check_batch import CheckBatchVerbs
from jinka.keys.cryptograms import CryptogramVerbs
from jinka.keys.exchange import ExchangeVerbs
from jinka.keys.hierarchy import LEVELS, city_factor
from jinka.keys.job import JobVerbs
from jinka.keys.mac_batch import MacBatchVerbs
from jinka.keys.orders import OrderVerbs, message_mac
from jinka.keys.payment import MessageVerbs
from jinka.keys.port import Purpose
from jinka.keys.provider import Key, KeyKind
from jinka.keys.signing import SigningVerbs
from jinka.keys.tac import TacKeys, check_tacs, make_tac
from jinka.kit import Refused, Usage

# What MAC2 binds: amount 4, or limit 3 | type 1 | terminal 6 | date 4 | time 3. No MAC1 and no MAC3 has these lengths.
_MAC2_SIZES = {Purpose.UNLOAD: 18, Purpose.OVERDRAFT: 17}
_SEALS = 1  # the version of the batch and image keys


class LocalKeyService(
    OrderVerbs,
    JobVerbs,
    MessageVerbs,
    MacBatchVerbs,
    CheckBatchVerbs,
    CryptogramVerbs,
    ExchangeVerbs,
    SigningVerbs,
):
    """Implements `jinka.keys.KeyService` for one caller. ``threads`` is how many the bulk kernels may use."""

    def __init__(
        self,
        holding: Holding,
        *,
        region: str,
        threads: int = 1,
        caller: Caller = EMBEDDED,
        audit: Audit | None = None,
        today: Callable[[], str] = str,
    ) -> None:
        super().__init__(holding, caller=caller, audit=audit, today=today)
        self._region, self._city8, self._threads = region, city_factor(region), threads

    def __repr__(self) -> str:
        return f"{type(self).__name__}(issuer={self.issuer!r}, simulated={self.simulated})"

    @property
    def city_factor8(self) -> bytes:
        """The city's factor, which a terminal gives its PSAM after the card's."""
        return self._city8

    @verb
    def verify_tacs(self, records: pa.RecordBatch) -> pa.UInt8Array:
        """See `jinka.keys.KeyService.verify_tacs`. Rows of another issuer get ``NO_KEY``."""
        return pa.array(check_tacs(records, self._tac_keys(), threads=self._threads), type=pa.uint8())

    @verb
    def check_tac(
        self, *, algorithm: Algorithm, version: int, factor8: bytes, data: bytes, mac4: bytes
    ) -> None:
        """Check one TAC in constant time; raises `Refused`."""
        root = self._root(Purpose.TAC, algorithm, version, Use.CHECK)
        if not hmac.compare_digest(make_tac(root, factor8, data), mac4):
            raise Refused("the TAC is wrong", where="tac", fix="present the card again")

    @verb
    def check_load_mac1(
        self,
        *,
        algorithm: Algorithm,
        version: int,
        factor8: bytes,
        session_seed: tuple[bytes, int],
        data: bytes,
        mac4: bytes,
    ) -> None:
        """Check MAC1 of a load in constant time; raises `Refused`."""
        made = self._session_mac(Purpose.LOAD, algorithm, version, factor8, session_seed, data)
        if not hmac.compare_digest(made, mac4):
            raise Refused("MAC1 is wrong", where="load", fix="present the card again")

    @verb
    def make_load_mac2(
        self,
        *,
        algorithm: Algorithm,
        version: int,
        factor8: bytes,
        session_seed: tuple[bytes, int],
        data: bytes,
    ) -> bytes:
        """Make MAC2 of a load, 4 bytes."""
        return self._session_mac(Purpose.LOAD, algorithm, version, factor8, session_seed, data)

    @verb
    def check_online_mac(
        self,
        purpose: Purpose,
        *,
        algorithm: Algorithm,
        version: int,
        factor8: bytes,
        session_seed: tuple[bytes, int],
        data: bytes,
        mac4: bytes,
    ) -> None:
        """Check the card's MAC1 or MAC3 under its unload or overdraft key, in constant time; raises `Refused`."""
        _require_online(purpose)
        made = self._session_mac(purpose, algorithm, version, factor8, session_seed, data)
        if not hmac.compare_digest(made, mac4):
            raise Refused("the card's MAC is wrong", where=purpose.value, fix="present the card again")

    @verb
    def make_online_mac2(
        self,
        purpose: Purpose,
        *,
        algorithm: Algorithm,
        version: int,
        factor8: bytes,
        session_seed: tuple[bytes, int],
        data: bytes,
    ) -> bytes:
        """Make MAC2, 4 bytes; `Refused` for data that no MAC2 binds: MAC1 and MAC3 have other lengths."""
        _require_online(purpose)
        if len(data) != _MAC2_SIZES[purpose]:
            raise Refused(
                f"{len(data)} bytes", where=f"{purpose.value}.mac2", fix=f"{_MAC2_SIZES[purpose]} bytes"
            )
        return self._session_mac(purpose, algorithm, version, factor8, session_seed, data)

    @verb
    def make_message_mac(
        self, *, algorithm: Algorithm, version: int, factor8: bytes, rand4: bytes, message: bytes
    ) -> bytes:
        """Make the MAC of an update by secure messaging, 4 bytes; initial value ``rand4 | 00..``."""
        if len(rand4) != 4:
            raise Usage(f"{len(rand4)} bytes", where="message_mac.rand4", fix="the card's 4 random bytes")
        root = self._root(Purpose.MAINTENANCE, algorithm, version, Use.MAKE)
        with _derived(root, factor8 + invert(factor8)) as key:
            return message_mac(key, rand4, message)

    @verb
    def answer_challenge(self, challenge: bytes, *, key: str, factor8: bytes) -> bytes:
        """The 8 bytes of EXTERNAL AUTHENTICATE; under SM4 the halves of the block joined by XOR, as toll cards do."""
        if len(factor8) != 8:
            raise Usage(f"{len(factor8)} bytes", where="factor8", fix="the last 16 digits of the card number")
        root = self._named(key, Use.MAKE, Purpose.ACCESS)
        block = root.kind.block
        if len(challenge) not in {4, 8, block}:
            raise Usage(f"{len(challenge)} bytes", where="challenge", fix="what GET CHALLENGE gave: 4 or 8")
        with _derived(root, factor8 + invert(factor8)) as made:
            sealed = made.encrypt(challenge.ljust(block, b"\x00"))
        return sealed if block == 8 else xor(sealed[:8], sealed[8:])

    @verb
    def seal_batch(self, *, terminal_id: bytes, header: bytes, digest32: bytes) -> bytes:
        """HMAC-SHA256 under the terminal's key, itself an HMAC of the terminal's id under the batch root."""
        return self._batch_seal(terminal_id, header, digest32, Use.MAKE)

    @verb
    def check_batch_seals(
        self, terminal_ids: list[bytes], headers: list[bytes], digests32: list[bytes], seals: list[bytes]
    ) -> npt.NDArray[np.bool_]:
        """Tell for each batch whether its seal is right; each is compared in constant time."""
        if not len(terminal_ids) == len(headers) == len(digests32) == len(seals):
            raise Usage("lists of different lengths", where="check_batch_seals")
        answers = [
            hmac.compare_digest(self._batch_seal(terminal, header, digest, Use.CHECK), given)
            for terminal, header, digest, given in zip(terminal_ids, headers, digests32, seals, strict=True)
        ]
        return np.array(answers, dtype=np.bool_)

    @verb
    def chip_keys(
        self,
        purpose: Purpose,
        *,
        algorithm: Algorithm,
        version: int,
        factors8: npt.NDArray[np.uint8],
        owner: str = "",
    ) -> npt.NDArray[np.uint8]:
        """Keys for N simulated chips, ``(N, 8)`` factors to ``(N, 16)``; `Refused` unless simulated."""
        self._require_simulated("chip_keys")
        if purpose not in LEVELS:
            raise Refused(f"{purpose.value} is no purpose of a chip's key", where="chip_keys")
        name = KeyName(purpose=purpose, algorithm=algorithm.name, version=version, owner=owner)
        return self._chip_values(name, factors8)

    @verb
    def sam_key(self, purpose: Purpose, *, algorithm: Algorithm, version: int) -> bytes:
        """The national purchase or grey lock key of a simulated PSAM, at level 2; `Refused` unless simulated."""
        self._require_simulated("sam_key")
        if purpose not in (Purpose.PURCHASE, Purpose.GREY_LOCK):
            raise Refused(f"a PSAM holds no {purpose.value} key", where="sam_key")
        return self._root(purpose, algorithm, version, Use.MAKE).reveal()

    @verb
    def seal_image(self, plain: bytes, *, context: str) -> bytes:
        """Seal an image at rest, in a way that gives the same blob for the same image and context.

        The nonce is an HMAC of context and image under a key of its own (as in SIV, RFC 5297). So it is repeated only
        when all else is equal too, also across restarts; all that a repetition tells is that the image is the same.
        """
        key = self._root(Purpose.RECORD_SEAL, KeyKind.GCM.value, _SEALS, Use.MAKE)
        nonces = self._root(Purpose.RECORD_SEAL, KeyKind.HMAC.value, _SEALS, Use.MAKE)
        name = context.encode()
        nonce = nonces.hmac(b"jinka.image/2|" + len(name).to_bytes(4, "big") + name + plain)
        return key.seal(plain, context=context, nonce12=nonce[:12])

    @verb
    def open_image(self, blob: bytes, *, context: str) -> bytes:
        """Open what `seal_image` sealed for the same context; raises `Refused`."""
        key = self._root(Purpose.RECORD_SEAL, KeyKind.GCM.value, _SEALS, Use.CHECK)
        return key.unseal(blob, context=context)

    def _batch_seal(self, terminal_id: bytes, header: bytes, digest32: bytes, use: Use) -> bytes:
        if len(terminal_id) != 6 or len(digest32) != 32:
            raise Usage("terminal id of 6 bytes, digest of 32", where="seal_batch")
        root = self._root(Purpose.BATCH_SEAL, KeyKind.HMAC.value, _SEALS, use)
        terminal_key = root.hmac(b"jinka.batch/1" + terminal_id)
        return hmac.digest(terminal_key, header + digest32, "sha256")

    def _tac_keys(self) -> TacKeys:
        """The TAC roots that this caller may check with: a version it may not use is unknown to it."""
        roots = {}
        for name, record in self.holding.records.items():
            if name.purpose is Purpose.TAC and record.state in (KeyState.ACTIVE, KeyState.RETIRED):
                roots[Algorithm[name.algorithm], name.version] = self._key(name, Use.CHECK)
        return TacKeys(issuer=self.issuer, roots=roots)

    def _session_mac(
        self,
        purpose: Purpose,
        algorithm: Algorithm,
        version: int,
        factor8: bytes,
        session_seed: tuple[bytes, int],
        data: bytes,
    ) -> bytes:
        """The MAC under a session key ``E(card's key, rand4 | counter | 8000)`` of JR/T 0025.1, 4 bytes."""
        rand4, counter = session_seed
        if len(rand4) != 4 or not 0 <= counter <= 0xFFFF:
            raise Usage("4 random bytes and a counter of 2 bytes", where=f"{purpose.value}.session_seed")
        if len(factor8) != 8:
            raise Usage(f"{len(factor8)} bytes", where="factor8", fix="the last 16 digits of the card number")
        root = self._root(purpose, algorithm, version, Use.MAKE)
        seed = pad80(rand4 + counter.to_bytes(2, "big"), root.kind.block)
        with _derived(root, factor8 + invert(factor8), seed) as session:
            block = session.kind.block
            return session.encrypt_cbc(pad80(data, block), bytes(block))[-block:][:4]

    def _require_simulated(self, name: str) -> None:
        if not self.simulated:
            raise Refused("keys leave a simulated service only", where=name, fix="use a card that has keys")


@contextmanager
def _derived(root: Key, *steps: bytes) -> Iterator[Key]:
    """The key that the steps lead to from a root; what was made on the way is closed."""
    made: list[Key] = []
    try:
        for step in steps:
            made.append((made[-1] if made else root).derive(step))
        yield made[-1]
    finally:
        for key in made:
            key.close()


def _require_online(purpose: Purpose) -> None:
    if purpose not in _MAC2_SIZES:
        raise Refused(f"{purpose.value} is no key of these verbs", where="keys", fix="unload or overdraft")
