"""Rounds between centres in one process. Goal: what one centre would pay that saw everything, each pays at its place.

Method: real chips travel for a day; cities, provinces and the nation over a road of folders. A single centre with
everybody's registry and keys clears the same records, and its flows are compared. Then lines are cut, centres
restarted, verdicts lost, and parcels are sent that a centre may not send.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from jinka.app.centre_city import close_intake, send_abroad
from jinka.app.centre_claims import require_silence
from jinka.app.centre_files import RoundFiles
from jinka.clearing import Flow, LineKind
from jinka.clearing.port import ANSWERS
from jinka.clearing.routing import CLAIMS
from jinka.clearing.verdicts import CROSSING, deemed, deemed_notice, sent_of
from jinka.keys.port import TacStatus
from jinka.kit import Refused
from jinka.registry import ACKNOWLEDGEMENTS
from jinka.settlement.netting import Tiers, net_tree
from jinka.sim.travel import SCHEME, TravelDay
from tests.app.centre_rig import (
    DATE,
    NEXT,
    PARENTS,
    THIRD,
    TWO,
    Federation,
    codes,
    federation,
    flat,
    flows,
    ledger,
    next_day,
    odd_card,
    require_books,
    services,
    settle_fields,
    travel,
    upper_config,
)

RIDERS = 20
ONE_PROVINCE = {TWO[0].code: "44", TWO[1].code: "44", "44": "00", "00": ""}


@pytest.fixture(scope="module")
def keys() -> Any:
    return services(TWO)


@pytest.fixture(scope="module")
def days(keys: Any) -> list[TravelDay]:
    """A day; one card that travels begins with another balance than its issuer registered."""
    asking, judging = travel(keys, TWO, riders=RIDERS)
    cards, odd = judging.registry.cards, odd_card(asking)
    balances = [
        balance + (card == odd)
        for card, balance in zip(
            cards["card_no"].to_pylist(), cards["opening_balance"].to_pylist(), strict=True
        )
    ]
    place = cards.schema.get_field_index("opening_balance")
    cards = cards.set_column(place, cards.schema.field(place), pa.array(balances, pa.int64()))
    return [asking, dataclasses.replace(judging, registry=dataclasses.replace(judging.registry, cards=cards))]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, keys: Any, days: list[TravelDay]) -> Path:
    """A round that waits for one city's claims: all is judged and answered, nothing is in the books."""
    root = tmp_path_factory.mktemp("judged")
    with federation(root, keys, days) as made:
        made.cut(TWO[0].code, "44", "positions")
        made.close()
        made.run()
    return root


@pytest.fixture(scope="module")
def calm(
    tmp_path_factory: pytest.TempPathFactory, judged: Path, keys: Any, days: list[TravelDay]
) -> Iterator[Federation]:
    """A round that nothing disturbs."""
    root = shutil.copytree(judged, tmp_path_factory.mktemp("calm"), dirs_exist_ok=True)
    with federation(root, keys, days) as made:
        made.cut(TWO[0].code, "44", "positions", cut=False)
        made.run()
        yield made


def test_each_city_pays_what_one_centre_would_pay_that_saw_everything(
    calm: Federation, keys: Any, days: list[TravelDay], tmp_path: Path
) -> None:
    one = flat(calm, keys, days, tmp_path)
    wanted = {(f.kind.value, f.payer, f.payee): f.amount for f in one.net.flows if f.kind.value != "subsidy"}
    found: dict[tuple[str, str, str], int] = {}
    for day in days:
        for kind, payer, payee, amount in flows(calm, day.city.code):
            if kind != "subsidy":  # who bears a discount is each city's own
                found[kind, payer, payee] = found.get((kind, payer, payee), 0) + amount
    assert found == wanted
    assert sum(key[0] == "charge" and key[1][-4:] != key[2][3:7] for key in wanted) >= 2, "cards travelled"


def test_positions_add_up_from_city_to_nation_and_equal_the_netting_of_the_tree(calm: Federation) -> None:
    homes = {party: day.city.code for day in calm.days.values() for party in day.city.participants}
    tiers = Tiers(parent_of={code: PARENTS[code] for code in calm.configs}, home_of=homes | {SCHEME: "00"})
    every = [
        Flow(kind=LineKind(kind), payer=payer, payee=payee, amount=amount)
        for code in calm.days
        for kind, payer, payee, amount in flows(calm, code)
    ]
    wanted = net_tree(tiers, every)
    for code in calm.configs:
        position = calm.settled(code)["position"]
        assert position["due"] == wanted[code].due
        assert position["children"] == {child: due for child, due in wanted[code].children.items() if due}
        assert settle_fields(calm, code) == (True, True)
        assert not calm.centres[code].road.problems
    assert calm.settled("00")["position"]["own"] == wanted["00"].participants[SCHEME] > 0


def test_no_centre_can_check_anothers_cards(keys: Any, days: list[TravelDay]) -> None:
    """Neither as what they are, nor when they are passed off as its own."""
    records = pa.concat_tables([table for day in days for _, table, _ in day.deliveries]).combine_chunks()
    for city in TWO:
        batch = records.filter(pc.equal(records["issuer"], city.issuer))
        place = batch.schema.get_field_index("issuer")
        for code, service in keys.items():
            relabelled = pa.array([service.issuer] * batch.num_rows)
            passed_off = batch.set_column(place, batch.schema.field(place), relabelled)
            ways = (batch, passed_off)
            as_is, own = (set(service.verify_tacs(way.to_batches()[0]).to_pylist()) for way in ways)
            if code == city.code:
                assert TacStatus.OK in as_is
            else:
                assert as_is <= {TacStatus.NO_KEY, TacStatus.ABSENT}
                assert own <= {TacStatus.WRONG, TacStatus.ABSENT}


def test_every_answer_has_its_reason_and_comes_back(calm: Federation) -> None:
    reasons: Counter[str] = Counter()
    for code in calm.days:
        files = RoundFiles(calm.root / code, DATE)
        sent, answers = (
            pq.read_table(files.path("sent.parquet")),
            pq.read_table(files.path("answers.parquet")),
        )
        assert sorted(answers["w_id"].to_pylist()) == sorted(
            number
            for number, tac in zip(sent["record_id"].to_pylist(), sent["tac"].to_pylist(), strict=True)
            if tac
        )
        for reason, (count, _) in files.noted("paid")["abroad"].items():
            reasons[reason] += count
    assert reasons["ACCEPTED"] > 3
    assert reasons["WRONG_TAC"] >= 1


@pytest.mark.parametrize(("acknowledged", "issuer"), [(True, ""), (False, ""), (True, "issuer.4401")])
def test_a_card_that_its_centre_lists_is_stopped_in_the_other_city(
    acknowledged: bool, issuer: str, tmp_path: Path, calm: Federation, keys: Any, days: list[TravelDay]
) -> None:
    """The next day, where the terminal has the list, and not for what another issuer's centre lists."""
    asking, odd = days[0], odd_card(days[0])
    root = shutil.copytree(calm.root, tmp_path / "f")
    with federation(root, keys, days) as fed:
        city = fed.centres[asking.city.code].city
        assert city is not None
        row = {"list_version": DATE.toordinal(), "card_no": odd, "effective_from": f"{NEXT:%Y%m%d}000000"}
        assert city.registry_on(NEXT).listings.to_pylist() == [row]
        assert odd.hex() in RoundFiles(root / asking.city.code, DATE).path("list.csv").read_text()
        assert city.registry_on(DATE).listings.num_rows == 0, "it is in force from the next day"
        if issuer:
            [place] = (root / asking.city.code / "arrived").glob("*/verdicts/*/listed.parquet")
            strange = pq.read_table(place)
            pq.write_table(strange.set_column(1, strange.schema.field("issuer"), pa.array([issuer])), place)
        batch = next_day(asking, odd, keys)
        if acknowledged:
            heard = {"list_version": DATE.toordinal(), "acknowledged_at": f"{NEXT:%Y%m%d}000000"}
            rows = [heard | {"terminal_id": batch[1]["terminal_id"][0].as_py()}]
            told = pa.Table.from_pylist(rows, schema=ACKNOWLEDGEMENTS)
            city = dataclasses.replace(
                city, registry=dataclasses.replace(city.registry, acknowledgements=told)
            )
        for name, table in zip(("records", "batches"), batch, strict=True):
            pq.write_table(table, tmp_path / f"{name}.parquet")
        close_intake(city, NEXT, [("next", tmp_path / "records.parquet", tmp_path / "batches.parquet")])
        sent = send_abroad(city, NEXT)
        [outcome] = pq.read_table(RoundFiles(root / asking.city.code, NEXT).path("abroad")).to_pylist()
        assert outcome["reason"] == ("CARD_BLOCKED" if acknowledged and not issuer else "AWAITED")
        assert sent.num_rows == (outcome["reason"] == "AWAITED")


def test_any_order_of_lines_and_restarts_gives_the_same_books(
    calm: Federation, tmp_path: Path, keys: Any, days: list[TravelDay]
) -> None:
    draw = random.Random(3)
    with federation(tmp_path, keys, days) as fed:
        fed.close()
        lines = [(code, other) for code in fed.configs for other in fed.configs if code != other]
        fed.cut("32", "00")
        fed.run()  # all wait for the one province
        for _ in range(60):
            sender, receiver = draw.choice(lines)
            fed.cut(sender, receiver, cut=draw.random() < 0.6)
            code = draw.choice(list(fed.configs))
            fed.centres[code] = fed.centre(code)  # as after a kill: nothing is in memory
            fed.centres[code].advance()
        for sender, receiver in lines:
            fed.cut(sender, receiver, cut=False)
        fed.run()
        for code in fed.configs:
            assert ledger(fed, code) == ledger(calm, code)
            assert fed.settled(code) == calm.settled(code)


def test_silence_is_a_yes_and_a_late_no_is_the_issuers_loss(
    tmp_path: Path, keys: Any, days: list[TravelDay]
) -> None:
    """One city's verdicts stay out for two days. The other pays without them; when they come, nothing is paid twice."""
    asking, silent = (city.code for city in TWO)
    with federation(tmp_path, keys, days, parents=ONE_PROVINCE, answer_days=1, patience=1) as fed:
        fed.cut(silent, "44", "verdicts")
        fed.close(DATE)
        fed.run()
        assert not fed.centres[asking].settled(), "a child is waited for as long as nobody is ahead of it"
        for date in (NEXT, THIRD):
            fed.close(date, empty=True)
            fed.run()
        sent = pq.read_table(RoundFiles(fed.root / asking, DATE).path("sent.parquet"))
        owed = sum(sent.filter(sent["tac"].is_valid())["amount"].to_pylist())
        charged = {
            date: sum(
                amount
                for kind, payer, _, amount in flows(fed, asking, date)
                if (kind, payer) == ("charge", TWO[1].issuer)
            )
            for date in (DATE, NEXT)
        }
        assert charged == {DATE: 0, NEXT: owed}
        said = pq.read_table(RoundFiles(fed.root / silent, DATE).path("verdicts.parquet")).to_pylist()
        rejected = [row for row in said if row["reason"] != "ACCEPTED"]
        loss = sum(row["amount"] for row in rejected)
        assert loss > 0
        fed.cut(silent, "44", "verdicts", cut=False)
        fed.run()
        late = codes(fed, asking, THIRD)["VERDICT_LATE"]
        assert late == len(rejected)
        assert not [flow for flow in flows(fed, asking, THIRD) if flow[1] == TWO[1].issuer]
        with contextlib.closing(sqlite3.connect(fed.root / silent / "centre.db")) as database:
            [(borne,)] = database.execute(
                "SELECT sum(amount) FROM ledger_transfers WHERE code = 20"
            ).fetchall()
        assert borne == loss, "cards pay what their centre accepted; its silence is its own loss"
        require_books(fed)
        assert sum(codes(fed, silent, date)["CLAIM_EXCEEDS"] for date in (DATE, NEXT, THIRD)) == 0


def test_records_that_come_days_late_are_judged_among_their_days_and_paid_once(
    tmp_path: Path, calm: Federation, keys: Any, days: list[TravelDay]
) -> None:
    """One city's records stay out for two days, then come."""
    asking, judging = TWO
    with federation(tmp_path, keys, days, parents=ONE_PROVINCE, answer_days=5, patience=1) as fed:
        fed.cut(asking.code, "44", "records")
        for date, empty in ((DATE, False), (NEXT, True), (THIRD, True)):
            fed.close(date, empty=empty)
            fed.run()
        assert fed.settled(judging.code)["date"] == str(DATE), "nobody waits longer than a day"
        assert not _charges(fed, asking.code, judging.issuer, DATE)
        fed.cut(asking.code, "44", "records", cut=False)
        fed.run()
        fed.close(fourth := THIRD + dt.timedelta(days=1), empty=True)
        fed.run()
        paid = [_charges(fed, asking.code, judging.issuer, date) for date in (NEXT, THIRD, fourth)]
        assert [each for each in paid if each] == [_charges(calm, asking.code, judging.issuer, DATE)]
        require_books(fed, findings=False)


def _charges(fed: Federation, code: str, issuer: str, date: dt.date) -> dict[str, int]:
    return {
        payee: amount
        for kind, payer, payee, amount in flows(fed, code, date)
        if (kind, payer) == ("charge", issuer)
    }


def test_who_claims_more_than_was_accepted_gets_nothing_from_the_cards(
    tmp_path: Path, judged: Path, keys: Any, days: list[TravelDay], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A city adds to its claim, and careless parents let it through: the excess is in suspense, with its name."""
    monkeypatch.setattr("jinka.app.centre_arrivals.require_grounds", lambda *_, **__: None)
    liar, victim = TWO
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    with federation(tmp_path, keys, days) as fed:
        _change_claims(tmp_path, {"amount": 77})
        fed.cut(liar.code, "44", "positions", cut=False)
        fed.run()
        assert codes(fed, victim.code)["CLAIM_EXCEEDS"] == 1
        [found] = [one for one in fed.settled(victim.code)["findings"] if one["code"] == "CLAIM_EXCEEDS"]
        assert "77" in found["what"]
        assert liar.code in found["where"]
        assert settle_fields(fed, victim.code) == (True, False), (
            "the money behind the cards is short, and it says so"
        )


@pytest.mark.parametrize(
    "change", [{"centre": TWO[1].code}, {"kind": "gift"}, {"far": "nobody"}, {"amount": -(1 << 40)}]
)
def test_a_child_that_speaks_for_others_or_nonsense_is_parked(
    change: dict[str, Any], tmp_path: Path, judged: Path, keys: Any, days: list[TravelDay]
) -> None:
    """The parcel is parked whole and its sender named; the round goes on without it, and nobody is paid by it."""
    liar, victim = TWO
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    with federation(tmp_path, keys, days) as fed:
        _change_claims(tmp_path, change)
        fed.cut(liar.code, "44", "positions", cut=False)
        fed.run()
        [problem] = fed.centres["44"].road.problems
        assert problem.startswith(f"{liar.code} positions")
        assert fed.settled(victim.code)["position"]["due"] != 0, "its own claims still count"
        for code in ("44", "32", "00", victim.code):
            assert settle_fields(fed, code) == (True, True)


def test_nobody_claims_silence_on_what_was_answered_or_just_sent(
    tmp_path: Path, judged: Path, keys: Any, days: list[TravelDay]
) -> None:
    """A city that ignores a no, or does not wait, is stopped by its own parent, and then by the next one above."""
    liar = TWO[0]
    root = shutil.copytree(judged, tmp_path / "f")
    around, files = (
        upper_config("44", {liar.code: ([liar.code], [])}, "00").around,
        RoundFiles(root / "44", DATE),
    )
    sent = files.read("up-records-records", CROSSING)
    asked = deemed_notice(sent_of(sent, DATE.toordinal()), _silent(sent), liar.code)
    later = DATE + dt.timedelta(days=around.answer_days)
    with pytest.raises(Refused, match="was answered"):
        require_silence(root / "44", around, liar.code, later, asked, where="x")
    with pytest.raises(Refused, match="not sent 3 days before"):
        require_silence(root / "44", around, liar.code, later - dt.timedelta(days=1), asked, where="x")
    shutil.rmtree(root / "44" / "arrived" / "00" / "verdicts")
    require_silence(root / "44", around, liar.code, later, asked, where="x")
    nation = upper_config("00", {"44": (["44", liar.code], [])}).around
    with pytest.raises(Refused, match="was answered"):
        require_silence(root / "00", nation, "44", later, asked, where="x")
    other = asked.set_column(3, asked.schema.field("amount"), pa.array([1] * asked.num_rows, pa.int64()))
    with pytest.raises(Refused, match="not sent"):
        require_silence(root / "44", around, liar.code, later, other, where="x")


def _silent(sent: pa.Table) -> pa.Table:
    """Answers by silence to all records with a TAC."""
    return deemed(sent_of(sent, 1), ANSWERS.empty_table(), until_round=1)


def test_a_suspended_child_is_not_waited_for(
    tmp_path: Path, judged: Path, keys: Any, days: list[TravelDay]
) -> None:
    late, other = TWO
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    with federation(tmp_path, keys, days) as fed:
        fed.run()
        assert not fed.centres[other.code].settled()
        fed.centres["44"] = dataclasses.replace(fed.centres["44"], suspended=lambda: frozenset({late.code}))
        fed.run()
        assert settle_fields(fed, other.code) == (True, True)
        assert fed.settled("44")["position"]["children"].get(late.code, 0) != 0, (
            "what others claim of its cards goes on"
        )


def _change_claims(root: Path, change: dict[str, Any]) -> None:
    """Change the first claim of the parcel that waits on the line; a number is added."""
    [place] = (root / "road" / f"{TWO[0].code}-44").glob("positions-*/claims.parquet")
    rows = pq.read_table(place).to_pylist()
    first = next(row for row in rows if row["kind"] == "charge")
    for name, value in change.items():
        first[name] = first[name] + value if isinstance(value, int) else value
    pq.write_table(pa.Table.from_pylist(rows, schema=CLAIMS), place)
