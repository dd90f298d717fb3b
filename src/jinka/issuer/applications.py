"""Cards without a purse from a bureau's holders: bank cards, social security, identity with certificate, USIM.

LD/T 33 (records), TS 35.206 (OPc). A bank card's number is the bureau's with its Luhn digit behind it. The key service
derives the keys of purses and bank cards; those of the others follow from one secret of the bureau, kept sealed.
PINs follow from it too, so that a card made again has the same one. Not here: the making of bank cards
(`jinka.issuer.bank_production`), certificates, and travel documents, which take a zone, a photograph and a signer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinka.card import Personal, record_contents, subscriber_data
from jinka.card.emv_issue import EmvHolder
from jinka.codec.bcd import digits_to_bcd
from jinka.crypto import diversify
from jinka.crypto.milenage import compute_opc
from jinka.issuer.bureau import Holder
from jinka.keys import card_factor
from jinka.kit import Usage
from jinka.profile import ApplicationProfile, KeyUse
from jinka.profile.records import RecordSpec
from jinka.registry.check_digits import luhn_digit

SECRET_SIZE = 32
NETWORK = "00101"  # the test network of TS 36.508: nobody's subscribers
BANK_END = dt.date(2049, 12, 31)  # EMV writes two digits of the year: 50 and more are of the last century
_PIN_DIGITS, _USIM_PIN, _USIM_UNBLOCK = 6, 4, 8
_NAME_MAX = 26  # bytes of 5F20
_SUBSCRIBER_DIGITS = 10
_SOCIAL_NUMBER = 9


class BureauSecret:
    """The 32 bytes that all keys and PINs of these applications follow from (HMAC-SHA-256)."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_SIZE:
            raise Usage(f"{len(secret)} bytes", where="bureau secret", fix=f"{SECRET_SIZE} bytes")
        self._secret = secret

    def __repr__(self) -> str:
        return "BureauSecret()"

    def root(self, name: str) -> bytes:
        """A master key, 16 bytes."""
        return self._drawn("root", name)[:16]

    def digits(self, name: str, number: str, count: int) -> str:
        """A PIN or the like of one card."""
        drawn = int.from_bytes(self._drawn("digits", f"{name}|{number}"), "big")
        return f"{drawn % 10**count:0{count}d}"

    def _drawn(self, kind: str, name: str) -> bytes:
        return hmac.digest(self._secret, f"jinka.bureau/1|{kind}|{name}".encode(), hashlib.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who gets a card: the bureau's number of 16 digits, the holder, and the dates in BCD."""

    number: str
    holder: Holder
    start: bytes
    expiry: bytes

    def __repr__(self) -> str:
        return f"Applicant(************{self.number[-4:]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One card's data. ``letter`` is what the holder or the network has to be told, and nobody else."""

    number: str
    personal: Personal = field(repr=False)
    letter: Mapping[str, str] = field(repr=False)

    def __repr__(self) -> str:
        return f"Made(************{self.number[-4:]})"


def bank_holder(applicant: Applicant, profile: ApplicationProfile, secret: BureauSecret) -> EmvHolder:
    """Who a debit or credit card is for; its data and keys are `jinka.issuer.bank_production`'s to make."""
    number = applicant.number + luhn_digit(applicant.number)
    name = applicant.holder.name.upper() or "CARDHOLDER"
    if not name.isascii() or len(name) > _NAME_MAX:
        raise Usage("not a name for a bank card", where="name", fix=f"at most {_NAME_MAX} Latin characters")
    expiry = _date(applicant.expiry)
    if expiry > BANK_END:
        raise Usage("a date that cards write with two digits of the year", where="date", fix=f"to {BANK_END}")
    return EmvHolder(
        pan=number,
        effective=_date(applicant.start),
        expiry=expiry,
        name=name,
        pin=secret.digits(profile.name, number, _PIN_DIGITS),
        ecash_fen=applicant.holder.balance,
    )


def social_security_card(
    applicant: Applicant, profile: ApplicationProfile, records: Sequence[RecordSpec], secret: BureauSecret
) -> Made:
    """Issuer's and holder's records; sex, birthplace and birthday are those of the identity number."""
    holder = applicant.holder
    values = {
        "class": "1",
        "card number": applicant.number[-_SOCIAL_NUMBER:],
        "issued on": applicant.start.hex(),
        "valid until": applicant.expiry.hex(),
    }
    if holder.name:
        values["name"] = holder.name
    if identity := holder.identity_number:
        values |= {
            "social security number": identity,
            "sex": "1" if int(identity[16]) % 2 else "2",
            "birthplace": identity[:6],
            "born on": identity[6:14],
        }
    return _native(applicant, profile, secret, record_contents(records, values))


def identity_card(applicant: Applicant, profile: ApplicationProfile, secret: BureauSecret) -> Made:
    """PIN and issuer's keys. The key pair is made on the card later, and its certificate after that."""
    return _native(applicant, profile, secret, {})


def subscriber_card(applicant: Applicant, profile: ApplicationProfile, secret: BureauSecret) -> Made:
    """A USIM; the letter holds what the network's authentication centre needs."""
    name, number = profile.name, applicant.number
    k = secret.root(f"{name}|k|{number}")
    opc = compute_opc(k, secret.root(f"{name}|op"))
    imsi = NETWORK + number[-_SUBSCRIBER_DIGITS:]
    pin = secret.digits(f"{name}|pin", number, _USIM_PIN)
    unblock = secret.digits(f"{name}|unblock", number, _USIM_UNBLOCK)
    personal = subscriber_data(profile, imsi=imsi, k=k, opc=opc, pin=pin.encode(), unblock=unblock.encode())
    letter = {"imsi": imsi, "k": k.hex().upper(), "opc": opc.hex().upper(), "pin": pin, "unblock": unblock}
    return Made(number=number, personal=personal, letter=letter)


def _native(
    applicant: Applicant,
    profile: ApplicationProfile,
    secret: BureauSecret,
    contents: Mapping[tuple[int, int], bytes],
) -> Made:
    """Each key of each folder under a root of its own."""
    card_no = digits_to_bcd(applicant.number, 10)
    letter: dict[str, str] = {}
    keys = []
    for key in profile.keys:
        name = f"{profile.name}|{key.folder:04X}|{key.use:02X}|{key.kid}|{key.version}"
        if key.initial:
            keys.append(key.initial)
        elif key.use is KeyUse.PIN:
            letter["pin"] = secret.digits(name, applicant.number, _PIN_DIGITS)
            keys.append(bytes.fromhex(letter["pin"]))
        else:
            keys.append(diversify(key.algorithm, secret.root(name), card_factor(card_no)))
    personal = Personal(
        card_no=card_no, keys=tuple(keys), contents=contents, start=applicant.start, expiry=applicant.expiry
    )
    return Made(number=applicant.number, personal=personal, letter=letter)


def _date(bcd: bytes) -> dt.date:
    text = bcd.hex()
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
