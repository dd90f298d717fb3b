"""TAC keys beside executors: only those of the cards that were met, sealed for one service, for one job, for a while.

And no centre can check another issuer's TACs: not with its own service, not with a job's, not with a key it was sent.
"""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jinka.codec import Algorithm
from jinka.crypto.job_seal import Recipient, seal_for
from jinka.keys import Purpose, SoftKeyService, hold_ceremony, open_store
from jinka.keys.border import Caller
from jinka.keys.job import order_context
from jinka.keys.job_service import JobKeyService
from jinka.keys.port import TacStatus
from jinka.keys.service import LocalKeyService
from jinka.keys.working import Working
from jinka.kit import JinkaError, Refused, Usage
from jinka.sim.records import make_records
from tests.keys.payments import StillClock

JOB = "day 2018-09-01"


class Drawn:
    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def token_bytes(self, count: int) -> bytes:
        return self._random.bytes(count)


def issuer_service(issuer: str, seed: int, clock: StillClock) -> SoftKeyService:
    made = hold_ceremony(
        issuer=issuer, date="2018-09-01", custodians=("A", "B"), randomness=Drawn(seed), simulated=True
    )
    store = open_store(made.sealed, list(made.shares))
    return SoftKeyService(store, region="440300", working=Working(clock=clock, randomness=Drawn(1)))


def records_of(service: SoftKeyService, seed: int) -> pa.RecordBatch:
    """Valid records under the roots of a service, which a test may look at."""
    roots = {}
    for name in service.holding.records:
        if name.purpose is Purpose.TAC and name.algorithm in Algorithm.__members__:
            found = service.holding.find(name)
            assert found is not None
            roots[Algorithm[name.algorithm], name.version] = found[1].reveal()
    made = make_records(400, cards=80, seed=seed, roots=roots, date=dt.date(2018, 9, 1), wrong_share=0.02)
    table = made.records.set_column(
        made.records.schema.get_field_index("issuer"),
        pa.field("issuer", pa.string(), nullable=False),
        pa.array([service.issuer] * 400),
    )
    return table.combine_chunks().to_batches()[0]


class Rig:
    def __init__(self) -> None:
        self.clock = StillClock()
        self.issuer = issuer_service("issuer.a", 1, self.clock)
        self.records = records_of(self.issuer, 5)

    @property
    def now_s(self) -> int:
        return self.clock.now_micros() // 1_000_000

    def enrolled(self, *, cards: int = 1_000, life_s: int = 600, side: Any = None) -> JobKeyService:
        beside = JobKeyService(side or self.issuer, job=JOB, clock=self.clock)
        self.issuer.enrol_job(job=JOB, recipient=beside.public, until_s=self.now_s + life_s, cards=cards)
        return beside


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_it_says_of_each_record_what_the_issuers_service_says_and_holds_only_the_keys_that_it_met(
    rig: Rig,
) -> None:
    beside = rig.enrolled()
    wanted = rig.issuer.verify_tacs(rig.records)
    assert beside.verify_tacs(rig.records).equals(wanted)
    assert set(wanted.to_pylist()) == {int(TacStatus.OK), int(TacStatus.WRONG)}
    assert beside.cards == len(set(rig.records["card_no"].to_pylist())) == 80
    few = rig.enrolled()
    assert few.verify_tacs(rig.records.slice(0, 9)).equals(wanted.slice(0, 9))
    assert few.cards == len(set(rig.records["card_no"].to_pylist()[:9]))
    assert few.issuer == "issuer.a"
    assert beside.verify_tacs(rig.records.slice(0, 0)).to_pylist() == []


def test_no_centre_can_check_another_issuers_tacs(rig: Rig) -> None:
    other = issuer_service("issuer.b", 2, rig.clock)
    theirs = records_of(other, 6)
    assert other.verify_tacs(theirs).to_pylist().count(int(TacStatus.OK)) == 392
    beside = rig.enrolled()
    for service in (rig.issuer, beside):
        assert set(service.verify_tacs(theirs).to_pylist()) == {int(TacStatus.NO_KEY)}
        renamed = theirs.set_column(
            theirs.schema.get_field_index("issuer"),
            theirs.schema.field("issuer"),
            pa.array(["issuer.a"] * 400),
        )
        assert set(service.verify_tacs(renamed).to_pylist()) == {int(TacStatus.WRONG)}
    # A service that was enrolled at one issuer is a stranger to the other.
    stranger = JobKeyService(other, job=JOB, clock=rig.clock)
    rig.issuer.enrol_job(job=JOB, recipient=stranger.public, until_s=rig.now_s + 60, cards=100)
    with pytest.raises(Refused, match="not enrolled"):
        stranger.verify_tacs(theirs)


def test_an_order_is_sealed_for_one_key_one_job_and_these_cards(rig: Rig) -> None:
    pair, other = Recipient(), Recipient()
    for each in (pair, other):
        rig.issuer.enrol_job(job=JOB, recipient=each.public, until_s=rig.now_s + 60, cards=100)
    factors = np.frombuffer(rig.records["card_no"][0].as_py()[2:], np.uint8)[None]
    order: dict[str, Any] = {"job": JOB, "algorithm": Algorithm.TDES, "version": 1, "factors8": factors}
    blob = rig.issuer.order_job_keys(recipient=pair.public, **order)
    right = order_context("issuer.a", JOB, Algorithm.TDES, 1, factors.tobytes())
    assert len(pair.open(blob, context=right)) == 16
    wrong = [
        (other, right, blob),
        (pair, order_context("issuer.b", JOB, Algorithm.TDES, 1, factors.tobytes()), blob),
        (pair, order_context("issuer.a", "another", Algorithm.TDES, 1, factors.tobytes()), blob),
        (pair, order_context("issuer.a", JOB, Algorithm.SM4, 1, factors.tobytes()), blob),
        (pair, order_context("issuer.a", JOB, Algorithm.TDES, 1, bytes(8)), blob),
        (pair, right, blob[:-1] + bytes([blob[-1] ^ 1])),
        (pair, right, b""),
    ]
    for who, context, given in wrong:
        with pytest.raises(Refused, match="does not open"):
            who.open(given, context=context)
    key = rig.issuer.chip_keys(Purpose.TAC, algorithm=Algorithm.TDES, version=1, factors8=factors)
    assert key.tobytes() not in blob
    with pytest.raises(Refused, match="no such key"):
        rig.issuer.order_job_keys(recipient=pair.public, **order | {"version": 9})
    with pytest.raises(Refused, match="no usable"):
        seal_for(bytes(32), b"", context=b"")


def test_keys_end_with_the_job(rig: Rig) -> None:
    beside = rig.enrolled(life_s=60)
    beside.verify_tacs(rig.records)
    rig.clock.pass_s(61)
    with pytest.raises(Refused, match="time is over"):
        beside.verify_tacs(rig.records)
    assert beside.cards == 0
    with pytest.raises(Refused, match="has ended"):
        beside.verify_tacs(rig.records)

    closed = rig.enrolled()
    closed.verify_tacs(rig.records)
    closed.close()
    assert closed.cards == 0
    with pytest.raises(Refused, match="closed"):
        closed.verify_tacs(rig.records)

    ended = rig.enrolled()
    assert rig.issuer.end_job(job=JOB) == 2  # the closed one and this one
    with pytest.raises(Refused, match="not enrolled"):
        ended.verify_tacs(rig.records)


def test_an_enrolment_has_limits(rig: Rig) -> None:
    few = rig.enrolled(cards=10)
    with pytest.raises(Refused, match="more cards"):
        few.verify_tacs(rig.records)
    pair = Recipient()
    terms: dict[str, Any] = {"job": JOB, "recipient": pair.public, "until_s": rig.now_s + 60, "cards": 5}
    for name, value in [
        ("job", ""), ("job", "x" * 65), ("job", "a\nb"), ("recipient", b""), ("recipient", bytes(33)),
        ("cards", 0), ("cards", 1 << 31), ("until_s", rig.now_s), ("until_s", rig.now_s + 49 * 3600),
    ]:  # fmt: skip
        with pytest.raises((Usage, Refused)):
            rig.issuer.enrol_job(**terms | {name: value})
    rig.issuer.enrol_job(**terms)
    with pytest.raises(Refused, match="is enrolled"):
        rig.issuer.enrol_job(**terms)
    for factors in (np.zeros((0, 8), np.uint8), np.zeros((2, 7), np.uint8), np.zeros(8, np.uint8)):
        with pytest.raises(Usage):
            rig.issuer.order_job_keys(
                job=JOB, recipient=pair.public, algorithm=Algorithm.TDES, version=1, factors8=factors
            )
    bare = SoftKeyService(open_store_of("issuer.c"), region="440300")
    with pytest.raises(Refused, match="no clock"):
        bare.enrol_job(**terms)


def open_store_of(issuer: str) -> Any:
    made = hold_ceremony(
        issuer=issuer, date="2018-09-01", custodians=("A", "B"), randomness=Drawn(3), simulated=True
    )
    return open_store(made.sealed, list(made.shares))


def test_an_executor_may_order_keys_and_nothing_else(rig: Rig) -> None:
    """The rights of docs/key-service.md: an executor's service cannot enrol, and other callers cannot order."""

    def seen_by(*verbs: str) -> LocalKeyService:
        caller = Caller(name="executor", verbs=verbs, keys=("tac/*",))
        return LocalKeyService(rig.issuer.holding, region="440300", caller=caller)

    executor = seen_by("job_terms", "order_job_keys")
    beside = rig.enrolled(side=executor)
    assert beside.verify_tacs(rig.records).equals(rig.issuer.verify_tacs(rig.records))
    with pytest.raises(Refused, match="not given the verb"):
        executor.enrol_job(job=JOB, recipient=Recipient().public, until_s=rig.now_s + 9, cards=1)
    with pytest.raises(Refused, match="not given the verb"):
        executor.verify_tacs(rig.records)
    clearing = seen_by("verify_tacs", "enrol_job")
    with pytest.raises(Refused, match="not given the verb"):
        rig.enrolled(side=clearing).verify_tacs(rig.records)


def test_a_lying_issuer_service_is_found_out(rig: Rig) -> None:
    class Short:
        def job_terms(self, **asked: Any) -> Any:
            return rig.issuer.job_terms(**asked)

        def order_job_keys(self, **asked: Any) -> bytes:
            context = order_context(
                "issuer.a", asked["job"], asked["algorithm"], asked["version"], asked["factors8"].tobytes()
            )
            return seal_for(asked["recipient"], bytes(15), context=context)

    with pytest.raises(JinkaError, match="15 bytes of keys"):
        rig.enrolled(side=Short()).verify_tacs(rig.records)


def test_a_key_pair_is_not_pickled() -> None:
    with pytest.raises(Refused, match="not pickled"):
        pickle.dumps(Recipient())
