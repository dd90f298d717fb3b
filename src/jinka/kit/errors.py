"""Errors that say whose fault it is, where it is, and what to do about it."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """Who has to act: this side, the other side, or nobody (a rule said no)."""

    OURS = "ours"
    PEER = "peer"
    RULE = "rule"


class JinkaError(Exception):
    """The root of all errors that Jinka raises on purpose.

    ``what`` states the fact, ``where`` the field path, file or byte offset, ``fix`` the next step.
    ``zh`` is the fact in Chinese, for errors that people who use the system read in a table or a story.
    None of them may hold a key, a PIN or an unmasked card number.
    """

    fault = Fault.OURS
    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "", zh: str = "") -> None:
        self.what, self.where, self.fix, self.zh = what, where, fix, zh
        super().__init__(what, where, fix)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.fix})" if self.fix else text


class Usage(JinkaError):
    """The caller asked for something that makes no sense (exit code 2)."""

    fault = Fault.PEER
    exit_code = 2


class NotFound(JinkaError):
    """Something that was named does not exist (exit code 3)."""

    fault = Fault.PEER
    exit_code = 3


class Refused(JinkaError):
    """A rule forbids it: a wrong MAC, a missing right, a false purpose (exit code 4)."""

    fault = Fault.RULE
    exit_code = 4
