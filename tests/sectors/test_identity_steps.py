"""Steps of certificates, travel documents and numbered bills: what is declared untruly must fail.

Goal: a journey goes as declared on real cards and a real authority, and no step believes what is not so. Method: short
journeys over the sectors of the tree in which one thing is wrong, and numbers that standards publish.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.app.sector_authority import offices
from jinka.app.sector_check import check_sector
from jinka.app.sector_codes import CODES, check_character
from jinka.app.sector_docs import sector_page
from jinka.app.sector_identity import document_of
from jinka.app.sector_run import PLAYERS, play
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import (
    Alter,
    Certify,
    Forge,
    Inspect,
    Invoice,
    IssueDocument,
    Journey,
    Keep,
    LogOn,
    Revoke,
    Sector,
    Sign,
    Step,
    Verify,
    WorkedCase,
    Write,
)
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.sectors import SECTORS, enterprise, eport, identity, tax

REGISTERED, CERTIFIED = eport.RELEASE.steps[:4], eport.RELEASE.steps[:9]
CHEN = Sign("chen", "paper", "one hundred", pin="445566")
FANG = Sign("fang", "paper", pin="445566", counter=True)


def _play(sector: Sector, journey: Journey, *steps: Step) -> list[str]:
    told = play(sector, replace(journey, steps=tuple(steps)), SECTORS).told
    return [one.said.en for one in told]


def _eport(*steps: Step) -> list[str]:
    return _play(eport.SECTOR, eport.RELEASE, *CERTIFIED, *steps)


@pytest.mark.parametrize(
    ("body", "standard", "character"),
    [
        ("11010519491231002", "gb11643", "X"),
        ("44052418800101001", "gb11643", "4"),
        ("D2143569", "gb11714", "X"),
        ("91350100M000100Y4", "gb32100", "3"),
        ("L898902C3", "icao9303", "6"),
        ("690123456789", "gs1", "2"),
        ("10614141234567890", "gs1", "8"),
        ("47312482", "upu-s10", "9"),
        ("CSQU305438", "iso6346", "3"),
    ],
)
def test_published_check_characters(body: str, standard: str, character: str) -> None:
    assert check_character(standard, body) == character


def test_a_check_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="no check 'gb1'"):
        check_character("gb1", "123")
    with pytest.raises(Refused, match="no character"):
        check_character("gb11714", "d2143569")


@pytest.mark.parametrize("standard", CODES)
@pytest.mark.parametrize("body", ["", "é", "12", "-1", "CSQU30543é", "abcdefgh"])
def test_what_is_no_number_is_refused_or_has_a_character(standard: str, body: str) -> None:
    try:
        found = check_character(standard, body)
    except JinkaError:
        return
    assert len(found) == 1


def test_a_false_published_number_is_a_finding() -> None:
    false = WorkedCase(
        title_en="x", title_zh="例", check="gb11714", number="D21435690", source="GB 11714-1997"
    )
    checked = check_sector(replace(tax.SECTOR, worked_cases=(false,), journeys=()), SECTORS)
    assert "WORKED_CASE" in {finding.code for finding in checked.findings}
    page = sector_page(replace(enterprise.SECTOR), ())
    assert "D2143569 → X (`gb11714`)" in page


@pytest.mark.parametrize("wrong", [{"sheet": "vat-split"}, {"number": ""}])
def test_a_case_is_of_a_sheet_or_of_a_check(wrong: dict[str, str]) -> None:
    case = WorkedCase(
        title_en="x", title_zh="例", check="gb11714", number="D2143569X", source="GB 11714-1997"
    )
    with pytest.raises(Usage, match="a sheet, or a check"):
        replace(tax.SECTOR, worked_cases=(replace(case, **wrong),))


@pytest.mark.parametrize(
    "steps",
    [
        (CHEN, Verify("paper", "customs", refused="ALTERED")),
        (CHEN, Verify("paper", "customs", needs={"declarant": 2})),
        (CHEN, CHEN),
        (Sign("chen", "paper", pin="445566"),),
        (CHEN, Alter("paper", "nine hundred"), Verify("paper", "customs")),
        (Revoke("chen"), CHEN, Verify("paper", "customs")),
        (Revoke("chen"), LogOn("chen", "company", pin="445566")),
        (Revoke("chen", "resume"),),
        (Revoke("chen", "approve"),),
        (LogOn("chen", "company", pin="445566", refused="REVOKED"),),
        (Sign("chen", "paper", "one", pin="000000"),),
        (Verify("paper", "customs"),),
    ],
    ids=lambda steps: type(steps[-1]).__name__ + str(len(steps)),
)
def test_what_is_not_so_fails(steps: tuple[Step, ...]) -> None:
    with pytest.raises(StepFailed):
        _eport(*steps)


_HEAD = "legal representative"
_NO_OFFICER = "NO_OFFICER"
_STOPPED_FIRM = Keep("firm", "organisation", "market-regulation", {"status": "revoked"})


@pytest.mark.parametrize(
    ("before", "changed"),
    [
        ((), {}),
        (REGISTERED, {"holder": "高明"}),
        (REGISTERED, {"organisation": "另一公司"}),
        (REGISTERED, {"code": "91440300D2143569X7"}),
        (REGISTERED, {"code": "91350100M000100Y44"}),
        (REGISTERED, {"code": ""}),
        (REGISTERED, {"post": _HEAD}),
        (REGISTERED[:3], {}),
        ((*REGISTERED, _STOPPED_FIRM), {}),
        (REGISTERED, {"post": _HEAD, "organisation": "", "code": ""}),
    ],
    ids=[
        "unknown",
        "holder",
        "name",
        "other-code",
        "false-code",
        "no-code",
        "head",
        "staff",
        "revoked",
        "nobody's",
    ],
)
def test_a_post_is_of_whom_the_register_names(before: tuple[Step, ...], changed: dict[str, str]) -> None:
    """Chen Hong is an officer and no legal representative; whoever is not entered gets no certificate of a post."""
    wanted = next(step for step in CERTIFIED if isinstance(step, Certify))
    step = replace(wanted, **changed)
    assert _play(eport.SECTOR, eport.RELEASE, *before, replace(step, refused=_NO_OFFICER))
    with pytest.raises(StepFailed, match=_NO_OFFICER):
        _play(eport.SECTOR, eport.RELEASE, *before, step)


def test_the_legal_representative_holds_that_post_and_any_other() -> None:
    wanted = next(step for step in CERTIFIED if isinstance(step, Certify))
    for post in (_HEAD, "checker"):
        assert _play(eport.SECTOR, eport.RELEASE, *REGISTERED, replace(wanted, holder="方兰", post=post))


def test_one_holder_counts_once_whatever_his_cards_say() -> None:
    """The checker's card goes to the declarant under a second post: still one person."""
    second = Certify("fang", "card-desk", "陈红", pin="445566", post="checker")
    said = _eport(second, CHEN, FANG, Verify("paper", "customs", needs=eport.TWO, refused="SIGNERS_MISSING"))
    assert "lacks 1 checker" in said[-1]


def test_a_counter_signature_falls_with_what_it_covers() -> None:
    world = World(eport.SECTOR, eport.RELEASE, {p.name: s for s in SECTORS for p in s.profiles})
    try:
        for step in (*CERTIFIED[:6], CHEN, FANG):
            PLAYERS[type(step)](step, world)
        paper, at = document_of(world, "paper"), dt.datetime(2026, 4, 20, tzinfo=dt.UTC)
        assert len(paper.check(offices(world), at)) == 2
        del paper.signatures[0]
        with pytest.raises(JinkaError):
            paper.check(offices(world), at)
    finally:
        world.close()


def test_a_signature_under_anothers_certificate_is_none() -> None:
    world = World(eport.SECTOR, eport.RELEASE, {p.name: s for s in SECTORS for p in s.profiles})
    try:
        for step in (*CERTIFIED[:6], CHEN, FANG):
            PLAYERS[type(step)](step, world)
        paper, at = document_of(world, "paper"), dt.datetime(2026, 4, 20, tzinfo=dt.UTC)
        paper.signatures[1] = replace(paper.signatures[1], certificate=paper.signatures[0].certificate)
        with pytest.raises(Refused, match="signature is wrong"):
            paper.check(offices(world), at)
    finally:
        world.close()


PASSPORT = identity.BORDER.steps[1]


@pytest.mark.parametrize(
    ("steps", "match"),
    [
        ((Forge("passport", "clone", "copy"), Inspect("copy", "border")), "FORGED|chip"),
        ((Inspect("passport", "border", refused="FORGED"),), "FORGED"),
        ((Forge("passport", "paint", "copy"),), "no lie"),
        ((Inspect("another", "border"),), "no document"),
    ],
)
def test_a_verdict_is_never_other_than_declared(steps: tuple[Step, ...], match: str) -> None:
    assert isinstance(PASSPORT, IssueDocument)
    with pytest.raises(StepFailed, match=match):
        _play(identity.SECTOR, identity.BORDER, replace(PASSPORT, at="09:00"), *steps)


BILL = tax.MONTH.steps[1]
TAX = (tax.MONTH.steps[0], BILL)
DECLARED = tax._declare(1, {"net": 8_496})


def _tax(*steps: Step) -> list[str]:
    return _play(tax.SECTOR, tax.MONTH, *TAX, *steps)


def test_a_card_whose_sums_are_not_the_bills_is_found_out() -> None:
    meddled = Write("shop", "tax-office", {tax.COUNTER: tax.counter(1001, 1000, 8_495, 1_104)})
    assert "the sums on the card differ" in _tax(meddled, replace(DECLARED, refused="SUMS_DIFFER"))[-1]


def test_a_number_set_back_repeats_and_is_found_out() -> None:
    assert isinstance(BILL, Invoice)
    back = Write("shop", "tax-office", {tax.COUNTER: tax.counter(1000, 1000, 8_496, 1_104)})
    again = replace(BILL, document="invoice A again", at="")
    assert "number 1001 stands twice" in _tax(back, again, replace(DECLARED, refused="REPEATED"))[-1]


def test_an_unsigned_bill_is_a_gap_until_it_is_signed() -> None:
    assert isinstance(BILL, Invoice)
    torn = replace(BILL, document="invoice B", torn=True, at="")
    assert "1002 is missing" in _tax(torn, replace(DECLARED, refused="GAP"))[-1]
    said = _tax(
        torn,
        replace(torn, document="invoice C", torn=False),
        replace(DECLARED, count=3, gives={"net": 25_488}),
    )
    assert "1001 to 1003" in said[-1]


def test_a_reader_that_is_not_the_authoritys_counts_no_bill_and_signs_none_that_is_left() -> None:
    assert isinstance(BILL, Invoice)
    torn = replace(BILL, document="invoice B", torn=True, at="")
    foreign = replace(BILL, document="invoice C", device="reader", at="", refused="NOT_ITS_OWN")
    said = _tax(torn, foreign, replace(DECLARED, refused="GAP"))
    assert "is not its own" in said[-2]
    assert "1002 is missing" in said[-1], "invoice B is still unsigned"
    with pytest.raises(StepFailed, match="NOT_ITS_OWN"):
        _tax(replace(foreign, refused=""))


@pytest.mark.parametrize(
    "wrong",
    [
        {"gives": {"net": 8_495}},
        {"refused": "NOT_ITS_OWN"},
        {"refused": "OVER_LIMIT"},
        {"counter": "no record"},
        {"document": "invoice A"},
    ],
)
def test_a_bill_is_as_declared(wrong: dict[str, object]) -> None:
    assert isinstance(BILL, Invoice)
    with pytest.raises(StepFailed):
        _tax(replace(BILL, **{"document": "invoice B", "at": "", **wrong}))


def test_a_declaration_is_as_declared() -> None:
    with pytest.raises(StepFailed, match="1 bills"):
        _tax(replace(DECLARED, count=2))
    with pytest.raises(StepFailed):
        _tax(replace(DECLARED, refused="GAP"))
