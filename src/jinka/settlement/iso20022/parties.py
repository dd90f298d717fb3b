"""Who is paid where: the bank details of a scheme's parties, as payment messages need them.

BIC: ISO 9362. IBAN: ISO 13616, check digits of ISO 7064 MOD 97-10. A clearing member's number is that of the national
system, such as CNAPS's twelve digits (联行号); its own check digit is not examined. Names: the X character set of SWIFT
for networks that know no Chinese. No directory is asked whether a bank or an account exists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from jinka.kit import Usage

_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Za-z0-9]{1,30}", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z0-9]{1,34}", re.ASCII)
_MEMBER = re.compile(r"[A-Za-z0-9]{1,35}", re.ASCII)
_CNAPS = re.compile(r"[0-9]{12}", re.ASCII)
_X_SET = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*", re.ASCII)
_TEXT_MAX = 140


class Charset(Enum):
    """What a network can carry: Chinese names in UTF-8, or the X set of SWIFT with English ones."""

    UTF8 = "utf-8"
    X = "x"


class Method(Enum):
    """How a message is settled: through a clearing system, or on the books of one of the two agents."""

    CLRG = "CLRG"
    INDA = "INDA"
    INGA = "INGA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A bank or another direct member: by BIC, by its number in the clearing system, or both."""

    bic: str = ""
    member: str = ""
    clearing: str = "CNAPS"

    def __post_init__(self) -> None:
        if not self.bic and not self.member:
            raise Usage("a bank is named by neither BIC nor member number", where="agent", fix="give one")
        if self.bic and not _BIC.fullmatch(self.bic):
            raise Usage("not a BIC", where="bic", fix="8 or 11 capitals and digits, such as PCBCCNBJ")
        if self.member and not (_CNAPS if self.clearing == "CNAPS" else _MEMBER).fullmatch(self.member):
            raise Usage(f"not a member number of {self.clearing}", where="member", fix="CNAPS has 12 digits")
        if not re.fullmatch(r"[A-Z0-9]{1,5}", self.clearing, re.ASCII):
            raise Usage("not a code of a clearing system", where="clearing", fix="such as CNAPS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One participant: ``institution`` is a bank or payment institution itself, else a customer of ``agent``."""

    code: str
    name_en: str
    name_zh: str
    agent: Agent
    account: str = ""
    iban: str = ""
    institution: bool = False

    def __post_init__(self) -> None:
        where = f"party {self.code}"
        if bool(self.account) == bool(self.iban):
            raise Usage("needs an account or an IBAN, one of them", where=where)
        if self.account and not _ACCOUNT.fullmatch(self.account):
            raise Usage("not an account number", where=where, fix="at most 34 letters and digits")
        if self.iban:
            check_iban(self.iban, where=where)

    @property
    def number(self) -> str:
        return self.iban or self.account

    def name(self, charset: Charset) -> str:
        """The name that a network of this character set can carry; raises `Usage` when there is none."""
        return fit_text(self.name_zh if charset is Charset.UTF8 else self.name_en, charset, where=self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentBook:
    """Everything about parties and the network: ``sender`` instructs ``receiver``; ``system`` clears it."""

    parties: Mapping[str, Party]
    sender: Agent
    receiver: Agent | None = None
    method: Method = Method.CLRG
    system: str = "CNAPS"
    charset: Charset = Charset.UTF8
    currency: str = "CNY"

    def party(self, code: str) -> Party:
        found = self.parties.get(code)
        if found is None:
            raise Usage("has no bank details", where=f"party {code}", fix="add a [[party]] with this code")
        return found


def check_iban(text: str, *, where: str) -> None:
    """Raise `Usage` unless ``text`` is an IBAN with right check digits."""
    if not _IBAN.fullmatch(text):
        raise Usage(
            "not an IBAN", where=where, fix="country, two check digits, at most 30 letters and digits"
        )
    digits = "".join(str(int(sign, 36)) for sign in (text[4:] + text[:4]))
    if int(digits) % 97 != 1:
        raise Usage("the IBAN's check digits are wrong", where=where, fix="copy it again")


def fit_text(text: str, charset: Charset, *, where: str) -> str:
    """``text`` when the network can carry it, else `Usage`: a name is never changed on the way."""
    if not text.strip() or len(text) > _TEXT_MAX:
        raise Usage("a name has 1 to 140 characters", where=where)
    if charset is Charset.X and (not _X_SET.fullmatch(text) or text[0] in "-:" or "//" in text):
        raise Usage(
            "holds what SWIFT's X character set has not", where=where, fix="give a name_en in plain letters"
        )
    return text
