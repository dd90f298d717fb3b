"""`jinka bench keys`: verbs of the key service a second, by provider and by road, all in one run.

Soft in process is the peer of the others: soft over the Unix socket and SoftHSM2 over the socket, each in a process of
its own as `jinka keys serve` runs it, with its audit log on the disk before an answer leaves. The keys come from a
ceremony and go onto the token by `jinka keys to-token`. Answers of the verbs that have one right answer are compared
between the roads. One caller, one connection; nothing runs beside it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from jinka.app.bench_tac import tac_batch
from jinka.app.key_serving import KeyServing
from jinka.app.key_token import move_to_token
from jinka.app.keyring import open_keys, unlock_store, write_ceremony
from jinka.app.workspace import Workspace
from jinka.codec import Algorithm
from jinka.crypto import diversify
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.bulk import warm_up
from jinka.crypto.emv import card_block, cryptogram, pboc_session
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.keys import KeyName, Purpose, hold_ceremony
from jinka.keys.cryptograms import SessionKey
from jinka.keys.payment_port import FullKeyService
from jinka.keys.store import KeyStore
from jinka.kit import JinkaError, Usage
from jinka.node.key_socket import connect_unix
from jinka.sim.randomness import SeededRandomness

_REGION = "440300"
_NAMES = (
    *(f"tac/TDES/{version}" for version in (1, 2, 3)),
    "zone_pin/TDES/1@a", "zone_pin/TDES/1@b", "zone_mac/TDES/1@a", "pin_verify/TDES/1", "card_verify/TDES/1",
    "cryptogram/TDES/1", "zone_master/AES/1@a", "sign/P-256/1", "sign/SM2/1",
)  # fmt: skip
_PIN_ROWS = 10_000
_SERVED_S = 120.0  # for a service to start, with a token's flushes
_PAN = "6225880123456782"
_TOKEN, _PIN, _OFFICER = "bench", "13572468", "24681357"
_ROUNDS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is asked of every service."""

    pins: np.ndarray[Any, np.dtype[np.uint8]]
    pans: list[str]
    factors: np.ndarray[Any, np.dtype[np.uint8]]
    records: pa.RecordBatch
    arqc: bytes


def bench_keys(seconds: float = 30.0, rows: int = 1_000_000, module: Path | None = None) -> dict[str, Any]:
    """Measure; without ``module`` the token is left out. Raises `JinkaError` when two services do not agree."""
    if not 1000 <= rows <= 10_000_000 or not 0.5 <= seconds <= 3600:
        raise Usage("out of bounds", where="bench keys", fix="1,000 to 10,000,000 rows, 0.5 to 3600 seconds")
    warm_up()
    services = 3 if module else 2
    with tempfile.TemporaryDirectory(prefix="jinka-bench-") as temporary:
        folder, other = Path(temporary, "soft"), Path(temporary, "token")
        _make_keys(folder)
        store = unlock_store(Workspace(folder)).store
        work, share = _work(store, rows), seconds / services / _ROUNDS / 10
        with ExitStack() as open_services:
            local = open_keys(Workspace(folder), _REGION)
            open_services.callback(local.close)
            roads: dict[str, FullKeyService] = {"soft": local}
            roads["soft over the socket"] = open_services.enter_context(_served(folder, None))
            if module is not None:
                _make_keys(other)
                roads["SoftHSM2 over the socket"] = open_services.enter_context(_served(other, module))
            rates = _measure(roads, work, share)
    medians = {
        road: {verb: round(median(found)) for verb, found in verbs.items()} for road, verbs in rates.items()
    }
    return {
        "bench": "keys",
        "rows": rows,
        "rates_per_second": medians,
        "ratio_to_soft_in_process": {  # of rounds that were taken in turn
            road: {verb: _ratio(found, rates["soft"][verb]) for verb, found in verbs.items()}
            for road, verbs in rates.items()
            if road != "soft"
        },
        "aims": {"translate_pins (PINs)": 20_000, "chip_keys (cards)": 1_000_000},
        "rounds": _ROUNDS,
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "peak_rss_of_services_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
    }


def _make_keys(folder: Path) -> None:
    """A folder with the keys of one ceremony: equal ones in every folder, but for key pairs, which no seed decides."""
    ceremony = hold_ceremony(
        issuer="issuer.bench",
        date="2018-09-01",
        custodians=("A", "B", "C"),
        randomness=SeededRandomness("bench keys"),
        simulated=True,
        names=tuple(KeyName.parse(text) for text in _NAMES),
    )
    folder.mkdir()
    write_ceremony(Workspace(folder), ceremony)


def _work(store: KeyStore, rows: int) -> Work:
    def value(text: str) -> bytes:
        return store.roots[KeyName.parse(text)]

    dice = SeededRandomness("bench pins")
    pans = [f"622588{number:010}" for number in range(_PIN_ROWS)]
    zone = PinZone(
        key=BlockKey(cipher=BlockCipher.TDES, value=value("zone_pin/TDES/1@a")), format=PinFormat.ISO_0
    )
    pins = b"".join(encipher_pin(zone, f"{number:04}", pan, dice) for number, pan in enumerate(pans))
    own = diversify(Algorithm.TDES, value("cryptogram/TDES/1"), card_block(_PAN))
    return Work(
        pins=np.frombuffer(pins, np.uint8).reshape(-1, 8),
        pans=pans,
        factors=np.random.default_rng(1).integers(0, 256, (rows, 8), dtype=np.uint8),
        records=tac_batch(store, Algorithm.TDES, rows),
        arqc=cryptogram(Algorithm.TDES, pboc_session(Algorithm.TDES, own, 1), _DATA),
    )


_DATA = bytes(range(33))
_ZONES: dict[str, Any] = {
    "source": "zone_pin/TDES/1@a", "source_format": PinFormat.ISO_0,
    "target": "zone_pin/TDES/1@b", "target_format": PinFormat.ISO_0,
}  # fmt: skip


def _verbs(service: FullKeyService, work: Work) -> dict[str, tuple[int, Callable[[], Any]]]:
    """Each verb with how many things one call does."""
    card: dict[str, Any] = {"pan": _PAN, "sequence": "00", "counter": 1, "session": SessionKey.PBOC}
    block = work.pins[1].tobytes()
    at: dict[str, Any] = {"zone": "zone_pin/TDES/1@a", "zone_format": PinFormat.ISO_0, "pan": work.pans[1]}
    pvv = service.make_pvv(block, key="pin_verify/TDES/1", index=1, **at)
    drawn = "zone_pin/TDES/9@bench"
    service.draw_key(name=drawn, size=16)
    return {
        "verify_tacs (records)": (len(work.records), lambda: service.verify_tacs(work.records)),
        "chip_keys (cards)": (
            len(work.factors),
            lambda: service.chip_keys(
                Purpose.TAC, algorithm=Algorithm.TDES, version=1, factors8=work.factors
            ),
        ),
        "translate_pins (PINs)": (
            len(work.pans),
            lambda: service.translate_pins(work.pins, pans=work.pans, **_ZONES),
        ),
        "translate_pin": (1, lambda: service.translate_pin(block, pan=work.pans[1], **_ZONES)),
        "verify_pin": (
            1,
            lambda: service.verify_pin(block, key="pin_verify/TDES/1", reference=pvv, **at),
        ),
        "generate_mac": (
            1,
            lambda: service.generate_mac(bytes(64), key="zone_mac/TDES/1@a", algorithm=MacAlgorithm.RETAIL),
        ),
        "make_card_value": (
            1,
            lambda: service.make_card_value(key="card_verify/TDES/1", pan=_PAN, date4="2912", service3="201"),
        ),
        "make_response (ARQC and ARPC)": (
            1,
            lambda: service.make_response(_DATA, work.arqc, key="cryptogram/TDES/1", code2=b"00", **card),
        ),
        "wrap_key": (1, lambda: service.wrap_key(key=drawn, under="zone_master/AES/1@a")),
        "sign (P-256)": (1, lambda: service.sign(_DATA, key="sign/P-256/1")),
        "sign (SM2)": (1, lambda: service.sign(_DATA, key="sign/SM2/1")),
    }


_DRAWN_ANEW = ("wrap_key", "sign (P-256)", "sign (SM2)")


def _measure(roads: dict[str, FullKeyService], work: Work, share: float) -> dict[str, dict[str, list[float]]]:
    """The rates of each verb by road, a round of one after a round of the other; raises when two answer otherwise."""
    asked = {road: _verbs(service, work) for road, service in roads.items()}
    rates: dict[str, dict[str, list[float]]] = {road: {verb: [] for verb in asked["soft"]} for road in roads}
    for verb in asked["soft"]:
        # the first calls load kernels and handles: they are not timed
        answers = {road: verbs[verb][1]() for road, verbs in asked.items()}
        if verb not in _DRAWN_ANEW:
            _compare(verb, answers)
        for _ in range(_ROUNDS):
            for road, verbs in asked.items():
                rates[road][verb].append(_rate(*verbs[verb], share))
    return rates


def _compare(verb: str, answers: dict[str, Any]) -> None:
    for road, answer in answers.items():
        if _plain(answer) != _plain(answers["soft"]):
            raise JinkaError(f"{road} answers {verb} otherwise", where="bench keys")


def _rate(things: int, call: Callable[[], Any], share: float) -> float:
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < share or not done:
        call()
        done += things
    return done / max(spent, 1e-9)


def _ratio(found: list[float], base: list[float]) -> float:
    return round(median(one / other for one, other in zip(found, base, strict=True)), 3)


def _plain(answer: Any) -> Any:
    if isinstance(answer, tuple):
        return [_plain(item) for item in answer]
    return answer.tolist() if isinstance(answer, np.ndarray | pa.Array) else answer


@contextmanager
def _served(folder: Path, module: Path | None) -> Iterator[FullKeyService]:
    """A service in a process of its own, and a connection to it."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=_serve, args=(folder, module, ready, stop), daemon=True)
    process.start()
    try:
        started = time.monotonic()
        while not ready.wait(0.2):
            if not process.is_alive() or time.monotonic() - started > _SERVED_S:
                raise JinkaError("the key service did not start", where="bench keys")
        remote = connect_unix(folder / "keys.sock", caller="day")
        try:
            yield remote
        finally:
            remote.close()
    finally:
        stop.set()
        process.join(30)
        if process.is_alive():
            process.terminate()
            process.join()


def _serve(folder: Path, module: Path | None, ready: Event, stop: Event) -> None:
    if module is not None:
        _make_token(folder, module)
    serving = KeyServing(folder, shares=[], ask_pin=lambda: _PIN)
    serving.start()
    ready.set()
    stop.wait()
    serving.stop()


def _make_token(folder: Path, module: Path) -> None:
    """A SoftHSM2 token in the folder, with all the keys that it can hold."""
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(conf)
    made = ("softhsm2-util", "--init-token", "--free", "--label", _TOKEN, "--pin", _PIN, "--so-pin", _OFFICER)
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    (folder / "keys.toml").write_text(f'[token]\nmodule = "{module}"\nlabel = "{_TOKEN}"\n')
    move_to_token(folder, module=module, label=_TOKEN, pin=_PIN, shares=())
