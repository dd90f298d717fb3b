"""A test card of every declared application: made up holders, and test keys that everybody has.

The documents' and bank cards' own data are the simplest that are whole: a bank card without offline data
authentication (its certificates need an authority: `jinka issue` has one), a travel document with a signer made for
the moment, a social security card with the examples of its declaration.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from jinka.app.card_files import (
    ISSUER_NUMBER,
    TEST_NUMBER,
    bank_template,
    make_test_keys,
    profile_named,
    template_of,
)
from jinka.card import Card, CardImage, Personal, document_data, subscriber_data
from jinka.card.emv_issue import EmvHolder
from jinka.card.emv_issue import contents as bank_contents
from jinka.codec import Algorithm
from jinka.codec.bcd import digits_to_bcd
from jinka.codec.mrz import Mrz, MrzFormat
from jinka.crypto.certificates import Authority
from jinka.issuer.production import CardOrder, personal_data
from jinka.keys import Purpose
from jinka.kit import Randomness, Usage
from jinka.node.system import SystemRandomness
from jinka.profile import ApplicationKind, ApplicationProfile, KeyUse
from jinka.profile.records import RecordSpec
from jinka.sectors import bank, social_security
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import HolderClass

TEST_PIN = b"\x12\x34\x56"
_SECRET_SIZE = 16
_DAY = dt.datetime(2018, 9, 1, tzinfo=dt.UTC)
_END = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
SPECIMEN_ZONE = Mrz(
    format=MrzFormat.TD3,
    document_type="P",
    issuer="UTO",
    number="L898902C3",
    nationality="UTO",
    surname="ERIKSSON",
    given_names="ANNA MARIA",
    birth="740812",
    sex="F",
    expiry="340415",
)
_PHOTO = b"\xff\xd8\xff\xe0" + bytes(64) + b"\xff\xd9"


def sample_card(
    name: str,
    *,
    algorithm: Algorithm = Algorithm.TDES,
    number: str = TEST_NUMBER,
    balance: int = 0,
    randomness: Randomness | None = None,
) -> Card:
    """A card of a declared application, personalised; ``balance`` is for those with a purse."""
    profile = profile_named(name, algorithm)
    if balance and profile.purse is None and profile.application is not ApplicationKind.EMV:
        raise Usage("no purse to put a balance into", where=name, fix="leave the balance out")
    if profile.application is ApplicationKind.EMV:
        image = _bank(profile, algorithm, number, balance)
    else:
        personal = _MAKERS.get(profile.application, _native)(profile, algorithm, number, balance)
        image = template_of(profile, algorithm).clone(personal)
    return Card.from_image(image, randomness or SystemRandomness())


def secrets_of(profile: ApplicationProfile) -> tuple[bytes, ...]:
    """A key or PIN for each place of the profile; the same on every machine."""
    drawn = SeededRandomness(f"jinka test card|{profile.name}")
    return tuple(
        key.initial or (TEST_PIN if key.use is KeyUse.PIN else drawn.token_bytes(_SECRET_SIZE))
        for key in profile.keys
    )


def _native(profile: ApplicationProfile, algorithm: Algorithm, number: str, balance: int) -> Personal:
    """A purse under the test key service where that derives all keys, other files under test secrets."""
    known = {purpose.value for purpose in Purpose}
    card_no = digits_to_bcd(number, 10)
    if profile.purse is not None and all(key.service_purpose in known for key in profile.keys):
        order = CardOrder(card_no=card_no, holder=HolderClass.ORDINARY, balance=balance)
        [personal] = personal_data(
            [order], profile=profile, algorithm=algorithm, issuer=ISSUER_NUMBER, keys=make_test_keys()
        )
        return personal
    contents = {}
    if profile.name == social_security.PROFILE.name:
        contents = _examples(social_security.RECORDS)
    return Personal(
        card_no=card_no, keys=secrets_of(profile), issuer=ISSUER_NUMBER, balance=balance, contents=contents
    )


def _examples(records: Sequence[RecordSpec]) -> dict[tuple[int, int], bytes]:
    """Each file's records as they are declared."""
    contents: dict[tuple[int, int], bytes] = {}
    for record in records:
        place = (record.folder, record.fid)
        contents[place] = contents.get(place, b"") + record.example
    return contents


def _bank(profile: ApplicationProfile, algorithm: Algorithm, number: str, balance: int) -> CardImage:
    """A whole card, with both payment environments."""
    holder = EmvHolder(
        pan=number, effective=_DAY.date(), expiry=_END.date(), pin=TEST_PIN.hex(), ecash_fen=balance
    )
    *keys, _ = secrets_of(profile)
    spec = bank.SPEC_SM4 if algorithm is Algorithm.SM4 else bank.SPEC
    return bank_template(algorithm).clone((*keys, holder.pin_bytes), bank_contents(spec, holder))


def _travel(profile: ApplicationProfile, algorithm: Algorithm, number: str, balance: int) -> Personal:  # noqa: ARG001
    country = Authority.root("UT", "Test country", _DAY, _END)
    signer = country.signer("UT", "Test signer", 1, _DAY, _END)
    return document_data(SPECIMEN_ZONE, _PHOTO, width=8, height=8, signer=signer)


def _usim(profile: ApplicationProfile, algorithm: Algorithm, number: str, balance: int) -> Personal:  # noqa: ARG001
    k, opc = secrets_of(profile)[1][:8].ljust(16, b"\x01"), bytes(range(16))
    return subscriber_data(profile, imsi="001010000000001", k=k, opc=opc, pin=b"1234", unblock=b"12345678")


_MAKERS: dict[ApplicationKind, Callable[[ApplicationProfile, Algorithm, str, int], Personal]] = {
    ApplicationKind.TRAVEL: _travel,
    ApplicationKind.USIM: _usim,
}
