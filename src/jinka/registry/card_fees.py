"""What may be charged for a card: rules as data, each with the public document that it is from; amounts in fen.

计价格[2001]1928号 (on the application and charges of IC cards, approved by the State Council), 9 and 10: a fee that
needs approval covers what the card costs and nothing else, neither equipment nor software nor management; a card in
place of a lost or damaged one costs the same; bank cards follow the central bank's own rules. Provinces and cities said
more within it. Which of these is in force somewhere today is for the register's office to say: it names the rule when
it approves. Deposits are not told here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from jinka.kit import Refused, Usage

AMOUNT_MAX_FEN = 100_000_00
_PERMILLE, _PERCENT = 1000, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRule:
    """One rule. A limit that is None is not made by it; ``card_max_fen`` goes by the kind of card."""

    code: str
    title: tuple[str, str]  # English, Chinese
    source: str
    new_percent_of_cost: int | None = _PERCENT
    again_percent_of_cost: int | None = None
    again_percent_of_new: int | None = None
    card_max_fen: Mapping[str, int] = field(default_factory=dict)
    loss_max_permille: int = 0  # of cards spoilt in making

    def cost_fen(self, *, bare_fen: int, making_fen: int, loss_permille: int = 0) -> int:
        """What one card costs: the bare card and its making, with what is spoilt; rounded down. Raises `Refused`."""
        if min(bare_fen, making_fen, loss_permille) < 0:
            raise Usage("an amount below nothing", where="cost", fix="0 or more")
        if loss_permille > self.loss_max_permille:
            raise Refused(
                f"{loss_permille}‰ are spoilt", where=f"fee rule {self.code}",
                fix=f"at most {self.loss_max_permille}‰ count: {self.source}",
            )  # fmt: skip
        return (bare_fen + making_fen) * (_PERMILLE + loss_permille) // _PERMILLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What was approved to be charged for one card: the first, and ``again`` for one that was lost or damaged."""

    rule: str
    cost_fen: int
    new_fen: int
    again_fen: int
    card: str = ""  # its kind, where the rule asks for it

    def __post_init__(self) -> None:
        for name in ("cost_fen", "new_fen", "again_fen"):
            amount = getattr(self, name)
            if type(amount) is not int or not 0 <= amount <= AMOUNT_MAX_FEN:
                raise Usage(f"{amount} fen", where=name, fix=f"0 to {AMOUNT_MAX_FEN}")

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def limit_fen(self, *, again: bool) -> int:
        """The most that a holder may be asked for."""
        return self.again_fen if again else self.new_fen


def _rules(*rows: FeeRule) -> Mapping[str, FeeRule]:
    return MappingProxyType({row.code: row for row in rows})


FEE_RULES = _rules(
    FeeRule(
        code="cn-2001",
        title=("cost of the card alone, the first and any other", "按工本费核定，补发亦按工本费"),
        source="计价格[2001]1928号, 10",
        again_percent_of_cost=_PERCENT,
    ),
    FeeRule(
        code="cn-jiangsu-2010",
        title=(
            "cost with 3 % spoilt at most; again at most one and a half times",
            "损耗率不超过3%，补发不超过成本1.5倍",
        ),
        source="苏价费[2010]187号, as Changzhou applied it to the card 龙城通 (2010-12-27)",
        again_percent_of_cost=150,
        loss_max_permille=30,
    ),
    FeeRule(
        code="cn-fujian-medical-2002",
        title=("medical insurance cards: cost, with a ceiling by chip", "医保IC卡：工本费及最高标准"),
        source="闽价[2002]费104号",
        again_percent_of_new=_PERCENT,
        card_max_fen=MappingProxyType({"cpu": 25_00, "memory": 15_00}),
    ),
    FeeRule(
        code="cn-liaoning-code-card-2002",
        title=("organisation code card: 150 yuan, again half of it", "组织机构代码证IC卡：150元，补发按50%"),
        source="辽价函[2002]23号",
        new_percent_of_cost=None,
        again_percent_of_new=50,
        card_max_fen=MappingProxyType({"cpu": 150_00}),
    ),
)  # fmt: skip


def fee_rule(code: str) -> FeeRule:
    """The rule of that name; raises `Usage`."""
    if code not in FEE_RULES:
        raise Usage(f"no fee rule {code!r}", where="fee rule", fix="one of " + ", ".join(FEE_RULES))
    return FEE_RULES[code]


def highest_fees(rule: FeeRule, cost_fen: int, card: str = "") -> Fees:
    """The most that a rule allows at a cost; raises `Usage` where it goes by a kind of card that is not told."""
    limits = []
    if rule.new_percent_of_cost is not None:
        limits.append(cost_fen * rule.new_percent_of_cost // _PERCENT)
    if rule.card_max_fen:
        if card not in rule.card_max_fen:
            known = ", ".join(rule.card_max_fen)
            raise Usage(f"no kind of card {card!r}", where=f"fee rule {rule.code}", fix=f"one of {known}")
        limits.append(rule.card_max_fen[card])
    new = min(limits)
    again = [new * rule.again_percent_of_new // _PERCENT] if rule.again_percent_of_new is not None else []
    if rule.again_percent_of_cost is not None:
        again.append(cost_fen * rule.again_percent_of_cost // _PERCENT)
    return Fees(rule=rule.code, cost_fen=cost_fen, new_fen=new, again_fen=min(again), card=card)


def check_fees(fees: Fees) -> None:
    """Raise `Refused` for fees that are above what their rule allows."""
    rule = fee_rule(fees.rule)
    most = highest_fees(rule, fees.cost_fen, fees.card)
    again_most = most.again_fen
    if rule.again_percent_of_new is not None:  # of what is asked for the first, not of what might be
        again_most = min(again_most, fees.new_fen * rule.again_percent_of_new // _PERCENT)
    for word, asked, allowed in (
        ("a card", fees.new_fen, most.new_fen),
        ("another", fees.again_fen, again_most),
    ):
        if asked > allowed:
            raise Refused(
                f"{asked} fen for {word}, {allowed} at most", where=f"fee rule {rule.code}", fix=rule.source
            )
