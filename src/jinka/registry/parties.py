"""The parties of a scheme and the roles they play in its books."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a participant does; one participant has one role (a city's bus company is an operator)."""

    ISSUER = "issuer"  # issues cards and owes what they hold
    OPERATOR = "operator"  # is paid for rides, meals, fuel
    ACQUIRER = "acquirer"  # collects the terminals' batches
    LOAD_AGENT = "load_agent"  # takes cash and loads cards; owes the issuer
    GOVERNMENT = "government"  # bears declared discounts
    SCHEME = "scheme"  # earns scheme fees and bears the risk account


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One party: a stable code such as ``op.sz.bus``, its role, its region (GB/T 2260) and names."""

    code: str
    role: Role
    region: str
    name_en: str
    name_zh: str
