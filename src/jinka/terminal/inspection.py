"""Inspection of a travel document: from the printed zone to a verdict (ICAO Doc 9303-11, 4 to 6; Doc 9303-10).

Zone, access keys, mutual authentication, files, then the checks in `VERDICTS`: signature, signer, hashes, zone,
completeness, expiry, chip. A check never stops the others; what each said stands in the inspection. Comparing the
face with the bearer is the officer's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeVar

from jinka.codec import Command, lds
from jinka.codec.apdu import ApduError
from jinka.codec.mrz import Mrz, parse_mrz
from jinka.crypto.bac import (
    CHALLENGE,
    KEY_SHARE,
    AccessKeys,
    SecureChannel,
    document_keys,
    open_shares,
    seal_shares,
)
from jinka.crypto.certificates import check_certificate
from jinka.crypto.rsa_sign import is_elliptic, verify_digest, verify_recoverable
from jinka.crypto.signed_data import open_signed
from jinka.kit import Randomness, Refused, Usage
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly

T = TypeVar("T")
_PIECE = 224
_HEAD = 4
_YEARS_AHEAD = 50  # a two-digit year of expiry lies in the next 50 years or in the last 50


class Check(Enum):
    """What is asked of a document, in both languages."""

    ACCESS = ("access by the printed zone", "机读区访问控制")
    FILES = ("files can be read", "文件可读")
    SIGNATURE = ("security object is signed", "安全对象签名")
    SIGNER = ("signer is known and valid", "签名者可信")
    HASHES = ("data groups are the signed ones", "数据组哈希一致")
    ZONE = ("printed zone equals the chip's", "机读区与芯片一致")
    COMPLETE = ("nothing was taken out", "目录完整")
    EXPIRY = ("document is in force", "证件在有效期内")
    CHIP = ("chip is the original", "芯片未被复制")


class Result(Enum):
    """``ABSENT``: the document does not offer it, or an earlier failure left nothing to check."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"


class Verdict(IntEnum):
    """The worst of what the checks say stands."""

    GENUINE = 0
    COPY_NOT_EXCLUDED = 1  # genuine data, but the chip cannot prove that it is the original
    SIGNER_UNKNOWN = 2
    EXPIRED = 3
    FORGED = 4
    UNREADABLE = 5


# check -> (verdict when it failed, verdict when it is absent)
VERDICTS: dict[Check, tuple[Verdict, Verdict]] = {
    Check.ACCESS: (Verdict.UNREADABLE, Verdict.UNREADABLE),
    Check.FILES: (Verdict.UNREADABLE, Verdict.UNREADABLE),
    Check.SIGNATURE: (Verdict.FORGED, Verdict.FORGED),
    Check.SIGNER: (Verdict.SIGNER_UNKNOWN, Verdict.SIGNER_UNKNOWN),
    Check.HASHES: (Verdict.FORGED, Verdict.FORGED),
    Check.ZONE: (Verdict.FORGED, Verdict.FORGED),
    Check.COMPLETE: (Verdict.FORGED, Verdict.FORGED),
    Check.EXPIRY: (Verdict.EXPIRED, Verdict.EXPIRED),
    Check.CHIP: (Verdict.FORGED, Verdict.COPY_NOT_EXCLUDED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """``reasons`` says why a check failed; ``zone`` and ``photo`` are what the chip holds, believed or not."""

    results: dict[Check, Result]
    reasons: dict[Check, str]
    zone: Mrz | None = None
    photo: bytes | None = None

    @property
    def verdict(self) -> Verdict:
        """By the table."""
        rows = ((VERDICTS[check], self.results[check]) for check in Check)
        return max(
            failed if result is Result.FAILED else absent if result is Result.ABSENT else Verdict.GENUINE
            for (failed, absent), result in rows
        )

    def __repr__(self) -> str:
        return f"Inspection({self.verdict.name})"


class SecureLink:
    """An `ApduLink` inside a secure channel: plain commands in, plain answers out."""

    __slots__ = ("_channel", "_link")

    def __init__(self, link: ApduLink, channel: SecureChannel) -> None:
        self._link, self._channel = link, channel

    def transmit(self, command: bytes) -> bytes:
        """Protect, send, open; `ChipRefused` for an answer that is not protected, `Refused` for a false one."""
        answer = self._link.transmit(self._channel.protect_command(Command.parse(command)).build())
        if len(answer) <= 2:
            raise ChipRefused("secure messaging", int.from_bytes(answer, "big"))
        data, sw = self._channel.open_answer(answer[:-2])
        return data + sw.to_bytes(2, "big")


def open_document(link: ApduLink, zone: Mrz, randomness: Randomness) -> SecureLink:
    """Select the application and prove that the zone was seen (basic access control)."""
    ask(link, "select", b"\x00\xa4\x04\x0c\x07" + lds.AID)
    keys = document_keys(zone.information)
    challenge = ask_exactly(link, "get challenge", bytes.fromhex("0084000008"), CHALLENGE)
    return SecureLink(link, _authenticate(link, keys, challenge, randomness))


def read_file(link: ApduLink, fid: int) -> bytes:
    """One elementary file as long as its outer object says; `ChipRefused` or `Refused`."""
    ask(link, f"select {fid:04X}", b"\x00\xa4\x02\x0c\x02" + fid.to_bytes(2, "big"))
    head = ask_exactly(link, f"read {fid:04X}", bytes((0x00, 0xB0, 0, 0, _HEAD)), _HEAD)
    size = _whole_size(head, fid)
    raw = bytearray(head)
    while len(raw) < size:
        at, wanted = len(raw), min(_PIECE, size - len(raw))
        piece = ask(link, f"read {fid:04X}", bytes((0x00, 0xB0, at >> 8, at & 0xFF, wanted)))
        if not 0 < len(piece) <= wanted:
            raise Refused("the chip gives no more bytes", where=f"file {fid:04X}")
        raw += piece
    return bytes(raw[:size])


class InspectionTerminal:
    """A control counter. ``anchors`` are country signers' certificates (DER); ``now`` is UTC."""

    def __init__(self, anchors: Sequence[bytes], randomness: Randomness) -> None:
        self._anchors, self._randomness = tuple(anchors), randomness

    def inspect(self, link: ApduLink, printed: str, now: dt.datetime) -> Inspection:
        """Judge the document whose printed zone is ``printed``; raises `CardRemoved` only."""
        state = _State()
        zone = state.run(Check.ACCESS, lambda: parse_mrz(printed))
        if zone is None:
            return state.done()
        state.check(Check.EXPIRY, lambda: _require_force(zone, now))
        secure = state.run(Check.ACCESS, lambda: open_document(link, zone, self._randomness))
        if secure is None:
            return state.done()
        state.passed(Check.ACCESS)
        files = state.run(Check.FILES, lambda: _read_all(secure))
        if files is None:
            return state.done()
        state.passed(Check.FILES)
        common, security, groups = files
        signed = state.run(
            Check.SIGNATURE, lambda: open_signed(lds.decode_security(security), lds.SECURITY_OBJECT)
        )
        if signed is not None:
            state.passed(Check.SIGNATURE)
            state.check(Check.SIGNER, lambda: _drop(check_certificate(signed[1], self._anchors, now)))
            state.check(Check.HASHES, lambda: _require_hashes(signed[0], groups))
            state.check(Check.COMPLETE, lambda: _require_complete(signed[0], common))
        state.check(Check.ZONE, lambda: _require_zone(groups, zone))
        if 15 in groups:
            state.check(Check.CHIP, lambda: self._prove_chip(secure, groups))
        state.show(groups)
        return state.done()

    def _prove_chip(self, link: ApduLink, groups: dict[int, bytes]) -> None:
        """Active authentication with the key of DG15."""
        public = lds.decode_authentication_key(groups[15])
        challenge = self._randomness.token_bytes(CHALLENGE)
        command = bytes.fromhex("0088000008") + challenge + b"\x00"
        signature = ask(link, "internal authenticate", command)
        if not is_elliptic(public):
            verify_recoverable(public, signature, challenge)
            return
        if 14 not in groups or lds.authentication_algorithm(groups[14]) != lds.ECDSA_PLAIN_SHA256:
            raise Refused("DG14 names no known signature algorithm", where="active authentication")
        verify_digest(public, hashlib.sha256(challenge).digest(), signature)


def _authenticate(
    link: ApduLink, keys: AccessKeys, challenge: bytes, randomness: Randomness
) -> SecureChannel:
    rand, share = randomness.token_bytes(CHALLENGE), randomness.token_bytes(KEY_SHARE)
    sealed = seal_shares(keys, rand + challenge + share)
    command = bytes.fromhex("0082000028") + sealed + bytes((len(sealed),))
    plain = open_shares(keys, ask_exactly(link, "mutual authenticate", command, len(sealed)))
    if not hmac.compare_digest(plain[:16], challenge + rand):
        raise Refused("the chip answered another challenge", where="mutual authentication")
    return SecureChannel.agreed(share, plain[16:], rand, challenge)


def _whole_size(head: bytes, fid: int) -> int:
    """Bytes of the object that begins with these four; all outer tags of Doc 9303-10 have one byte."""
    first = head[1]
    if first < 0x80:
        size = 2 + first
    elif first == 0x81:
        size = 3 + head[2]
    elif first == 0x82:
        size = 4 + int.from_bytes(head[2:4], "big")
    else:
        raise Refused(f"length byte {first:02X}", where=f"file {fid:04X}")
    if not _HEAD <= size <= lds.FILE_MAX:
        raise Refused(f"an object of {size} bytes", where=f"file {fid:04X}")
    return size


def _read_all(link: ApduLink) -> tuple[lds.Common, bytes, dict[int, bytes]]:
    """EF.COM, EF.SOD, and the data groups that EF.COM names; fingerprints and irises are not for this counter."""
    common = lds.decode_common(read_file(link, lds.COM))
    security = read_file(link, lds.SOD)
    open_groups = (number for number in common.groups if number not in (3, 4))
    return common, security, {number: read_file(link, lds.group_fid(number)) for number in open_groups}


def _require_hashes(content: bytes, groups: dict[int, bytes]) -> None:
    hashes = lds.decode_hashes(content)
    for number, raw in groups.items():
        if not hmac.compare_digest(hashes.get(number, b""), hashlib.sha256(raw).digest()):
            raise Refused(f"DG{number} is not what was signed", where="hashes")


def _require_complete(content: bytes, common: lds.Common) -> None:
    """EF.COM is not signed: a group that was signed and is not named there was taken out."""
    signed = set(lds.decode_hashes(content))
    if signed != set(common.groups):
        raise Refused(f"signed {sorted(signed)}, present {sorted(common.groups)}", where="EF.COM")


def _require_zone(groups: dict[int, bytes], printed: Mrz) -> None:
    if 1 not in groups or parse_mrz(lds.decode_zone(groups[1])) != printed:
        raise Refused("the chip holds another zone", where="DG1")


def _require_force(zone: Mrz, now: dt.datetime) -> None:
    try:
        year = 2000 + int(zone.expiry[:2])
        if year > now.year + _YEARS_AHEAD:
            year -= 100
        last = dt.date(year, int(zone.expiry[2:4]), int(zone.expiry[4:]))
    except ValueError:
        raise Refused("the expiry is no date", where="MRZ, expiry") from None
    if now.date() > last:
        raise Refused(f"expired on {last.isoformat()}", where="MRZ, expiry")


def _drop(_value: object) -> None:
    """For a check whose value nobody needs."""


class _State:
    """What has been found so far; a failed check keeps its reason."""

    def __init__(self) -> None:
        self.results: dict[Check, Result] = {}
        self.reasons: dict[Check, str] = {}
        self.zone: Mrz | None = None
        self.photo: bytes | None = None

    def run(self, check: Check, step: Callable[[], T]) -> T | None:
        """The step's value, or None after noting why the check failed."""
        try:
            return step()
        except (Refused, Usage, ApduError) as error:
            self.results[check], self.reasons[check] = Result.FAILED, str(error)
            return None

    def check(self, check: Check, step: Callable[[], None]) -> None:
        """A step that has no value: it raises or passes."""
        self.run(check, step)
        self.results.setdefault(check, Result.PASSED)

    def passed(self, check: Check) -> None:
        self.results[check] = Result.PASSED

    def show(self, groups: dict[int, bytes]) -> None:
        """Keep zone and photograph for the officer, where they can be read at all."""
        try:
            self.zone = parse_mrz(lds.decode_zone(groups[1]))
            self.photo = lds.decode_face(groups[2])
        except (KeyError, Refused, Usage):
            return

    def done(self) -> Inspection:
        """A check that was never reached is absent."""
        results = {check: self.results.get(check, Result.ABSENT) for check in Check}
        return Inspection(results=results, reasons=self.reasons, zone=self.zone, photo=self.photo)
