"""`jinka bench epc`: tags decoded a second on one core, one by one and in batch, beside epcpy.

All decode the same SGTIN-96 of seeded random numbers, and have to give the same URNs. Rates are tags in a second of
processor time, the best of several turns that the two take one after another, so that a busy machine harms both. epcpy
makes its URN in any case; Jinka is measured to the parts, to the URN at once, from bytes and from the hexadecimal that
epcpy takes, and to the URN by way of the parts. Every other scheme is `jinka.app.bench_epc_schemes`.
"""

from __future__ import annotations

import importlib
import random
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from jinka.app.bench_epc_schemes import bench_schemes
from jinka.codec.tags import SCHEME_BY_NAME, Epc, decode, decode_tag_urn, decode_urn, encode, make_tag
from jinka.codec.tags.batch import decode_batch
from jinka.codec.tags.batch_texts import batch_links, batch_urns
from jinka.codec.tags.identity import make_canonical
from jinka.kit import JinkaError, NotFound

_TAGS = 2_000  # one by one
_ROWS = 1_000_000  # in batch
_SEED = 20_260_101


def bench_epc(seconds: float = 6.0, rows: int = _ROWS) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` when the two do not agree."""
    raws = _tags(_TAGS)
    texts = [raw.hex() for raw in raws]
    urns = [decode(raw).epc_urn for raw in raws]
    calls: dict[str, Callable[[], Any]] = {
        "jinka, to the parts": lambda: [decode(raw) for raw in raws],
        "jinka, to the URN": lambda: [decode_urn(raw) for raw in raws],
        "jinka, hexadecimal to the URN": lambda: [decode_urn(bytes.fromhex(text)) for text in texts],
        "jinka, to the tag URN": lambda: [decode_tag_urn(raw) for raw in raws],
        "jinka, by the parts to the URN": lambda: [decode(raw).epc_urn for raw in raws],
        "jinka, encode": _encoder(raws),
        "jinka, canonical name of a URN": lambda: [make_canonical(urn) for urn in urns],
    }
    peer = _peer()
    if [peer(text).epc_uri for text in texts] != urns or list(map(decode_urn, raws)) != urns:
        raise JinkaError("epcpy reads other URNs", where="bench epc")
    calls["epcpy"] = lambda: [peer(text) for text in texts]
    rates = _measure(calls, len(raws), seconds / 2)
    few = np.frombuffer(b"".join(raws), np.uint8).reshape(-1, 12)
    many = np.tile(few, (-(-rows // len(few)), 1))[:rows]
    _agree(many[: len(raws)], urns)
    batch = _batch_rates(many, seconds / 4)
    return {
        "bench": "epc",
        "scheme": "sgtin-96",
        "clock": "processor time of one core, best of several turns",
        "one_by_one_per_second": rates,
        "microseconds_each": {name: round(1e6 / rate, 2) for name, rate in rates.items()},
        "ratio_to_epcpy": {
            name: round(rate / rates["epcpy"], 1)
            for name, rate in rates.items()
            if name.endswith(("parts", "URN"))
        },
        "schemes_to_the_URN": bench_schemes(seconds / 4, _measure),
        "batch": {"rows": rows, **batch},
    }


def _tags(count: int) -> list[bytes]:
    chance = random.Random(_SEED)  # noqa: S311 - numbers for a benchmark
    scheme = SCHEME_BY_NAME["sgtin-96"]
    made = []
    for _ in range(count):
        size = chance.randint(6, 12)
        parts = (
            str(chance.randrange(10**size)).zfill(size),
            str(chance.randrange(10 ** (13 - size))).zfill(13 - size),
            str(chance.getrandbits(38)),
        )
        made.append(encode(make_tag(scheme, Epc(scheme="sgtin", parts=parts), chance.randrange(8))))
    return made


def _encoder(raws: list[bytes]) -> Callable[[], Any]:
    tags = [decode(raw) for raw in raws]
    return lambda: [encode(tag) for tag in tags]


def _peer() -> Callable[[str], Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # regular expressions in strings that are not raw
            module = importlib.import_module("epcpy.epc_schemes.sgtin")
    except ModuleNotFoundError:
        raise NotFound(
            "no peer is installed", where="bench epc", fix="make test installs what the checks need"
        ) from None
    found: Callable[[str], Any] = module.SGTIN.from_hex
    return found


def _agree(rows: Any, urns: list[str]) -> None:
    columns = decode_batch(rows)
    found = [columns.tag(row) for row in range(len(urns))]
    if [tag.epc.urn if tag else "" for tag in found] != urns or batch_urns(columns)[: len(urns)] != urns:
        raise JinkaError("the batch reads other URNs", where="bench epc")


def _measure(calls: dict[str, Callable[[], Any]], count: int, seconds: float) -> dict[str, int]:
    best = dict.fromkeys(calls, 0.0)
    end = time.process_time() + seconds
    while True:
        for name, call in calls.items():
            best[name] = max(best[name], count / _spent(call))
        if time.process_time() > end:
            return {name: round(rate) for name, rate in best.items()}


def _batch_rates(rows: Any, seconds: float) -> dict[str, int]:
    columns: dict[str, Callable[[], Any]] = {
        "per_second": lambda: decode_batch(rows),
        "with_gtins_per_second": lambda: decode_batch(rows).keys(),
    }
    texts: dict[str, Callable[[], Any]] = {
        "to_URNs_per_second": lambda: batch_urns(decode_batch(rows)),
        "to_links_per_second": lambda: batch_links(decode_batch(rows)),
    }
    return _measure(columns, len(rows), seconds / 2) | _measure(texts, len(rows), seconds / 2)


def _spent(call: Callable[[], Any]) -> float:
    started = time.process_time()
    call()
    return max(time.process_time() - started, 1e-9)
