"""`SoftKeyService`: the key service in process, over a store that shares open. Soft, not certified.

Purposes follow JR/T 0025.1, batch seals RFC 2104, images AES-256-GCM (NIST SP 800-38D). CPython cannot wipe
memory: the roots stay in this process until it ends, and whoever reads its memory has them. A certified service
needs a security module behind the same verbs (`jinka.keys.port`).
"""

from __future__ import annotations

import hmac

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import Algorithm
from jinka.crypto import load_session, mac4, seal, tac_key, unseal
from jinka.keys.ceremony import GCM, HMAC, KeyStore, Share, open_store
from jinka.keys.hierarchy import LEVELS, card_key, card_keys, city_factor
from jinka.keys.port import Purpose
from jinka.keys.tac import TacKeys, check_tacs
from jinka.kit import Refused, Usage

_mac4 = mac4  # the verbs name an argument so
# What MAC2 binds: amount 4, or limit 3 | type 1 | terminal 6 | date 4 | time 3. No MAC1 and no MAC3 has these lengths.
_MAC2_SIZES = {Purpose.UNLOAD: 18, Purpose.OVERDRAFT: 17}


class SoftKeyService:
    """Implements `jinka.keys.KeyService`. ``threads`` is how many the bulk kernels may use."""

    __slots__ = ("_batch_root", "_city8", "_image_root", "_store", "_tac_keys", "_threads")

    def __init__(self, store: KeyStore, *, region: str, threads: int = 1) -> None:
        self._store, self._city8, self._threads = store, city_factor(region), threads
        self._batch_root = store.root(Purpose.BATCH_SEAL, HMAC, 1)
        self._image_root = store.root(Purpose.RECORD_SEAL, GCM, 1)
        roots = {
            (Algorithm[name.algorithm], name.version): root
            for name, root in store.roots.items()
            if name.purpose is Purpose.TAC
        }
        self._tac_keys = TacKeys(issuer=store.issuer, roots=roots)

    @classmethod
    def open(cls, sealed: bytes, shares: list[Share], *, region: str, threads: int = 1) -> SoftKeyService:
        """Open a sealed store with its shares; ``region`` is the city's code of GB/T 2260. Raises `Refused`."""
        return cls(open_store(sealed, shares), region=region, threads=threads)

    def __repr__(self) -> str:
        return f"SoftKeyService(issuer={self._store.issuer!r}, simulated={self._store.simulated})"

    def __reduce__(self) -> str:
        raise Refused("a key service is not pickled", where="keys", fix="open the store in the new process")

    @property
    def issuer(self) -> str:
        """Whose load and TAC roots these are: the `issuer` that records have to name."""
        return self._store.issuer

    @property
    def simulated(self) -> bool:
        """Whether the ceremony was marked as simulated."""
        return self._store.simulated

    @property
    def city_factor8(self) -> bytes:
        """The city's factor, which a terminal gives its PSAM after the card's."""
        return self._city8

    def verify_tacs(self, records: pa.RecordBatch) -> pa.UInt8Array:
        """See `jinka.keys.KeyService.verify_tacs`. Rows of another issuer get ``NO_KEY``."""
        return pa.array(check_tacs(records, self._tac_keys, threads=self._threads), type=pa.uint8())

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

    def check_tac(
        self, *, algorithm: Algorithm, version: int, factor8: bytes, data: bytes, mac4: bytes
    ) -> None:
        """Check one TAC in constant time; raises `Refused`."""
        root = self._store.root(Purpose.TAC, algorithm, version)
        key = card_key(Purpose.TAC, algorithm, root, city8=self._city8, factor8=factor8)
        if not hmac.compare_digest(_mac4(algorithm, tac_key(algorithm, key), data), mac4):
            raise Refused("the TAC is wrong", where="tac", fix="present the card again")

    def seal_batch(self, *, terminal_id: bytes, header: bytes, digest32: bytes) -> bytes:
        """HMAC-SHA256 under the terminal's key, itself an HMAC of the terminal's id under the batch root."""
        if len(terminal_id) != 6 or len(digest32) != 32:
            raise Usage("terminal id of 6 bytes, digest of 32", where="seal_batch")
        terminal_key = hmac.digest(self._batch_root, b"jinka.batch/1" + terminal_id, "sha256")
        return hmac.digest(terminal_key, header + digest32, "sha256")

    def check_batch_seals(
        self, terminal_ids: list[bytes], headers: list[bytes], digests32: list[bytes], seals: list[bytes]
    ) -> npt.NDArray[np.bool_]:
        """Tell for each batch whether its seal is right; each is compared in constant time."""
        if not len(terminal_ids) == len(headers) == len(digests32) == len(seals):
            raise Usage("lists of different lengths", where="check_batch_seals")
        answers = [
            hmac.compare_digest(self.seal_batch(terminal_id=terminal, header=header, digest32=digest), given)
            for terminal, header, digest, given in zip(terminal_ids, headers, digests32, seals, strict=True)
        ]
        return np.array(answers, dtype=np.bool_)

    def chip_keys(
        self, purpose: Purpose, *, algorithm: Algorithm, version: int, factors8: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.uint8]:
        """Keys for N simulated chips, ``(N, 8)`` factors to ``(N, 16)``; `Refused` unless simulated."""
        self._require_simulated("chip_keys")
        if purpose not in LEVELS:
            raise Refused(f"{purpose.value} is no purpose of a chip's key", where="chip_keys")
        root = self._store.root(purpose, algorithm, version)
        return card_keys(purpose, algorithm, root, city8=self._city8, factors8=factors8)

    def sam_key(self, purpose: Purpose, *, algorithm: Algorithm, version: int) -> bytes:
        """The national purchase or grey lock key of a simulated PSAM, at level 2; `Refused` unless simulated."""
        self._require_simulated("sam_key")
        if purpose not in (Purpose.PURCHASE, Purpose.GREY_LOCK):
            raise Refused(f"a PSAM holds no {purpose.value} key", where="sam_key")
        return self._store.root(purpose, algorithm, version)

    def seal_image(self, plain: bytes, *, context: str) -> bytes:
        """Seal an image at rest, in a way that gives the same blob for the same image and context.

        Key and nonce are both derived: the key from the context, the nonce from key material of its own and the
        plain text (as in SIV, RFC 5297). So a nonce is repeated under a key only when all else is equal too, also
        across restarts; all that a repetition tells is that the image is the same.
        """
        key, nonce_key = self._image_keys(context)
        return seal(key, plain, context=context, nonce12=hmac.digest(nonce_key, plain, "sha256")[:12])

    def open_image(self, blob: bytes, *, context: str) -> bytes:
        """Open what `seal_image` sealed for the same context; raises `Refused`."""
        return unseal(self._image_keys(context)[0], blob, context=context)

    def _image_keys(self, context: str) -> tuple[bytes, bytes]:
        root, name = self._image_root, context.encode()
        return (
            hmac.digest(root, b"jinka.image/1 key|" + name, "sha256"),
            hmac.digest(root, b"jinka.image/1 nonce|" + name, "sha256"),
        )

    def _session_mac(
        self,
        purpose: Purpose,
        algorithm: Algorithm,
        version: int,
        factor8: bytes,
        session_seed: tuple[bytes, int],
        data: bytes,
    ) -> bytes:
        rand4, counter = session_seed
        if len(rand4) != 4 or not 0 <= counter <= 0xFFFF:
            raise Usage("4 random bytes and a counter of 2 bytes", where=f"{purpose.value}.session_seed")
        root = self._store.root(purpose, algorithm, version)
        key = card_key(purpose, algorithm, root, city8=self._city8, factor8=factor8)
        return _mac4(algorithm, load_session(algorithm, key, rand4, counter), data)

    def _require_simulated(self, verb: str) -> None:
        if not self._store.simulated:
            raise Refused("keys leave a simulated service only", where=verb, fix="use a card that has keys")


def _require_online(purpose: Purpose) -> None:
    if purpose not in _MAC2_SIZES:
        raise Refused(f"{purpose.value} is no key of these verbs", where="keys", fix="unload or overdraft")
