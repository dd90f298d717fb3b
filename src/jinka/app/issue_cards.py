"""What `jinka issue` makes of one slice of an order: images or APDU scripts, registrations, letters.

Purses have their keys from the key service, all at once; other applications from a secret of the bureau, one by one
(`jinka.issuer.applications`). Which application is made how is told here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from jinka.app.card_files import ISSUER_NUMBER, template_of
from jinka.app.card_script import write_script
from jinka.app.issue_bank import BankDesk
from jinka.card import Personal, script
from jinka.card.emv_issue import EmvHolder
from jinka.codec import Algorithm
from jinka.codec.bcd import digits_to_bcd
from jinka.issuer.applications import (
    Applicant,
    BureauSecret,
    Made,
    bank_holder,
    identity_card,
    social_security_card,
    subscriber_card,
)
from jinka.issuer.bureau import Holder
from jinka.issuer.production import CardOrder, make_cards, personal_data
from jinka.keys import Purpose
from jinka.keys.port import ChipKeys
from jinka.kit import Finding, JinkaError, Severity, Usage
from jinka.profile import ApplicationKind, ApplicationProfile, KeyUse
from jinka.registry import CARDS
from jinka.sectors import bank, social_security
from jinka.sim.parties import ISSUER
from jinka.tariff import HolderClass

_OK = b"\x90\x00"
_START, _EXPIRY = b"\x20\x18\x01\x01", b"\x20\x40\x12\x31"
_Maker = Callable[[Applicant, BureauSecret], Made]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCard:
    """One card as it leaves the bureau. ``body`` is an image or a transcript, still in the clear."""

    number: str
    card_no: bytes
    holder: Holder
    expiry: bytes
    body: bytes = field(repr=False)
    letter: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"IssuedCard(************{self.number[-4:]})"


def balance_limit(profile: ApplicationProfile) -> int:
    """The most that a card may hold before issue, 0 for an application without money."""
    if profile.purse is not None:
        return profile.purse.limit
    return bank.SPEC.ecash_limit_fen if profile.application is ApplicationKind.EMV else 0


def is_purse(profile: ApplicationProfile) -> bool:
    """Whether the key service derives all keys of this application."""
    return profile.purse is not None


def is_bank(profile: ApplicationProfile) -> bool:
    """Whether this is a debit or credit application, which comes with payment environments."""
    return profile.application is ApplicationKind.EMV


def check_profile(profile: ApplicationProfile, algorithm: Algorithm) -> None:
    """Raise `Usage` with reason and way out for an application that a bureau cannot make from holders alone."""
    if is_purse(profile):
        known = {purpose.value for purpose in Purpose}
        missing = sorted({key.service_purpose for key in profile.keys if not key.initial} - known)
        if missing:
            raise Usage(
                f"no key service derives {', '.join(missing)}", where=profile.name, fix="name other purposes"
            )
    if profile.application is ApplicationKind.TRAVEL:
        raise Usage(
            "a travel document takes a zone, a photograph and a document signer, and holders' files have none",
            where=profile.name,
            fix="make its data with jinka.card.document_data; a specimen: jinka card vpcd --profile",
        )
    if not is_purse(profile) and not is_bank(profile) and _maker_of(profile) is None:
        raise Usage(
            "nobody has said how its cards are made", where=profile.name, fix="teach app/issue_cards.py"
        )
    template_of(profile, algorithm)


def check_holders_for(profile: ApplicationProfile, holders: Sequence[Holder], where: str) -> list[Finding]:
    """What this application cannot take of holders that are right otherwise; found by making each card's data."""
    maker: Callable[[Applicant, BureauSecret], object] | None = _maker_of(profile)
    if is_bank(profile):
        maker = partial(_bank_holder, profile)
    if maker is None:
        return []
    secret, findings = BureauSecret(bytes(32)), []
    for row, holder in enumerate(holders, 1):
        try:
            maker(_applicant(f"{row:016d}", holder), secret)
        except JinkaError as wrong:
            findings.append(
                Finding(
                    code=wrong.where.upper().replace(" ", "_") or "HOLDER",
                    severity=Severity.ERROR,
                    where=f"{where}, holder {row}",
                    what=wrong.what,
                    fix=wrong.fix,
                )
            )
    return findings


class CardMaker:
    """Makes cards of one application."""

    def __init__(
        self,
        profile: ApplicationProfile,
        algorithm: Algorithm,
        keys: ChipKeys,
        secret: BureauSecret | None,
        *,
        scripts: bool,
        bank: BankDesk | None = None,
    ) -> None:
        self._profile, self._algorithm, self._keys, self._secret = profile, algorithm, keys, secret
        self._bank = bank
        self._scripts = scripts
        self._template = template_of(profile, algorithm)

    def make(self, part: int, numbers: Sequence[str], holders: Sequence[Holder]) -> list[IssuedCard]:
        """A card for each number of one slice and its holder."""
        people = [_applicant(number, holder) for number, holder in zip(numbers, holders, strict=True)]
        if self._bank is not None:
            return self._bank_cards(self._bank, part, people)
        maker = _maker_of(self._profile)
        if maker is None:
            return self._purses(people)
        assert self._secret is not None, "drawn before the first card of such an order"
        found = []
        for person in people:
            made = maker(person, self._secret)
            found.append(self._card(person, made.number, self._body(made.personal), made.letter))
        return found

    def registrations(self, cards: Sequence[IssuedCard]) -> pa.Table:
        """The registry's rows; an application without TAC has key version 0."""
        tac = next((key for key in self._profile.keys if key.use is KeyUse.TAC), None)
        return pa.Table.from_pylist(
            [
                {
                    "card_no": card.card_no,
                    "issuer": ISSUER,
                    "profile": self._profile.name,
                    "profile_version": self._profile.version,
                    "holder": int(card.holder.holder_class),
                    "algorithm": int(tac.algorithm if tac else self._algorithm),
                    "key_version": tac.version if tac else 0,
                    "opening_counter": 0,
                    "opening_online": 0,
                    "opening_balance": card.holder.balance,
                    "status": 1,
                }
                for card in cards
            ],
            schema=CARDS,
        )

    def before_counting(self) -> None:
        """All files of a slice are on the disk, and it does not count yet."""
        if self._bank is not None:
            self._bank.before_counting()

    def counted(self, part: int) -> None:
        """The slice counts from now on."""
        if self._bank is not None:
            self._bank.counted(part)

    def _bank_cards(self, desk: BankDesk, part: int, people: Sequence[Applicant]) -> list[IssuedCard]:
        found = []
        for person, made in zip(people, desk.make(part, people), strict=True):
            body = self._transcript(desk.script(made)) if self._scripts else desk.image(made)
            found.append(self._card(person, made.holder.pan, body, {"pin": made.holder.pin}))
        return found

    def _purses(self, people: Sequence[Applicant]) -> list[IssuedCard]:
        orders = [
            CardOrder(
                card_no=digits_to_bcd(person.number, 10),
                holder=HolderClass(person.holder.holder_class),
                balance=person.holder.balance,
                start=person.start,
                expiry=person.expiry,
            )
            for person in people
        ]
        if self._scripts:
            everyone = personal_data(
                orders,
                profile=self._profile,
                algorithm=self._algorithm,
                issuer=ISSUER_NUMBER,
                keys=self._keys,
            )
            bodies = [self._body(who) for who in everyone]
        else:
            images = make_cards(
                orders,
                template=self._template,
                algorithm=self._algorithm,
                issuer=ISSUER_NUMBER,
                keys=self._keys,
            )
            bodies = [image.to_bytes() for image in images]
        return [
            self._card(person, person.number, body, {}) for person, body in zip(people, bodies, strict=True)
        ]

    def _body(self, personal: Personal) -> bytes:
        if not self._scripts:
            return self._template.clone(personal).to_bytes()
        return self._transcript(script(self._profile, personal))

    def _transcript(self, commands: Sequence[bytes]) -> bytes:
        title = f"{self._profile.name} {self._profile.version}: a blank card answers 9000 to each"
        text = write_script([(c, _OK) for c in commands], title=title)
        # A blank card's answers may carry data (SELECT its FCI); the bureau asks for the status word.
        return text.replace("\n< 9000", "\n< *9000").encode()

    @staticmethod
    def _card(person: Applicant, number: str, body: bytes, letter: Mapping[str, str]) -> IssuedCard:
        return IssuedCard(
            number=number,
            card_no=digits_to_bcd(number, 10),
            holder=person.holder,
            expiry=person.expiry,
            body=body,
            letter=letter,
        )


def _applicant(number: str, holder: Holder) -> Applicant:
    return Applicant(
        number=number, holder=holder, start=holder.start or _START, expiry=holder.expiry or _EXPIRY
    )


def _bank_holder(profile: ApplicationProfile, who: Applicant, secret: BureauSecret) -> EmvHolder:
    return bank_holder(who, profile, secret)


def _maker_of(profile: ApplicationProfile) -> _Maker | None:
    """How cards of this application are made; None for purses, bank cards, and what nobody has told."""
    if profile.application is ApplicationKind.IDENTITY:
        return lambda who, secret: identity_card(who, profile, secret)
    if profile.application is ApplicationKind.USIM:
        return lambda who, secret: subscriber_card(who, profile, secret)
    if profile.name == social_security.PROFILE.name:
        return lambda who, secret: social_security_card(who, profile, social_security.RECORDS, secret)
    return None
