"""Plays the steps of subscriptions: states by `jinka.issuer.subscriptions`, money between accounts on the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import (
    Bill,
    Charge,
    Counted,
    EndSubscription,
    PayBill,
    Plan,
    Sector,
    Serve,
    Step,
    Subscribe,
)
from jinka.issuer.subscriptions import Subscription, SubscriptionRefused, Terms
from jinka.kit import NotFound, Usage, format_minor
from jinka.reports.day import Text


@dataclass(slots=True)
class Held:
    """A subscription, its plan, and the one that it hangs on."""

    plan: Plan
    own: Subscription
    under: Held | None = None

    def serve(self, world: World, service: str) -> None:
        """Raises `SubscriptionRefused`; a secondary plan is open only while the main one is."""
        if self.under is not None:
            self.under.serve(world, self.under.plan.services[0])
        self.own.serve(world.now.date(), service)


def subscriptions(world: World) -> dict[str, Held]:
    def make() -> dict[str, Held]:
        return {}

    return world.service("subscriptions", make)


def held(world: World, name: str) -> Held:
    found = subscriptions(world).get(name)
    if found is None:
        raise NotFound(f"no subscription {name!r}", where=world.journey.name, fix="Subscribe first")
    return found


def _plan(sector: Sector, code: str) -> Plan:
    for plan in sector.plans:
        if plan.code == code:
            return plan
    raise NotFound(f"no plan {code!r}", where=sector.name, fix="declare it among the sector's plans")


def _refused(world: World, wanted: str, error: SubscriptionRefused, what: Text, plan: Plan) -> Text:
    expect_refused(wanted, error.reason, error)
    world.count(Counted.REFUSED, reason=error.reason, product=plan.code)
    return Text(f"{what.en}: refused, {error.reason}", f"{what.zh}：拒绝（{error.reason}）")


def play_subscribe(step: Subscribe, world: World) -> Text:
    plan = _plan(world.sector, step.plan)
    head = Text(f"{step.name} takes {plan.title_en}", f"{step.name}办理{plan.title_zh}")
    under = held(world, step.under) if step.under else None
    try:
        if plan.main and (under is None or under.plan.code != plan.main):
            raise SubscriptionRefused("NO_MAIN_PLAN", step.name)
        if under is not None:
            under.serve(world, under.plan.services[0])
    except SubscriptionRefused as error:
        return _refused(world, step.refused, error, head, plan)
    expect_done(step.refused)
    terms = Terms(
        price_fen=plan.price_fen, services=plan.services, months=plan.months, days=plan.days, due_days=plan.due_days,
        grace_days=plan.grace_days, each_fen=plan.each_fen, day_fen=plan.day_fen, month_fen=plan.month_fen,
    )  # fmt: skip
    own = Subscription(name=step.name, terms=terms, begin=world.now.date())
    if step.name in subscriptions(world):
        raise Usage(f"a second subscription {step.name!r}", where=world.journey.name)
    subscriptions(world)[step.name] = Held(plan, own, under)
    return Text(f"{head.en}: {', '.join(plan.services)}", f"{head.zh}：{'、'.join(plan.services)}")


def play_bill(step: Bill, world: World) -> Text:
    found = held(world, step.name)
    try:
        made = found.own.bill(world.now.date())
    except SubscriptionRefused as error:
        return _refused(
            world, step.refused, error, Text(f"A bill to {step.name}", f"向{step.name}出账"), found.plan
        )
    expect_done(step.refused)
    if made.amount_fen != step.amount:
        raise StepFailed(f"the bill comes to {made.amount_fen}, not {step.amount}", where=step.name)
    world.count(Counted.BILLED, made.amount_fen, product=found.plan.code)
    shown = format_minor(made.amount_fen)
    return Text(
        f"A bill to {step.name} for {found.plan.title_en}: {shown}, from {made.begin} until {made.until},"
        f" due {made.due}",
        f"向{step.name}出账：{found.plan.title_zh}{shown}，账期{made.begin}至{made.until}，缴费截止{made.due}",
    )


def play_pay_bill(step: PayBill, world: World) -> Text:
    found, today = held(world, step.name), world.now.date()
    head = Text(f"{step.name} pays", f"{step.name}缴费")
    try:
        due = found.own.owed()
        if due.amount_fen != step.amount:
            raise StepFailed(f"{due.amount_fen} is owed, not {step.amount}", where=step.name)
        try:
            world.move(step.payer, found.plan.payee, due.amount_fen)
        except Usage:
            raise SubscriptionRefused("NO_MONEY", step.name) from None
        found.own.pay(today)
    except SubscriptionRefused as error:
        return _refused(world, step.refused, error, head, found.plan)
    expect_done(step.refused)
    world.count(Counted.MOVED, due.amount_fen, account=found.plan.payee, product=found.plan.code)
    state, shown = found.own.at(today).value, format_minor(due.amount_fen)
    return Text(f"{head.en} {shown}, and is {state}", f"{head.zh}{shown}，状态：{_STATES[state]}")


_STATES = {"active": "正常", "in arrears": "欠费", "suspended": "停用", "ended": "终止"}


def play_serve(step: Serve, world: World) -> Text:
    found = held(world, step.name)
    head = Text(f"{step.name} asks for {step.service}", f"{step.name}使用{step.service}")
    state = found.own.at(world.now.date()).value
    if step.state and state != step.state:
        raise StepFailed(f"the subscription is {state}, not {step.state}", where=step.name)
    try:
        found.serve(world, step.service)
    except SubscriptionRefused as error:
        return _refused(world, step.refused, error, head, found.plan)
    expect_done(step.refused)
    world.count(Counted.ADMITTED, product=found.plan.code, service=step.service)
    return Text(f"{head.en}: open ({state})", f"{head.zh}：可用（{_STATES[state]}）")


def play_charge(step: Charge, world: World) -> Text:
    found, shown = held(world, step.name), format_minor(step.amount)
    head = Text(
        f"{step.name} pays {shown} to {step.merchant} by phone bill",
        f"{step.name}以话费向{step.merchant}支付{shown}",
    )
    try:
        found.own.charge(world.now.date(), step.amount)
    except SubscriptionRefused as error:
        return _refused(world, step.refused, error, head, found.plan)
    expect_done(step.refused)
    world.move(found.plan.payee, step.merchant, step.amount)
    world.count(Counted.MOVED, step.amount, account=step.merchant, product=found.plan.code)
    return head


def play_end(step: EndSubscription, world: World) -> Text:
    found = held(world, step.name)
    found.own.end(world.now.date())
    return Text(f"{step.name} ends {found.plan.title_en}", f"{step.name}终止{found.plan.title_zh}")


def check_plans(sector: Sector, complain: Callable[[str, str, str], None]) -> None:
    """Each plan is subscribed, billed, and in arrears once; what is served is served and refused."""
    steps = [(journey, step) for journey in sector.journeys for step in journey.steps]
    plan_of = {(j.name, s.name): s.plan for j, s in steps if isinstance(s, Subscribe) and not s.refused}
    for plan in sector.plans:
        for word, seen in _seen(plan, plan_of, steps):
            if not seen:
                complain("PLAN", plan.code, f"no journey in which it is {word}")


def _seen(
    plan: Plan, plan_of: Mapping[tuple[str, str], str], steps: list[tuple[Any, Step]]
) -> Iterator[tuple[str, bool]]:
    own = [step for j, step in steps if plan_of.get((j.name, getattr(step, "name", ""))) == plan.code]
    yield "subscribed", any(isinstance(step, Subscribe) for step in own)
    yield "billed", any(isinstance(step, Bill) and not step.refused for step in own)
    yield "paid", any(isinstance(step, PayBill) and not step.refused for step in own)
    yield (
        "in arrears",
        any(isinstance(step, Serve) and step.state in ("in arrears", "suspended") for step in own),
    )


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    Subscribe: play_subscribe,
    Bill: play_bill,
    PayBill: play_pay_bill,
    Serve: play_serve,
    Charge: play_charge,
    EndSubscription: play_end,
}
