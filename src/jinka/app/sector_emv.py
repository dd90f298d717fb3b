"""Bank cards of journeys: personalised by a test authority, and the purchases that their chips make.

EMV Books 1 to 3, JR/T 0025.5 and .12 (qPBOC). Certificates come from an authority that is drawn for this process; the
card's keys from masters that the journey's bank knows as well (`jinka.app.sector_bank`), so its host proves each
cryptogram. Electronic cash is paid from the pool that its loads filled; online purchases from the account.
"""

from __future__ import annotations

import datetime as dt
import functools

from jinka.card import Personal
from jinka.card.emv_issue import Authority, EmvHolder, contents, environment_contents
from jinka.codec import Algorithm
from jinka.crypto import diversify, emv
from jinka.crypto.emv_oda import CaKey, PrivateKey, sign_issuer
from jinka.crypto.rsa_sign import draw_private_key
from jinka.declaration import Sector, Start
from jinka.kit import Usage, make_id
from jinka.profile import ApplicationProfile, KeyUse

CHIP_KEYS = {use: f"{use}/TDES/9" for use in ("cryptogram", "script_mac", "script_data")}
EXPIRY = dt.date(2039, 12, 31)
SEQUENCE = 1
_EFFECTIVE = dt.date(2024, 1, 1)
_CA_INDEX, _CA_BITS, _ISSUER_BITS, _CARD_BITS = 0xF1, 1408, 1152, 1024


def journey_key(name: str) -> bytes:
    """The value of a journey's key: simulated, and the same on every machine."""
    return make_id("jinka.journey.key", name)


def pan_of(number: bytes) -> str:
    """The number of a journey's bank card, from that of its chip."""
    return f"622848{number.hex()[-10:]}"


@functools.cache
def _key(bits: int) -> PrivateKey:
    """The authority's, the issuer's and the cards' keys have lengths of their own."""
    return draw_private_key(bits)


@functools.lru_cache(maxsize=4)
def _authority(identifier: str) -> Authority:
    key = _key(_ISSUER_BITS)
    certificate, remainder = sign_issuer(
        _key(_CA_BITS), key.public, identifier=identifier, expiry=bytes.fromhex(f"{EXPIRY:%m%y}"),
        serial=b"\0\0\1",
    )  # fmt: skip
    return Authority(ca_index=_CA_INDEX, key=key, certificate=certificate, remainder=remainder)


def ca_key(rid: bytes) -> CaKey:
    """The authority's public key, as a terminal has it."""
    return CaKey(rid, _CA_INDEX, _key(_CA_BITS).public, EXPIRY)


def emv_personal(
    sector: Sector, profile: ApplicationProfile, number: bytes, start: Start, others: list[ApplicationProfile]
) -> Personal:
    """What goes onto the card: an application's data, or the list of those that are on it (``others``)."""
    if not profile.keys:
        listed = [one for one in others if one.name in sector.emv]
        if not listed:
            raise Usage(
                "a payment environment with nothing in it",
                where=f"start of {profile.name}",
                fix="put it last",
            )
        entries = [(one.aid, sector.emv[one.name].label, sector.emv[one.name].priority) for one in listed]
        return Personal(card_no=number, keys=(), contents=environment_contents(entries))
    if profile.name not in sector.emv:
        raise Usage("no EMV data", where=f"{sector.name}.{profile.name}", fix="declare it in Sector.emv")
    holder = EmvHolder(
        pan=pan_of(number), sequence=SEQUENCE, effective=_EFFECTIVE, expiry=EXPIRY, pin=start.pin,
        ecash_fen=start.balance,
    )  # fmt: skip
    block = emv.card_block(holder.pan, f"{SEQUENCE:02d}")
    keys = tuple(
        holder.pin_bytes
        if key.use is KeyUse.PIN
        else diversify(Algorithm.TDES, journey_key(CHIP_KEYS[key.service_purpose]), block)
        for key in profile.keys
    )
    files = contents(sector.emv[profile.name], holder, _authority(holder.pan[:6]), _key(_CARD_BITS))
    return Personal(card_no=number, keys=keys, contents=files)
