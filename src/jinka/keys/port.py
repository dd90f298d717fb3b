"""The key service as its callers see it: fixed verbs, and never a raw key across the border.

One exception is open and named: a *simulated* service hands keys to simulated chips (`chip_keys`), because a
chip that exists only as software has to get its keys from somewhere. A service that is not marked as simulated
refuses that verb.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import Algorithm


class Purpose(Enum):
    """What a key may do; a verb refuses a key of another purpose."""

    PURCHASE = "purchase"  # DPK: session of a purchase; comes down from the national root
    LOAD = "load"  # DLK: session of a load; the issuer's alone
    TAC = "tac"  # DTK: transaction authentication code; the issuer's alone
    MAINTENANCE = "maintenance"  # DAMK: secure messaging of updates
    ACCESS = "access"  # external authentication: what a desk proves to a card that opens a folder to it
    GREY_LOCK = "grey_lock"  # DGK: session of a refuelling; comes down like the purchase key
    UNLOAD = "unload"  # DULK: unload, and the online release of a grey lock; the issuer's alone
    OVERDRAFT = "overdraft"  # DUK: a new overdraft limit; the issuer's alone
    PIN_UNBLOCK = "pin_unblock"  # DPUK
    PIN_RELOAD = "pin_reload"  # DRPK
    BATCH_SEAL = "batch_seal"  # HMAC-SHA256 over a terminal's batch
    RECORD_SEAL = "record_seal"  # AES-256-GCM of card images at rest
    ZONE_MASTER = "zone_master"  # ZMK: wraps the keys shared with another party
    ZONE_PIN = "zone_pin"  # ZPK: PIN blocks on their way to another party
    ZONE_MAC = "zone_mac"  # ZAK: MACs of messages with another party
    ZONE_DATA = "zone_data"  # ZEK: data encrypted for another party
    TERMINAL_MASTER = "terminal_master"  # TMK: wraps a terminal's working keys
    TERMINAL_PIN = "terminal_pin"  # TPK
    TERMINAL_MAC = "terminal_mac"  # TAK
    BASE_DERIVATION = "base_derivation"  # BDK of DUKPT (ANSI X9.24)
    PIN_VERIFY = "pin_verify"  # PVK: IBM 3624 offsets and Visa PVV
    CARD_VERIFY = "card_verify"  # CVK: CVV, iCVV, CVV2
    CRYPTOGRAM = "cryptogram"  # IMK-AC: EMV and PBOC cryptograms
    SCRIPT_MAC = "script_mac"  # IMK-SMI
    SCRIPT_DATA = "script_data"  # IMK-SMC
    TRANSPORT = "transport"  # KEK of orders: PSAM and card production
    SIGN = "sign"  # signatures of records, receipts, certificates


class TacStatus(IntEnum):
    """The answer to one TAC check."""

    OK = 0
    WRONG = 1
    MALFORMED = 2  # not 4 bytes
    NO_KEY = 3  # no such issuer, key version or algorithm
    ABSENT = 4  # null: a torn tap


class ChipKeys(Protocol):
    """Whatever has the keys of simulated chips: a key service, an order of keys, or masters in memory."""

    def chip_keys(
        self,
        purpose: Purpose,
        *,
        algorithm: Algorithm,
        version: int,
        factors8: npt.NDArray[np.uint8],
        owner: str = "",
    ) -> npt.NDArray[np.uint8]:
        """``(N, 8)`` factors to ``(N, 16)`` keys; ``owner`` is what an access key opens (`hierarchy.chip_key_name`)."""
        ...


class KeyService(Protocol):
    """The verbs that the city's day needs. ``factors8`` are ``card_no[2:10]``, the last 16 digits."""

    @property
    def issuer(self) -> str:
        """Whose load and TAC roots these are."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether the ceremony was marked as simulated."""
        ...

    @property
    def city_factor8(self) -> bytes:
        """The city's factor, which a terminal gives its PSAM after the card's."""
        ...

    def verify_tacs(self, records: pa.RecordBatch) -> pa.UInt8Array:
        """Return a `TacStatus` for each row of a batch with the columns of `jinka.codec.RECORD_SCHEMA`.

        Loads (type 01, 02) and purchases bind different fields; all algorithms and key versions may be mixed.
        """
        ...

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
        """Check MAC1 of a load; ``session_seed`` is (the card's rand4, online counter). Raises `Refused`."""
        ...

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
        ...

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
        """Check what a card answers in an online transaction of the unload or overdraft key: MAC1, or an unload's MAC3.

        ``session_seed`` is (the card's rand4, online counter). Raises `Refused`, for other purposes too.
        """
        ...

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
        """Make MAC2 of an unload, an online release of a grey lock, or a new overdraft limit: 4 bytes.

        `Refused` for data of another length than a MAC2 has, so that no card's answer can be had from here.
        """
        ...

    def check_tac(
        self, *, algorithm: Algorithm, version: int, factor8: bytes, data: bytes, mac4: bytes
    ) -> None:
        """Check one TAC over ``data``: of a new overdraft limit, or a grey lock's GTAC. Raises `Refused`."""
        ...

    def make_message_mac(
        self, *, algorithm: Algorithm, version: int, factor8: bytes, rand4: bytes, message: bytes
    ) -> bytes:
        """Make the MAC of an update by secure messaging under the maintenance key, 4 bytes."""
        ...

    def seal_batch(self, *, terminal_id: bytes, header: bytes, digest32: bytes) -> bytes:
        """Make the 32-byte seal of a terminal's batch: HMAC-SHA256(terminal's key, header | digest)."""
        ...

    def check_batch_seals(
        self, terminal_ids: list[bytes], headers: list[bytes], digests32: list[bytes], seals: list[bytes]
    ) -> npt.NDArray[np.bool_]:
        """Tell for each batch whether its seal is right (compared in constant time)."""
        ...

    def answer_challenge(self, challenge: bytes, *, key: str, factor8: bytes) -> bytes:
        """What proves an access key to a card, 8 bytes: its challenge enciphered under the card's key.

        ``key`` names the root, such as ``access/TDES/1@cn.social-security.DF01.2``; a challenge has 4 or 8 bytes, under
        SM4 also 16. Raises `Refused` for a key of any other purpose, which would sign money.
        """
        ...

    def chip_keys(
        self,
        purpose: Purpose,
        *,
        algorithm: Algorithm,
        version: int,
        factors8: npt.NDArray[np.uint8],
        owner: str = "",
    ) -> npt.NDArray[np.uint8]:
        """Derive keys for N simulated chips in bulk: ``(N, 8)`` factors to ``(N, 16)`` keys.

        Raises `Refused` when the service is not marked as simulated.
        """
        ...

    def sam_key(self, purpose: Purpose, *, algorithm: Algorithm, version: int) -> bytes:
        """The purchase or grey lock key that a simulated PSAM holds (16 bytes): two levels above the card's.

        The PSAM is given the card's factor, then the city's. Other purposes are refused; else as `chip_keys`.
        """
        ...

    def seal_image(self, plain: bytes, *, context: str) -> bytes:
        """Seal card images at rest (AES-256-GCM)."""
        ...

    def open_image(self, blob: bytes, *, context: str) -> bytes:
        """Open what `seal_image` sealed for the same context; raises `Refused`."""
        ...

    def commit(self) -> None:
        """Make the entries of the audit log durable; over a socket they are so before each answer."""
        ...

    def close(self) -> None:
        """Wipe the keys, or hang up; no verb works afterwards."""
        ...
