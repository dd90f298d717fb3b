"""What seven centres tell their banks and prove. Goal: no payment is ordered twice, none is missing, taps are proven.

Method: a day of four cities in one process. Orders are held against the flows that crossed and against each other.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from lxml import etree
from typer.testing import CliRunner

from jinka.app.centre_files import RoundFiles
from jinka.app.centre_proof import CityProof, gather, touched
from jinka.app.federation import Demo, outcome
from jinka.app.proof import ProofFolder, outcomes_of
from jinka.app.proof_check import check_file
from jinka.clearing.port import FIRST_INBOUND
from jinka.clearing.verdicts import SENT
from jinka.cli.main import app
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_private import new_signer
from jinka.kit import Refused
from jinka.node.system import SystemRandomness
from jinka.settlement import BusinessDay
from jinka.settlement.centre_orders import centre_order_of
from jinka.sim.travel import CITIES, ZONE, TravelDay
from tests.app.centre_rig import DATE, NEXT, PARENTS, Federation, centre_folder, federation, services, travel
from tests.clearing.outcomes import rows, write
from tests.settlement.test_iso20022_orders import SCHEMAS

RIDERS = 2
DAY = BusinessDay(date=DATE, zone=ZONE)
RANDOM = SystemRandomness()
SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_proof.py"


@pytest.fixture(scope="module")
def keys() -> Any:
    return services(CITIES)


@pytest.fixture(scope="module")
def days(keys: Any) -> list[TravelDay]:
    return travel(keys, CITIES, riders=RIDERS)


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory, keys: Any, days: list[TravelDay]) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("seven"), keys, days) as made:
        for code in made.days:
            proof = CityProof(
                folder=made.root / code,
                centre=code,
                signer=new_signer(KeyKind.ECDSA, RANDOM),
                randomness=RANDOM,
            )
            made.centres[code] = dataclasses.replace(made.centres[code], proof=proof)
        made.close()
        made.run()
        yield made


def _between(fed: Federation, kind: str) -> Counter[tuple[str, str, str, int]]:
    """(reference, payer, payee, amount) of what centres pay each other, as each says it."""
    found: Counter[tuple[str, str, str, int]] = Counter()
    for code in fed.configs:
        for row in fed.settled(code)[kind]:
            if row["account"] == "CENTRE_DUE":
                payer, payee = (
                    name.removeprefix("centre.") if name.startswith("centre.") else code
                    for name in (row["debtor"], row["creditor"])
                )
                found[row["reference"], payer, payee, row["amount"]] += 1
    return found


def test_no_payment_between_centres_is_ordered_twice_and_none_is_missing(seven: Federation) -> None:
    orders, expected = _between(seven, "orders"), _between(seven, "expected")
    assert len(seven.configs) == 7
    assert orders == expected
    assert set(orders.values()) == {1}
    assert len({reference for reference, *_ in orders}) == len(orders)
    due = {code: seven.settled(code)["position"]["due"] for code in PARENTS if PARENTS[code]}
    wanted = {
        (code, PARENTS[code], -amount) if amount < 0 else (PARENTS[code], code, amount)
        for code, amount in due.items()
        if amount
    }
    assert {(payer, payee, amount) for _, payer, payee, amount in orders} == wanted
    assert len(wanted) >= 4, "money crossed"


def test_every_order_of_every_centre_has_a_reference_of_its_own(seven: Federation) -> None:
    """Cities with a scheme or a parent in common would name different payments alike."""
    rows = [row for code in seven.configs for row in seven.settled(code)["orders"]]
    assert len({row["reference"] for row in rows}) == len(rows) > 10


def test_an_order_with_another_end_or_centre_is_refused(seven: Federation) -> None:
    code = next(
        c for c in seven.configs if any(r["account"] == "CENTRE_DUE" for r in seven.settled(c)["orders"])
    )
    row = next(r for r in seven.settled(code)["orders"] if r["account"] == "CENTRE_DUE")
    given = {name: row[name] for name in ("reference", "debtor", "creditor", "amount")}
    assert centre_order_of(DAY, centre=code, **given).as_row() == row
    swapped = given | {"debtor": row["creditor"], "creditor": row["debtor"]}
    for changed in (swapped, given | {"creditor": "centre.9999"}, given | {"reference": "00" * 16}):
        with pytest.raises(Refused, match="reference"):
            centre_order_of(DAY, centre=code, **changed)
    with pytest.raises(Refused, match="reference"):
        centre_order_of(DAY, centre="9998", **given)


def test_a_foreign_tap_is_proven_at_both_ends_to_whoever_has_the_keys(
    seven: Federation, tmp_path: Path
) -> None:
    asking = next(c for c in seven.days if RoundFiles(seven.root / c, DATE).read("sent", SENT).num_rows)
    tap = RoundFiles(seven.root / asking, DATE).read("sent", SENT).to_pylist()[0]
    judging = tap["issuer"].removeprefix("issuer.")
    assert judging != asking
    for code in (asking, judging):
        place = seven.root / code
        file, key = tmp_path / f"{code}.json", place / "proof" / "centre.key"
        asked = ("proof", "get", str(place), "--batch", tap["batch"].hex(), "--out", str(file))
        assert CliRunner().invoke(app, asked).exit_code == 0
        found = [one.fields for one in check_file(file, key).records]
        [mine] = [one for one in found if one["batch_seq"] == tap["batch_seq"]]
        assert (mine["card_no"], mine["amount"]) == (tap["card_no"].hex(), tap["amount"])
        assert (mine["words"]["outcome"], mine["words"]["reason"]) == ("PAID", "ACCEPTED")
        command = [sys.executable, "-I", "-S", str(SCRIPT), str(file), str(key)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr
        assert mine["card_no"] in done.stdout
        wrong = seven.root / (judging if code == asking else asking) / "proof" / "centre.key"
        with pytest.raises(Refused):
            check_file(file, wrong)


def test_every_record_of_a_city_stands_in_its_log_once(seven: Federation) -> None:
    for code, day in seven.days.items():
        [statement] = ProofFolder(seven.root / code / "proof").statements()
        taken = sum(records.num_rows for _, records, _ in day.deliveries)
        inbound = RoundFiles(seven.root / code, DATE).noted("home")["inbound"]
        assert (statement.centre, statement.size) == (code, taken + inbound)
        outcomes = pq.read_table(seven.root / code / "outcomes" / str(DATE))
        assert "AWAITED" not in outcomes["outcome"].to_pylist()


def _round(folder: Path, date: dt.date, **places: list[dict[str, Any]]) -> None:
    for name, found in {"home": [], "abroad": [], **places}.items():
        place = folder / "rounds" / str(date) / name.replace("_", "-").replace("day", str(DATE))
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place, found)


def test_a_late_verdict_and_a_late_record_are_a_further_edition(tmp_path: Path) -> None:
    """The day's own records stay where they were; what another day's clearing has beside is not this day's."""
    own, sent, inbound = rows(3), rows(2, first=2 << 32), rows(2, first=FIRST_INBOUND)
    awaited = [row | {"outcome": "AWAITED"} for row in sent]
    late = rows(1, first=FIRST_INBOUND + 500) + rows(1, first=4 << 32, seed=9)
    others = rows(2, first=3 << 32, seed=7)
    _round(tmp_path, DATE, home=own + inbound, abroad=awaited)
    proof = CityProof(
        folder=tmp_path, centre="4403", signer=new_signer(KeyKind.ECDSA, RANDOM), randomness=RANDOM
    )
    assert proof.publish(DATE) == []
    abroad = rows(1, first=5 << 32, seed=11)
    _round(tmp_path, NEXT, home=others, paid_day=sent[:1], home_day=own + inbound + late, abroad_day=abroad)
    assert touched(tmp_path, NEXT) == [DATE, NEXT]
    assert proof.publish(NEXT) == proof.publish(NEXT) == []
    log = ProofFolder(tmp_path / "proof")
    assert [(one.date, one.edition, one.size) for one in log.statements()] == [
        (DATE, 1, 7), (DATE, 2, 11), (NEXT, 1, 2),
    ]  # fmt: skip
    for record, word in ((sent[0], "PAID"), (sent[1], "AWAITED"), (late[0], "PAID")):
        place = outcomes_of(tmp_path, DATE)
        document = log.document(place, {"record_id": record["record_id"]}, DATE)
        assert json.dumps(document).count(f'"{word}"') == 1
    # A day too long ago is cleared with the round's own records: these are not its own.
    shutil.rmtree(tmp_path / "rounds" / str(NEXT))
    _round(tmp_path, NEXT, home=others, paid_day=sent[:1], home_day=others + late)
    gather(tmp_path, DATE, NEXT, tmp_path / "gathered")
    ids = pq.read_table(tmp_path / "gathered")["record_id"].to_pylist()
    assert sorted(ids) == sorted(row["record_id"] for row in own + sent + inbound + late)


def _orders(place: Path, *more: str) -> Any:
    done = CliRunner().invoke(app, ["settle", "orders", str(place), "--json", *more])
    return json.loads(done.stdout) if done.exit_code == 0 else done.exit_code


def test_each_centre_orders_its_payments_as_messages_to_the_bank(seven: Federation, tmp_path: Path) -> None:
    between: Counter[str] = Counter()
    for code in seven.configs:
        wanted = seven.settled(code)["orders"]
        found = _orders(centre_folder(seven, code, tmp_path / code))
        assert sum(each["orders"] for each in found["files"]) == len(wanted)
        assert sum(each["total_minor"] for each in found["files"]) == sum(row["amount"] for row in wanted)
        for each in found["files"]:
            text = Path(each["file"]).read_text()
            between.update(row["reference"] for row in wanted if row["reference"] in text)
            if SCHEMAS.is_dir():
                schema = etree.XMLSchema(etree.parse(SCHEMAS / f"{each['message']}.xsd"))
                schema.assertValid(etree.parse(each["file"]))
    assert set(between.values()) == {1}
    assert {row for row, *_ in _between(seven, "orders")} <= set(between), (
        "each payment between centres is sent"
    )


def test_a_round_that_was_changed_pays_nobody(seven: Federation, tmp_path: Path) -> None:
    """Nor a round that is not over, nor what a neighbour has to order."""
    code = next(c for c in seven.configs if seven.settled(c)["expected"])
    place = centre_folder(seven, code, tmp_path / code)
    assert _orders(place, "--round", str(NEXT)) == 3
    path = place / "rounds" / str(DATE) / "settled.json"
    good = json.loads(path.read_bytes())
    first, *others = good["orders"]
    for orders in (
        [first | {"amount": first["amount"] + 1}, *others],
        [first | {"creditor": first["debtor"], "debtor": first["creditor"]}, *others],
        [first | {"reference": good["expected"][0]["reference"]}, *others],
    ):
        path.write_text(json.dumps(good | {"orders": orders}))
        assert _orders(place) == 4
        assert not (place / "settlement").exists()


def test_the_demo_proves_a_tap_at_both_ends_and_each_tier_adds_up_to_zero(
    seven: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outcome(Demo(folder=seven.root, ports={}))
    assert all(found["holds"].values()), found["holds"]
    terminal, card = found["tap"]
    assert terminal["centre"] != card["centre"]
    for end in found["tap"]:
        [proven] = check_file(Path(end["document"]), Path(end["key"])).records
        assert proven.fields["amount"] == end["amount"] > 0
    monkeypatch.setattr("jinka.app.federation.run_demo", lambda *_, **__: found)
    for lang, word in (("en", "proven by centre"), ("zh", "已证明")):
        done = CliRunner().invoke(app, ["federation", "demo", "--lang", lang], env={"COLUMNS": "200"})
        assert done.exit_code == 0
        assert done.stdout.count(word) >= 2
    for code, centre in found["centres"].items():
        position = centre["position"]
        children = sum(position["children"].values())
        assert children + position["own"] - position["due"] == 0, code
    assert found["centres"]["00"]["position"]["own"] > 0, "the scheme earns its fee"


def test_ends_that_do_not_agree_are_told(seven: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, card = outcome(Demo(folder=seven.root, ports={}))["tap"]
    for odd in ({"amount": card["amount"] + 1}, {"outcome": "REJECTED"}):
        monkeypatch.setattr("jinka.app.federation.prove_tap", lambda *_, odd=odd: [terminal, card | odd])
        found = outcome(Demo(folder=seven.root, ports={}))
        assert [name for name, holds in found["holds"].items() if not holds] == ["tap_proven"]
