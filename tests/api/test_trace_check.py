"""The public's page. Goal: it tells records from guesses and nothing of the chain's partners, and is no way in.

Method: a chain with a sold item, a copied one and a recalled lot, asked over ASGI in both languages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from starlette.responses import PlainTextResponse

from jinka.api.trace_check import PER_MINUTE, Asked, CheckPage, client_of, thing_of
from jinka.codec.epcis import ErrorDeclaration, Extension, Vocabulary, VocabularyElement
from jinka.store import database_at
from jinka.store.trace_capture import prepare
from jinka.store.trace_checks import KEPT, SqlChecks
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_edges_state import put_edges_state
from jinka.store.trace_recalls import SqlRecalls
from jinka.store.trace_store import TraceStore
from jinka.trace.lineage import EDGES_VERSION
from jinka.trace.read_events import EventMaker, ReadPlace
from jinka.trace.recall import Act, Cause, CauseKind, Grade, RecallEvent, draft
from jinka.trace.recall_scope import scope_of
from jinka.trace.spread import Seed, spread_forward
from jinka.trace.tag_chips import ChipMismatch, ChipSign
from tests.trace.chains import item, lot, made, parts, place, seen

GOOD, SOLD, COPIED, BAD, FAST = item(1), item(2), item(3), item(4), item(5)
CHAIN = [
    made(1, [], [GOOD, SOLD, COPIED, FAST], lot="A", where=1),
    made(1, [], [BAD], lot="B", where=1),
    seen(40, "retail_selling", 2, SOLD, COPIED),
    seen(90, "retail_selling", 3, COPIED),
    seen(2, "shipping", 1, FAST, to=2),
    seen(2.5, "receiving", 2, FAST),
    seen(3, "shipping", 1, quantities=parts((lot("W", "099999"), 5))),
    seen(3.001, "receiving", 3, quantities=parts((lot("W", "099999"), 5))),
]
PLACES = Vocabulary(
    type="urn:epcglobal:epcis:vtype:BusinessLocation",
    elements=tuple(
        VocabularyElement(
            id=place(number),
            attributes=tuple(
                (f"urn:epcglobal:cbv:mda#{name}", Extension(namespace="", name="attribute", text=text))
                for name, text in (("latitude", latitude), ("longitude", longitude))
            ),
        )
        for number, latitude, longitude in ((1, "39.9", "116.4"), (2, "31.2", "121.5"))
    ),
)


@dataclass
class _Answer:
    status_code: int
    headers: dict[str, str]
    text: str


class TestClient:
    """One request of ASGI after another, with no socket."""

    __test__ = False

    def __init__(self, app: CheckPage) -> None:
        self._app = app

    def get(self, path: str, *, params: dict[str, str] | None = None, headers: dict[str, str] | None = None,
            method: str = "GET", client: str = "127.0.0.1") -> _Answer:  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": path, "query_string": urlencode(params or {}).encode(),
            "headers": [(name.encode(), text.encode()) for name, text in (headers or {}).items()],
            "client": (client, 1), "server": ("x", 80), "scheme": "http", "root_path": "",
        }  # fmt: skip
        asyncio.run(self._app(scope, receive, send))  # type: ignore[arg-type]
        start = sent[0]
        body = b"".join(each.get("body", b"") for each in sent[1:])
        return _Answer(start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, body.decode())

    def post(self, path: str) -> _Answer:
        return self.get(path, method="POST")


class _Clock:
    now = 10**15

    def now_micros(self) -> int:
        self.now += 60_000_000
        return self.now


@pytest.fixture
def database(fresh_sqlite: Callable[[], Path]) -> Iterator[sa.Engine]:
    with database_at(fresh_sqlite()) as engine:
        TraceStore(engine, _Clock()).capture([prepare(event) for event in CHAIN], vocabularies=[PLACES])
        yield engine


@pytest.fixture
def client(database: sa.Engine) -> TestClient:
    return TestClient(CheckPage(PlainTextResponse("inside"), SqlChecks(database), _Clock(), mount="epcis"))


def _ask(client: TestClient, code: str, lang: str = "en", *, of: str = "127.0.0.1") -> _Answer:
    return client.get("/epcis/check", params={"code": code, "lang": lang}, client=of)


def test_a_known_code_is_known_and_that_is_no_proof(client: TestClient) -> None:
    text = _ask(client, "https://shop.example/01/04012340111220/10/A/21/1").text
    assert "The records know this code and agree" in text
    assert "It does not prove that what you hold is that very thing" in text
    assert "[A]" in text
    assert "genuine" not in text.lower()
    assert place(1)[-13:] not in text  # no partner of the chain
    assert "1970-01-01 01:00 UTC" in text


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        (SOLD, "By the records it was sold", "已售出"),
        (COPIED, "seen again after it was sold", "售出或销毁后再次出现"),
        (FAST, "travelled faster than anything", "移动速度不可能"),
        (lot("W", "099999"), "The records know this code and agree", "未发现矛盾"),
        (item(99), "Others of its kind are recorded, this code is not", "没有此编码的记录"),
        (item(99), "A guess, no proof", "仅为推测"),
        (item(1, "077777"), "Nothing is recorded of this code", "没有此编码的任何记录"),
    ],
)
def test_what_the_records_say(client: TestClient, code: str, english: str, chinese: str) -> None:
    assert english in _ask(client, code).text
    assert chinese in _ask(client, code, "zh").text


def test_a_recall_goes_before_all_else(client: TestClient, database: sa.Engine) -> None:
    with SqlLinks(database) as links:
        found = scope_of(links, spread_forward(links, [Seed(links.number(lot("B")))]), as_of_us=1)
    cause = Cause(kind=CauseKind.LOT, names=(lot("B"),))
    recall = draft(number=1, title="x", grade=Grade.FIRST, cause=cause, scope=found.scope, at_us=1, by="li")
    SqlRecalls(database).begin(recall, found.things)
    assert "Do not use it" not in _ask(client, BAD).text
    SqlRecalls(database).act(1, Act(event=RecallEvent.APPROVE, at_us=2, by="wang"))
    assert "Do not use it" in _ask(client, BAD).text
    assert "请勿使用" in _ask(client, BAD, "zh").text


def test_a_code_that_is_checked_too_often_is_a_guess_and_bounded(
    client: TestClient, database: sa.Engine
) -> None:
    for _ in range(30):  # of one client once a day
        assert "checked unusually often" not in _ask(client, GOOD).text
        assert "checked unusually often" not in _ask(client, GOOD, of="2001:db8::7").text
    for n in range(2, 22):
        text = _ask(client, GOOD, of=f"10.0.0.{n}").text
        assert "checked unusually often" not in _ask(client, SOLD).text  # and of this code alone
    assert "checked unusually often" in text
    assert "A guess, no proof" in text
    checks = SqlChecks(database)
    for n in range(KEPT + 5):
        checks.facts(GOOD, 2 * 10**15 + n)
    with database.connect() as connection:
        assert (
            connection.exec_driver_sql("SELECT count(*) FROM trace_checks").scalar() == KEPT + 1
        )  # and one of SOLD


def test_a_chip_that_readers_saw_under_another_code_is_a_contradiction(
    client: TestClient, database: sa.Engine
) -> None:
    maker = EventMaker({"gate": ReadPlace(name="gate", read_point=place(1))}, offset_of=lambda _: "+08:00")
    old, new = bytes.fromhex("E280116020001111"), bytes.fromhex("E280116020002222")
    found = ChipMismatch(
        sign=ChipSign.EPC_ON_ANOTHER_CHIP, epc=GOOD, tid=new, bound_epc=GOOD, bound_tid=old,
        at_micros=9 * 3_600_000_000, place="gate",
    )  # fmt: skip
    maker.mismatch(found)
    (event,) = maker.due(0)
    store = TraceStore(database, _Clock())
    store.capture([prepare(event)])
    text = _ask(client, GOOD).text
    assert "on another chip than before" in text
    assert "contradict one another" in text
    assert "编码与芯片不符" in _ask(client, GOOD, "zh").text
    assert "another chip" not in _ask(client, FAST).text
    store.capture(
        [prepare(replace(event, error=ErrorDeclaration(declaration_time_us=1)))]
    )  # a reader's mistake
    assert "another chip" not in _ask(client, GOOD).text


def test_edges_of_older_rules_are_no_fault_of_who_asks(client: TestClient, database: sa.Engine) -> None:
    with database.begin() as connection:
        put_edges_state(connection, EDGES_VERSION - 1, -1)
    assert (answer := _ask(client, GOOD)).status_code == 503
    assert "put in order" in answer.text
    assert "正在整理" in _ask(client, GOOD, "zh").text


def test_who_asks_is_one_client_by_its_network() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8::2") != client_of("2001:db8:0:1::1")
    assert client_of("::ffff:10.0.0.1") == client_of("10.0.0.1") != client_of("10.0.0.2")
    asked = Asked(_Clock(), most=2)
    assert [asked.first(one, "x") for one in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]


@pytest.mark.parametrize(
    "code", ["hello", "<script>", "urn:x:y", "(01)123", "x" * 5000, "https://evil.example/"]
)
def test_what_is_no_code_is_said_to_be_none(client: TestClient, database: sa.Engine, code: str) -> None:
    answer = _ask(client, code)
    assert answer.status_code == 400
    assert "no code that can be checked" in answer.text
    assert "<script>" not in answer.text
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM trace_checks").scalar() == 0


def test_the_page_is_safe_and_bounded_and_the_rest_goes_on(database: sa.Engine) -> None:
    clock = _Clock()
    clock.now_micros = lambda: 10**15  # type: ignore[method-assign]
    client = TestClient(CheckPage(PlainTextResponse("inside"), SqlChecks(database), clock))
    answers = [_ask_root(client) for _ in range(PER_MINUTE // 10 + 1)]
    assert [each.status_code for each in answers] == [200] * (PER_MINUTE // 10) + [429]
    policy = answers[0].headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert client.get("/events").text == "inside"
    assert client.post("/check").text == "inside"
    assert "编码核验" in client.get("/check", headers={"accept-language": "zh-CN,en"}).text


def _ask_root(client: TestClient) -> _Answer:
    return client.get("/check", params={"code": GOOD})


def test_element_strings_and_urns_are_codes() -> None:
    assert thing_of("(01)04012345123456(21)7") == "https://id.gs1.org/01/04012345123456/21/7"
    assert thing_of("urn:epc:id:sgtin:4012345.012345.7").startswith("https://id.gs1.org/01/")
