"""The issuer in ISO 8583, alone and behind the switch on TCP: messages in, messages out, and what the ledger says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jinka.codec.iso8583 import Message, dialect
from jinka.issuer import Channel, IsoIssuer, IsoTerms, IssuedCard, IssuerHost, Kind
from jinka.issuer.chart import IssuerAccount
from jinka.issuer.iso import KIND_TABLE
from tests.issuer.host_rig import OPENING, PAN, START, STRIPE_ONLY, ZONE, Bank, pin_data
from tests.switch.ground import PANS, config, request, reversal
from tests.switch.tcp import town

pytestmark = pytest.mark.usefixtures("books_engine")
CODEC = dialect("iso1987-binary")
ACQUIRER = "101"


class Desk:
    """A bank that is asked in messages."""

    def __init__(self) -> None:
        self.bank = Bank()
        self.bank.host = IssuerHost(
            issuer="bank", books=self.bank.books, ledger=self.bank.ledger, checks=self.bank.host._checks,
            policy=self.bank.policy, acquirers=[ACQUIRER],
        )  # fmt: skip
        self.iso = IsoIssuer(self.bank.host, IsoTerms(zone=ZONE))
        self.trace = 0

    def message(self, mti: str, code: str, fen: int, **more: Any) -> Message:
        self.trace += 1
        fields = {
            2: PAN, 3: code, 4: f"{fen:012}", 7: "1120020000", 11: f"{self.trace:06}", 13: "1120", 22: "100", 25: "00",
            32: ACQUIRER, 41: "T0000001", 42: "M00000000000001", 49: "156",
        }  # fmt: skip
        fields |= {int(name[1:]): value for name, value in more.items()}
        return Message(mti=mti, fields={n: v for n, v in sorted(fields.items()) if v is not None})

    def ask(self, message: Message) -> Message:
        answer = self.iso.handle(CODEC.decode(CODEC.encode(message)), START)
        assert answer is not None
        return CODEC.decode(CODEC.encode(answer))

    def owed(self) -> int:
        return self.bank.owed(owner=ACQUIRER)


def elements(of: Message) -> str:
    return of.mti + of.text(11) + of.text(7) + ACQUIRER.zfill(11) + "0" * 11


def test_a_purchase_and_its_reversal() -> None:
    desk = Desk()
    sale = desk.message("0200", "000000", 1_500)
    answer = desk.ask(sale)
    assert (answer.mti, answer.text(39), answer.text(11)) == ("0210", "00", sale.text(11))
    assert desk.ask(sale).text(38) == answer.text(38)
    assert desk.owed() == 1_500
    back = desk.message("0420", "000000", 1_500, f90=elements(sale))
    assert [desk.ask(back).text(39) for _ in range(2)] == ["00", "00"]
    assert desk.owed() == 0


def test_a_trace_number_that_comes_again_within_a_day_is_booked_again() -> None:
    desk = Desk()
    first = desk.message("0200", "000000", 1_000)
    second = first.changed({7: "1120020002", 37: "000000999999"})
    assert [desk.ask(m).text(39) for m in (first, second)] == ["00", "00"]
    assert desk.owed() == 2_000
    back = desk.message("0420", "000000", 1_000, f90=elements(second))
    assert [desk.ask(m).text(39) for m in (back, second, first)] == ["00", "94", "00"]
    assert desk.owed() == 1_000, "field 90 says which of them"
    assert desk.ask(first.changed({7: "1120020004"})).text(39) == "00"
    assert desk.owed() == 2_000
    part = desk.message(
        "0420", "000000", 1_000, f90=elements(first), f95="000000000400" + "0" * 12 + "C00000000" * 2
    )
    assert (desk.ask(part).text(39), desk.owed()) == ("00", 1_400)


@pytest.mark.parametrize("moment", ["11200200", "112002000x", "11200200001"])
def test_a_moment_that_is_none_is_refused(moment: str) -> None:
    desk = Desk()
    sale = desk.message("0200", "000000", 1_000, f7=moment)
    answer = desk.iso.handle(sale, START)
    assert answer is not None
    assert (answer.text(39), desk.owed()) == ("30", 0)


def test_a_reversal_of_a_terminal_has_the_same_trace_number() -> None:
    desk = Desk()
    sale = desk.message("0200", "000000", 700, f7=None)
    desk.ask(sale)
    assert desk.ask(sale.changed({39: "98"}, mti="0400")).text(39) == "00"
    assert desk.owed() == 0


def test_a_pre_authorisation_is_completed_and_refunded() -> None:
    desk = Desk()
    hold = desk.message("0100", "030000", 1_000, f25="06")
    assert desk.ask(hold).text(39) == "00"
    done = desk.message("0200", "000000", 800, f25="06", f90=elements(hold))
    assert desk.ask(done).text(39) == "00"
    assert desk.owed() == 800
    assert desk.ask(desk.message("0220", "200000", 300, f90=elements(done))).text(39) == "00"
    assert desk.owed() == 500
    assert desk.ask(desk.message("0200", "200000", 800, f25="06", f90=elements(done))).text(39) == "12"


def test_a_pin_a_stripe_and_a_balance() -> None:
    desk = Desk()
    pin = pin_data()
    told = desk.ask(desk.message("0200", "310000", 0, f18="6011", f52=pin.block))
    assert (told.text(39), told.text(54)) == ("00", f"1002156C{OPENING:012}")
    assert desk.ask(desk.message("0200", "010000", 100, f18="6011")).text(39) == "55"
    wrong = desk.ask(desk.message("0200", "010000", 100, f18="6011", f52=pin_data("999999").block))
    assert wrong.text(39) == "55"
    value = desk.bank.value("101", STRIPE_ONLY).value
    track = f"{STRIPE_ONLY}=281210110000{value}"
    stripe = {"f2": None, "f22": "021"}
    assert desk.ask(desk.message("0200", "000000", 50, f35=track, **stripe)).text(39) == "00"
    forged = f"{STRIPE_ONLY}=281210110000{(int(value) + 1) % 1000:03}"
    assert desk.ask(desk.message("0200", "000000", 50, f35=forged, **stripe)).text(39) == "05"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"f3": "990000"}, "12"),
        ({"f2": "6225880123456790", "f35": f"{PAN}=2812101000000000"}, "30"),
        ({"f2": None}, "30"),
        ({"f11": None}, "30"),
        ({"f32": None}, "30"),
        ({"f32": "999"}, "03"),
        ({"f49": "840"}, "57"),
        ({"f52": b"garbage!"}, "55"),
        ({"f22": "051", "f55": b"\x9f"}, "30"),
        ({"f3": "200000"}, "30"),
    ],
)
def test_what_is_wrong_gets_its_code_and_moves_nothing(change: dict[str, Any], code: str) -> None:
    desk = Desk()
    change = {"code": "000000", "fen": 100} | {{"f3": "code"}.get(k, k): v for k, v in change.items()}
    assert desk.ask(desk.message("0200", **change)).text(39) == code
    assert desk.owed() == 0


_garbage = given(
    mti=st.sampled_from(["0100", "0200", "0220", "0400", "0420", "0800", "0210"]),
    fields=st.dictionaries(
        st.sampled_from([2, 3, 4, 7, 11, 13, 14, 18, 22, 23, 25, 32, 35, 41, 42, 49, 52, 55, 60, 61, 90]),
        st.one_of(
            st.text(max_size=44), st.from_regex(r"[0-9]{1,42}", fullmatch=True), st.binary(max_size=20)
        ),
    ),
    right=st.booleans(),
)


def test_garbage_gets_an_answer(books_engine: str) -> None:
    """Also in a message that is right but for that, so that it is written down."""
    desk = Desk()

    @settings(max_examples=200 if books_engine == "memory" else 60, deadline=None)
    @_garbage
    @example("0200", {42: "M\0\ud800", 41: "\0\0"}, True)
    def ask(mti: str, fields: dict[int, str | bytes], right: bool) -> None:
        of, before = desk.message(mti, "000000", 1) if right else Message(mti=mti, fields={}), desk.owed()
        answer = desk.iso.handle(of.changed(fields, mti), START)
        assert (answer is None) is (mti == "0210")
        assert right or desk.owed() == before

    ask()


def test_every_kind_is_told() -> None:
    assert {key[0] for key in KIND_TABLE} == {"1", "2", "a1", "a2"}


def test_what_another_approved_in_its_place_is_booked_as_what_it_is() -> None:
    """Cash is cash, and an authorisation holds money, which its completion then finds."""
    desk = Desk()
    cash = desk.message("0220", "010000", 2_000, f18="6011")
    assert desk.ask(cash).text(39) == "00"
    assert (desk.bank.available(), desk.owed()) == (OPENING - 2_000, 2_000)
    [row] = desk.bank.books.all_bookings()
    assert (row.kind, row.channel) == (Kind.CASH, Channel.ATM)
    for code, condition in (("030000", "06"), ("000000", "00"), ("000000", "06")):
        hold = desk.message("0120", code, 5_000, f25=condition)
        assert [(desk.ask(hold).mti, desk.ask(hold).text(39)) for _ in range(2)] == [("0130", "00")] * 2
        assert (desk.bank.sums().debits_pending, desk.owed()) == (5_000, 2_000)
        done = desk.message("0200", "000000", 4_500, f25="06", f90=elements(hold))
        assert desk.ask(done).text(39) == "00"
        assert (desk.bank.sums().debits_pending, desk.owed()) == (0, 6_500)
        assert desk.ask(desk.message("0400", "000000", 4_500, f90=elements(done))).text(39) == "00"
        assert desk.ask(desk.message("0420", "000000", 5_000, f90=elements(hold))).text(39) == "00"
        assert (desk.bank.available(), desk.owed()) == (OPENING - 2_000, 2_000)
    declined = desk.message("0100", "030000", OPENING)
    assert desk.ask(declined).text(39) == "51"
    assert desk.ask(declined.changed({}, "0120")).text(39) == "00", "it was approved all the same"
    assert desk.bank.owed(IssuerAccount.SHORTFALL, "bank") == 0
    for code in ("210000", "310000", "400000", "470000"):
        for mti in ("0120", "0220"):
            assert desk.ask(desk.message(mti, code, 100)).text(39) == "12", "nobody stands in for that"


class Adapter:
    """The issuer's host in the place of the switch's test bank."""

    def __init__(self, desk: Desk, now: int) -> None:
        self.desk, self.now = desk, now

    def handle(self, message: Message) -> Message | None:
        return self.desk.iso.handle(message, self.now)


def test_behind_the_switch_on_tcp(tmp_path: Path) -> None:
    desk = Desk()
    known = desk.bank.books.cards([PAN])[PAN]
    for pan in PANS:
        card = IssuedCard(pan=pan, account="A", expiry4="2812", chip=False, state=known.state)
        desk.bank.host.add_card(card)

    async def live() -> None:
        async with town(tmp_path, config(bank={"timeout_ms": 2_000})) as there:
            there.bank.bank = Adapter(desk, 1_700_000_000_000_000)
            till = await there.till()
            answers = await asyncio.gather(*(till.send(request(n, pan=PANS[n % 7])) for n in range(1, 101)))
            assert [a.text(39) for a in answers] == ["00"] * 100
            assert (desk.bank.available(), desk.owed()) == (OPENING - 100_000, 100_000)
            assert (await till.ask(request(101))).text(39) == "51"
            assert (await till.ask(reversal(request(1, pan=PANS[1]), 900))).text(39) == "00"
            there.bank.deaf = True  # decided, and the answer is lost: the switch reverses
            lost = await till.ask(request(102, pan=PANS[7]))
            assert lost.text(39) != "00"
            there.bank.deaf = False
            for _ in range(200):
                if desk.owed() == 99_000:
                    break
                await asyncio.sleep(0.05)
            await till.close()
        assert (desk.bank.available(), desk.owed()) == (OPENING - 99_000, 99_000)

    asyncio.run(live())
