"""Steps of certificates and travel documents: keys made on cards, what is signed with them, and who believes it.

A card's certificate application makes its key pair itself; the authority of the journey certifies it, revokes it and
publishes lists. Documents have names of their own in a journey. Travel documents are chips of their own, inspected as
ICAO Doc 9303 has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True)
class Certify(Step):
    """A card makes its key pair, asks for a certificate, two officers approve, a third issues; it goes onto the card.

    ``post`` is written beside the holder's name as the office that he holds; ``code`` is a unified social credit code
    (GB 32100), which must be right. ``clerk`` asks; an officer who asked may not approve. A post of an organisation is
    given to whom its base record names as officer (`Keep` it first), to anybody else it is refused as NO_OFFICER.
    """

    card: str
    device: str
    holder: str
    _: KW_ONLY
    pin: str
    organisation: str = ""
    code: str = ""
    post: str = ""
    clerk: str = "clerk"
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Sign(Step):
    """A card signs a document after its PIN; ``text`` is what the document says when it is signed first.

    ``counter`` signs the signatures that stand there already as well. Refused is WRONG_PIN, or the card's status word.
    """

    card: str
    document: str
    text: str = ""
    _: KW_ONLY
    pin: str
    counter: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Alter(Step):
    """Somebody changes what a document says after it was signed."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Verify(Step):
    """Anybody verifies a document: each signature, its certificate's chain, and the authority's newest list.

    ``needs`` says how many different holders of each post must have signed. Refused is ALTERED, REVOKED, UNTRUSTED
    (no chain, or outside its time), or SIGNERS_MISSING.

    ``remembers`` keeps under names what the signed text says, ``word value; word value`` (money with two decimals in
    minor units), and ``signed``. One that is refused is forgotten under these names. ``after`` are names that earlier
    steps must have remembered beside the signatures, such as what was paid: NOT_SHOWN, or USED_TWICE.
    """

    document: str
    device: str
    _: KW_ONLY
    needs: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogOn(Step):
    """A device sends a fresh challenge; the card proves its holder by certificate, PIN and signature; the state of the
    certificate is asked for by OCSP. Refused is the terminal's status: NO_CERTIFICATE, REVOKED, REFUSED, ...
    """

    card: str
    device: str
    _: KW_ONLY
    pin: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Revoke(Step):
    """An officer of the authority revokes a card's certificate, suspends it, or lets another officer resume it."""

    card: str
    act: str = "revoke"  # or suspend, resume


@dataclass(frozen=True, slots=True)
class IssueDocument(Step):
    """A state makes a travel document: data groups, security object, a chip key (ICAO Doc 9303-10).

    Dates are YYMMDD as in the zone. ``signer_days`` is how long the document signer's certificate lasts.
    """

    document: str
    _: KW_ONLY
    surname: str
    given_names: str
    number: str
    state: str
    birth: str
    sex: str
    expiry: str
    optional: str = ""
    signer_days: int = 3650


@dataclass(frozen=True, slots=True)
class Forge(Step):
    """Somebody makes a false document out of a good one.

    ``lie``: name or photo (another data group under the old signature), clone (all that can be read, another chip key),
    signer (signed under a country of the forger's own).
    """

    document: str
    lie: str
    false: str


@dataclass(frozen=True, slots=True)
class Inspect(Step):
    """An inspection terminal reads a travel document by its printed zone. ``refused`` is its verdict: FORGED, EXPIRED,
    SIGNER_UNKNOWN, UNREADABLE; without one it must be GENUINE. ``printed`` names the document whose zone is shown.
    """

    document: str
    device: str
    _: KW_ONLY
    printed: str = ""
    refused: str = ""
