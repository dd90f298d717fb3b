"""Findings: what a batch stage has to say about one record, as values instead of exceptions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum


class Severity(Enum):
    """``ERROR``: something was not accepted; ``WARNING``: accepted, someone must look; ``INFO``: noted."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark on one place.

    ``code`` is a stable word in capitals, ``where`` a file:line, a field path or a record's identity.
    """

    code: str
    severity: Severity
    where: str
    what: str
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self) | {"severity": self.severity.value}
