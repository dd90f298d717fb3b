"""Bank cards for `jinka issue`: the whole card, with both payment environments and offline data authentication.

EMV Book 1, 11 and 12; Book 2, 5 and 6; JR/T 0025.17 (SM2). What signs is the bureau's own authority
(`jinka.app.bank_authority`). RSA keys come from the bureau's pool, or are drawn when it is empty; SM2 keys and
signatures are drawn afresh whenever a slice is made, so of a slice that was killed no SM2 key is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from jinka.app.bank_authority import BankAuthority, CardKeyRack, open_authority
from jinka.app.card_files import BANK_ENTRY, bank_template
from jinka.card.emv_issue import EmvHolder
from jinka.card.emv_template import bank_script
from jinka.codec import Algorithm
from jinka.crypto.emv_oda import PrivateKey
from jinka.issuer.applications import Applicant, BureauSecret, bank_holder
from jinka.issuer.bank_production import BankCardData, KeyPool, bank_card_data
from jinka.issuer.bureau import NumberRange
from jinka.keys import SoftKeyService
from jinka.keys.port import ChipKeys
from jinka.kit import Usage
from jinka.profile import ApplicationProfile, EmvSpec
from jinka.sectors import bank

_SPECS = {bank.PROFILE.name: (bank.SPEC, bank.SPEC_SM4, bank.SPEC_SM2)}
_IDENTIFIER_MIN, _IDENTIFIER_MAX = 3, 8


class OfflineAuth(StrEnum):
    """What a terminal without a network can check of a card."""

    NONE = "none"
    SDA = "sda"  # that its data are the issuer's
    DDA = "dda"  # that the card itself is: DDA, CDA and the fast DDA of qPBOC, with an RSA key of its own
    SM2 = "sm2"  # DDA, and a second chain in SM2 for terminals that ask for it


@dataclass(frozen=True, slots=True, kw_only=True)
class BankCardMade:
    """One card of a slice."""

    holder: EmvHolder
    data: BankCardData


def spec_of(profile: ApplicationProfile, algorithm: Algorithm, oda: OfflineAuth) -> EmvSpec:
    """The product that a profile is issued as; `Usage` for one that nobody has told, and for SM2 beside 3DES."""
    if profile.name not in _SPECS:
        raise Usage(
            "nobody has said how its cards are made", where=profile.name, fix="teach app/issue_bank.py"
        )
    plain, sm4, sm2 = _SPECS[profile.name]
    if oda is OfflineAuth.SM2:
        if algorithm is not Algorithm.SM4:
            raise Usage("SM2 certificates go with SM4 keys", where="--oda", fix="add --sm4, or --oda dda")
        return sm2
    return sm4 if algorithm is Algorithm.SM4 else plain


def common_beginning(numbers: NumberRange) -> str:
    """What all numbers of a range begin with: the issuer's identifier in its certificate."""
    first, last = str(numbers).split("-")
    same = next((at for at in range(len(first)) if first[at] != last[at]), len(first))
    if same < _IDENTIFIER_MIN:
        raise Usage(
            "its numbers have no beginning in common, and an issuer's certificate names one",
            where=f"range {numbers}", fix="a narrower range, or --oda none",
        )  # fmt: skip
    return first[: min(same, _IDENTIFIER_MAX)]


class BankDesk:
    """Makes the bank cards of one order, slice by slice."""

    def __init__(
        self,
        profile: ApplicationProfile,
        algorithm: Algorithm,
        oda: OfflineAuth,
        *,
        bureau: Path,
        order: Path,
        numbers: NumberRange,
        keys: SoftKeyService,
        secret: BureauSecret,
        masters: ChipKeys,
    ) -> None:
        self._profile, self._algorithm, self._oda, self._secret = profile, algorithm, oda, secret
        self._masters = masters
        self._spec = spec_of(profile, algorithm, oda)
        self._template = bank_template(algorithm)
        self._rack = CardKeyRack(bank_folder(bureau), order, keys)
        self._authority: BankAuthority | None = None
        if oda is not OfflineAuth.NONE:
            self._authority = open_authority(bank_folder(bureau), keys, common_beginning(numbers))
        self._claimed: Sequence[PrivateKey] = ()

    def make(self, part: int, people: Sequence[Applicant]) -> list[BankCardMade]:
        """The cards of one slice."""
        holders = [bank_holder(person, self._profile, self._secret) for person in people]
        signs = self._authority
        if self._oda in (OfflineAuth.DDA, OfflineAuth.SM2):
            self._claimed = self._rack.claim(part, len(people))
        everyone = bank_card_data(
            holders,
            spec=self._spec,
            masters=self._masters,
            algorithm=self._algorithm,
            authority=signs.rsa if signs is not None else None,
            pool=KeyPool(self._claimed) if self._claimed else None,
            sm2=signs.sm2 if signs is not None and self._oda is OfflineAuth.SM2 else None,
        )
        return [BankCardMade(holder=h, data=d) for h, d in zip(holders, everyone, strict=True)]

    def image(self, made: BankCardMade) -> bytes:
        """The card as an image."""
        return self._template.clone(made.data.keys, made.data.contents).to_bytes()

    def script(self, made: BankCardMade) -> list[bytes]:
        """The commands that make a blank card this card."""
        return bank_script(
            self._template.profile,
            bank.ENVIRONMENT,
            [BANK_ENTRY],
            made.data.keys,
            made.data.contents,
        )

    def before_counting(self) -> None:
        """All files of the slice are on the disk: its keys are spent."""
        self._rack.spend(self._claimed)

    def counted(self, part: int) -> None:
        """The slice counts: nothing of its keys stays with the bureau."""
        self._rack.forget(part)
        self._claimed = ()


def bank_folder(bureau: Path) -> Path:
    """Where a bureau keeps what signs its bank cards."""
    return bureau / "keys" / "bank"
