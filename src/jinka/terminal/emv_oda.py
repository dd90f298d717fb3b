"""Offline data authentication at the terminal: which method, the chain of keys, the verdict (EMV Book 3, 10.3).

The CA key that the card names decides between RSA (EMV Book 2) and SM2 (JR/T 0025.17).
The strongest method that both sides can do: combined, dynamic, static. A failure sets the method's bit in the TVR and
never stops the transaction; what follows from it is in the action codes.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec import TlvError, find, tlv
from jinka.codec.dol import fill_dol, parse_dol
from jinka.codec.emv_tags import Tag
from jinka.crypto import emv_oda, emv_oda_sm2
from jinka.crypto.emv_oda import CaKey, PublicKey
from jinka.crypto.emv_oda_sm2 import STANDARD_FORM, Sm2CaKey, Sm2Form
from jinka.crypto.sm2 import Sm2PublicKey
from jinka.kit import Refused
from jinka.terminal.emv_data import Aip, Capability, Run, Tsi, Tvr
from jinka.terminal.emv_selection import send


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to authenticate: what the card and the terminal must be able to do, and the bit of its failure."""

    name: str
    card: Aip
    terminal: Capability
    failed: Tvr
    needs: tuple[Tag, ...]


_STATIC = (Tag.CA_INDEX, Tag.ISSUER_CERTIFICATE, Tag.ISSUER_EXPONENT)
_DYNAMIC = (*_STATIC, Tag.ICC_CERTIFICATE, Tag.ICC_EXPONENT)
_RSA_ONLY = frozenset({Tag.ISSUER_EXPONENT, Tag.ICC_EXPONENT})
# Strongest first.
METHODS = (
    Method(name="CDA", card=Aip.CDA, terminal=Capability.CDA, failed=Tvr.CDA_FAILED, needs=_DYNAMIC),
    Method(name="DDA", card=Aip.DDA, terminal=Capability.DDA, failed=Tvr.DDA_FAILED, needs=_DYNAMIC),
    Method(
        name="SDA",
        card=Aip.SDA,
        terminal=Capability.SDA,
        failed=Tvr.SDA_FAILED,
        needs=(*_STATIC, Tag.STATIC_SIGNATURE),
    ),
)


def authenticate(run: Run) -> None:
    """Do what can be done before the first cryptogram; a combined signature is checked by `check_combined`."""
    method = next((m for m in METHODS if run.aip(m.card) and run.can(m.terminal)), None)
    if method is None:
        return
    run.unmark(Tvr.ODA_NOT_DONE)
    if method.name == "SDA":
        run.mark(Tvr.SDA_SELECTED)
    left_out = _RSA_ONLY if isinstance(_ca_key(run), Sm2CaKey) else frozenset()
    if not all(tag in run.values for tag in method.needs if tag not in left_out):
        run.mark(Tvr.DATA_MISSING | method.failed)
        run.tsi |= Tsi.ODA
        return
    try:
        if method.name == "SDA":
            run.values[Tag.DATA_CODE] = _static_code(run)
        else:
            run.icc_key = card_key(run)
            run.combined = method.name == "CDA"
            if not run.combined:
                _dynamic(run, run.icc_key)
    except Refused:
        run.mark(method.failed)
        run.combined = False
    if not run.combined:
        run.tsi |= Tsi.ODA


def _ca_key(run: Run) -> CaKey | Sm2CaKey | None:
    index = run.values.get(Tag.CA_INDEX, b"")
    return run.device.ca_key(run.values.get(Tag.AID, b"")[:5], index[0]) if index else None


def _form(run: Run) -> Sm2Form:
    ca = _ca_key(run)
    return ca.form if isinstance(ca, Sm2CaKey) else STANDARD_FORM


def issuer_key(run: Run) -> PublicKey | Sm2PublicKey:
    """The issuer's key, from the CA's; `Refused` says what is wrong."""
    values, ca, today = run.values, _ca_key(run), run.sale.at.date()
    if ca is None:
        raise Refused("no CA key of this index", where="CA key", fix="install it")
    certificate = values.get(Tag.ISSUER_CERTIFICATE, b"")
    if isinstance(ca, Sm2CaKey):
        return emv_oda_sm2.check_issuer(ca, certificate, run.pan, today)
    remainder, exponent = values.get(Tag.ISSUER_REMAINDER, b""), values.get(Tag.ISSUER_EXPONENT, b"")
    return emv_oda.recover_issuer(ca, certificate, remainder, exponent, run.pan, today)


def card_key(run: Run) -> PublicKey | Sm2PublicKey:
    """The card's key, from the issuer's."""
    values, issuer, today = run.values, issuer_key(run), run.sale.at.date()
    certificate = values.get(Tag.ICC_CERTIFICATE, b"")
    if isinstance(issuer, Sm2PublicKey):
        return emv_oda_sm2.check_icc(issuer, certificate, run.pan, run.static, today, _form(run))
    remainder, exponent = values.get(Tag.ICC_REMAINDER, b""), values.get(Tag.ICC_EXPONENT, b"")
    return emv_oda.recover_icc(issuer, certificate, remainder, exponent, run.pan, run.static, today)


def _static_code(run: Run) -> bytes:
    issuer, signed = issuer_key(run), run.values[Tag.STATIC_SIGNATURE]
    if isinstance(issuer, Sm2PublicKey):
        return emv_oda_sm2.check_static(issuer, signed, run.static, _form(run))
    return emv_oda.recover_static(issuer, signed, run.static)


def _dynamic_data(
    run: Run, key: PublicKey | Sm2PublicKey, signed: bytes, bound: bytes, *, contactless: bool = False
) -> bytes:
    """What the card signed together with ``bound``; `Refused` when it did not."""
    if isinstance(key, Sm2PublicKey):
        form = _form(run)
        return emv_oda_sm2.check_dynamic(key, signed, bound, contactless=contactless, form=form)
    return emv_oda.recover_dynamic(key, signed, bound)


def check_combined(run: Run, answer: bytes, asked: bytes) -> None:
    """The signature in an answer of GENERATE AC; the cryptogram inside it is gathered. `Refused` when it is wrong."""
    values = run.values
    if run.icc_key is None:
        raise Refused("no card key", where="combined signature")
    signed = values.get(Tag.DYNAMIC_SIGNATURE, b"")
    dynamic = _dynamic_data(run, run.icc_key, signed, values[Tag.UNPREDICTABLE])
    check = emv_oda_sm2.check_combined if isinstance(run.icc_key, Sm2PublicKey) else emv_oda.check_combined
    cid, cryptogram = check(dynamic, asked + answer)
    if bytes((cid,)) != values.get(Tag.CID):
        raise Refused("two kinds of cryptogram", where="combined signature")
    values[Tag.CRYPTOGRAM] = cryptogram
    values[Tag.DYNAMIC_NUMBER] = dynamic[1 : 1 + dynamic[0]]


def check_contactless(run: Run) -> None:
    """fDDA version 01 of qPBOC: signed over our number, amount, currency and the card's 9F69; `Refused` if not."""
    values = run.values
    related = values.get(Tag.CARD_AUTHENTICATION, b"")
    if not related.startswith(b"\x01"):
        raise Refused("no signed data of version 01", where="fDDA")
    if related[5:7] != values.get(Tag.CARD_QUALIFIERS):  # the copy is signed, what was sent alone is not
        raise Refused("another verification of the holder than was signed", where="fDDA")
    bound = values[Tag.UNPREDICTABLE] + values[Tag.AMOUNT] + values[Tag.CURRENCY] + related
    signed = values.get(Tag.DYNAMIC_SIGNATURE, b"")
    number = _dynamic_data(run, card_key(run), signed, bound, contactless=True)
    if number[1:] != values.get(Tag.COUNTER):
        raise Refused("signed for another transaction", where="fDDA")


def _dynamic(run: Run, key: PublicKey | Sm2PublicKey) -> None:
    """INTERNAL AUTHENTICATE over the card's or the terminal's list (Book 2, 6.5)."""
    ddol = run.values.get(Tag.DDOL, run.application.default_ddol)
    try:
        wanted, asked = parse_dol(ddol), fill_dol(ddol, run.values)
    except TlvError:
        raise Refused("a list that is none", where="DDOL") from None
    if (Tag.UNPREDICTABLE, 4) not in wanted:  # else an old signature would do
        raise Refused("a list without the terminal's number", where="DDOL")
    response = send(run.link, b"\x00\x88\x00\x00" + bytes((len(asked),)) + asked + b"\x00")
    try:
        signed = find(response.data, 0x80) or find(response.data, 0x77, Tag.DYNAMIC_SIGNATURE)
    except TlvError:
        signed = None
    if response.sw != 0x9000 or signed is None:
        raise Refused(f"SW {response.sw:04X}", where="internal authenticate")
    dynamic = _dynamic_data(run, key, signed, asked)
    if dynamic[:1] and len(dynamic) >= 1 + dynamic[0]:
        run.values[Tag.DYNAMIC_NUMBER] = dynamic[1 : 1 + dynamic[0]]


def transaction_objects(objects: list[tuple[int, bytes]]) -> bytes:
    """An answer's objects without the signature, as its hash takes them."""
    return b"".join(tlv(tag, value) for tag, value in objects if tag != Tag.DYNAMIC_SIGNATURE)
