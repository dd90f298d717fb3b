"""Steps of base records: what departments keep of persons and bodies, who may see it, and what the holder sees of that.

Records have names of their own in a journey; ``@name`` in a value refers to one. See `jinka.identity.base_records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True)
class Keep(Step):
    """A department writes fields of a record; a name that is new makes a record of ``kind``. ``=name`` in a value is
    what an earlier step remembered.
    """

    record: str
    kind: str
    department: str
    values: Mapping[str, str]
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Agree(Step):
    """A holder lets a department see fields for a purpose; the number of the consent is kept under ``as_``."""

    holder: str
    department: str
    purpose: str
    fields: tuple[str, ...]
    _: KW_ONLY
    kind: str = "person"
    days: int = 30
    separate: bool = False
    as_: str = ""


@dataclass(frozen=True, slots=True)
class Withdraw(Step):
    """A holder takes a consent back."""

    holder: str
    consent: str


@dataclass(frozen=True, slots=True)
class Ask(Step):
    """A department looks at a record: it is shown ``shows`` exactly, or refused for a reason of `Why` (NO_GROUND ...).

    ``emergency`` breaks the glass, which must lead to a review (`Review`). ``remembers`` keeps fields under names.
    """

    record: str
    department: str
    purpose: str
    shows: Mapping[str, str] = field(default_factory=dict)
    _: KW_ONLY
    fields: tuple[str, ...] = ()  # asked for; those of ``shows`` when empty
    case: str = ""
    reason: str = ""
    emergency: bool = False
    refused: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)  # name -> field


@dataclass(frozen=True, slots=True)
class Viewed(Step):
    """What the holder reads of the looks at his records, in order: (department, purpose, whether it was shown).

    They are told with the time of each.
    """

    holder: str
    looks: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Review(Step):
    """What becomes of the last emergency look at a record: ``explain`` by the department that looked, ``justify`` or
    ``blame`` by the supervision, never by an officer of the look. A second verdict is REFUSED.
    """

    record: str
    act: str
    reason: str
    _: KW_ONLY
    by: str = "supervision"
    refused: str = ""
