"""From a declared product and one holder to the contents of a debit or credit application's files.

EMV Book 1, 11 and 12 (payment environments), Book 2, 5 and 6 (signatures), Book 3, annex A; JR/T 0025.5. Records: SFI 1
the holder, SFI 2 what is signed and the certificates. The result goes into `Personal.contents`; nothing is drawn here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from jinka.card.emv_data import (
    ACTIONS,
    CURRENCY,
    ECASH,
    ECASH_MOST,
    ECASH_SINGLE,
    EXPONENT,
    LOWER,
    OPTIONS_FILE,
    PRIME_P,
    PRIME_Q,
    RESET,
    RSA_FILE,
    SM2_SCALAR,
    SPENT_LOWER,
    SPENT_UPPER,
    STATE_FILE,
    STATE_SIZE,
    UPPER,
    Option,
    fen,
)
from jinka.codec import Command, tlv
from jinka.codec.emv_tags import Tag
from jinka.crypto import emv_oda_sm2
from jinka.crypto.emv_oda import PrivateKey, sign_icc, sign_static
from jinka.crypto.emv_oda_sm2 import STANDARD_FORM, Sm2Form
from jinka.crypto.sm2 import Sm2PrivateKey
from jinka.kit import Randomness, Usage
from jinka.profile import EmvSpec

HOLDER_FILE, DATA_FILE, LOG_FILE = 0x0001, 0x0002, 0x000B
LOG_RECORDS = 10
_SDA, _DDA, _CDA = 0x40, 0x20, 0x01
_RECORD_MAX = 253


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvHolder:
    """One card's own data; ``pin`` is kept by the card for offline verification."""

    pan: str
    sequence: int = 0
    effective: dt.date
    expiry: dt.date
    name: str = "CARDHOLDER/TEST"
    service_code: str = "220"
    pin: str = field(default="000000", repr=False)
    ecash_fen: int = 0

    def __repr__(self) -> str:
        return f"EmvHolder(pan=******{self.pan[-4:]})"

    @property
    def track2(self) -> bytes:
        """Track 2 equivalent data, 57: number D expiry service code, F to whole bytes."""
        text = f"{self.pan}D{self.expiry:%y%m}{self.service_code}00000"
        return bytes.fromhex(text + "F" * (len(text) % 2))

    @property
    def pin_bytes(self) -> bytes:
        """The PIN as its key record holds it: 8 bytes, F behind the digits."""
        return bytes.fromhex(self.pin.ljust(16, "F"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """What an issuer signs cards with: its key, and the certificate that a CA gave for it."""

    ca_index: int
    key: PrivateKey
    certificate: bytes
    remainder: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Authority:
    """The same with SM2 (JR/T 0025.17), for terminals that say DF69 01; ``randomness`` is for its signatures."""

    ca_index: int
    key: Sm2PrivateKey
    certificate: bytes
    randomness: Randomness
    form: Sm2Form = STANDARD_FORM


def contents(
    spec: EmvSpec,
    holder: EmvHolder,
    authority: Authority | None = None,
    key: PrivateKey | None = None,
    *,
    sm2: tuple[Sm2Authority, Sm2PrivateKey | None] | None = None,
) -> dict[tuple[int, int], bytes]:
    """The files' contents. Without an authority the card offers no offline authentication, without a key only SDA.

    ``sm2`` is the authority and the card's key of the second chain; a card may have either, both or none.
    """
    aip = _interchange(spec.aip, authority, key)
    records = [_signed_record(spec, holder), *_lists(spec, authority, key)]
    signed = len(records) if authority is not None else 1
    afl = bytes((HOLDER_FILE << 3, 1, 1, 0, DATA_FILE << 3, 1, len(records), signed))
    if authority is not None:
        static = b"".join(records) + aip
        more = [tlv(Tag.ISSUER_CERTIFICATE, authority.certificate)]
        if key is not None:
            certificate, _ = _card_certificate(authority, key, holder, static)
            more.append(tlv(Tag.ICC_CERTIFICATE, certificate))
        more.append(tlv(Tag.STATIC_SIGNATURE, sign_static(authority.key, b"\xda\xc1", static)))
        afl = bytes((HOLDER_FILE << 3, 1, 1, 0, DATA_FILE << 3, 1, signed + len(more), signed))
        records += more
    options = _options(spec, holder, aip, afl)
    if sm2 is not None:
        aip_sm = _interchange(spec.aip, *sm2)
        chain = _sm2_records(spec, holder, *sm2, static=records[0], aip=aip_sm)
        place = bytes((DATA_FILE << 3, len(records) + 1, len(records) + len(chain), 1))
        afl_sm = bytes((HOLDER_FILE << 3, 1, 1, 0, DATA_FILE << 3, 1, 1, 1)) + place
        options += tlv(Option.AIP_SM, aip_sm) + tlv(Option.AFL_SM, afl_sm)
        records += chain
    if spec.ecash_code:
        records.append(tlv(Tag.ECASH_CODE, spec.ecash_code.encode()))
        options += tlv(Option.ECASH_PLACE, bytes((DATA_FILE << 3, len(records), len(records), 0)))
    found = {
        (0, HOLDER_FILE): _record(tlv(Tag.TRACK2, holder.track2) + tlv(Tag.NAME, holder.name.encode())),
        (0, DATA_FILE): b"".join(map(_record, records)),
        (0, OPTIONS_FILE): options,
        (0, STATE_FILE): _state(spec, holder),
    }
    secret = _secret(key, sm2[1] if sm2 is not None else None)
    if secret:
        found[(0, RSA_FILE)] = secret
    return found


def _secret(key: PrivateKey | None, sm2_key: Sm2PrivateKey | None) -> bytes:
    found = b""
    if key is not None:
        half = (key.public.size + 1) // 2
        found = tlv(PRIME_P, key.p.to_bytes(half, "big")) + tlv(PRIME_Q, key.q.to_bytes(half, "big"))
        found += tlv(EXPONENT, key.public.exponent_bytes)
    return found + (tlv(SM2_SCALAR, sm2_key.to_bytes()) if sm2_key is not None else b"")


def _sm2_records(
    spec: EmvSpec,
    holder: EmvHolder,
    authority: Sm2Authority,
    key: Sm2PrivateKey | None,
    *,
    static: bytes,
    aip: bytes,
) -> list[bytes]:
    """The lists, which are signed, then the certificates and the static signature."""
    lists = tlv(Tag.CDOL1, spec.cdol1) + tlv(Tag.CDOL2, spec.cdol2) + tlv(Tag.DDOL, spec.ddol)
    lists += tlv(Tag.CA_INDEX, bytes((authority.ca_index,)))
    static += lists + aip
    found = [lists, tlv(Tag.ISSUER_CERTIFICATE, authority.certificate)]
    if key is not None:
        certificate = emv_oda_sm2.certify_icc(
            authority.key,
            key.public_key(),
            authority.randomness,
            pan=holder.pan,
            expiry=bytes.fromhex(f"{holder.expiry:%m%y}"),
            serial=b"\0\0\1",
            static_data=static,
            form=authority.form,
        )
        found.append(tlv(Tag.ICC_CERTIFICATE, certificate))
    signed = emv_oda_sm2.sign_static(authority.key, b"\xda\xc1", static, authority.randomness, authority.form)
    return [*found, tlv(Tag.STATIC_SIGNATURE, signed)]


def environment_contents(entries: Sequence[tuple[bytes, str, int]]) -> dict[tuple[int, int], bytes]:
    """The options of 2PAY.SYS.DDF01: (AID, label, priority) of each application, as its FCI lists them."""
    template = tlv(Tag.ISSUER_OWN, *(directory_entry(*entry) for entry in entries))
    return {(0, OPTIONS_FILE): tlv(Option.FCI, template)}


def directory_entry(aid: bytes, label: str, priority: int) -> bytes:
    """Template 61 of one application."""
    return tlv(0x61, tlv(Tag.AID, aid), tlv(Tag.LABEL, label.encode()), tlv(Tag.PRIORITY, bytes((priority,))))


def directory_script(entries: Sequence[tuple[bytes, str, int]]) -> list[bytes]:
    """The commands that put the directory of 1PAY.SYS.DDF01 into a root folder that is still open (SFI 1)."""
    records = [_record(directory_entry(*entry)) for entry in entries]
    size = sum(map(len, records)).to_bytes(2, "big")
    create = Command(0x80, 0xE0, 0x00, 0x01, b"\x2c" + size + b"\xf0\xef\xff\xff")
    return [command.build() for command in (create, *(Command(0x00, 0xE2, 0, 0x0C, raw) for raw in records))]


def joined(root: list[bytes], scripts: Sequence[list[bytes]]) -> list[bytes]:
    """One script of several: what happens in the open root first, for it is sealed once it is left."""
    rest = [command for one in scripts for command in one[1:]]
    return root + [one[0] for one in scripts] + rest


def _interchange(
    aip: bytes, authority: Authority | Sm2Authority | None, key: PrivateKey | Sm2PrivateKey | None
) -> bytes:
    kept = aip[0]
    if key is None:
        kept &= ~(_DDA | _CDA)
    if authority is None:
        kept &= ~(_SDA | _DDA | _CDA)
    return bytes((kept,)) + aip[1:]


def _signed_record(spec: EmvSpec, holder: EmvHolder) -> bytes:
    pan = holder.pan + "F" * (len(holder.pan) % 2)
    objects = (
        (Tag.PAN, bytes.fromhex(pan)),
        (Tag.SEQUENCE, bytes.fromhex(f"{holder.sequence:02d}")),
        (Tag.EXPIRY, bytes.fromhex(f"{holder.expiry:%y%m%d}")),
        (Tag.EFFECTIVE, bytes.fromhex(f"{holder.effective:%y%m%d}")),
        (Tag.COUNTRY_ISSUER, spec.country),
        (Tag.SERVICE_CODE, bytes.fromhex(holder.service_code.rjust(4, "0"))),
        (Tag.USAGE, spec.usage),
        (Tag.CVM_LIST, spec.cvm_list),
        (Tag.IAC_DEFAULT, spec.iac_default),
        (Tag.IAC_DENIAL, spec.iac_denial),
        (Tag.IAC_ONLINE, spec.iac_online),
        (Tag.CURRENCY_APPLICATION, spec.currency),
        (Tag.VERSION_CARD, b"\x00\x30"),
        (Tag.STATIC_TAGS, b"\x82"),
    )
    return b"".join(tlv(tag, value) for tag, value in objects)


def _lists(spec: EmvSpec, authority: Authority | None, key: PrivateKey | None) -> list[bytes]:
    """What the terminal needs to ask, and to check certificates: signed as well, so nobody shortens a list.

    One record, or a second for a remainder that has no room in the first.
    """
    raw = tlv(Tag.CDOL1, spec.cdol1) + tlv(Tag.CDOL2, spec.cdol2) + tlv(Tag.DDOL, spec.ddol)
    if authority is None:
        return [raw]
    raw += tlv(Tag.CA_INDEX, bytes((authority.ca_index,)))
    raw += tlv(Tag.ISSUER_EXPONENT, authority.key.public.exponent_bytes)
    if authority.remainder:
        raw += tlv(Tag.ISSUER_REMAINDER, authority.remainder)
    rest = b""
    if key is not None:
        raw += tlv(Tag.ICC_EXPONENT, key.public.exponent_bytes)
        remainder = key.public.modulus_bytes[authority.key.public.size - 42 :]
        rest = tlv(Tag.ICC_REMAINDER, remainder) if remainder else b""
    return [raw + rest] if len(raw + rest) <= _RECORD_MAX else [raw, rest]


def _card_certificate(
    authority: Authority, key: PrivateKey, holder: EmvHolder, static: bytes
) -> tuple[bytes, bytes]:
    expiry = bytes.fromhex(f"{holder.expiry:%m%y}")
    return sign_icc(
        authority.key, key.public, pan=holder.pan, expiry=expiry, serial=b"\0\0\1", static_data=static
    )


def _record(content: bytes) -> bytes:
    """As a variable file keeps it: 70, one byte of length, content."""
    if len(content) > _RECORD_MAX:
        raise Usage(f"a record of {len(content)} bytes", where="EMV record", fix=f"at most {_RECORD_MAX}")
    return bytes((0x70, len(content))) + content


def _options(spec: EmvSpec, holder: EmvHolder, aip: bytes, afl: bytes) -> bytes:
    label = spec.label.encode()
    fci = (
        tlv(Tag.LABEL, label)
        + tlv(Tag.PRIORITY, bytes((spec.priority,)))
        + (tlv(Tag.PDOL, spec.pdol) if spec.pdol else b"")
        + tlv(Tag.LANGUAGE, spec.language.encode())
        + tlv(0x9F11, b"\x01")
        + tlv(0x9F12, label)
        + tlv(Tag.ISSUER_OWN, tlv(Tag.LOG_ENTRY, bytes((LOG_FILE, LOG_RECORDS))))
    )
    objects = (
        (Option.FCI, fci),
        (Tag.AIP, aip),
        (Tag.AFL, afl),
        (Tag.CDOL1, spec.cdol1),
        (Tag.CDOL2, spec.cdol2),
        (Tag.TRACK2, holder.track2),
        (Tag.SEQUENCE, bytes.fromhex(f"{holder.sequence:02d}")),
        (Tag.LOG_FORMAT, spec.log_format),
        (Option.FORM, bytes((spec.form,))),
        (Option.ISSUER_KEY_INDEX, bytes((spec.issuer_key_index,))),
        (Option.CRYPTOGRAM_VERSION, bytes((spec.cryptogram_version,))),
        (Option.SESSION, bytes((spec.session,))),
    )
    return b"".join(tlv(tag, value) for tag, value in objects)


def _state(spec: EmvSpec, holder: EmvHolder) -> bytes:
    if holder.ecash_fen > spec.ecash_limit_fen:
        raise Usage("more electronic cash than its limit", where="holder.ecash_fen")
    state = bytearray(STATE_SIZE)
    amounts = (
        (ECASH, holder.ecash_fen),
        (ECASH_MOST, spec.ecash_limit_fen),
        (ECASH_SINGLE, spec.ecash_single_fen),
        (RESET, spec.ecash_reset_fen),
        (SPENT_LOWER, spec.spent_lower_fen),
        (SPENT_UPPER, spec.spent_upper_fen),
    )
    for at, value in amounts:
        state[at : at + 6] = fen(value)
    state[LOWER], state[UPPER] = spec.offline_lower, spec.offline_upper
    state[ACTIONS : ACTIONS + 2] = spec.default_action.to_bytes(2, "big")
    state[CURRENCY : CURRENCY + 2] = spec.currency
    return bytes(state)
