"""What an issue rests on. Goal: no order passes without every grant that the rules ask for, of the right party, for the
right make, that day and in that number; and the refusal names all that is missing. Method: one sound world, spoilt in
one place at a time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from jinka.kit import Usage
from jinka.registry import (
    RULE_SETS,
    Act,
    Deed,
    Fees,
    Held,
    Item,
    Kind,
    MissingGrants,
    Order,
    Registration,
    RuleSet,
    State,
    Terms,
    check_issue,
)

ON = dt.date(2026, 6, 1)
RULES = RULE_SETS["cn-2001"]
FEES = Fees(rule="cn-2001", cost_fen=1000, new_fen=1000, again_fen=1000)
TERMS = {
    Kind.MAKER_LICENCE: Terms.of({"item": ["card", "psam"]}),
    Kind.PRODUCT_CERTIFICATE: Terms.of(
        {
            "item": ["card"],
            "chip": ["SC01"],
            "chip_version": ["A1", "A2"],
            "os": ["JCOS"],
            "os_version": ["1.2"],
        }
    ),
    Kind.CARD_APPROVAL: Terms.of(
        {"use": ["cn.test"], "region": ["440300"], "purse": ["yes"]}, quantity=100, fees=FEES
    ),
}
ORDER = Order(
    id="issuer.a/1",
    item=Item.CARD,
    maker="maker.a",
    issuer="issuer.a",
    facts=(
        ("chip", "SC01"), ("chip_version", "A2"), ("os", "JCOS"), ("os_version", "1.2"), ("purse", "yes"),
        ("region", "440300"), ("use", "cn.test"),
    ),
    first="5180000001000000",
    last="5180000001000059",
    count=60,
    fee_fen=1000,
)  # fmt: skip


def _grant(kind: Kind, number: int, *more: Act, terms: Terms | None = None) -> Registration:
    deeds = tuple(
        Deed(act=act, officer="wang-wu", at_micros=1, reason="r")
        for act in (Act.APPLY, Act.REVIEW, Act.GRANT, *more)
    )
    return Registration(
        number=number, kind=kind, value=f"NO-{number}", holder="issuer.a" if kind is Kind.CARD_APPROVAL else "maker.a",
        valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2026, 12, 31), terms=terms or TERMS[kind], deeds=deeds,
    )  # fmt: skip


def _world(**changed: Registration | None) -> list[Held]:
    grants = {kind.name: _grant(kind, number) for number, kind in enumerate(TERMS, 1)}
    return [Held(grant=one) for one in {**grants, **changed}.values() if one is not None]


def _codes(held: list[Held], order: Order = ORDER, on: dt.date = ON, rules: RuleSet = RULES) -> list[str]:
    with pytest.raises(MissingGrants) as refused:
        check_issue(rules, held, order, on)
    assert all(found.what in str(refused.value) for found in refused.value.findings)
    assert refused.value.exit_code == 4
    return [found.code for found in refused.value.findings]


def test_an_order_that_was_granted() -> None:
    assert "518000000" not in repr(ORDER)
    assert check_issue(RULES, _world(), ORDER, ON).grants == (1, 2, 3)
    assert check_issue(RULES, _world(), ORDER, dt.date(2026, 12, 31)).grants == (1, 2, 3)


def test_all_that_is_missing_is_named_at_once() -> None:
    assert _codes([]) == ["NOT_GRANTED"] * 4 + ["FEE"]
    assert _codes(_world(), on=dt.date(2027, 1, 1)) == ["LAPSED"] * 4 + ["FEE"]


@pytest.mark.parametrize(
    ("kind", "act", "code"),
    [
        (Kind.MAKER_LICENCE, Act.SUSPEND, "SUSPENDED"),
        (Kind.MAKER_LICENCE, Act.EXPIRE, "EXPIRED"),
        (Kind.CARD_APPROVAL, Act.SUSPEND, "SUSPENDED"),
        (Kind.CARD_APPROVAL, Act.WITHDRAW, "WITHDRAWN"),
    ],
)
def test_a_grant_that_is_not_in_force(kind: Kind, act: Act, code: str) -> None:
    order = dataclasses.replace(ORDER, fee_fen=0)
    assert _codes(_world(**{kind.name: _grant(kind, 9, act)}), order) == [code]


def test_a_licence_that_lapsed_yesterday_or_begins_tomorrow() -> None:
    licence = _grant(Kind.MAKER_LICENCE, 1)
    yesterday, tomorrow = ON - dt.timedelta(days=1), ON + dt.timedelta(days=1)
    lapsed = dataclasses.replace(licence, valid_to=yesterday)
    assert _codes(_world(MAKER_LICENCE=lapsed)) == ["LAPSED"]
    assert check_issue(RULES, _world(MAKER_LICENCE=lapsed), ORDER, yesterday).grants == (1, 2, 3)
    assert _codes(_world(MAKER_LICENCE=dataclasses.replace(licence, valid_from=tomorrow))) == ["NOT_YET"]


@pytest.mark.parametrize(
    ("fact", "value", "codes"),
    [
        ("chip_version", "A3", ["OTHER_SCOPE"]),
        ("chip", "SC02", ["OTHER_SCOPE"]),
        ("os_version", "1.3", ["OTHER_SCOPE"]),
        ("use", "cn.other", ["OTHER_SCOPE", "FEE"]),
        ("region", "440100", ["OTHER_SCOPE", "FEE"]),
        ("purse", "no", ["OTHER_SCOPE", "FEE"]),
    ],
)
def test_another_make_or_use_than_was_granted(fact: str, value: str, codes: list[str]) -> None:
    facts = tuple(sorted((dict(ORDER.facts) | {fact: value}).items()))
    assert _codes(_world(), dataclasses.replace(ORDER, facts=facts)) == codes


@pytest.mark.parametrize("name", [name for name, _ in ORDER.facts])
def test_a_fact_that_is_not_told_is_not_taken_for_granted(name: str) -> None:
    facts = tuple(item for item in ORDER.facts if item[0] != name)
    wide = {kind: Terms.of({fact: ["*"] for fact in dict(terms.scope)}) for kind, terms in TERMS.items()}
    held = _world(**{kind.name: _grant(kind, 9, terms=terms) for kind, terms in wide.items()})
    assert "UNTOLD" in _codes(held, dataclasses.replace(ORDER, facts=facts))


def test_a_grant_of_somebody_else() -> None:
    assert _codes(_world(), dataclasses.replace(ORDER, maker="maker.b")) == ["NOT_GRANTED"] * 3
    assert _codes(_world(), dataclasses.replace(ORDER, issuer="issuer.b")) == ["NOT_GRANTED", "FEE"]


def test_the_quantity() -> None:
    licence, certificate, approval = (one.grant for one in _world())
    held = [Held(grant=licence), Held(grant=certificate), Held(grant=approval, used=40)]
    assert check_issue(RULES, held, ORDER, ON).grants == (1, 2, 3)
    held[2] = Held(grant=approval, used=41)
    assert _codes(held) == ["QUANTITY"], "the fee was approved"
    assert _codes(held, dataclasses.replace(ORDER, fee_fen=10**6)) == ["QUANTITY", "FEE"]
    with pytest.raises(MissingGrants, match="has 59 left of 100, not 60"):
        check_issue(RULES, held, ORDER, ON)
    another = dataclasses.replace(approval, number=7)
    assert check_issue(RULES, [*held, Held(grant=another)], ORDER, ON).grants == (1, 2, 7)


def test_the_fee() -> None:
    assert _codes(_world(), dataclasses.replace(ORDER, fee_fen=1001)) == ["FEE"]
    again = dataclasses.replace(FEES, again_fen=400)
    approval = _grant(
        Kind.CARD_APPROVAL, 3, terms=Terms.of({f: ["*"] for f in ("use", "region", "purse")}, fees=again)
    )
    assert _codes(_world(CARD_APPROVAL=approval), dataclasses.replace(ORDER, again=True)) == ["FEE"]
    free = _grant(Kind.CARD_APPROVAL, 3, terms=Terms.of({f: ["*"] for f in ("use", "region", "purse")}))
    assert _codes(_world(CARD_APPROVAL=free)) == ["FEE"]
    check_issue(RULES, _world(CARD_APPROVAL=free), dataclasses.replace(ORDER, fee_fen=0), ON)


def test_rules_are_data() -> None:
    scheme = RULE_SETS["scheme"]
    assert check_issue(scheme, _world(MAKER_LICENCE=None), ORDER, ON).grants == (2, 3)
    for rules in RULE_SETS.values():
        assert RuleSet.from_text(rules.to_text()) == rules
        assert {need.item for need in rules.needs} == set(Item)
    only_tags = dataclasses.replace(scheme, needs=tuple(n for n in scheme.needs if n.item is Item.TAG))
    assert _codes(_world(), dataclasses.replace(ORDER, fee_fen=0), rules=only_tags) == ["NO_RULE"]
    spoilt = ('{}', 'x', '[]', RULES.to_text().replace('"maker-licence"', '"rid"'),
              RULES.to_text().replace('"chip"', '"colour"'), '{"name":"a","needs":[]}')  # fmt: skip
    for text in spoilt:
        with pytest.raises(Usage):
            RuleSet.from_text(text)


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""}, {"id": "a b"}, {"maker": ""}, {"issuer": "x y"}, {"count": 59}, {"count": 0}, {"fee_fen": -1},
        {"first": "518"}, {"last": "51800000010000590"}, {"first": "5180000001000060"}, {"first": "x" * 16},
        {"facts": (("item", "card"),)}, {"facts": (("use", "a"), ("chip", "b"))}, {"facts": (("use", "a\nb"),)},
        {"facts": (("use", "*"),)}, {"facts": (("colour", "red"),)}, {"facts": (("use", "a"), ("use", "b"))},
    ],
)  # fmt: skip
def test_wrong_orders(change: dict[str, object]) -> None:
    with pytest.raises(Usage):
        dataclasses.replace(ORDER, **change)  # type: ignore[arg-type]


def test_a_state_that_is_not_granted_never_serves() -> None:
    for acts in ((), (Act.SUSPEND,), (Act.WITHDRAW,), (Act.WITHDRAW, Act.APPEAL)):
        grant = _grant(Kind.MAKER_LICENCE, 1, *acts)
        if grant.state is not State.GRANTED:
            assert _codes(_world(MAKER_LICENCE=grant)) == [grant.state.name]
