"""Steps of what departments copy from a source and of credit records: corrections flow, disputes mark.

Copies: Personal Information Protection Law (个人信息保护法) Art. 8, 46, 47. Credit: 征信业管理条例 Art. 16 to 18, 25,
26. Records are those of `jinka.declaration.steps_base`; see `jinka.identity.base_records.copies` and `.credit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True)
class TakeCopy(Step):
    """A department begins a copy of fields of a record, on the ground of a look; refused for a reason of `Why`."""

    record: str
    department: str
    purpose: str
    fields: tuple[str, ...]
    _: KW_ONLY
    case: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Correct(Step):
    """The source corrects fields of a record; ``tells`` names exactly the departments whose copies are told of it."""

    record: str
    department: str
    values: Mapping[str, str]
    reason: str
    tells: tuple[str, ...]
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Fetch(Step):
    """A department fetches what its copies were told and acknowledges it; then its copy ``holds`` this."""

    record: str
    department: str
    holds: Mapping[str, str]
    _: KW_ONLY
    acknowledges: bool = True


@dataclass(frozen=True, slots=True)
class Behind(Step):
    """The departments that have not acknowledged what they were told, each once, in the order of their copies."""

    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportCredit(Step):
    """An institution reports an entry of credit about a person or a body; in a journey it is called ``entry``.

    ``replaces`` is the entry that it ends or corrects; only the institution that reported that one may.
    """

    entry: str
    subject: str
    institution: str
    text: str
    amount: int
    _: KW_ONLY
    since: str
    ended: str = ""
    sign: str = "bad"
    replaces: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Dispute(Step):
    """A step of a dispute: ``file``, ``complain``, ``withdraw`` by the subject of the entry; ``correct``, ``confirm``,
    ``record`` by the bureau; ``uphold``, ``dismiss`` by the supervision. What stands as it was is not corrected.
    """

    entry: str
    subject: str
    act: str
    reason: str
    _: KW_ONLY
    by: str = ""  # a department; the subject when empty
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CreditReport(Step):
    """What a credit record shows: ``shows`` maps each entry to whether it bears the mark of a dispute.

    Without ``department`` the subject reads the own record (``fee``: this one may cost a fee, Art. 17).
    """

    subject: str
    shows: Mapping[str, bool]
    _: KW_ONLY
    department: str = ""
    purpose: str = "loan-review"
    fee: bool = False
    refused: str = ""
