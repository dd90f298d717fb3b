"""`jinka bench iso8583`: messages a second on one core, each way, beside pyiso8583 and iso8583sim.

All write and read the same sale of eighteen fields in ASCII with a bitmap in hexadecimal, and all have to give the
same bytes and values. Rates are messages in a second of processor time, the best of several turns that the three take
one after another, so that a busy machine harms all of them. The peers' own logs are switched off. Other dialects are
measured without a peer. `Message` values are built and every alphabet is checked in each turn.
"""

from __future__ import annotations

import copy
import importlib
import logging
import time
from collections.abc import Callable
from typing import Any

from jinka.codec.iso8583 import Codec, Message, dialect
from jinka.codec.iso8583.compile import HOT
from jinka.kit import JinkaError, NotFound
from jinka.registry.bins import Bin, BinTable, CardKind

_TURN_S = 0.25  # one measurement; some of each
_SALE: dict[int, str | bytes] = {
    2: "4111111111111111", 3: "000000", 4: "000000001000", 7: "1215143022", 11: "123456", 12: "143022", 13: "1215",
    14: "2612", 18: "5411", 22: "051", 25: "00", 32: "12345", 35: "4111111111111111=26121010000",
    37: "123456789012", 41: "TERM0001", 42: "MERCHANT1234567",
    43: "SHOP AND COMPANY HIGH STREET 1 BEIJINGCN", 49: "156",
}  # fmt: skip
_POS: dict[int, str | bytes] = {
    2: "6222021234567890123", 3: "000000", 4: "000000012300", 11: "000123", 22: "051", 23: "001", 25: "00", 26: "12",
    35: "6222021234567890123=28122010000000000", 41: "00000001", 42: "952718182217875", 49: "156", 52: bytes(8),
    53: "2600000000000000", 55: bytes.fromhex("9F2608AABBCCDDEEFF00119F2701809F3704DEADBEEF950500800000009A03180809"),
    60: "22000001000500", 64: b"B3A092AE",
}  # fmt: skip
_OTHERS = ("iso1987-binary", "iso1987-bcd", "iso1987-ebcdic", "unionpay-interbank")

_Pair = tuple[Callable[[], Any], Callable[[], Any]]


def bench_iso8583(seconds: float = 6.0) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` when two of them do not agree."""
    codec, message = dialect("iso1987-ascii"), Message(mti="0200", fields=_SALE)
    raw = codec.encode(message)
    pairs = {"jinka": _ours(codec, message)}
    for name, make in (("pyiso8583", _pyiso8583), ("iso8583sim", _iso8583sim)):
        try:
            pairs[name] = make(raw)
        except ModuleNotFoundError:
            continue
    if len(pairs) == 1:
        raise NotFound(
            "no peer is installed", where="bench iso8583", fix="make test installs what the checks need"
        )
    rates = _measure(pairs, seconds * 0.7)
    others = {name: _ours(dialect(name), message) for name in _OTHERS}
    others["unionpay-pos"] = _ours(dialect("unionpay-pos"), Message(mti="0200", fields=_POS))
    more = _measure(others, seconds * 0.3)
    peers = {name: rate for name, rate in rates.items() if name != "jinka"}
    return {
        "bench": "iso8583",
        "message": {"dialect": "iso1987-ascii", "fields": len(_SALE), "bytes": len(raw)},
        "clock": "processor time of one core, best of several turns",
        "encode_per_second": {name: rate[0] for name, rate in rates.items()},
        "decode_per_second": {name: rate[1] for name, rate in rates.items()},
        "ratio": {
            name: {
                "encode": round(rates["jinka"][0] / rate[0], 1),
                "decode": round(rates["jinka"][1] / rate[1], 1),
            }
            for name, rate in peers.items()
        },
        "dialects": {name: {"encode": rate[0], "decode": rate[1]} for name, rate in more.items()},
        "bin_lookups_per_second": _bin_rate(),
    }


def _ours(codec: Codec, message: Message) -> _Pair:
    raw = codec.encode(message)
    for _ in range(2 * HOT):
        if codec.encode(message) != raw or codec.decode(raw) != message:
            raise JinkaError("a message does not come back", where=f"bench iso8583, {codec.spec.name}")
    return (lambda: codec.encode(message)), (lambda: codec.decode(raw))


def _pyiso8583(raw: bytes) -> _Pair:
    peer, specs = importlib.import_module("iso8583"), importlib.import_module("iso8583.specs")
    spec = copy.deepcopy(specs.default_ascii)
    spec["h"]["max_len"] = 0
    values = {"t": "0200"} | {str(number): value for number, value in _SALE.items()}
    _agree("pyiso8583", raw, bytes(peer.encode(dict(values), spec)[0]))
    found = peer.decode(raw, spec)[0]
    if any(found[key] != value for key, value in values.items()):
        raise JinkaError("pyiso8583 reads other values", where="bench iso8583")
    return (lambda: peer.encode(dict(values), spec)), (lambda: peer.decode(raw, spec))


def _iso8583sim(raw: bytes) -> _Pair:
    types = importlib.import_module("iso8583sim.core.types")
    builder = importlib.import_module("iso8583sim.core.builder").ISO8583Builder()
    parser = importlib.import_module("iso8583sim.core.parser").ISO8583Parser()
    logging.getLogger("iso8583sim").setLevel(logging.CRITICAL)
    message = types.ISO8583Message(mti="0200", fields={0: "0200"} | _SALE)
    text = builder.build(message)
    _agree("iso8583sim", raw, text.encode())
    found = parser.parse(text).fields
    if any(found[number] != value for number, value in _SALE.items()):
        raise JinkaError("iso8583sim reads other values", where="bench iso8583")
    return (lambda: builder.build(message)), (lambda: parser.parse(text))


def _bin_rate() -> int:
    """Look-ups of a card in an invented table of 2,000 prefixes of 5 to 9 digits."""
    prefixes = [str(62_000 + 7 * n) + "1234"[: n % 5] for n in range(2000)]
    table = BinTable(
        Bin(prefix=p, length=16 + n % 4, bank="B", kind=CardKind.DEBIT) for n, p in enumerate(prefixes)
    )
    cards = [p.ljust(16 + n % 4, "0") for n, p in enumerate(prefixes)]
    lookup = table.lookup
    if any(found is None or not card.startswith(found.prefix) for card in cards for found in [lookup(card)]):
        raise JinkaError("a card is not found", where="bench iso8583")
    return round(len(cards) * _rate(lambda: [lookup(card) for card in cards], _TURN_S, step=1))


def _agree(name: str, ours: bytes, theirs: bytes) -> None:
    if ours != theirs:
        raise JinkaError(f"{name} writes other bytes", where="bench iso8583")


def _measure(pairs: dict[str, _Pair], seconds: float) -> dict[str, tuple[int, int]]:
    """(encode, decode) a second for each; they take turns, and the best turn counts."""
    turn = min(_TURN_S, seconds / (2 * len(pairs)))
    turns = max(1, int(seconds / (2 * turn * len(pairs))))
    best = {name: [0.0, 0.0] for name in pairs}
    for _ in range(turns):
        for name, pair in pairs.items():
            for way, call in enumerate(pair):
                best[name][way] = max(best[name][way], _rate(call, turn))
    return {name: (round(rates[0]), round(rates[1])) for name, rates in best.items()}


def _rate(call: Callable[[], Any], seconds: float, step: int = 50) -> float:
    done, spent = 0, 0.0
    while spent < seconds:
        started = time.process_time()
        for _ in range(step):
            call()
        spent += time.process_time() - started
        done += step
        step = min(2 * step, 5000)
    return done / spent
