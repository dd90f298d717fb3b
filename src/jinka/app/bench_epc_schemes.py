"""`jinka bench epc`, every scheme of TDS 1.x that epcpy reads: from bits to the URN, beside epcpy in the same run.

Seeded random identities with the longest serials half of the time. epcpy is asked through the class of the scheme, as
who knows it beforehand would; that is its quicker way. ADI-var is left out: epcpy reads few of them.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from typing import Any

from jinka.codec.tags import SCHEMES, Epc, Scheme, decode_urn, encode, make_tag
from jinka.codec.tags.keys import KEY_BY_SCHEME
from jinka.codec.tags.schemes import PREFIX_BITS, SPLITS, Field
from jinka.kit import JinkaError

_EACH = 200
_SEED = 20_260_102
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"  # all that every scheme can hold
_PEER_LACKS = frozenset({"gdti-113", "adi-var"})

Measure = Callable[[dict[str, Callable[[], Any]], int, float], dict[str, int]]


def bench_schemes(seconds: float, measure: Measure) -> dict[str, Any]:
    """Microseconds for a tag of each scheme, and how many times as quick as epcpy. Raises `JinkaError` where the two
    read different URNs."""
    known = [scheme for scheme in SCHEMES if not scheme.is_plus and scheme.name not in _PEER_LACKS]
    found = {}
    for scheme in known:
        epcs = list(_identities(scheme))
        raws = [encode(make_tag(scheme, epc)) for epc in epcs]
        texts, urns = [raw.hex() for raw in raws], [epc.urn for epc in epcs]
        peer = _peer(scheme)
        if [peer(text).epc_uri for text in texts] != urns or [decode_urn(raw) for raw in raws] != urns:
            raise JinkaError(f"two URNs of one {scheme.name}", where="bench epc")
        rates = measure(_calls(peer, texts, raws), _EACH, seconds / len(known))
        found[scheme.name] = {
            "jinka_microseconds": round(1e6 / rates["jinka"], 2),
            "epcpy_microseconds": round(1e6 / rates["epcpy"], 2),
            "ratio": round(rates["jinka"] / rates["epcpy"], 1),
        }
    ratios = [row["ratio"] for row in found.values()]
    return {"each": found, "mean_ratio": round(sum(ratios) / len(ratios), 1), "least_ratio": min(ratios)}


def _calls(peer: Callable[[str], Any], texts: list[str], raws: list[bytes]) -> dict[str, Callable[[], Any]]:
    return {
        "jinka": lambda: [decode_urn(raw) for raw in raws],
        "epcpy": lambda: [peer(text) for text in texts],
    }


def _peer(scheme: Scheme) -> Callable[[str], Any]:
    name = scheme.epc
    found: Callable[[str], Any] = getattr(
        importlib.import_module(f"epcpy.epc_schemes.{name}"), name.upper()
    ).from_hex
    return found


def _identities(scheme: Scheme) -> Iterator[Epc]:
    chance = random.Random(_SEED)  # noqa: S311 - numbers for a benchmark
    for _ in range(_EACH):
        parts: list[str] = []
        digits = chance.randint(6, 12)
        for segment in scheme.segments:
            if segment.field in SPLITS:
                parts += [_digits(chance, digits), _reference(chance, scheme, digits)]
            elif segment.field is Field.INTEGER:
                most = min(segment.bits, 39) if segment.length else segment.bits  # 39: twelve digits
                parts.append(str(chance.getrandbits(chance.choice((most, chance.randint(1, most))))))
            elif segment.field is Field.DIGITS:
                parts.append(f"{chance.randrange(99):02d}")  # 14.3.10 by its letter leaves 99 out
            elif segment.field in (Field.CAGE_EIGHT, Field.CAGE_SIX):
                parts.append(_text(chance, 5))
            elif segment.field is Field.NUMERIC:
                parts.append(_digits(chance, chance.randint(1, segment.length)))
            elif segment.field is not Field.ZEROS:
                parts.append(_text(chance, _length(chance, segment.length)))
        yield Epc(scheme=scheme.epc, parts=tuple(parts))


def _reference(chance: random.Random, scheme: Scheme, digits: int) -> str:
    split, key = scheme.segments[0], KEY_BY_SCHEME[scheme.epc]
    if split.field is Field.SPLIT_DIGITS:
        return _digits(chance, key.digits - digits)
    if split.field is Field.SPLIT_INTEGER:
        return str(chance.getrandbits(split.bits - PREFIX_BITS[12 - digits]))
    return _text(chance, _length(chance, key.max_length - digits))


def _length(chance: random.Random, longest: int) -> int:
    return chance.choice((longest, chance.randint(1, longest)))


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def _text(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(_LETTERS, k=length))
