"""Bank cards for tests: a CA, an issuer and a card key that never change, a product, and commands written by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from jinka.card import Card, Personal
from jinka.card.emv_issue import (
    Authority,
    EmvHolder,
    Sm2Authority,
    contents,
    directory_script,
    environment_contents,
    joined,
)
from jinka.card.personalise import script
from jinka.codec import Algorithm
from jinka.codec.dol import fill_dol
from jinka.codec.emv_tags import Tag, amount, leaves
from jinka.crypto import diversify, emv
from jinka.crypto.emv_oda import CaKey, PrivateKey, sign_issuer
from jinka.crypto.emv_oda_sm2 import STANDARD_FORM, Sm2CaKey, Sm2Form, certify_issuer
from jinka.crypto.sm2 import Sm2PrivateKey
from jinka.kit import Randomness
from jinka.profile import EmvSpec
from jinka.sectors import bank
from jinka.sim.randomness import SeededRandomness
from tests.card.rig import Scripted

CA = PrivateKey.from_primes(
    int(
        "d350f3fa521e25340dda189ab75a1974d31d28a5a5dc3847be329e8af7223d1a8082eda7a622152627c90f5f4d"
        "bd3629cde89ace38dc41102ad024e405de8c1a2adae50bc2a04eed",
        16,
    ),
    int(
        "d31a40628ffdbc4f2cad5192fe4199687b3e49473b0ccf05c242457d58cb2993dd382290ee08656d6e763c5e3c"
        "449e02e8f4201781e96816609b7149b5136bd5b36dbc4f5585c17b",
        16,
    ),
)
ISSUER = PrivateKey.from_primes(
    int(
        "e2264b51309549db3e3bf2bdf96ea783117b6f369bd2db1a304d385f07eb8ad6bda487b382b5bb99a7a651607a"
        "10f1ece1536ca5690c9689181f5ba82f67a4ad",
        16,
    ),
    int(
        "c625729bd1072c4c17d70e18895933f8e62775632208f368f4649a4e38457f7732a805cec1f82ae890487763cc"
        "53181584d266016571ab213a02c75cf902deb9",
        16,
    ),
)
ICC = PrivateKey.from_primes(
    int(
        "d7ab7d753a8c0d8eb6d15fe7705290cb19ee2159b07c981f58090b4d0c29d80c5388d6c64f5c00e41831640f73"
        "40574808a1f8f05cffb8a6213e9926d1db2393",
        16,
    ),
    int(
        "d3a4b6cd736f900871fe686298b218a70334181e4aeb3641a87feeaa8f3d8179e771e42eedd71dc62f63530d4c"
        "3993c96463fd29138bac0a01e152a26d7f105d",
        16,
    ),
)
ICC_1984 = PrivateKey.from_primes(
    int(
        "dbdabb36f1bea38208465cecdc3f9c4f8f297529f249653a0cc2ba8fa16c920e6f00b0bd004a7d93e5a58c8ac0"
        "a9aeb6fe19d8c0dbcff1200893ff341869e5974bf6f459721c4c973e2f57b6149447664cf305a726199188617e"
        "5b4343c444438837e5ffcfb3d773c92b691a298e67eff61b95ffd7aaa6b97f551b0d",
        16,
    ),
    int(
        "d4338703f6ffa4d40a9f4cdadf0fb162271a12ab63608fa726ba61115e2aedfa9140c1216ff0af107009b045bd"
        "a5f0fd20f46586139bdbd5cc5f3c79a8beff4b93f1adf2551b2cda6977c781593f50938c080909f78f1b857467"
        "694dc585ae817119f92a59b58348bd553b48b0c4ae06eceb50d9a3d7885b47f9abe5",
        16,
    ),
)

PAN = "6228000100001117"
RID = bank.AID_DEBIT[:5]
CA_KEY = CaKey(RID, 0x61, CA.public, dt.date(2030, 12, 31))
SM2_CHANCE = SeededRandomness("bank SM2")
SM2_CA, SM2_ISSUER, SM2_ICC = (Sm2PrivateKey.generate(SM2_CHANCE) for _ in range(3))
SM2_CA_KEY = Sm2CaKey(RID, 0x57, SM2_CA.public_key(), dt.date(2030, 12, 31))
MASTER = {
    "cryptogram": bytes.fromhex("F0C34A8124CEE0A91A0B034AA97D6EAC"),
    "script_mac": bytes.fromhex("FEDCBA98765432100123456789ABCDEF"),
    "script_cipher": bytes.fromhex("89ABCDEF0123456776543210FEDCBA98"),
}
HOLDER = EmvHolder(
    pan=PAN,
    sequence=1,
    effective=dt.date(2018, 1, 1),
    expiry=dt.date(2028, 12, 31),
    pin="123456",
    ecash_fen=50_000,
)
TODAY = dt.date(2018, 9, 1)
ENTRY = (bank.AID_DEBIT, "PBOC DEBIT", 1)


def authority() -> Authority:
    certificate, remainder = sign_issuer(
        CA, ISSUER.public, identifier="622800", expiry=b"\x12\x29", serial=b"\0\0\1"
    )
    return Authority(ca_index=0x61, key=ISSUER, certificate=certificate, remainder=remainder)


def sm2_authority(form: Sm2Form = STANDARD_FORM, ca: Sm2PrivateKey = SM2_CA) -> Sm2Authority:
    certificate = certify_issuer(
        ca,
        SM2_ISSUER.public_key(),
        SM2_CHANCE,
        identifier="622800",
        expiry=b"\x12\x29",
        serial=b"\0\0\1",
        form=form,
    )
    return Sm2Authority(
        ca_index=0x57, key=SM2_ISSUER, certificate=certificate, randomness=SM2_CHANCE, form=form
    )


def card_keys(algorithm: Algorithm, holder: EmvHolder = HOLDER) -> tuple[bytes, ...]:
    block = emv.card_block(holder.pan, f"{holder.sequence:02d}")
    derived = [diversify(algorithm, key, block) for key in MASTER.values()]
    return (*derived, holder.pin_bytes)


def issued(
    *,
    spec: EmvSpec = bank.SPEC,
    holder: EmvHolder = HOLDER,
    algorithm: Algorithm = Algorithm.TDES,
    key: PrivateKey | None = ICC,
    signed: bool = True,
    sm2: tuple[Sm2Authority, Sm2PrivateKey | None] | None = None,
    randomness: Randomness | None = None,
    **changes: object,
) -> Card:
    """A card with the debit application and both payment environments; ``changes`` are of the product."""
    if changes:
        spec = replace(spec, **changes)
    profile = bank.PROFILE.with_algorithm(algorithm)
    files = contents(spec, holder, authority() if signed else None, key if signed else None, sm2=sm2)
    personal = Personal(card_no=bytes(10), keys=card_keys(algorithm, holder), contents=files)
    environment = Personal(card_no=bytes(10), keys=(), contents=environment_contents([ENTRY]))
    commands = joined(
        directory_script([ENTRY]), [script(profile, personal), script(bank.ENVIRONMENT, environment)]
    )
    card = Card.blank(randomness or Scripted())
    for command in commands:
        answer = card.transmit(command)
        assert answer[-2:] == b"\x90\x00", f"{command.hex()} -> {answer.hex()}"
    card.power_up()
    return card


def values(fen: int = 1000, **more: bytes) -> dict[int, bytes]:
    """What a terminal would fill into the card's lists."""
    found = {
        Tag.AMOUNT: amount(fen),
        Tag.AMOUNT_OTHER: bytes(6),
        Tag.COUNTRY_TERMINAL: b"\x01\x56",
        Tag.TVR: bytes(5),
        Tag.CURRENCY: b"\x01\x56",
        Tag.DATE: bytes.fromhex("180901"),
        Tag.TIME: bytes.fromhex("083000"),
        Tag.TYPE: b"\x00",
        Tag.UNPREDICTABLE: bytes.fromhex("1E78EEBC"),
        Tag.ARC: b"00",
    }
    return {int(tag): value for tag, value in found.items()} | {
        int(Tag[name.upper()]): value for name, value in more.items()
    }


def select(card: Card, aid: bytes = bank.AID_DEBIT) -> bytes:
    return card.transmit(b"\x00\xa4\x04\x00" + bytes((len(aid),)) + aid + b"\x00")


def options(card: Card, given: dict[int, bytes] | None = None) -> bytes:
    """SELECT and GET PROCESSING OPTIONS."""
    assert select(card)[-2:] == b"\x90\x00"
    return gpo(card, given)


def gpo(card: Card, given: dict[int, bytes] | None = None) -> bytes:
    body = fill_dol(bank.SPEC.pdol, given or values())
    body = bytes((0x83, len(body))) + body
    return card.transmit(b"\x80\xa8\x00\x00" + bytes((len(body),)) + body + b"\x00")


def tapped(card: Card, given: dict[int, bytes]) -> dict[int, bytes]:
    """A contactless purchase as a reader does it: options, then every record that the answer names."""
    found = answer(options(card, given))
    for command in reading(found.get(Tag.AFL, b"")):
        found |= answer(card.transmit(command))
    return found


def reading(afl: bytes) -> list[bytes]:
    """The READ RECORD commands of a file locator."""
    return [
        bytes((0x00, 0xB2, number, afl[at] >> 3 << 3 | 4, 0x00))
        for at in range(0, len(afl), 4)
        for number in range(afl[at + 1], afl[at + 2] + 1)
    ]


def generate(card: Card, p1: int, given: dict[int, bytes] | None = None, *, second: bool = False) -> bytes:
    body = fill_dol(bank.SPEC.cdol2 if second else bank.SPEC.cdol1, given or values())
    return card.transmit(bytes((0x80, 0xAE, p1, 0, len(body))) + body + b"\x00")


def answer(raw: bytes) -> dict[int, bytes]:
    """The objects of a GENERATE AC answer of either format, or of GET PROCESSING OPTIONS in format 2."""
    assert raw[-2:] == b"\x90\x00", raw.hex()
    if raw[0] == 0x80:
        body = raw[2:-2]
        parts = {
            Tag.CID: body[:1],
            Tag.COUNTER: body[1:3],
            Tag.CRYPTOGRAM: body[3:11],
            Tag.ISSUER_DATA: body[11:],
        }
        return {int(tag): value for tag, value in parts.items()}
    return dict(leaves(raw[:-2]))


def session(key_name: str, counter: int, algorithm: Algorithm = Algorithm.TDES) -> bytes:
    block = emv.card_block(PAN, "01")
    return emv.pboc_session(algorithm, diversify(algorithm, MASTER[key_name], block), counter)


def arpc(first: dict[int, bytes], code: bytes = b"00", algorithm: Algorithm = Algorithm.TDES) -> bytes:
    """EXTERNAL AUTHENTICATE with the issuer's cryptogram."""
    key = session("cryptogram", int.from_bytes(first[Tag.COUNTER], "big"), algorithm)
    made = emv.response_cryptogram(algorithm, key, first[Tag.CRYPTOGRAM], code)
    return b"\x00\x82\x00\x00\x0a" + made + code


def scripted(
    first: dict[int, bytes], head: str, plain: bytes = b"", algorithm: Algorithm = Algorithm.TDES
) -> bytes:
    """A script command with its MAC."""
    key = session("script_mac", int.from_bytes(first[Tag.COUNTER], "big"), algorithm)
    head5 = bytes.fromhex(head) + bytes((len(plain) + 4,))
    bound = first[Tag.COUNTER] + first[Tag.CRYPTOGRAM]
    return head5 + plain + emv.script_mac(algorithm, key, head5, bound, plain)[:4]


def data(card: Card, tag: int) -> bytes:
    """GET DATA without tag and length."""
    raw = card.transmit(b"\x80\xca" + tag.to_bytes(2, "big") + b"\x00")
    assert raw[-2:] == b"\x90\x00", raw.hex()
    return raw[3:-2]
