"""Claims that no verdict explains. Goal: who invents one is paid by nobody's cards, and stops no centre.

Method: a city's parcel is changed on its way; small lies are looked up in the books of each centre that sees them, and
what nobody could believe must be parked, while the others' round is settled as without it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.app.centre_founded import require_dates
from jinka.clearing import LineKind
from jinka.clearing.routing import CLAIMS
from jinka.kit import MAX_MINOR, Refused
from jinka.settlement.chart import AccountCode, AccountName
from jinka.sim.travel import SCHEME
from jinka.store import SqlLedger
from tests.app.centre_rig import (
    DATE,
    TWO,
    Federation,
    codes,
    federation,
    require_books,
    services,
    settle_fields,
    travel,
)

LIAR, VICTIM = TWO
OPERATOR = "op.liar"
INVENTED = (
    LineKind.FEE,
    LineKind.SUBSIDY,
    LineKind.SHARE,
    LineKind.LOAD,
    LineKind.INTERCHANGE,
    LineKind.RISK,
)


@pytest.fixture(scope="module")
def keys() -> Any:
    return services(TWO)


@pytest.fixture(scope="module")
def days(keys: Any) -> Any:
    return travel(keys, TWO, riders=20)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, keys: Any, days: Any) -> Path:
    """A round in which one city's claims are still on their way."""
    root = tmp_path_factory.mktemp("judged")
    with federation(root, keys, days) as made:
        made.cut(LIAR.code, "44", "positions")
        made.close()
        made.run()
    return root


@pytest.fixture
def round_(tmp_path: Path, judged: Path, keys: Any, days: Any) -> Iterator[Federation]:
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    with federation(tmp_path, keys, days) as fed:
        yield fed


def _claim(
    kind: LineKind, payer: str, amount: int, *, centre: str = LIAR.code, payee: str = OPERATOR, far: str = ""
):
    return {
        "centre": centre, "round": DATE.toordinal(), "kind": kind.value, "payer": payer, "payee": payee,
        "far": far or payer, "amount": amount,
    }  # fmt: skip


def _lie(fed: Federation, *rows: dict[str, Any]) -> None:
    """Put claims into the parcel that waits, and let all centres go on."""
    path = fed.root / "road" / f"{LIAR.code}-44" / f"positions-{DATE}" / "claims.parquet"
    table = pa.concat_tables([pq.read_table(path), pa.Table.from_pylist(list(rows), schema=CLAIMS)])
    pq.write_table(table, path)
    fed.cut(LIAR.code, "44", "positions", cut=False)
    fed.run()


def _balance(fed: Federation, centre: str, code: AccountCode, owner: str) -> int:
    name = AccountName(code=code, owner=owner)
    found = SqlLedger(fed.engines[centre]).balances([name.id]).get(name.id)
    return 0 if found is None else found.debits_posted - found.credits_posted


@pytest.fixture
def careless(round_: Federation, monkeypatch: pytest.MonkeyPatch) -> Federation:
    """Parents that let through what no verdict explains: who pays must see it all the same."""
    monkeypatch.setattr("jinka.app.centre_arrivals.require_grounds", lambda *_, **__: None)
    return round_


@pytest.mark.parametrize("kind", [LineKind.CHARGE, LineKind.FEE, LineKind.LOAD])
def test_what_no_verdict_explains_is_stopped_by_the_first_parent_and_reaches_no_order(
    kind: LineKind, round_: Federation
) -> None:
    """One fen beyond what was accepted is too much: the claims are parked, nobody else's books see them."""
    _lie(round_, _claim(kind, VICTIM.issuer, 1))
    [problem] = round_.centres["44"].road.problems
    assert "were accepted" in problem
    for code in round_.configs:
        assert settle_fields(round_, code) == (True, True)
        assert codes(round_, code)["CLAIM_EXCEEDS"] == 0
    assert round_.settled("44")["position"]["children"].get(LIAR.code, 0) <= 0, "nobody pays for it"
    assert _balance(round_, VICTIM.code, AccountCode.SUSPENSE, VICTIM.issuer) == 0


def test_what_is_invented_of_an_issuer_waits_in_suspense_and_every_centre_says_so(
    careless: Federation,
) -> None:
    """Each kind of claim a little: within what crossed, so that it is let through, and it is still nobody's debit."""
    round_ = careless
    _lie(round_, *(_claim(kind, VICTIM.issuer, 7) for kind in INVENTED))
    assert codes(round_, VICTIM.code)["CLAIM_EXCEEDS"] == len(INVENTED)
    assert _balance(round_, VICTIM.code, AccountCode.SUSPENSE, VICTIM.issuer) == 7 * len(INVENTED)
    for above in ("44", "00", "32"):  # they know no price list
        assert codes(round_, above)["CLAIM_EXCEEDS"] == len(INVENTED) - 1
    assert not round_.centres["44"].road.problems


def test_what_is_invented_of_the_scheme_waits_in_suspense_at_the_nation(careless: Federation) -> None:
    """The risk account bears what was accepted at risk, and a fee is never the scheme's to pay."""
    round_ = careless
    before = _balance(round_, "00", AccountCode.SUSPENSE, SCHEME)
    _lie(round_, _claim(LineKind.FEE, SCHEME, 9), _claim(LineKind.RISK, SCHEME, 5_000_000))
    found = _balance(round_, "00", AccountCode.SUSPENSE, SCHEME) - before
    assert found >= 5_000_009, "the city's own cards' risk crosses nowhere: it waits as well"
    assert codes(round_, "00")["CLAIM_EXCEEDS"] == 2
    assert codes(round_, "44")["CLAIM_EXCEEDS"] == 2
    assert _balance(round_, "00", AccountCode.RISK, SCHEME) <= 0
    assert settle_fields(round_, VICTIM.code) == (True, True)


def test_what_overflows_every_book_is_parked_and_the_others_go_on(round_: Federation) -> None:
    """No centre ends, none but the liar's claims are missing, and nothing that it claims is paid."""
    _lie(round_, *[_claim(LineKind.CHARGE, VICTIM.issuer, MAX_MINOR)] * 2)
    [problem] = round_.centres["44"].road.problems
    assert problem.startswith(f"{LIAR.code} positions")
    for code in round_.configs:
        assert settle_fields(round_, code) == (True, True)
    assert not round_.settled("00")["position"]["children"]["44"] > 0
    assert codes(round_, VICTIM.code)["CLAIM_EXCEEDS"] == 0
    require_books(round_, findings=False)


def test_records_of_a_day_that_nobody_has_are_parked_and_the_round_goes_on(
    tmp_path: Path, keys: Any, days: Any
) -> None:
    """A date32 reaches further than dates do."""
    with federation(tmp_path, keys, days) as fed:
        fed.close()
        fed.centres[LIAR.code].advance()
        path = fed.root / "road" / f"{LIAR.code}-44" / f"records-{DATE}" / "records.parquet"
        table = pq.read_table(path)
        pq.write_table(_dated(table, 2**31 - 1), path)
        fed.run()
        [problem] = fed.centres["44"].road.problems
        assert "business_date" in problem
        for code in fed.configs:
            assert settle_fields(fed, code) == (True, True)
        for days_ in (-(2**31), 0, 20_000):
            with pytest.raises(Refused, match="business day"):
                require_dates(_dated(table, days_), DATE, where="p")
        require_dates(table, DATE, where="p")


def _dated(table: pa.Table, days_: int) -> pa.Table:
    dates = pa.array([days_] * table.num_rows, pa.int32()).cast(pa.date32())
    place = table.schema.get_field_index("business_date")
    return table.set_column(place, table.schema.field(place), dates)


def test_a_fault_of_this_machine_parks_nobody_and_is_made_good_by_another_try(
    tmp_path: Path, keys: Any, days: Any
) -> None:
    """A file that is gone is not its sender's doing: the centre stops, and goes on where it stood. Bad bytes park."""
    with federation(tmp_path, keys, days) as fed:
        fed.close()
        fed.centres[LIAR.code].advance()
        path = fed.root / "road" / f"{LIAR.code}-44" / f"records-{DATE}" / "records.parquet"
        away = path.rename(path.with_suffix(".away"))
        path.symlink_to(tmp_path / "nowhere")
        with pytest.raises(FileNotFoundError):
            fed.centres["44"].advance()
        assert not fed.centres["44"].road.problems
        path.unlink()
        away.rename(path)
        fed.run()
        assert not fed.centres["44"].road.problems
        require_books(fed)
    with federation(tmp_path / "damaged", keys, days) as fed:
        fed.close()
        fed.centres[LIAR.code].advance()
        path = fed.root / "road" / f"{LIAR.code}-44" / f"records-{DATE}" / "records.parquet"
        path.write_bytes(path.read_bytes()[:-40] + bytes(40))
        fed.centres["44"].advance()
        [problem] = fed.centres["44"].road.problems
        assert problem.startswith(f"{LIAR.code} records")
