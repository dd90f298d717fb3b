"""Which names an authority may give to packages, applications and folders on a card: its domain's own, and no other's.

The issuer declares prefixes when it makes the domain, or later, in the system parameters ``EF {DF21 {length 1 | prefix,
..}}`` (tag and form are Jinka's own); without them the domain's AID is the only one. GlobalPlatform Card Specification
2.3.1, 9.2 has the issuer sign each installation instead (tokens of delegated management), which is not built. The
issuer itself is not bound. A domain of an older card has no prefixes, but what it has already stays its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from jinka.card.domains import Kind, Registry, hidden_file, place
from jinka.card.files import CardError, File, release
from jinka.codec import StatusWord

NAMES = 0xDF21  # the tag in the system parameters
_FID = 0x0004  # in the domain's folder: the prefixes as they came
_SIZES = range(5, 17)  # a registered identifier to a whole AID (ISO/IEC 7816-5)


def prefixes(raw: bytes) -> tuple[bytes, ...]:
    """The prefixes in a declaration; 6A80 for a false length and for what is shorter than an identifier."""
    found, at = [], 0
    while at < len(raw):
        size = raw[at]
        if size not in _SIZES or at + 1 + size > len(raw):
            raise CardError(StatusWord.DATA_WRONG)
        found.append(raw[at + 1 : at + 1 + size])
        at += 1 + size
    return tuple(found)


def declare(memory: bytearray, domain: File, raw: bytes, capacity: int) -> None:
    """Put a declaration in place of the domain's earlier one, in a memory that is being staged; empty for none."""
    prefixes(raw)
    present = domain.children.get(_FID)
    if present is not None:
        release(memory, [present.header])
    if raw:
        place(memory, hidden_file(_FID, len(raw), domain.header), raw, capacity)


def require_granted(registry: Registry, domain: File, names: Iterable[bytes]) -> None:
    """6985 unless each name begins with a prefix of the domain, or with the AID of an application that it has."""
    if domain.header == registry.issuer.header:
        return
    file = domain.children.get(_FID)
    declared = () if file is None else prefixes(bytes(registry.memory[file.at : file.at + file.size]))
    present = (item for item in registry.owned(domain.header) if item.kind is Kind.APPLICATION)
    allowed = (*(declared or (domain.name,)), *(registry.name(item) for item in present))
    if not all(name.startswith(allowed) for name in names):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
