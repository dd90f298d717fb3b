"""Base records in SQL, on both engines. Goal: no look without its note, no value where none belongs, nothing lost
between two writers. Method: hostile looks, rows changed behind the register's back, and threads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from jinka.identity.base_records import ERASE, Entry, Held, LookRefused, Ref, Sign, Sought
from jinka.kit import NotFound, Refused, Usage
from jinka.store.base_records import Said
from jinka.store.base_records_cases import act_on_case, file_objection, list_cases
from jinka.store.base_records_copies import acknowledge, behind, fetch
from jinka.store.base_records_credit import file_dispute, own_report, purge, report_entry, seen_credit
from jinka.store.base_records_examine import examine_records
from tests.store.base_records_rig import (
    DAY_US,
    EMPLOYER,
    LI,
    SECRETS,
    VIN,
    Register,
    at,
    family,
    look,
    overdue,
    register,
)


@pytest.fixture
def world(where: Path | str) -> Iterator[Register]:
    """A family, on each engine."""
    found = family(register(where))
    yield found
    found.engine.dispose()


@pytest.fixture
def small(fresh_sqlite: object) -> Iterator[Register]:
    """The same on SQLite alone, for what the engine has no part in."""
    found = family(register(fresh_sqlite()))  # type: ignore[operator]
    yield found
    found.engine.dispose()


def _findings(world: Register) -> set[str]:
    with world.books.book() as book:
        return {finding.code for finding in examine_records(book).findings}


def _holder_log(world: Register, name: str = "li") -> list[dict[str, object]]:
    return [row.as_dict() for row in world.books.looks(world.people[name])]


def test_a_look_shows_what_is_allowed_and_is_noted(world: Register) -> None:
    seen = world.books.look(look("bank", "account-opening", "name", case="account 8"), at(world.people["li"]))
    assert seen.values == {"name": ("李雷",)}
    assert seen.grounds == {"name": "real-name 7"}
    entry = _holder_log(world)[-1]
    assert (entry["seq"], entry["act"], entry["outcome"]) == (seen.entry, "look", "ok")
    assert (entry["department"], entry["officer"], entry["purpose"], entry["fields"], entry["case"]) == (
        "bank", "zhao-liu", "account-opening", ["name"], "account 8",
    )  # fmt: skip
    assert _findings(world) == set()


def test_a_refused_look_is_noted_and_tells_nothing(world: Register) -> None:
    asked = look("bank", "loan-review", "cards")
    refused: list[LookRefused | NotFound] = []
    nobody = Sought(field="identity_number", value="11010519491231002X")
    for sought in (
        at(world.people["li"]), Sought(field="identity_number", value=LI), nobody, at(Ref(kind="person", number=999)),
        at(world.people["car"]),
    ):  # fmt: skip
        with pytest.raises(LookRefused) as found:
            world.books.look(asked, sought)
        refused.append(found.value)
    assert len({str(one) for one in refused}) == 1, "the same words, whether there is such a record or not"
    assert len({one.args for one in refused}) == 1
    rows = [row.as_dict() for row in world.books.log_rows("bank")]
    assert [row["outcome"] for row in rows] == ["refused"] * 5, "all of them are noted"
    mine = [row for row in _holder_log(world) if row["outcome"] == "refused"]
    assert [row["why"] for row in mine] == ["no law and no consent"] * 2, "the holder reads the attempts"
    assert not any(secret in str(rows) for secret in (*SECRETS, "11010519491231002X"))


def test_a_look_that_law_allows_at_nobody_is_noted_too(small: Register) -> None:
    asked = look("bank", "account-opening", "name", case="8")
    with pytest.raises(NotFound, match="no such record"):
        small.books.look(asked, Sought(field="identity_number", value="11010519491231002X"))
    (row,) = [row.as_dict() for row in small.books.log_rows("bank")]
    assert (row["outcome"], row["record"]) == ("failed", 0)


@pytest.mark.parametrize("wrong", [{"sex": "female"}, {"birth_date": "1990-03-08"}])
def test_what_an_identity_number_tells_is_not_contradicted(world: Register, wrong: dict[str, str]) -> None:
    said = [Said(field=name, value=value) for name, value in wrong.items()]
    with pytest.raises(Refused, match="the identity number tells another") as refused:
        world.books.write(
            world.people["li"], said, department="public-security", officer="wang", why="register 13"
        )
    assert not any(value in str(refused.value) for value in wrong.values())


def test_consents_are_followed_to_the_second(world: Register) -> None:
    li, asked = world.people["li"], look("bank", "loan-review", "mobile")
    given = world.consent(li, "bank", "loan-review", ["mobile"], days=10)
    end = dt.datetime.fromtimestamp(given.until_us // 1_000_000, ZoneInfo("Asia/Shanghai"))
    assert (end.hour, end.minute, end.second) == (0, 0, 0), "the last day ends at 24:00 in China"
    assert world.books.look(asked, at(li)).grounds == {"mobile": f"consent {given.number}"}
    world.clock.now = given.until_us - 1
    world.books.look(asked, at(li))
    world.clock.now = given.until_us
    with pytest.raises(LookRefused):
        world.books.look(asked, at(li))
    assert _holder_log(world)[-1]["why"] == "the consent is over, or not begun"
    again = world.consent(li, "bank", "loan-review", ["mobile"])
    world.books.look(asked, at(li))
    with pytest.raises(NotFound):
        world.books.withdraw(world.people["child"], again.number, officer="clerk")
    world.books.withdraw(li, again.number, officer="clerk")
    with pytest.raises(LookRefused):
        world.books.look(asked, at(li))
    assert _holder_log(world)[-1]["why"] == "the consent is over, or not begun"
    with pytest.raises(Refused, match="withdrawn already"):
        world.books.withdraw(li, again.number, officer="clerk")
    with pytest.raises(Refused, match="separate"):
        world.consent(li, "bank", "loan-review", ["cards"])
    assert _findings(world) == set()


def test_what_hangs_on_a_person_is_the_persons(world: Register) -> None:
    """A card's application, a car and a job have a holder, whose consent opens them and who reads the looks."""
    li = world.people["li"]
    for name, kind, field in (
        ("purse", "application", "aid"),
        ("car", "vehicle", "plate"),
        ("job", "employment", "since"),
    ):
        asked = look("bank", "loan-review", field, kind=kind)
        with pytest.raises(LookRefused):
            world.books.look(asked, at(world.people[name]))
        world.consent(li, "bank", "loan-review", [field], kind=kind)
        world.books.look(asked, at(world.people[name]))
        assert [row["outcome"] for row in _holder_log(world) if row["kind"] == kind][-2:] == ["refused", "ok"]
    with pytest.raises(Refused, match="another record has it"):
        world.write(world.people["child"], "traffic-police", vehicles=str(world.people["car"]))
    sold = dt.date(2026, 6, 30)
    record = world.books.record(li)
    owned = next(said for said in record.statements if said.field == "vehicles")
    world.books.write(
        li,
        [Said(field="vehicles", value=owned.value, valid_from=owned.valid_from, valid_to=sold, corrects=owned.seq)],
        department="traffic-police", officer="wang-wu", why="sold",
    )  # fmt: skip
    world.clock.days(40)
    world.write(world.people["employer"], "traffic-police", fleet=str(world.people["car"]))
    with pytest.raises(LookRefused):  # the consent was the seller's
        world.books.look(look("bank", "loan-review", "plate", kind="vehicle"), at(world.people["car"]))
    assert world.books.looks(world.people["employer"])[-1].as_dict()["outcome"] == "refused"


def test_keys_are_one_records_alone_and_find_it(small: Register) -> None:
    with pytest.raises(Refused, match="another record has it") as refused:
        small.write("person", "public-security", identity_number=LI, name="李四")
    assert LI not in str(refused.value)
    assert (
        small.books.look(
            look("tax", "tax-assessment", "plate", kind="vehicle"), Sought(field="vin", value=VIN.lower())
        ).ref
        == small.people["car"]
    )
    with pytest.raises(Usage, match="not a key"):
        small.books.look(look("bank", "account-opening", "name"), Sought(field="name", value="李雷"))
    with pytest.raises(Refused, match="refers to no record"):
        small.write(small.people["li"], "card-centre", cards="card:99")
    with pytest.raises(Refused, match="refers to no record"):
        small.write(small.people["li"], "card-centre", cards=f"card:{small.people['car'].number}")
    with pytest.raises(Refused, match="public-security keeps"):
        small.write(small.people["li"], "bank", name="李四")
    with pytest.raises(Refused, match="no records of its own"):
        small.write("credit", "credit-bureau", entries="x")
    assert _findings(small) == set(), "what was refused left nothing behind"


def test_a_child_has_a_guardian_that_the_register_knows(small: Register) -> None:
    child, li = small.people["child"], small.people["li"]
    asked = look("education", "benefit-check", "name")
    small.consent(child, "education", "benefit-check", ["name"], separate=True)
    with pytest.raises(LookRefused):
        small.books.look(asked, at(child))
    with pytest.raises(Refused, match="not a guardian"):
        small.consent(child, "education", "benefit-check", ["name"], separate=True, guardian=li)
    small.write(child, "public-security", guardians=str(li))
    small.consent(child, "education", "benefit-check", ["name"], separate=True, guardian=li)
    assert small.books.look(asked, at(child)).values == {"name": ("李小雷",)}


def test_breaking_the_glass_leads_to_a_review(world: Register) -> None:
    li = world.people["li"]
    asked = look("health", "treatment", "name", emergency=True, reason="unconscious, bed 3")
    seen = world.books.look(asked, at(li))
    assert (seen.values, seen.review > 0) == ({"name": ("李雷",)}, True)
    with world.books.book() as book:
        (case,) = list_cases(book)
        assert (case.state, case.about, case.holder) == ("opened", seen.entry, str(li))
        assert case.overdue(world.clock.now + 6 * DAY_US)
    for actor, officer, what in (
        ("health", "li-si", "not for health"),
        ("supervision", "zhao-liu", "a second officer"),
        (str(li), "li", "not for"),
    ):
        with pytest.raises(Refused, match=what), world.books.book() as book:
            act_on_case(book, case.number, "justify", actor=actor, officer=officer, text="fine")
    with world.books.book() as book:
        done = act_on_case(
            book, case.number, "blame", actor="supervision", officer="wu", text="no such patient"
        )
    assert done.state == "unjustified"
    assert [row["act"] for row in _holder_log(world)][-3:] == [
        "look.emergency",
        "review.open",
        "review.blame",
    ]
    with pytest.raises(LookRefused):
        world.books.look(look("health", "treatment", "cards", emergency=True, reason="x"), at(li))
    with world.books.book() as book:
        assert len(list_cases(book)) == 1, "a refused look shows nothing and needs no review"
    assert _findings(world) == set()


def test_a_correction_reaches_every_copy(world: Register) -> None:
    li, held = world.people["li"], Held()
    insured = look("social-insurance", "insurance-enrolment", "name", "residences", case="5")
    world.consent(li, "bank", "loan-review", ["name"])
    world.books.open_copy(insured, at(li))
    world.books.open_copy(look("bank", "loan-review", "name"), at(li))
    with pytest.raises(LookRefused):
        world.books.open_copy(look("tax", "tax-assessment", "name"), at(li))
    assert world.books.log_rows("tax")[-1].as_dict()["outcome"] == "refused"
    with world.books.book() as book:
        messages = fetch(book, "social-insurance", "sun-ba")
        acknowledge(book, "social-insurance", [message.number for message in messages])
        held = held.take(messages[0]).take(messages[1])
        case = file_objection(book, li, li, 2, officer="clerk", text="the second character")
    wrong = next(said for said in world.books.record(li).statements if said.field == "name")
    world.books.write(
        li, [Said(field="name", value="李蕾", valid_from=wrong.valid_from, corrects=wrong.seq)],
        department="public-security", officer="wang-wu", why="register 12",
    )  # fmt: skip
    with world.books.book() as book:
        act_on_case(book, case.number, "correct", actor="public-security", officer="wang-wu")
        late = behind(book)
        assert [(one.copy.department, one.messages) for one in late] == [("social-insurance", 1), ("bank", 2)]
        (message,) = fetch(book, "social-insurance", "sun-ba")
        assert fetch(book, "social-insurance", "sun-ba") == [message], "the same until it is acknowledged"
        held = held.take(message).take(message)
        assert held.fields[1, "name"][1] == (("李蕾", "2026-06-01", ""),)
        with pytest.raises(NotFound):
            acknowledge(book, "bank", [message.number])
        assert acknowledge(book, "social-insurance", [message.number]) == 1
        assert acknowledge(book, "social-insurance", [message.number]) == 0
        assert [one.copy.department for one in behind(book)] == ["bank"]
    sent = [row for row in _holder_log(world) if row["act"] == "copy.sent"]
    assert [row["fields"] for row in sent] == [["name", "residences"], ["name"], ["name"]]
    assert _findings(world) == set()


def test_a_copy_without_a_ground_is_told_to_erase_and_nothing_else(world: Register) -> None:
    li = world.people["li"]
    given = world.consent(li, "bank", "loan-review", ["name"])
    world.books.open_copy(look("bank", "loan-review", "name"), at(li))
    assert world.books.withdraw(li, given.number, officer="clerk") == 1
    with world.books.book() as book:
        (message,) = fetch(book, "bank", "zhao-liu")
    assert (message.version, message.spans) == (ERASE, ())
    short = world.consent(li, "tax", "tax-assessment", ["name"], days=1)
    world.books.open_copy(look("tax", "tax-assessment", "name"), at(li))
    world.clock.now = short.until_us
    world.write(li, "public-security", sex="male")
    with world.books.book() as book:
        assert [one.version for one in fetch(book, "tax", "qian-qi")] == [ERASE], "it ran out"
    shown = [row for row in _holder_log(world) if row["act"] == "copy.sent"]
    assert shown == [], "nothing of the record was sent"


def test_objections_are_the_holders_and_one_at_a_time(small: Register) -> None:
    li, car = small.people["li"], small.people["car"]
    with small.books.book() as book:
        with pytest.raises(Refused, match="no such statement"):
            file_objection(book, small.people["child"], li, 1, officer="clerk", text="not mine")
        with pytest.raises(Refused, match="no such statement"):
            file_objection(book, li, car, 99, officer="clerk", text="none")
        case = file_objection(
            book, li, car, 1, officer="clerk", text="another plate: 粤B54321, call 13800138000"
        )
        with pytest.raises(Refused, match="under way"):
            file_objection(book, li, car, 1, officer="clerk", text="again")
        with pytest.raises(Usage, match="no reason"):
            act_on_case(book, case.number, "refuse", actor="traffic-police", officer="wang-wu")
        refused = act_on_case(
            book, case.number, "refuse", actor="traffic-police", officer="wang-wu", text="it is right"
        )
        assert (refused.keeper, refused.is_open) == ("traffic-police", False)
        raised = act_on_case(book, case.number, "escalate", actor=str(li), officer="clerk", text="it is not")
        assert raised.state == "escalated"
    with small.engine.begin() as connection:
        stored = connection.execute(sa.text("SELECT note FROM base_case_acts")).scalars().all()
    assert not any("粤B54321".encode() in note for note in stored), "what is written in a case is sealed"


def test_credit_is_read_by_its_subject_and_with_consent(world: Register) -> None:
    li = world.people["li"]
    entry = overdue(world)
    asked = look("bank", "loan-review", "entries", kind="credit", case="9")

    def ask() -> tuple[dict[str, object], ...]:
        return world.books.admitted(
            asked, at(li), lambda book, ref, holder, found: seen_credit(book, ref, holder, found, asked)
        ).entries

    with pytest.raises(LookRefused):
        ask()
    world.consent(li, "bank", "loan-review", ["entries"], kind="credit", separate=True)
    assert [(one["entry"], one["disputed"]) for one in ask()] == [(entry, False)]
    with world.books.book() as book:
        case = file_dispute(book, li, entry, officer="clerk", text="I paid")
        with pytest.raises(NotFound):
            file_dispute(book, world.people["child"], entry, officer="clerk", text="mine?")
    assert [one["disputed"] for one in ask()] == [True], "the mark is on it from the moment of the dispute"
    with world.books.book() as book:
        act_on_case(
            book, case.number, "confirm", actor="credit-bureau", officer="li-si", text="the date is right"
        )
        reports = [own_report(book, li, officer="clerk") for _ in range(3)]
    assert [one.fee_due for one in reports] == [False, False, True]
    assert [one["disputed"] for one in ask()] == [False]
    world.clock.now += 365 * DAY_US
    with world.books.book() as book:
        assert own_report(book, li, officer="clerk").number == 1, "a new year"
    assert "credit.own-report" in {row["act"] for row in _holder_log(world)}
    with pytest.raises(Usage, match="no records of its own"):
        world.books.look(asked, at(li))


def test_credit_is_deleted_in_time_and_the_log_agrees(world: Register) -> None:
    going = overdue(world, ended=None)
    ended = overdue(world, replaces=going)
    overdue(world, since=dt.date(2025, 1, 1), ended=dt.date(2026, 1, 1))
    with pytest.raises(Refused, match="replaced already"):
        overdue(world, replaces=going)
    with pytest.raises(Refused, match="of this institution"):
        overdue(world, replaces=ended, institution="tax")
    with pytest.raises(Refused, match="lies ahead"):
        overdue(world, since=dt.date(2027, 1, 1), ended=None)
    with world.books.book() as book:
        assert purge(book, officer="li-si") == 0
    world.clock.now = int(dt.datetime(2026, 6, 6, tzinfo=dt.UTC).timestamp()) * 1_000_000
    with world.books.book() as book:
        shown = own_report(book, world.people["li"], officer="clerk").entries
        assert len(shown) == 1, "what is over is not shown, purged or not"
        assert purge(book, officer="li-si") == 2
    assert _findings(world) == set()
    with world.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM base_credit"))
    assert _findings(world) == {"CREDIT_MISSING"}


def test_enterprise_credit_opens_to_a_lender_with_a_case(small: Register) -> None:
    with small.books.book() as book:
        for sign in (Sign.BAD, Sign.PUBLISHED):
            draft = Entry(
                number=0, subject=0, institution="tax", sign=sign, text="arrears", amount_fen=1,
                since=dt.date(2026, 1, 1), ended=None, at_micros=0,
            )  # fmt: skip
            report_entry(book, draft, small.people["employer"], officer="li-si")

    def ask(department: str, purpose: str, *fields: str, case: str = "") -> int:
        asked = look(department, purpose, *fields, kind="enterprise-credit", case=case)
        return len(
            small.books.admitted(
                asked,
                Sought(field="credit_code", value=EMPLOYER),
                lambda book, ref, holder, found: seen_credit(book, ref, holder, found, asked),
            ).entries
        )

    assert ask("bank", "loan-review", "entries", case="9") == 2
    assert ask("education", "audit", "public_entries") == 1
    with pytest.raises(LookRefused):
        ask("bank", "loan-review", "entries")
    with pytest.raises(LookRefused):
        ask("education", "audit", "entries", case="9")
