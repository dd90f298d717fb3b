"""The tables of base records. Goal: values, history, cases, copies, credit and log are what their standards and clauses
say. Method: published numbers, and each limit from both sides.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path

import pytest

from jinka.identity.base_records import (
    DISPUTE,
    ERASE,
    MACHINES,
    Act,
    Case,
    Entry,
    Held,
    LogRow,
    Message,
    Note,
    Record,
    Ref,
    Sign,
    Statement,
    check_notes,
    check_source,
    checked,
    expired,
    plain,
    plate,
    standing,
    vin,
)
from jinka.keys import AuditChain
from jinka.kit import Refused, Usage
from tests.identity.base_records_looks import KNOWN, NOW, TODAY
from tests.identity.base_records_looks import ask as _look


@pytest.mark.parametrize("good", ["1M8GDM9AXKP042788", "11111111111111111", "5GZCZ43D13S812715"])
def test_vehicle_numbers_with_their_published_check_digit(good: str) -> None:
    """1M8GDM9AXKP042788 and 5GZCZ43D13S812715 are the worked examples of 49 CFR 565's method, which GB 16735 uses."""
    assert vin(good.lower()) == good
    for place in (0, 8, 16):
        changed = good[:place] + ("2" if good[place] != "2" else "3") + good[place + 1 :]
        with pytest.raises(Refused) as refused:
            vin(changed)
        assert changed not in str(refused.value)
    for bad in (good[:16], good[:16] + "O", good + "1"):
        with pytest.raises(Refused, match="17 characters"):
            vin(bad)


@pytest.mark.parametrize("good", ["粤B12345", "粤B·1234学", "京AD12345", "京A12345F", "粤Z1234港"])
def test_plates(good: str) -> None:
    assert plate(good) == good.replace("·", "")


@pytest.mark.parametrize(
    "bad", ["B12345", "粤I12345", "粤B1234", "粤B1234O", "粤B1234567", "京AL12345", "粤B12345学"]
)
def test_what_is_no_plate(bad: str) -> None:
    with pytest.raises(Refused) as refused:
        plate(bad)
    assert bad not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("identity_number", "440301199003072710"),
        ("identity_number", "440301203003072712"),
        ("mobile", "12800138000"),
        ("mobile", "１３８００１３８０００"),
        ("birth_date", "1990-3-7"),
        ("birth_date", "19900307"),
        ("sex", "李雷"),
        ("name", "李\u202e雷"),
        ("name", " "),
        ("name", "雷" * 201),
        ("cards", "vehicle:7"),
        ("cards", "card:0"),
        ("cards", "card:7;drop"),
    ],
)
def test_a_value_that_is_wrong_is_refused_and_not_repeated(field: str, bad: str) -> None:
    spec = KNOWN.kind("person").field(field)
    with pytest.raises(Refused) as refused:
        checked(spec, bad, today=TODAY)
    assert bad.strip() == "" or bad not in str(refused.value)


def _said(
    seq: int, value: str, start: str, *, corrects: int = 0, to: str = "", field: str = "name"
) -> Statement:
    return Statement(
        seq=seq, field=field, value=value, valid_from=dt.date.fromisoformat(start),
        valid_to=dt.date.fromisoformat(to) if to else None, at_micros=seq * 10, source="public-security",
        officer="wang-wu", why="certificate", corrects=corrects,
    )  # fmt: skip


def test_history_has_two_times_and_loses_nothing() -> None:
    name = KNOWN.kind("person").field("name")
    record = Record(
        ref=Ref(kind="person", number=1),
        statements=(
            _said(1, "李雷", "2000-01-01"),
            _said(2, "李磊", "2020-01-01"),  # a change of name
            _said(3, "李蕾", "2000-01-01", corrects=1),  # the first was always wrong
        ),
    )

    def values(on: str, known_by: int | None = None) -> list[str]:
        return [said.value for said in record.values(name, dt.date.fromisoformat(on), known_by)]

    assert values("2010-01-01") == ["李蕾"]
    assert values("2010-01-01", known_by=20) == ["李雷"], "as it was known then"
    assert values("2026-01-01") == ["李磊"]
    assert values("1999-12-31") == []
    assert "李" not in repr(record) + repr(record.statements)
    with pytest.raises(Refused, match="corrected already"):
        record.check_correction(name, 1)
    with pytest.raises(Refused, match="no such statement"):
        record.check_correction(KNOWN.kind("person").field("sex"), 2)


def test_a_field_of_many_ends_one_value_and_keeps_the_other() -> None:
    cards = KNOWN.kind("person").field("cards")
    record = Record(
        ref=Ref(kind="person", number=1),
        statements=(
            _said(1, "card:1", "2020-01-01", field="cards"),
            _said(2, "card:2", "2021-01-01", field="cards"),
            _said(3, "card:1", "2020-01-01", to="2022-12-31", corrects=1, field="cards"),
        ),
    )
    assert [said.value for said in record.values(cards, dt.date(2022, 6, 1))] == ["card:2", "card:1"]
    assert [said.value for said in record.values(cards, TODAY)] == ["card:2"]
    with pytest.raises(Refused, match="holds already"):
        record.check_overlap(cards, _said(4, "card:2", "2025-01-01", field="cards"))
    record.check_overlap(cards, _said(4, "card:1", "2025-01-01", field="cards"))


def test_only_its_source_writes_a_field() -> None:
    kind = KNOWN.kind("person")
    check_source(kind, ["name", "sex"], "public-security")
    with pytest.raises(Refused, match="public-security keeps"):
        check_source(kind, ["mobile", "name"], "card-centre")


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.name)
def test_the_tables_of_cases_are_whole(machine: object) -> None:
    machine = MACHINES[machine.name]  # type: ignore[attr-defined]
    reached = {step.target for step in machine.steps}
    assert reached == set(machine.states), "every state is reached, every target is a state"
    assert {source for step in machine.steps for source in step.sources} <= reached
    assert machine.steps[0].sources == ()
    for state in machine.open_states:
        assert any(state in step.sources for step in machine.steps), "nothing is open without a way on"


def test_the_document_draws_the_tables() -> None:
    """docs/base-records.md has an arrow for each step from each of its states, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "base-records.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^    (\S+) --> (\S+): (\S+) \((.+)\)$", text, re.MULTILINE)
    wanted = [
        (source, step.target, step.act, step.by.value)
        for machine in MACHINES.values()
        for step in machine.steps
        for source in step.sources or ("[*]",)
    ]
    assert drawn == wanted


def _dispute() -> Case:
    opened = Case(
        number=1, machine=DISPUTE, holder="person:1", keeper="credit-bureau", record=1, about=1, opened_us=NOW
    )
    return opened.done(_act("file", "person:1", note="I paid"))


def _act(act: str, actor: str, *, note: str = "", officer: str = "li-si") -> Act:
    return Act(act=act, actor=actor, officer=officer, at_micros=NOW, note=note)


def test_a_dispute_is_answered_within_20_days_by_the_right_party() -> None:
    case = _dispute()
    assert not case.overdue(NOW + 20 * 86_400_000_000)
    assert case.overdue(NOW + 20 * 86_400_000_000 + 1)
    for act, what in (
        (_act("confirm", "person:1", note="x"), "not for person:1"),
        (_act("confirm", "person:2", note="x"), "not for person:2"),
        (_act("complain", "credit-bureau", note="x"), "not for credit-bureau"),
        (_act("confirm", "supervision", note="x"), "not for supervision"),
        (_act("file", "person:1", note="x"), "does not apply"),
    ):
        with pytest.raises(Refused, match=what):
            case.done(act)
    with pytest.raises(Usage, match="no reason"):
        case.done(_act("confirm", "credit-bureau"))
    raised = case.done(_act("complain", "person:1", note="no answer"))
    with pytest.raises(Refused, match="does not apply"):  # nobody decides about himself
        raised.done(_act("confirm", "credit-bureau", note="it is right"))
    with pytest.raises(Refused, match="a second officer"):
        raised.done(_act("uphold", "supervision", note="x"))
    assert raised.done(_act("uphold", "supervision", note="x", officer="wu")).is_open
    ended = case.done(_act("confirm", "credit-bureau", note="the bank shows the date"))
    assert (ended.state, ended.is_open, ended.overdue(NOW * 2)) == ("confirmed", False, False)


def _entry(**changes: object) -> Entry:
    made = Entry(
        number=1, subject=1, institution="bank", sign=Sign.BAD, text="overdue", amount_fen=1,
        since=dt.date(2018, 1, 1), ended=dt.date(2020, 2, 29), at_micros=1,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_negative_entries_go_after_five_years_from_their_end() -> None:
    bad, last = _entry(), dt.date(2025, 2, 28)
    assert standing([bad], last, person=True) == [bad]
    assert standing([bad], dt.date(2025, 3, 1), person=True) == []
    plain_day = _entry(ended=dt.date(2020, 1, 5))
    assert standing([plain_day], dt.date(2025, 1, 5), person=True) == [plain_day]
    assert expired([plain_day], dt.date(2025, 1, 6), person=True) == [plain_day]
    for kept in (_entry(ended=None), _entry(sign=Sign.GOOD)):
        assert standing([kept], dt.date(2039, 1, 1), person=True) == [kept]
    assert standing([bad], dt.date(2039, 1, 1), person=False) == [bad]


def test_what_an_expired_entry_replaced_goes_with_it() -> None:
    first = _entry(ended=None)
    ended = _entry(number=2, replaces=1)
    assert standing([first, ended], dt.date(2021, 1, 1), person=True) == [ended]
    assert [one.number for one in expired([first, ended], dt.date(2026, 1, 1), person=True)] == [1, 2]


def test_a_copy_takes_messages_in_any_order_and_any_number_of_times() -> None:
    def message(version: int, value: str) -> Message:
        return Message(
            number=version, copy=1, record=Ref(kind="person", number=1), field="name", version=version,
            spans=((value, "2020-01-01", ""),),
        )  # fmt: skip

    old, new = message(1, "a"), message(2, "b")
    erase = dataclasses.replace(new, number=3, version=ERASE, spans=())
    held = Held().take(new).take(old).take(new)
    assert held.fields[1, "name"] == (2, new.spans)
    with pytest.raises(Refused, match="two contents"):
        held.take(message(2, "c"))
    gone = held.take(erase).take(new)
    assert gone.fields[1, "name"] == (ERASE, ()), "nothing comes back behind an erasure"


def _rows(*notes: Note) -> list[LogRow]:
    chain = AuditChain()
    return [
        LogRow(
            line=chain.append(note.event(), NOW), body=note.body(), act=note.act, department=note.department,
            holder=note.holder, record=note.record,
        )
        for note in notes
    ]  # fmt: skip


def test_a_log_that_was_changed_shows_where() -> None:
    notes = [
        Note(act="look", department="bank", officer="li", kind="person", record=n, holder=n)
        for n in range(1, 5)
    ]
    rows = _rows(*notes)
    assert check_notes(rows).sound
    other = dataclasses.replace(notes[1], department="tax")
    for place, changed, code in (
        (1, dataclasses.replace(rows[1], body=other.body()), "BODY_CHANGED"),
        (1, dataclasses.replace(rows[1], body=""), "BODY_CHANGED"),
        (1, dataclasses.replace(rows[1], holder=9), "COLUMNS_CHANGED"),
        (1, dataclasses.replace(rows[1], act="note"), "COLUMNS_CHANGED"),
        (1, dataclasses.replace(rows[1], line=_rows(notes[0], other)[1].line, body=other.body()), "CHANGED"),
    ):
        report = check_notes([*rows[:place], changed, *rows[place + 1 :]])
        assert code in {finding.code for finding in report.findings}, code
    assert not check_notes(rows[:1] + rows[2:]).sound
    assert not check_notes([rows[1], rows[0], *rows[2:]]).sound


def test_texts_lose_numbers_before_they_are_logged() -> None:
    said = plain("of 440301199003072719, card 6214830000000017, call 13800138000")
    for number in ("440301199003072719", "6214830000000017", "13800138000"):
        assert number not in said
    assert "138****8000" in said
    with pytest.raises(Usage, match="officer"):
        Note(act="look", department="bank", officer="李雷")
    assert "accident" not in repr(_look("health", "treatment", "name", emergency=True, reason="accident"))
