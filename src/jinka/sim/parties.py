"""The parties that every simulated city has beside its operators."""

from __future__ import annotations

from jinka.registry import Participant, Role

ISSUER = "issuer.szt"
ACQUIRER = "acq.szt"
LOAD_AGENT = "agent.sz.load"
GOVERNMENT = "gov.sz"
SCHEME = "scheme.jinka"


def common_parties(region: str) -> tuple[Participant, ...]:
    """Issuer, acquirer, load agent, government and scheme of a region."""
    rows = (
        (ISSUER, Role.ISSUER, "Shenzhen Card Issuer (simulated)", "深圳通发卡机构（模拟）"),
        (ACQUIRER, Role.ACQUIRER, "City Acquirer (simulated)", "城市收单机构（模拟）"),
        (LOAD_AGENT, Role.LOAD_AGENT, "Load Agent (simulated)", "充值代理点（模拟）"),
        (
            GOVERNMENT,
            Role.GOVERNMENT,
            "City Government, fare subsidies (simulated)",
            "市财政（票价补贴，模拟）",
        ),
        (SCHEME, Role.SCHEME, "Jinka Scheme (simulated)", "金卡清算机构（模拟）"),
    )
    return tuple(
        Participant(code=code, role=role, region=region, name_en=english, name_zh=chinese)
        for code, role, english, chinese in rows
    )
