"""The merchants' API over a real socket: what it answers, and what it refuses and how."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno

from jinka.api.limits import PatientProtocol
from jinka.codec.emv_qr import parse_merchant_code
from tests.acquirer.rig import KEY, PAN
from tests.api.rig import Site, site

CARD = {"kind": "card", "card": {"number": PAN, "expiry": "3012", "card_value": "123"}}


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path / "g.db") as made:
        yield made


def test_an_order_is_paid_and_refunded_over_http(at: Site) -> None:
    order = at.order(1000, reference="T-7", description="Tea 茶")
    paid = at.ask("POST", f"/v1/orders/{order}/pay", CARD, again="pay")
    assert (paid.status, paid.json["state"], paid.json["card"]) == (200, "captured", "622848******0018")
    assert at.ask("POST", f"/v1/orders/{order}/pay", CARD, again="pay").json == paid.json
    other = CARD | {"keep_card": True}
    assert at.ask("POST", f"/v1/orders/{order}/pay", other, again="pay").status == 422
    too_much = at.ask("POST", f"/v1/orders/{order}/refund", {"amount_minor": 1001})
    assert (too_much.status, too_much.json["where"], too_much.json["fault"]) == (409, "amount_minor", "rule")
    back = at.ask("POST", f"/v1/orders/{order}/refund", {"amount_minor": 400})
    assert (back.json["state"], back.json["refunded_minor"]) == ("refunded_partly", 400)
    assert at.rig.network.taken(PAN) == 600
    listed = at.ask("GET", "/v1/orders").json
    assert [found["id"] for found in listed["orders"]] == [order]
    assert PAN not in str(listed)


def test_a_kept_card_pays_again(at: Site) -> None:
    kept = at.ask("POST", "/v1/cards", CARD["card"])
    token = kept.json["token"]
    means = {"kind": "token", "token": token}
    assert at.ask("POST", f"/v1/orders/{at.order()}/pay", means).json["state"] == "captured"
    assert at.ask("DELETE", f"/v1/cards/{token}").status == 204
    assert at.ask("POST", f"/v1/orders/{at.order()}/pay", means).status == 404


def test_the_code_of_an_order_as_text_and_picture(at: Site) -> None:
    order = at.order(2372)
    text = at.ask("GET", f"/v1/orders/{order}/code").json["text"]
    assert parse_merchant_code(text).amount == "23.72"
    picture = at.ask("GET", f"/v1/orders/{order}/code.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.body.startswith(b"<svg")
    assert b"script" not in picture.body
    modules = segno.make_qr(text, error="m", encoding="utf-8").symbol_size(border=4)[0]
    assert f'viewBox="0 0 {modules} {modules}"'.encode() in picture.body  # else a page cuts it off
    assert b"width=" not in picture.body.partition(b">")[0].replace(b"stroke-width", b"")
    read = at.ask("POST", "/v1/codes/read", {"text": text}).json
    assert (read["name"], read["amount"], read["initiation"]) == ("TEA HOUSE", "23.72", "dynamic")
    wrong = at.ask("POST", "/v1/codes/read", {"text": text[:-1] + "#"})
    assert (wrong.status, wrong.json["where"]) == (422, "code.63")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"amount_minor": "10"}, "body.amount_minor"),
        ({"amount_minor": 0}, "body.amount_minor"),
        ({"amount_minor": 1.5}, "body.amount_minor"),
        ({"amount_minor": True}, "body.amount_minor"),
        ({"amount_minor": 2**63}, "body.amount_minor"),
        ({"amount_minor": 1, "currency": "XYZ"}, "body.currency"),
        ({"amount_minor": 1, "more": 1}, "body.more"),
        ({"amount_minor": 1, "reference": "a\x00b"}, "body.reference"),
        ("[", "body.1"),
        ("\xff", "body"),
        ("[" * 60000, "body"),
    ],
)
def test_a_wrong_body_names_its_field(at: Site, body: object, where: str) -> None:
    answer = at.ask("POST", "/v1/orders", body, Content_Type="application/json")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json["errors"][0]["where"] if answer.json["errors"] else "body").startswith(where[:6])
    assert answer.json["status"] == answer.status


def test_who_has_no_key_learns_nothing(at: Site) -> None:
    order = at.order()
    for key in (None, "", "jk_wrong", KEY + "x", "é"):
        answer = at.ask("GET", f"/v1/orders/{order}", key=key)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert at.ask("GET", "/v1/orders/" + "0" * 32).status == 404
    assert at.ask("GET", "/nothing").headers["content-type"] == "application/problem+json"
    assert at.ask("PATCH", "/v1/orders").status == 405


def test_a_body_has_an_end(at: Site) -> None:
    answer = at.ask("POST", "/v1/orders", b" " * 70_000, Content_Type="application/json")
    assert answer.status == 413

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    with pytest.raises((ConnectionError, AssertionError)):
        assert at.ask("POST", "/v1/orders", endless()).status != 413


def test_a_merchant_has_so_many_requests_a_minute(at: Site) -> None:
    statuses = [at.ask("GET", "/v1/orders").status for _ in range(62)]
    assert statuses[:60] == [200] * 60
    last = at.ask("GET", "/v1/orders")
    assert (last.status, last.headers["retry-after"]) == (429, "1")
    at.rig.clock.pass_s(1)
    assert at.ask("GET", "/v1/orders").status == 200


def test_who_sends_half_a_head_is_hung_up_on(at: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_s", 0.3)
    with socket.create_connection(("127.0.0.1", at.port), timeout=10) as link:
        link.sendall(b"GET /v1/orders HTTP/1.1\r\nHost:")
        assert link.recv(100) == b""
    assert at.ask("GET", "/v1/orders").status == 200


def test_a_lost_answer_is_unknown_and_then_told(at: Site) -> None:
    order = at.order()
    at.rig.network.lose = lambda _: "after"
    answer = at.ask("POST", f"/v1/orders/{order}/pay", CARD)
    assert (answer.status, answer.json["state"]) == (200, "unknown")
    at.rig.network.lose = lambda _: ""
    assert at.ask("POST", f"/v1/orders/{order}/pay", CARD).status == 409
    at.rig.clock.pass_s(31)
    at.rig.gateway.settle()
    assert at.ask("GET", f"/v1/orders/{order}").json["state"] == "captured"
    assert at.rig.network.taken(PAN) == 1000
