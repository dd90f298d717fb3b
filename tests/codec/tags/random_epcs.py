"""Random identities of every scheme, from its table: as they may be written into a tag of that encoding."""

from __future__ import annotations

import random

from jinka.codec.tags import Epc, Scheme
from jinka.codec.tags.keys import KEY_BY_SCHEME
from jinka.codec.tags.schemes import PREFIX_BITS, Field

SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
SET_39 = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CAGE = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def text(rng: random.Random, letters: str, least: int, most: int) -> str:
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def number(rng: random.Random, bits: int) -> str:
    """Small and large ones alike."""
    return str(rng.getrandbits(rng.randint(1, bits)))


def random_epc(scheme: Scheme, rng: random.Random, without: str = "") -> Epc:
    """``without`` names characters that no text shall have."""
    set_82, set_39 = (SET.translate({ord(c): None for c in without}) for SET in (SET_82, SET_39))
    parts: list[str] = []
    key = KEY_BY_SCHEME.get(scheme.epc)
    for segment in scheme.segments:
        if segment.field in (Field.SPLIT_DIGITS, Field.SPLIT_INTEGER, Field.SPLIT_TEXT, Field.SPLIT_SIX):
            assert key is not None
            size = rng.randint(6, 12)
            parts.append(digits(rng, size))
            wide = PREFIX_BITS[12 - size]
            if segment.field is Field.SPLIT_DIGITS:
                parts.append(digits(rng, key.digits - size))
            elif segment.field is Field.SPLIT_INTEGER:
                parts.append(number(rng, segment.bits - wide))
            else:
                letters = set_82 if segment.field is Field.SPLIT_TEXT else set_39
                parts.append(text(rng, letters, 1, key.max_length - size))
        elif segment.field is Field.INTEGER:
            most = 10**12 - 1 if scheme.epc == "cpi" else 1 << segment.bits
            parts.append(str(int(number(rng, segment.bits)) % most))
        elif segment.field is Field.TEXT:
            parts.append(text(rng, set_82, 1, segment.length))
        elif segment.field is Field.NUMERIC:
            parts.append(text(rng, "0123456789", 1, segment.length))
        elif segment.field is Field.DIGITS:
            parts.append(digits(rng, segment.length))
        elif segment.field is Field.SIX:
            part_number = segment.length == 32
            head = "" if part_number or "#" in without else rng.choice(["", "#"])
            parts.append(
                head + text(rng, set_39.replace("#", ""), 0 if part_number else 1, segment.length - len(head))
            )
        elif segment.field in (Field.CAGE_SIX, Field.CAGE_EIGHT):
            parts.append(text(rng, CAGE, 5, 6))
    return Epc(scheme=scheme.epc, parts=tuple(parts))
