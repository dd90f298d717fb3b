"""Records that are written for a payment: the order on a meter's card is what one payment paid for, and once."""

from __future__ import annotations

from jinka.app.sector_purse import expect_refused
from jinka.app.sector_reasons import reason_text
from jinka.app.sector_remembered import spend, why_unpaid
from jinka.app.sector_world import World
from jinka.declaration import Counted, Write
from jinka.reports.day import Text


def refused_order(step: Write, world: World, application: str) -> Text | None:
    """What is told of an order without a payment of its own; None where nothing hinders it."""
    why = why_unpaid(world, _orders(step, world, application))
    if not why:
        return None
    expect_refused(step.refused, why, "no payment for it")
    world.count(Counted.REFUSED, device=step.device, application=application, reason=why)
    said, device = reason_text(why), world.device(step.device)[1]
    return Text(
        f"{device.title_en} writes no order: its payment is refused ({said.en})",
        f"{device.title_zh}不予写入订单：付款凭据被拒绝（{said.zh}）",
    )


def spend_order(step: Write, world: World, application: str) -> None:
    """The payment is used up by what was written."""
    spend(world, [value[1:] for value in _orders(step, world, application).values()])


def _orders(step: Write, world: World, application: str) -> dict[str, str]:
    paid = {spec.name for spec in world.record_specs(application) if spec.spends}
    return {name: value for name, value in step.values.items() if name in paid}
