"""What `jinka bench switch` measures with: answers cut out of requests are the codec's, and no wrong answer passes.

Method: the issuer's answers beside those that the codec writes; answers spoiled in each way; the parts over real ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.app import bench_switch as bench
from jinka.app.bench_switch_load import MAC_SIZE, Cutter, Flow, Issuer, trace, wrong_answers
from jinka.codec.iso8583 import Value
from jinka.crypto.mac import MacAlgorithm
from jinka.keys import SoftKeyService
from jinka.kit import Refused, Usage
from jinka.switch.messages import answer_to


@pytest.fixture(scope="module")
def keys() -> SoftKeyService:
    return bench._service()


def _requests(keys: SoftKeyService, count: int, key: str) -> list[bytes]:
    plain = [bench.CODEC.encode(bench._request(n, [bytes(8)] * 1000))[:-MAC_SIZE] for n in range(count)]
    macs = keys.generate_macs(plain, key=key, algorithm=MacAlgorithm.RETAIL)
    return [raw + mac for raw, mac in zip(plain, macs, strict=True)]


def test_the_issuers_answers_are_those_of_the_codec(keys: SoftKeyService) -> None:
    peer = bench._config().peers["bank"]
    requests = _requests(keys, 40, bench._BANK_MAC.key)
    answers = Issuer(bench.CODEC, peer, keys, bench._BANK_MAC).answers(requests)
    for number, (request, answer) in enumerate(zip(requests, answers, strict=True)):
        given: dict[int, Value] = {38: "B12345", 39: "00", 128: answer[-MAC_SIZE:]}
        assert bench.CODEC.decode(answer) == answer_to(bench.CODEC.decode(request), given, peer)
        assert trace(answer) == trace(request) == number
    assert Cutter(requests[0], bench.CODEC, peer).cut(requests[7]) == answers[7][:-MAC_SIZE]
    with pytest.raises(Refused):
        Issuer(bench.CODEC, peer, keys, bench._BANK_MAC).answers([requests[0][:-1] + b"!"])


def test_a_wrong_answer_is_counted(keys: SoftKeyService) -> None:
    peer = bench._config().peers["till"]
    requests = _requests(keys, 20, bench._TILL_MAC.key)
    answers = Issuer(bench.CODEC, peer, keys, bench._TILL_MAC).answers(requests)
    declined = bench.CODEC.decode(answers[0]).changed({39: "51"})
    plain = bench.CODEC.encode(declined)[:-MAC_SIZE]
    [mac] = keys.generate_macs([plain], key=bench._TILL_MAC.key, algorithm=MacAlgorithm.RETAIL)
    spoiled = [plain + mac, answers[1][:-1] + b"!", *answers[2:]]
    assert wrong_answers(Flow([], answers=answers), bench.CODEC, keys, bench._TILL_MAC) == 0
    assert wrong_answers(Flow([], answers=spoiled), bench.CODEC, keys, bench._TILL_MAC) == 2


def test_the_parts_add_up(tmp_path: Path) -> None:
    found = bench._parts(tmp_path, 4)
    parts = {name: value for name, value in found.items() if name not in ("at_once", "sum", "flush_takes")}
    assert len(parts) == 10
    assert abs(sum(parts.values()) - found["sum"]) < 1
    assert found["flush_takes"] > 0


def test_more_requests_than_trace_numbers_are_refused() -> None:
    with pytest.raises(Usage):
        bench.bench_switch(60, (4, 8, 16))
