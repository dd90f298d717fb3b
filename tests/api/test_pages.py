"""The pages of payers: what they may load, what they show, and that pressing twice is one payment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.acquirer.rig import OTHER, PAN
from tests.api.rig import Answered, Site, site

CARD = {"number": f"{PAN[:4]} {PAN[4:]}", "expiry": "12/30", "value": "123"}


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path / "g.db") as made:
        yield made


def page(at: Site, order: str) -> str:
    return str(at.ask("GET", f"/v1/orders/{order}").json["page"])


def post(at: Site, path: str, **fields: str) -> Answered:
    kind = "application/x-www-form-urlencoded"
    return at.ask("POST", path, urlencode(fields), key=None, Content_Type=kind)


def test_a_page_is_self_contained_and_in_two_languages(at: Site) -> None:
    path = page(at, at.order(2372, description="<b>Tea</b> 茶"))
    english = at.ask("GET", path + "?lang=en", key=None)
    text = english.body.decode()
    assert english.status == 200
    assert "23.72 CNY" in text
    assert "TEA HOUSE" in text
    assert "&lt;b&gt;Tea&lt;/b&gt;" in text
    assert "<svg" in text
    assert not re.search(
        r"<script|javascript:|https?://(?!www\.w3\.org/2000/svg)|<img|style=| on[a-z]+=", text
    )
    policy = english.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert english.headers["cache-control"] == "no-store"
    chinese = at.ask("GET", path, key=None).body.decode()
    assert 'lang="zh-CN"' in chinese
    assert "茶馆" in chinese
    assert "支付" in chinese


def test_a_payer_pays_once_however_often_the_button_is_pressed(at: Site) -> None:
    order = at.order(1000)
    path = page(at, order)
    for _ in range(3):
        answer = post(at, path + "?lang=en", attempt="0", **CARD)
        assert (answer.status, answer.headers["location"]) == (303, path + "?lang=en")
    seen = at.ask("GET", path + "?lang=en", key=None).body.decode()
    assert "paid" in seen
    assert "622848******0018" in seen
    assert "<form" not in seen
    assert PAN not in seen
    assert at.rig.network.taken(PAN) == 1000


def test_a_declined_card_and_a_slip_of_the_pen(at: Site) -> None:
    path = page(at, at.order(1000))
    poor = post(at, path + "?lang=en", attempt="0", number=OTHER, expiry="12/30", value="")
    assert poor.status == 402
    assert b"Try another" in poor.body
    assert OTHER.encode() not in poor.body
    for wrong in ({"number": PAN[:-1] + "7"}, {"expiry": "13/30"}, {"value": "12"}, {"number": "漢"}):
        assert post(at, path, attempt="1", **CARD | wrong).status == 422
    assert at.ask("POST", path, b"\xff=%ff&" + b"a=1&" * 20, key=None).status == 422
    assert post(at, path, attempt="1", **CARD).status == 303
    assert at.rig.network.taken(PAN) == 1000


def test_a_lost_answer_tells_the_payer_not_to_pay_again(at: Site) -> None:
    path = page(at, at.order(1000))
    at.rig.network.lose = lambda _: "after"
    assert post(at, path, attempt="0", **CARD).status == 303
    seen = at.ask("GET", path + "?lang=en", key=None).body.decode()
    assert "not be charged twice" in seen
    assert "<form" not in seen
    at.rig.network.lose = lambda _: ""
    assert post(at, path, attempt="1", **CARD).status in (303, 422)
    at.rig.clock.pass_s(31)
    at.rig.gateway.settle()
    assert at.rig.network.taken(PAN) == 1000


@pytest.mark.parametrize("path", ["/pay/" + "0" * 32, "/pay/xyz", "/pay/%00", "/pay/"])
def test_no_page_without_its_key(at: Site, path: str) -> None:
    assert at.ask("GET", path, key=None).status == 404


def test_a_bill_is_found_paid_and_then_closed(at: Site) -> None:
    bill = {"amount_minor": 1250, "title": "水费 11月"}
    assert at.ask("PUT", "/v1/bills/W-2026-11", bill).json["paid"] is False
    assert post(at, "/bills?lang=en", biller="teahouse", number="W-0").status == 404
    found = post(at, "/bills?lang=en", biller="teahouse", number="W-2026-11")
    again = post(at, "/bills?lang=en", biller="teahouse", number="W-2026-11")
    assert found.status == 303
    assert found.headers["location"] == again.headers["location"]
    path = found.headers["location"].partition("?")[0]
    assert "水费 11月" in at.ask("GET", path, key=None).body.decode()
    assert at.ask("PUT", "/v1/bills/W-2026-11", bill | {"amount_minor": 1}).status == 409
    assert post(at, path, attempt="0", **CARD).status == 303
    told = at.ask("GET", "/v1/bills/W-2026-11").json
    assert told["paid"] is True
    closed = post(at, "/bills?lang=en", biller="teahouse", number="W-2026-11")
    assert (closed.status, b"This bill is paid" in closed.body) == (200, True)
    at.ask("POST", f"/v1/orders/{told['order']}/refund", {})
    assert at.ask("GET", "/v1/bills/W-2026-11").json["paid"] is False
