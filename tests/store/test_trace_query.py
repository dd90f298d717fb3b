"""Every parameter of SimpleEventQuery finds what it should and nothing else.

Method: a dozen events that differ in everything, and a table of parameters with the ids that the standard's text gives
(EPCIS 2.0, 8.2.7.1), on SQLite and PostgreSQL. A parameter that the table leaves out fails a test of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jinka.codec.epcis import read_json
from jinka.store.trace_capture import prepare
from jinka.store.trace_find import Position
from jinka.store.trace_parameters import FIXED_NAMES, read_query
from jinka.store.trace_query import ParameterException, TooComplexException, TooLargeException
from jinka.store.trace_store import TraceStore
from tests.epcis_rig import NOW, document, store_at
from tests.store.trace_cases import CASES, EVENTS, EX, ID, MASTER, SITE, event


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TraceStore]:
    with store_at(tmp_path_factory.mktemp("query") / "e.db") as store:
        yield _filled(store)


def _filled(store: TraceStore) -> TraceStore:
    found = read_json(document(*EVENTS, context={"ex": EX}, **MASTER))
    answers = store.capture([prepare(one) for one in found.events], vocabularies=found.vocabularies)
    assert {one.outcome.value for one in answers} == {"accepted"}
    return store


def _found(store: TraceStore, parameters: dict[str, Any], most: int = 100) -> str:
    events, _ = store.events(read_query(parameters, {"ex": EX}), most)
    return " ".join((one.event_id or "").removeprefix(ID) for one in events)


@pytest.mark.parametrize(("parameters", "expected"), CASES, ids=[str(case[0])[1:-1] for case in CASES])
def test_a_parameter_finds_what_it_should(sqlite_store: TraceStore, parameters: Any, expected: str) -> None:
    assert _found(sqlite_store, parameters) == expected


def test_every_parameter_finds_the_same_on_postgresql(fresh_postgres: Any) -> None:
    with store_at(fresh_postgres()) as store:
        _filled(store)
        assert [_found(store, parameters) for parameters, _ in CASES] == [expected for _, expected in CASES]


def test_the_table_leaves_no_parameter_out() -> None:
    asked = {name for parameters, _ in CASES for name in parameters}
    controls = {"orderBy", "orderDirection", "eventCountLimit", "maxEventCount"}
    assert FIXED_NAMES - asked - controls == set()


def test_results_are_ordered_as_asked(where: Path | str) -> None:
    with store_at(where) as store:
        _filled(store)
        newest = _found(store, {"orderBy": "eventTime", "eventCountLimit": 2})
        oldest = _found(store, {"orderBy": "eventTime", "orderDirection": "ASC", "eventCountLimit": "2"})
        assert (newest, oldest) == ("error tested", "object shipped")
        assert _found(store, {"orderBy": "recordTime"}).split()[0] == "error"
        counted = _found(store, {"orderBy": "ex:count", "EQ_action": "OBSERVE"})
        assert counted.split()[0] == "shipped"  # what lacks the field comes last
        assert len(counted.split()) == 4
        assert _found(store, {"maxEventCount": 9, "EQ_action": "ADD"}) == "object packed bound"
        with pytest.raises(TooLargeException):
            _found(store, {"maxEventCount": 2, "EQ_action": "ADD"})


@pytest.mark.parametrize(
    "order", [{}, {"orderBy": "eventTime"}, {"orderBy": "recordTime"}, {"orderBy": "ex:count"}]
)
@pytest.mark.parametrize("limit", [{}, {"eventCountLimit": 5}])
def test_pages_put_together_are_the_whole_whatever_comes_meanwhile(
    where: Path | str, order: dict[str, Any], limit: dict[str, Any]
) -> None:
    with store_at(where) as store:
        _filled(store)
        query = read_query(order | limit, {"ex": EX})
        whole = [row.seq for row in store.page(query, 100).rows]
        seqs: list[int] = []
        after: Position | None = None
        for number in range(20):
            page = store.page(query, 2, after)
            seqs += [row.seq for row in page.rows]
            after = page.after
            if after is None:
                break
            late = read_json(document(event(f"late{number}"))).events
            store.capture([prepare(one) for one in late])
        assert after is None
        assert seqs == whole


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"EQ_nothing": "1"}, "EQ_nothing"), ({"eventtype": "ObjectEvent"}, "eventtype"),
        ({"GE_eventTime": "2026-03-01T10:00:00"}, "GE_eventTime"), ({"GE_eventTime": 5}, "GE_eventTime"),
        ({"GT_eventTime": "2026-03-01T10:00:00Z"}, "GT_eventTime"), ({"GE_eventTime": ""}, "GE_eventTime"),
        ({"EQ_action": "LOOK"}, "EQ_action"), ({"EQ_action": ""}, "EQ_action"), ({"EQ_action": []}, "EQ_action"),
        ({"EQ_action": [1]}, "EQ_action"), ({"EQ_bizStep": "flying"}, "EQ_bizStep"),
        ({"eventType": "Object"}, "eventType"), ({"MATCH_epc": "no uri"}, "MATCH_epc"),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:*.1.*"}, "MATCH_epc"),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:6901234.*.5"}, "MATCH_epc"),
        ({"MATCH_epc": "urn:epc:idpat:nothing:1.*"}, "MATCH_epc"),
        ({"EQ_quantity": "ten"}, "EQ_quantity"), ({"GT_quantity": "1|2"}, "GT_quantity"),
        ({"GT_quantity": "nan"}, "GT_quantity"), ({"GT_quantity": "1e999"}, "GT_quantity"),
        ({"GT_quantity": True}, "GT_quantity"), ({"GE_value_Celsius": "1"}, "GE_value_Celsius"),
        ({"EXISTS_errorDeclaration": "maybe"}, "EXISTS_errorDeclaration"),
        ({"EQ_booleanValue": "x"}, "EQ_booleanValue"),
        ({"orderBy": "colour"}, "orderBy"), ({"orderBy": ["eventTime"]}, "orderBy"),
        ({"orderBy": "eventTime", "orderDirection": "UP"}, "orderDirection"),
        ({"eventCountLimit": 0}, "eventCountLimit"), ({"eventCountLimit": "-1"}, "eventCountLimit"),
        ({"maxEventCount": "many"}, "maxEventCount"), ({"maxEventCount": 1 << 60}, "maxEventCount"),
        ({"eventCountLimit": 1, "maxEventCount": 1}, "eventCountLimit"),
        ({"EQ_no:word": "1"}, "EQ_no:word"), ({"GT_ex:word": "blue"}, "GT_ex:word"),
        ({"GT_ex:word": [5]}, None), ({"EXISTS_ex:word": "perhaps"}, "EXISTS_ex:word"),
        ({"EQ_bizTransaction_what": "urn:t:1"}, "EQ_bizTransaction_what"),
        ({"EQ_source_owning_party": "x y"}, "EQ_source_owning_party"), ({"HASATTR_colour": "x"}, "HASATTR_colour"),
        ({"EQ_eventID": "|".join(["urn:x:1"] * 1_001)}, "EQ_eventID"),
        ({f"EXISTS_ex:a{n}": "" for n in range(201)}, "query"), ({"EQ_readPoint": {"id": SITE}}, "EQ_readPoint"),
    ],
)  # fmt: skip
def test_what_is_unknown_or_ill_formed_is_named(parameters: dict[str, Any], named: str | None) -> None:
    if named is None:  # a list of one number is a number
        read_query(parameters, {"ex": EX})
        return
    with pytest.raises(ParameterException) as told:
        read_query(parameters, {"ex": EX})
    assert told.value.where == named


def test_everything_may_be_asked_at_once(where: Path | str) -> None:
    together: dict[str, Any] = {}
    for parameters, _ in CASES:
        together |= parameters
    with store_at(where) as store:
        _filled(store)
        assert _found(store, together) == ""
        many = {f"EXISTS_ex:a{n}": "" for n in range(200)}
        assert _found(store, many) == ""
        patterns = "|".join(f"urn:epc:idpat:sgtin:{6901234 + n}.*.*" for n in range(9))
        assert _found(store, {"MATCH_anyEPC": patterns, "eventType": "AggregationEvent"}) == "packed"


def test_long_texts_in_any_script_are_kept_and_found(where: Path | str) -> None:
    text, uri = "\U0001f404" * 5_000, "urn:x:" + "a" * 1_900
    long = event("long", bizLocation={"id": uri}, **{"ex:word": text, "ex:inner": {"ex:" + "n" * 900: text}})
    attribute = {"id": "urn:a:" + "b" * 1_900, "attribute": text}
    listed = {"type": "urn:v:" + "t" * 900, "vocabularyElementList": [{"id": uri, "attributes": [attribute]}]}
    header = {"epcisHeader": {"epcisMasterData": {"vocabularyList": [listed]}}}
    found = read_json(document(long, context={"ex": EX}, **header))
    with store_at(where) as store:
        store.capture([prepare(one) for one in found.events], vocabularies=found.vocabularies)
        assert _found(store, {"EQ_ex:word": [text], "EQ_bizLocation": [uri]}) == "long"
        assert _found(store, {"EQ_ex:word": ["\U0001f404"]}) == ""
        assert _found(store, {f"EQATTR_bizLocation_{attribute['id']}": [text]}) == "long"


@pytest.mark.parametrize(
    "parameters",
    [
        {"MATCH_anyEPC": "|".join(f"urn:epc:idpat:sgtin:{6000000 + n}.*.*" for n in range(50))},
        {f"EQ_ex:a{n}": ["x"] * 1_000 for n in range(11)},
    ],
)
def test_what_would_ask_too_much_is_too_complex(parameters: dict[str, Any]) -> None:
    with pytest.raises(TooComplexException):
        read_query(parameters, {"ex": EX})


def test_a_query_that_takes_too_long_is_given_up(where: Path | str) -> None:
    with store_at(where) as store:
        _filled(store)
        store._query_s = 0.0 if isinstance(where, Path) else 0.001
        found = read_json(
            document(*(event(f"n{n}", **{"ex:n": n}) for n in range(400)), context={"ex": EX})
        ).events
        store.capture([prepare(one) for one in found])
        with pytest.raises(TooComplexException):
            for _ in range(50):  # the clock is looked at every so many steps
                store.page(read_query({"GE_ex:n": 0, "orderBy": "ex:n", "EXISTS_ex:n": ""}, {"ex": EX}), 100)


def test_a_page_does_not_reach_beyond_its_first(where: Path | str) -> None:
    with store_at(where) as store:
        _filled(store)
        page = store.page(read_query({}), 100, Position(upto=NOW, given=0))
        assert page.rows == ()


def test_different_values_are_listed_in_pages(where: Path | str) -> None:
    with store_at(where) as store:
        _filled(store)
        assert store.values([3], "", 10) == sorted(
            f"https://ref.gs1.org/cbv/BizStep-{one}"
            for one in ("commissioning", "shipping", "packing", "sensor_reporting")
        )
        first = store.values([7, 8, 9, 10], "", 3)
        rest = store.values([7, 8, 9, 10], first[-1], 100)
        assert sorted({*first, *rest}) == [*first, *rest]
        assert len(first) + len(rest) == 9
