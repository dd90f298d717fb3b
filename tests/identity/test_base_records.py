"""Base records without a store. Goal: nothing is shown without a ground, and a refusal tells nothing. Method: hostile
looks first, then every rule of the declared table.
"""

from __future__ import annotations

import dataclasses

import pytest

from jinka.identity.base_records import (
    ANYONE,
    UPKEEP,
    Catalogue,
    Clause,
    Consent,
    FieldSpec,
    FieldType,
    Law,
    Look,
    LookRefused,
    Named,
    Part,
    RecordKind,
    Sensitivity,
    ViewRule,
    Why,
    decide,
)
from jinka.kit import Usage
from jinka.sectors.state_records import PART
from tests.identity.base_records_looks import KNOWN, NOW
from tests.identity.base_records_looks import ask as _look


def _consent(**changes: object) -> Consent:
    given = Consent(
        number=1, holder=1, department="bank", purpose="loan-review", kind="person", fields=frozenset({"name"}),
        separate=False, guardian=0, given_us=NOW - 1, until_us=NOW + 1,
    )  # fmt: skip
    return dataclasses.replace(given, **changes)  # type: ignore[arg-type]


def _why(look: Look, *consents: Consent, child: bool = False) -> Why:
    with pytest.raises(LookRefused) as refused:
        decide(KNOWN, look, consents, NOW, child=child)
    assert str(refused.value) == str(LookRefused(Why.NO_GROUND)), "every refusal reads the same"
    return refused.value.why


@pytest.mark.parametrize(
    ("consent", "why"),
    [
        ({"purpose": "account-opening"}, Why.OTHER_PURPOSE),
        ({"withdrawn_us": NOW}, Why.WITHDRAWN),
        ({"until_us": NOW}, Why.EXPIRED),
        ({"given_us": NOW + 1, "until_us": NOW + 9}, Why.EXPIRED),
        ({"department": "tax"}, Why.NO_GROUND),
        ({"kind": "residence"}, Why.NO_GROUND),
        ({"fields": frozenset({"sex"})}, Why.NO_GROUND),
    ],
)
def test_a_consent_is_for_one_department_purpose_kind_field_and_time(
    consent: dict[str, object], why: Why
) -> None:
    assert decide(KNOWN, _look(), [_consent()], NOW).fields == ("name",)
    assert _why(_look(), _consent(**consent)) is why


def test_what_is_sensitive_wants_a_separate_consent() -> None:
    cards = _look("bank", "loan-review", "cards")
    bundled = _consent(fields=frozenset({"name", "cards"}))
    assert _why(cards, bundled) is Why.NOT_SEPARATE
    assert decide(KNOWN, cards, [dataclasses.replace(bundled, separate=True)], NOW).consents == {1}


def test_a_child_consents_by_a_guardian_and_separately() -> None:
    assert _why(_look(), _consent(separate=True), child=True) is Why.NOT_GUARDIAN
    assert _why(_look(), _consent(guardian=7), child=True) is Why.NOT_SEPARATE
    assert decide(KNOWN, _look(), [_consent(guardian=7, separate=True)], NOW, child=True).fields == ("name",)


def test_one_field_that_may_not_be_seen_refuses_all_that_were_named() -> None:
    assert _why(_look("bank", "account-opening", "name", "mobile", case="7")) is Why.NO_GROUND
    may = decide(KNOWN, dataclasses.replace(_look("bank", "account-opening", case="7"), fields=()), [], NOW)
    assert set(may.fields) == {"name", "identity_number"}, "without names: what may be seen and nothing else"


def test_a_rule_asks_for_its_case_and_its_commission() -> None:
    assert _why(_look("bank", "account-opening", "name")) is Why.NO_CASE
    means = _look("civil-affairs", "assistance-check", "vehicles", case="7")
    assert _why(means) is Why.NO_COMMISSION
    asked = _consent(department="civil-affairs", purpose="assistance-check")
    assert str(decide(KNOWN, means, [asked], NOW).grounds["vehicles"]) == "assistance 58"
    assert _why(means, dataclasses.replace(asked, withdrawn_us=NOW)) is Why.NO_COMMISSION


def test_a_source_sees_what_it_keeps_and_for_its_upkeep_alone() -> None:
    assert decide(KNOWN, _look("card-centre", UPKEEP, "cards"), [], NOW).fields == ("cards",)
    assert _why(_look("card-centre", "card-service", "cards")) is Why.NO_GROUND
    assert _why(_look("card-centre", UPKEEP, "name")) is Why.NO_GROUND


def test_the_glass_is_broken_where_a_rule_says_so_and_with_a_reason() -> None:
    with pytest.raises(Usage, match="no reason"):
        _look("health", "treatment", "name", emergency=True)
    urgent = _look("health", "treatment", "name", emergency=True, reason="unconscious")
    assert decide(KNOWN, urgent, [], NOW).emergency
    assert _why(_look("health", "treatment", "name")) is Why.NO_GROUND, "the rule is for emergencies alone"
    assert _why(dataclasses.replace(urgent, fields=("cards",))) is Why.NO_EMERGENCY
    assert _why(dataclasses.replace(urgent, department="bank"), _consent()) is Why.NO_EMERGENCY


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"department": "nobody"}, "nobody"),
        ({"purpose": "curiosity"}, "curiosity"),
        ({"kind": "pet"}, "pet"),
        ({"fields": ("blood_group",)}, "person.blood_group"),
    ],
)
def test_what_is_not_declared_cannot_be_asked(changes: dict[str, object], where: str) -> None:
    with pytest.raises(Usage, match=where):
        decide(KNOWN, dataclasses.replace(_look(), **changes), [_consent()], NOW)  # type: ignore[arg-type]


def test_every_declared_rule_gives_its_fields_and_no_other() -> None:
    """The whole matrix: each department, purpose and kind, with a case, a commission and no consent for fields."""
    for department in KNOWN.departments:
        for purpose in KNOWN.purposes:
            commission = _consent(department=department, purpose=purpose, kind="none", fields=frozenset())
            for kind in KNOWN.kinds.values():
                look = Look(
                    department=department, officer="zhao-liu", purpose=purpose, kind=kind.name, case="7"
                )
                by_rule = {
                    name
                    for rule in KNOWN.rules
                    if rule.kind == kind.name and not rule.emergency
                    and rule.department in (department, ANYONE) and rule.purpose in (purpose, ANYONE)
                    for name in rule.fields
                }  # fmt: skip
                own = {spec.name for spec in kind.fields if purpose == UPKEEP and spec.source == department}
                try:
                    seen = set(decide(KNOWN, look, [commission], NOW).fields)
                except LookRefused:
                    seen = set()
                assert seen == by_rule | own, (department, purpose, kind.name)


def test_no_rule_lets_everybody_see_what_is_personal() -> None:
    for rule in KNOWN.rules:
        specs = [KNOWN.kind(rule.kind).field(name) for name in rule.fields]
        assert not any(spec.personal for spec in specs) or rule.department != ANYONE
        assert KNOWN.cite(rule.clause)[1].startswith("《")
    life = KNOWN.cite(Clause(law="pipl", article="13(1)(4)"))
    assert life == (
        "Personal Information Protection Law, Art. 13(1)(4)",
        "《中华人民共和国个人信息保护法》第13条第1款第4项",
    )


def _foreign(**changes: object) -> Part:
    """A third party's kind of use: a library's readers."""
    source = Named(code="library", title=("library", "图书馆"))
    ticket = FieldSpec(
        name="ticket", title=("ticket", "读者证"), type=FieldType.TEXT, source="library",
        sensitivity=Sensitivity.PERSONAL, key=True,
    )  # fmt: skip
    law = Law(code="library-law", title=("Public Library Law", "公共图书馆法"))
    rule = ViewRule(
        department="library", purpose="lending", kind="reader", fields=("ticket",),
        clause=Clause(law="library-law", article="43"),
    )  # fmt: skip
    part = Part(
        departments=(source,), purposes=(Named(code="lending", title=("lending", "借阅")),), laws=(law,),
        kinds=(RecordKind(name="reader", title=("reader", "读者"), fields=(ticket,)),), rules=(rule,),
    )  # fmt: skip
    return dataclasses.replace(part, **changes)  # type: ignore[arg-type]


def test_a_third_party_adds_its_own_and_changes_nothing_that_stands() -> None:
    known = Catalogue([PART, _foreign()])
    assert decide(known, _look("library", "lending", "ticket", kind="reader"), [], NOW).fields == ("ticket",)
    with pytest.raises(LookRefused):
        decide(known, _look("library", "lending", "name"), [], NOW)
    rule = _foreign().rules[0]
    held = FieldSpec(
        name="member", title=("member", "成员"), type=FieldType.REFERENCE, source="library", target="person",
        sensitivity=Sensitivity.PERSONAL, holds=True,
    )  # fmt: skip
    owner = dataclasses.replace(held, name="owner", holds=False, held=True)
    twice = dataclasses.replace(owner, name="twice")
    for bad, what in (
        ({"kinds": (PART.kinds[2],)}, "declared twice"),
        ({"departments": (Named(code="bank", title=("mine", "我的")),)}, "declared twice"),
        ({"departments": (Named(code=ANYONE, title=("all", "全部")),)}, "declared twice"),
        ({"rules": (dataclasses.replace(rule, department=ANYONE),)}, "not for everybody"),
        ({"rules": (dataclasses.replace(rule, clause=Clause(law="none", article="1")),)}, "cites no law"),
        ({"rules": (dataclasses.replace(rule, fields=("secret",)),)}, "names fields"),
        (
            {"kinds": (RecordKind(name="reader", title=("r", "读"), fields=(held,)),)},
            "another part's records",
        ),
        (
            {"kinds": (RecordKind(name="reader", title=("r", "读"), fields=(owner, twice)),)},
            "holder would be said twice",
        ),
    ):
        with pytest.raises(Usage, match=what):
            Catalogue([PART, _foreign(**bad)])


def test_a_number_in_the_wrong_place_is_not_repeated() -> None:
    number = "440301199003072719"
    for changes in ({"department": number}, {"purpose": number}, {"kind": number}, {"fields": (number,)}):
        with pytest.raises(Usage) as refused:
            decide(KNOWN, dataclasses.replace(_look(), **changes), [], NOW)  # type: ignore[arg-type]
        assert number not in str(refused.value)
    with pytest.raises(Usage) as wrong:
        Look(department="bank", officer=number, purpose="audit", kind="person")
    assert number not in str(wrong.value)
