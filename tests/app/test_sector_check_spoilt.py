"""What the walker says of declarations that are wrong in one place: prices, worked cases, cards, pages, clearings.

Goal: no check passes whatever stands there. Method: a sound part of a declaration, on which each check is silent, is
spoiled in one place and must be found in the words that its author reads; the last test spoils a whole sector at once,
so that a check which the walker no longer calls is missed as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jinka.app import sector_check, sector_check_cards, sector_clear
from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_check import check_sector
from jinka.app.sector_check_cards import check_personal, check_protected, check_rights
from jinka.app.sector_check_docs import check_page
from jinka.app.sector_check_prices import check_case, check_fare, check_sheet
from jinka.app.sector_docs import sector_page
from jinka.app.sector_run import Played, play
from jinka.app.sector_world import StepFailed
from jinka.clearing import FeeTable
from jinka.declaration import Assess, Clear, Fare, Holds, Journey, Load, Reads, Sector, Tap, WorkedCase
from jinka.kit import Unit, Usage
from jinka.profile import FREE, NEVER, ApplicationProfile
from jinka.sectors import campus, medical, medical_records, telecom, transit
from jinka.tariff.rules import Bands
from jinka.tariff.sheet import Begun, Choose, Less, Line, Marginal, Most, Sheet, Step, Sum, Times, Unordered

DAY = campus.SECTOR.journey("day")
SHORT = replace(
    DAY, steps=tuple(step for step in DAY.steps if not isinstance(step, (Assess, Clear, Tap, Holds)))
)
MEALS = next(case for case in campus.SECTOR.worked_cases if case.address)


def sheet(value: Any, facts: tuple[str, ...] = ("a",), **more: Any) -> Sheet:
    line = Line(code="due", title_en="Due", title_zh="应付", value=value, unit=more.pop("unit", Unit.FEN))
    return Sheet(name="s", title_en="S", title_zh="表", source="law 1", facts=facts, result="due", lines=(line,),
                 **more)  # fmt: skip


def case(**facts: Any) -> WorkedCase:
    return WorkedCase(
        title_en="C", title_zh="例", sheet="s", facts=facts, gives={"due": 10}, source="notice 1"
    )


def sector(made: Sheet, *cases: WorkedCase, **more: Any) -> Sector:
    return replace(
        campus.SECTOR, sheets=(made,), worked_cases=cases, no_worked_case="" if cases else "none", **more
    )


def said(check: Callable[..., object], *args: Any, **more: Any) -> list[str]:
    found: list[str] = []
    check(*args, lambda code, where, what: found.append(f"{code} {where}: {what}"), **more)
    return found


# Prices and worked cases

RISES = sheet(Sum(("a", 5)), rising=("a",))


@pytest.mark.parametrize(
    ("made", "facts", "finding"),
    [
        (sheet(Sum(("a", 5))), {"a": 5}, "PRICES s: says neither what its result rises or falls with, nor why"),
        (sheet(Less(10, "a"), rising=("a",)), {"a": 5}, "PRICES s.a: the result falls from 10 to 9 at 1"),
        (sheet(Sum(("a", 5)), falling=("a",)), {"a": 5}, "PRICES s.a: the result rises from 5 to 6 at 1"),
        (sheet(10, rising=("a",)), {"a": 5}, "PRICES s.a: the result does not depend on it"),
        (sheet(Choose("a", (("x", 10),)), rising=("a",)), {"a": "x"}, "PRICES s.a: is a number in no case"),
        (sheet(Choose("a", ((7, 10),)), rising=("a",)), {"a": 7}, "PRICES s.a: the sheet refuses all but one"),
        (sheet("a", unordered=Unordered.ONE_AMOUNT), {"a": 9}, "PRICES s: is not one amount: it depends on a"),
        (sheet("a", unordered=Unordered.WORDS), {"a": 9}, "PRICES s: is no table by words"),
        (sheet("a", unordered=Unordered.CHECK_CHARACTER), {"a": 11}, "PRICES s: is no check character"),
    ],
)  # fmt: skip
def test_a_sheet_that_breaks_its_order_or_has_none_is_found(
    made: Sheet, facts: dict[str, Any], finding: str
) -> None:
    assert said(check_sheet, sector(RISES, case(a=5)), RISES, []) == []
    [found] = said(check_sheet, sector(made, case(**facts)), made, [])
    assert found.startswith(finding)
    assert said(check_sheet, sector(RISES), RISES, []) == [
        "PRICES s: no case and no step fills the sheet, so nothing is shown"
    ]


def test_a_fall_between_two_whole_numbers_close_to_a_case_is_found() -> None:
    """A step down at one single value, which samples far apart would miss."""
    dips = sheet(Sum((Times("a", 3), Less(10, Times(Begun(Less("a", 999_999), 1), 20)))), rising=("a",))
    [found] = said(check_sheet, sector(dips, case(a=1_000_000)), dips, [])
    assert found == "PRICES s.a: the result falls from 3000007 to 3000000 at 1000000"


@pytest.mark.parametrize(
    "value",
    [
        Step("a", ((60_000, 7), (None, 0))),
        Step("a", ((60_000, 7), (60_001, 6), (None, 7))),
        Less(7, Marginal("a", ((60_000, 0), (None, 7)))),
        Choose("a", ((5, 7), (60_001, 6))),
        Less(7, Less("a", 60_000)),
        Less(60_007, Most((60_000, "a"))),
        Less(7, Step("b", ((0, 0), (None, Step("a", ((60_000, 0), (None, 7))))))),
    ],
)
def test_a_fall_far_above_every_case_is_found_where_a_band_ends(value: Any) -> None:
    falls = sheet(Sum((value, Times("b", 0))), ("a", "b"), rising=("a",))
    [found] = said(check_sheet, sector(falls, case(a=5, b=1)), falls, [])
    assert found.startswith("PRICES s.a: the result falls from 7 to "), found
    assert found.endswith(" at 60001"), found


def test_a_sheet_that_only_remembered_facts_fill_is_tried_with_what_was_remembered() -> None:
    """Assess with ``=name`` alone; the player keeps what the name stood for."""
    falls = sheet(Less(1_000, "a"), rising=("a",))
    assessed = Assess("s", {"a": "=left"}, {"due": 990})
    remembered = Holds("li", 15_000, remembers="left")
    story = replace(DAY, steps=(Load("li", "kiosk", 10_000), remembered, replace(assessed, gives={})))
    made = sector(falls, journeys=(story,))
    done = play(made, story, [made])
    assert done.filled == ((falls, {"a": 15_000}),)
    [found] = said(check_sheet, made, falls, [done])
    assert found.startswith("PRICES s.a: the result falls from 1000 to")


MEASURES = {(1, 2): {"metres": 4_000}, (1, 3): {"metres": 9_000}}
METRO = Fare(
    name="metro", sheet=sheet(Sum(("metres", "b")), ("metres", "b")), measures=MEASURES, constants={"b": 2}
)


@pytest.mark.parametrize(
    ("value", "facts", "finding"),
    [
        (Less(90_000, "metres"), ("metres",), "PRICES s.metres: the result falls from 90000 to 89"),
        (Less(9_000, "minutes"), ("minutes",), "PRICES s.minutes: the result falls from 9000 to 8"),
        (Less(9_000, "gross"), ("gross",), "PRICES s.gross: the result falls from 9000 to 8"),
        (Sum(("metres", "zones")), ("metres", "zones"), "PRICES metro.zones: neither measured, nor constant"),
        (Sum(("metres", Less(100, Times("minutes", "metres")))), ("metres", "minutes"), "PRICES s.minutes: the"),
    ],
)  # fmt: skip
def test_a_fare_that_falls_with_what_a_terminal_measures_is_found(
    value: Any, facts: tuple[str, ...], finding: str
) -> None:
    assert said(check_fare, METRO) == []
    found = said(check_fare, replace(METRO, sheet=sheet(value, facts)))
    assert [one for one in found if one.startswith(finding)]
    declared = sheet(value, facts, falling=facts)  # said openly, it is no fault
    assert len(facts) > 1 or said(check_fare, replace(METRO, sheet=declared)) == []


def test_a_fare_is_tried_at_every_hour() -> None:
    by_night = Choose("hour", tuple((hour, 100) for hour in range(23)))
    with pytest.raises(Usage, match="no case 23"):
        said(check_fare, replace(METRO, sheet=sheet(by_night, ("hour",))))


@pytest.mark.parametrize(
    ("made", "gives", "finding"),
    [
        (RISES, {}, "WORKED_CASE C: demands nothing: name the result of s, due, or a line of money"),
        (replace(RISES, lines=(Line(code="n", title_en="N", title_zh="数", value="a", unit=Unit.POINT), *RISES.lines)),
         {"n": 5}, "WORKED_CASE C: demands only n: name the result of s, due, or a line of money"),
        (RISES, {"due": 11}, "WORKED_CASE s.due: comes to 10, published is 11"),
    ],
)  # fmt: skip
def test_a_worked_case_that_demands_nothing_or_something_else_is_found(
    made: Sheet, gives: dict[str, int], finding: str
) -> None:
    sound = case(a=5)
    assert said(check_case, sector(made, sound), sound) == []
    spoiled = replace(sound, gives=gives)
    assert said(check_case, sector(made, spoiled), spoiled) == [finding]


# Cards


def of_student(**spoil: Any) -> ApplicationProfile:
    """The student's application with its file of name and number spoiled."""
    files = tuple(replace(file, **spoil) if file.fid == 0x0006 else file for file in campus.STUDENT.files)
    return replace(campus.STUDENT, files=files)


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        ({"read_right": FREE}, "0006: reading answers 9000, declared refused"),
        ({"read_right": NEVER}, "0006 after the PIN: reading answers 6982, declared allowed"),
        ({"fid": 0x0007}, "0006 after the PIN: reading answers"),  # another file is there
        ({"mac_required": False}, "0006: the card lets itself be written in clear, declared refused"),
        ({"write_right": NEVER}, "0006: writing under the right key answers 6982, declared allowed"),
    ],
)
def test_a_card_that_is_laxer_or_stricter_than_declared_is_found(
    spoil: dict[str, Any], finding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(check_rights, campus.STUDENT) == []
    made = sector_check_cards.example_card
    monkeypatch.setattr(sector_check_cards, "example_card", lambda _: made(of_student(**spoil)))
    assert any(f"cn.campus.student.{finding}" in one for one in said(check_rights, campus.STUDENT))


def test_a_card_that_takes_a_write_and_keeps_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """UPDATE RECORD answers 9000, and the old record is read again."""

    class Forgets(sector_check_cards.Card):
        __slots__ = ()

        def transmit(self, command: bytes) -> bytes:
            return b"\x90\x00" if command[:2] == b"\x04\xdc" else super().transmit(command)

    def forgetful(profile: ApplicationProfile) -> Forgets:
        card = made(profile)
        return Forgets(card.nvm, card.randomness)

    made = sector_check_cards.example_card
    monkeypatch.setattr(sector_check_cards, "example_card", forgetful)
    found = said(check_rights, campus.STUDENT)
    assert (
        "RIGHTS cn.campus.student.0005: what was written under the right key is not there when it is read"
        in found
    )
    assert "RIGHTS cn.campus.student.0005: the card lets itself be written under another key" in found


def test_a_sensitive_record_in_a_free_file_is_found() -> None:
    health = medical_records.HEALTH
    free = tuple(replace(one, read_right=FREE) if one.fid == 0x0005 else one for one in health.files)
    assert said(check_personal, medical.SECTOR, health) == []
    assert health.access_keys().keys() == {0x0005}
    found = said(check_personal, medical.SECTOR, replace(health, files=free, personal=()))
    assert "PERSONAL cn.health.card.registered: the holder's sensitive datum is free to read" in found
    assert len(found) == 5


def test_a_personal_record_in_a_free_file_is_found_though_the_application_says_nothing() -> None:
    silent = replace(of_student(read_right=FREE), personal=())
    assert said(check_personal, campus.SECTOR, campus.STUDENT) == []
    assert said(check_personal, campus.SECTOR, silent) == [
        "PERSONAL cn.campus.student.student number: the holder's identity number is free to read",
        "PERSONAL cn.campus.student.name: the holder's name is free to read",
    ]


# Journeys, clearings, pages


@pytest.mark.parametrize("right", [FREE, 0x11])
def test_a_record_that_rights_are_judged_by_and_anybody_may_write_is_found(right: int) -> None:
    assert said(check_protected, campus.SECTOR) == []
    files = tuple(
        replace(file, write_right=right, mac_required=False) if file.fid == 0x0005 else file
        for file in campus.STUDENT.files
    )
    spoiled = replace(campus.SECTOR, profiles=(campus.PURSE, replace(campus.STUDENT, files=files)))
    found = said(check_protected, spoiled)
    assert "borrow is judged by it, and anybody may write it: ask for a MAC" in str(found)
    assert {one.split(": ")[0].rsplit(".", 1)[1] for one in found} == {
        "enrolled until", "dormitory", "books left", "lectures attended", "next free meal",
    }  # fmt: skip


def test_a_journey_without_a_step_is_refused() -> None:
    with pytest.raises(Usage, match="without a step"):
        replace(DAY, steps=())


@pytest.mark.parametrize(
    ("clear", "what"),
    [
        (Clear(), "campus.canteen earned 500, not 0"),
        (Clear({"campus.canteen": 500}), "loads.campus paid in 1000, not 0"),
        (Clear({"campus.canteen": 500, "campus.gym": 1}, {"loads.campus": 1_000}), "campus.gym earned 0, not 1"),
        (Clear({"campus.canteen": 500}, {"loads.campus": 1_000}, rejected={"TAC_WRONG": 1}), "TAC_WRONG rejected 0"),
    ],
)  # fmt: skip
def test_a_clearing_that_leaves_somebody_out_fails(clear: Clear, what: str) -> None:
    story = replace(DAY, steps=(Load("li", "kiosk", 1_000), Tap("li", "canteen", 500, gross=500), clear))
    with pytest.raises(StepFailed, match=what):
        play(campus.SECTOR, story, [campus.SECTOR])


def test_who_bears_a_discount_must_be_named() -> None:
    day = transit.SECTOR.journey("day")
    *before, clear = day.steps
    assert isinstance(clear, Clear)
    with pytest.raises(StepFailed, match=r"sz\.finance paid in 1340, not 0"):
        play(transit.SECTOR, replace(day, steps=(*before, replace(clear, pays={}))), all_sectors().values())


def test_fees_of_another_rate_than_declared_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    taps = (Tap("li", "canteen", 2_000, gross=2_000), Clear({"campus.canteen": 2_000}))
    assert play(campus.SECTOR, replace(DAY, steps=taps), [campus.SECTOR]).uncleared == 0
    monkeypatch.setattr(sector_clear, "FeeTable", lambda **given: FeeTable(**{**given, "scheme_bp": 100}))
    with pytest.raises(StepFailed, match=r"fees are .*27.*, by the rate they are .*9"):
        play(campus.SECTOR, replace(DAY, steps=taps), [campus.SECTOR])


def test_clearing_what_is_not_there_fails() -> None:
    with pytest.raises(StepFailed, match="nothing to clear"):
        play(campus.SECTOR, replace(DAY, steps=(Clear(),)), [campus.SECTOR])


@pytest.fixture(scope="module")
def told() -> list[Played]:
    return [play(campus.SECTOR, SHORT, [campus.SECTOR])]


def cut_last_step(page: str) -> str:
    lines = page.splitlines()
    last = max(at for at, line in enumerate(lines) if line[:1].isdigit())
    return "\n".join(lines[:last] + lines[last + 1 :])


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (cut_last_step, "DOCUMENTATION day: 9 of 10 steps are on the page"),
        (lambda page: page.replace("(`day`, ", "(`day-2`, "), "DOCUMENTATION day: has no heading '学生的一天'"),
        (lambda page: page.replace("食堂营养餐", "").replace("(`borrow`)", "(`borrowed`)"),
         "DOCUMENTATION borrow: is not listed as"),
        (lambda page: page.replace("# 校园一卡通", "# Campus"), "DOCUMENTATION # Campus (`campus`): a heading of"),
        (lambda page: page.replace("国办发〔2011〕54号", ""), "DOCUMENTATION meal-subsidy: its source is not on"),
        (lambda page: page.replace(MEALS.address, ""), f"DOCUMENTATION {MEALS.title_en}: the case, its source or"),
        (lambda page: page.replace("(`rate`)", "(`rates`)"), "DOCUMENTATION meal-subsidy.rate: is not in the"),
    ],
)  # fmt: skip
def test_what_a_page_leaves_out_is_found(
    spoil: Callable[[str], str], finding: str, told: list[Played]
) -> None:
    page, journeys = sector_page(campus.SECTOR, told, zh=True), [SHORT]
    assert said_of(page, journeys) == []
    assert any(one.startswith(finding) for one in said_of(spoil(page), journeys)), said_of(
        spoil(page), journeys
    )


def said_of(page: str, journeys: list[Journey]) -> list[str]:
    found: list[str] = []
    check_page(
        campus.SECTOR, journeys, page, lambda c, where, what: found.append(f"{c} {where}: {what}"), zh=True
    )
    return found


# All of it, called by the walker


def test_the_walker_calls_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    fare = replace(METRO, sheet=replace(sheet(Less(90_000, "metres"), ("metres",)), name="metro"))
    story = replace(SHORT, steps=tuple(step for step in SHORT.steps if not isinstance(step, Reads)))
    student = of_student(read_right=FREE, write_right=FREE, mac_required=False, title_zh="")
    metro, *_ = transit.SECTOR.tariffs.values()
    falls = replace(metro.products[0], rule=Bands(((300, 100), (None, -50))))
    spoiled = sector(
        sheet(Sum(("a", 5))), replace(case(a=5), gives={}), journeys=(story,), fares=(fare,),
        profiles=(campus.PURSE, replace(student, personal=())), plans=(telecom.PLAN,),
        tariffs={metro.name: replace(metro, products=(falls,))},
    )  # fmt: skip
    made, unpack = sector_check_cards.example_card, sector_check_cards.decode
    lax = campus.PURSE.name
    monkeypatch.setattr(sector_check_cards, "decode", lambda raw: replace(unpack(raw), version=99))
    monkeypatch.setattr(
        sector_check_cards, "example_card",
        lambda profile: made(
            replace(profile, files=tuple(
                replace(file, mac_required=False, example=file.example[:: -1 if file.fid == 0x0015 else 1])
                for file in profile.files
            ))
            if profile.name == lax else profile
        ),
    )  # fmt: skip
    monkeypatch.setattr(
        sector_check, "sector_page", lambda *given, **more: cut_last_step(sector_page(*given, **more))
    )
    found = {f"{one.code} {one.where}: {one.what}" for one in check_sector(spoiled, [spoiled]).findings}
    assert found >= {
        "PRICES campus.s: says neither what its result rises or falls with, nor why with nothing",
        "PRICES campus.metro.metres: the result falls from 90000 to 89910 at 90",
        "WORKED_CASE campus.C: demands nothing: name the result of s, due, or a line of money",
        "PERSONAL campus.cn.campus.student.name: the holder's name is free to read",
        "RIGHTS campus.cn.campus.purse.0016: the card lets itself be written in clear, declared refused",
        "CLEARING campus.journeys: money is spent here, and no journey clears it",
        "UNUSED campus.profiles: a purse that no journey pays with",
        f"PRICES campus.{falls.code}: a higher fare is charged less",
        "PLAN campus.mobile: no journey in which it is subscribed",
        f"PACKAGE campus.{lax}: the package does not give the application back",
        f"EXAMPLE campus.{lax}.0015: the card answers 9000",
        "TITLE campus.cn.campus.student.0006: a file without a title in both languages",
        f"DOCUMENTATION campus.day: {len(story.steps) - 1} of {len(story.steps)} steps are on the page",
    }
