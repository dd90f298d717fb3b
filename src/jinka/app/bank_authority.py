"""The certification authority and the issuer behind a bureau's bank cards, and the keys that wait for cards.

EMV Book 2, 5 and 6 (certificates), 11.2 (a CA key's check value); JR/T 0025.17 (SM2). The authority is a named test CA:
it is drawn for this bureau alone and no scheme knows it. What a terminal needs of it stands in ``ca-keys.json``; the
private halves are sealed under the bureau's keys. The CA's are opened once, to sign the issuer's: the file may leave.

::

    keys/bank/ca.jcs            the CA's private keys, sealed
    keys/bank/issuer.jcs        the issuer's, with the CA's certificates; sealed
    keys/bank/ca-keys.json      the CA's public keys, for terminals
    keys/bank/pool/N.jcs        RSA keys drawn ahead, one sealed file each
    keys/bank/spent.txt         fingerprints of the RSA keys that cards carry
    orders/NAME/keys/SLICE/ROW.jcs   the key of one card, until its slice counts

A key leaves the pool by a rename to the row of one card, so a run that is killed finds it there and nowhere else, and a
card that is made again has the same one. A pool put back from a copy is noticed by the fingerprints.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.card_files import read_opened, write_sealed
from jinka.app.progress import Progress
from jinka.card.emv_issue import Authority, Sm2Authority
from jinka.crypto.emv_oda import CaKey, PrivateKey, PublicKey, sign_issuer
from jinka.crypto.emv_oda_sm2 import Sm2CaKey, certify_issuer
from jinka.crypto.rsa_sign import draw_private_key
from jinka.crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from jinka.issuer.applications import BANK_END
from jinka.keys import SoftKeyService
from jinka.kit import NotFound, Refused, Usage
from jinka.node import append_line, read_lines, write_durable
from jinka.node.files import flush_folder
from jinka.node.system import SystemRandomness
from jinka.sectors import bank

CA_NAME = "Jinka test CA, simulated"
RSA_INDEX, SM2_INDEX = 0xF1, 0xF7
CA_BITS, ISSUER_BITS, CARD_BITS = 1984, 1408, 1152
POOL_MAX = 100_000
_RID = bank.AID_DEBIT[:5]
_SERIAL = b"\x00\x00\x01"
_MONTH = bytes.fromhex(f"{BANK_END:%m%y}")
_CA_KEYS_MAX = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAuthority:
    """What signs the cards of one bureau: a chain in RSA and one in SM2."""

    rsa: Authority
    sm2: Sm2Authority


def open_authority(folder: Path, keys: SoftKeyService, identifier: str) -> BankAuthority:
    """The bureau's authority; drawn when there is none. ``identifier`` is what all its card numbers begin with."""
    sealed = folder / "issuer.jcs"
    if not sealed.exists():
        ca = _open_ca(folder, keys)
        write_sealed(sealed, _drawn_issuer(ca, identifier), _context("issuer"), keys)
    about = json.loads(read_opened(sealed, keys)[0])
    if about["identifier"] != identifier:
        raise Refused(
            f"the issuer's certificate is for numbers that begin with {about['identifier']}",
            where=str(sealed), fix="a bureau keeps its range",
        )  # fmt: skip
    sm2 = about["sm2"]
    return BankAuthority(
        rsa=Authority(
            ca_index=RSA_INDEX,
            key=_private(about["rsa"]),
            certificate=bytes.fromhex(about["rsa"]["certificate"]),
            remainder=bytes.fromhex(about["rsa"]["remainder"]),
        ),
        sm2=Sm2Authority(
            ca_index=SM2_INDEX,
            key=Sm2PrivateKey.from_bytes(bytes.fromhex(sm2["scalar"])),
            certificate=bytes.fromhex(sm2["certificate"]),
            # Not from the bureau's secret: a nonce that signed two different cards would tell the issuer's key.
            randomness=SystemRandomness(),
        ),
    )


def read_ca_keys(path: Path) -> tuple[CaKey | Sm2CaKey, ...]:
    """The public keys that a bureau wrote for terminals; `Usage` for another file, `Refused` for an altered key."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(
            "no such file", where=str(path), fix="jinka issue writes keys/bank/ca-keys.json"
        ) from None
    except OSError as problem:
        raise Usage(f"cannot be read: {problem.strerror}", where=str(path)) from None
    try:
        rows = json.loads(raw[:_CA_KEYS_MAX])["keys"]
        return tuple(_read_ca_key(row, str(path)) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise Usage("not a file of CA keys", where=str(path), fix="take it from the bureau again") from None


class CardKeyRack:
    """The RSA keys of a bureau's cards: a sealed pool, and those that have left it for the rows of one order."""

    def __init__(self, folder: Path, order: Path, keys: SoftKeyService) -> None:
        self._pool, self._spent, self._order, self._keys = folder / "pool", folder / "spent.txt", order, keys

    def draw(self, count: int, progress: Progress) -> int:
        """Put keys into the pool, until it holds ``count``; return how many were drawn."""
        if not 0 < count <= POOL_MAX:
            raise Usage(f"a pool of {count} keys", where="key pool", fix=f"1 to {POOL_MAX}")
        waiting = self._waiting()
        last = max((int(path.stem) for path in waiting), default=0)
        for done in range(len(waiting), count):
            last += 1
            self._write(self._pool / f"{last:07d}.jcs", draw_private_key(CARD_BITS))
            progress.step("keys", done + 1, count)
        return max(0, count - len(waiting))

    def claim(self, part: int, count: int) -> list[PrivateKey]:
        """The keys of one slice's rows: those that rows have already, then the pool's, then fresh ones."""
        place = self._place(part)
        place.mkdir(parents=True, exist_ok=True)
        spent, waiting = set(read_lines(self._spent)), self._waiting()
        rows = [place / f"{row:07d}.jcs" for row in range(count)]
        found: list[PrivateKey] = []
        taken: set[str] = set()
        for row in rows:
            from_pool = not row.exists() and waiting
            if from_pool:
                key = self._read(waiting[0])
                if fingerprint(key.public) in spent:
                    raise Refused(
                        "a card carries this key already", where=str(waiting[0]),
                        fix="the pool was put back from a copy: remove the key",
                    )  # fmt: skip
                waiting.pop(0).rename(row)
            elif not row.exists():
                self._write(row, draw_private_key(CARD_BITS))
            key = self._read(row)
            if fingerprint(key.public) in taken:
                raise Refused(
                    "two rows have one key", where=str(row), fix="remove the folder of this slice's keys"
                )
            taken.add(fingerprint(key.public))
            found.append(key)
        flush_folder(place)
        if self._pool.exists():
            flush_folder(self._pool)
        return found

    def spend(self, keys: Sequence[PrivateKey]) -> None:
        """Note down, durably, which keys are about to be on cards."""
        noted = set(read_lines(self._spent))
        new = [name for key in keys if (name := fingerprint(key.public)) not in noted]
        if new:
            append_line(self._spent, "\n".join(new))

    def forget(self, part: int) -> None:
        """The slice counts: its keys are on the cards, and nowhere else."""
        shutil.rmtree(self._place(part), ignore_errors=True)

    def _place(self, part: int) -> Path:
        return self._order / "keys" / f"{part:04d}"

    def _waiting(self) -> list[Path]:
        return sorted(path for path in self._pool.glob("*.jcs") if path.stem.isdigit())

    def _write(self, path: Path, key: PrivateKey) -> None:
        raw = json.dumps(_numbers(key)).encode()
        write_sealed(path, raw, _context("card key"), self._keys)

    def _read(self, path: Path) -> PrivateKey:
        raw, context = read_opened(path, self._keys)
        if context != _context("card key"):
            raise Refused("not a card's key", where=str(path), fix="restore the file")
        return _private(json.loads(raw))


def fingerprint(key: PublicKey) -> str:
    """SHA-256 of the modulus: tells keys apart and nothing else."""
    return hashlib.sha256(key.modulus_bytes).hexdigest()


def _open_ca(folder: Path, keys: SoftKeyService) -> dict[str, Any]:
    """The CA's private keys, drawn when there are none; its public keys are written beside them."""
    sealed = folder / "ca.jcs"
    if not sealed.exists():
        drawn = {
            "rsa": _numbers(draw_private_key(CA_BITS)),
            "sm2": Sm2PrivateKey.generate(SystemRandomness()).to_bytes().hex(),
        }
        write_sealed(sealed, json.dumps(drawn).encode(), _context("ca"), keys)
    found: dict[str, Any] = json.loads(read_opened(sealed, keys)[0])
    rsa = CaKey(_RID, RSA_INDEX, _private(found["rsa"]).public, BANK_END)
    point = Sm2PrivateKey.from_bytes(bytes.fromhex(found["sm2"])).public_key().to_point()
    shared = {"rid": _RID.hex().upper(), "expiry": BANK_END.isoformat()}
    rows = [
        shared
        | {
            "index": f"{RSA_INDEX:02X}",
            "algorithm": "RSA",
            "modulus": rsa.key.modulus_bytes.hex().upper(),
            "exponent": rsa.key.exponent_bytes.hex().upper(),
            "check": rsa.check_value().hex().upper(),
        },
        shared | {"index": f"{SM2_INDEX:02X}", "algorithm": "SM2", "point": point.hex().upper()},
    ]
    body = {"format": 1, "simulated": True, "name": CA_NAME, "keys": rows}
    write_durable(folder / "ca-keys.json", json.dumps(body, indent=2).encode() + b"\n")
    return found


def _drawn_issuer(ca: dict[str, Any], identifier: str) -> bytes:
    """The issuer's keys with the CA's certificates, as they are sealed."""
    rsa, sm2, randomness = (
        draw_private_key(ISSUER_BITS),
        Sm2PrivateKey.generate(SystemRandomness()),
        SystemRandomness(),
    )
    shared = {"identifier": identifier, "expiry": _MONTH, "serial": _SERIAL}
    certificate, remainder = sign_issuer(_private(ca["rsa"]), rsa.public, **shared)  # type: ignore[arg-type]
    signer = Sm2PrivateKey.from_bytes(bytes.fromhex(ca["sm2"]))
    in_sm2 = certify_issuer(signer, sm2.public_key(), randomness, **shared)  # type: ignore[arg-type]
    about = {
        "identifier": identifier,
        "rsa": _numbers(rsa) | {"certificate": certificate.hex(), "remainder": remainder.hex()},
        "sm2": {"scalar": sm2.to_bytes().hex(), "certificate": in_sm2.hex()},
    }
    return json.dumps(about).encode()


def _read_ca_key(row: dict[str, str], where: str) -> CaKey | Sm2CaKey:
    rid, index = bytes.fromhex(row["rid"]), int(row["index"], 16)
    expiry = dt.date.fromisoformat(row["expiry"])
    if row["algorithm"] == "SM2":
        return Sm2CaKey(rid, index, Sm2PublicKey.from_point(bytes.fromhex(row["point"])), expiry)
    public = PublicKey(int(row["modulus"], 16), int(row["exponent"], 16))
    key = CaKey(rid, index, public, expiry)
    if key.check_value() != bytes.fromhex(row["check"]):
        raise Refused(
            f"the check value of key {index:02X} is wrong", where=where, fix="take it from the bureau again"
        )
    return key


def _numbers(key: PrivateKey) -> dict[str, str]:
    return {"p": f"{key.p:x}", "q": f"{key.q:x}", "e": f"{key.public.exponent:x}"}


def _private(numbers: dict[str, str]) -> PrivateKey:
    return PrivateKey.from_primes(*(int(numbers[name], 16) for name in ("p", "q", "e")))


def _context(what: str) -> str:
    return f"jinka.issue/1|bank {what}"
