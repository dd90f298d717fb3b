"""A bank card without a holder, made by APDUs once; cards for holders are clones with their files filled in.

EMV Book 1, 11 and 12: the card has the directory 1PAY.SYS.DDF01, the contactless environment and one application. What
differs between cards is keys and file contents, so those are the only places that a clone writes. A test proves that a
clone equals a card that saw nothing but APDUs, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinka.card.emv_issue import directory_script, environment_contents, joined
from jinka.card.files import KEY_HEAD
from jinka.card.image import CardImage, ImageBase, difference
from jinka.card.personalise import Personal, script
from jinka.card.template import Card
from jinka.kit import JinkaError, Usage
from jinka.profile import ApplicationProfile, FileKind, KeyUse

_PIN_SIZE, _KEY_SIZE = 8, 16


class _NoRandomness:
    """Personalisation draws nothing; asking for randomness is a programmer's error."""

    def token_bytes(self, count: int) -> bytes:
        raise AssertionError(f"personalisation asked for {count} random bytes")


class EmvTemplate(ImageBase):
    """Templates of equal profiles and directory entries have the same id."""

    __slots__ = ("_files", "_keys", "profile")

    def __init__(
        self,
        profile: ApplicationProfile,
        environment: ApplicationProfile,
        entries: Sequence[tuple[bytes, str, int]],
    ) -> None:
        self.profile = profile
        blank = {key.use: bytes(_size(key.use)) for key in profile.keys}
        card = bank_card(profile, environment, entries, tuple(blank.values()), {})
        super().__init__(f"{profile.name}, whole card", profile.version, bytes(card.nvm.memory))
        folder = self.directory.named(profile.aid)
        assert folder is not None, "the script creates it"
        key_file = folder.children[0x0000]
        self._keys = tuple((key_file.keys[(key.use, key.kid)], _size(key.use)) for key in profile.keys)
        self._files = {
            (0, fid): file
            for fid, file in folder.children.items()
            if file.kind in (FileKind.VARIABLE, FileKind.SECRET, FileKind.BINARY)
        }

    def clone(self, keys: Sequence[bytes], contents: Mapping[tuple[int, int], bytes]) -> CardImage:
        """One more card. ``keys`` stand in the profile's order; ``contents`` are those of `emv_issue.contents`."""
        memory = bytearray(self.memory)
        for (at, size), raw in zip(self._keys, keys, strict=True):
            if len(raw) != size:
                raise Usage(f"a key of {len(raw)} bytes", where="bank card", fix=f"{size} bytes")
            memory[at + KEY_HEAD : at + KEY_HEAD + size] = raw
        for place, body in contents.items():
            file = self._files.get(place)
            head = (
                len(body).to_bytes(2, "big") if file is not None and file.kind is FileKind.VARIABLE else b""
            )
            raw = head + body
            if file is None or len(raw) > file.size:
                raise Usage(f"{len(body)} bytes for file {place[1]:04X}", where="bank card")
            if file.at + len(raw) > len(memory):
                memory.extend(bytes(file.at + len(raw) - len(memory)))
            memory[file.at : file.at + len(raw)] = raw
        return CardImage(template=self, length=len(memory), overlay=difference(self.memory, memory))


def bank_card(
    profile: ApplicationProfile,
    environment: ApplicationProfile,
    entries: Sequence[tuple[bytes, str, int]],
    keys: tuple[bytes, ...],
    contents: Mapping[tuple[int, int], bytes],
) -> Card:
    """A card that saw every APDU of the scripts; `JinkaError` names the first that it refused."""
    card = Card.blank(_NoRandomness())
    for command in bank_script(profile, environment, entries, keys, contents):
        answer = card.transmit(command)
        if answer[-2:] != b"\x90\x00":
            raise JinkaError(f"SW {answer[-2:].hex().upper()}", where=f"bank card, {command[:5].hex()}")
    return card


def bank_script(
    profile: ApplicationProfile,
    environment: ApplicationProfile,
    entries: Sequence[tuple[bytes, str, int]],
    keys: tuple[bytes, ...],
    contents: Mapping[tuple[int, int], bytes],
) -> list[bytes]:
    """The commands that make a blank card this bank card: directory, application, contactless environment."""
    own = Personal(card_no=bytes(10), keys=keys, contents=contents)
    listed = Personal(card_no=bytes(10), keys=(), contents=environment_contents(entries))
    return joined(directory_script(entries), [script(profile, own), script(environment, listed)])


def _size(use: KeyUse) -> int:
    return _PIN_SIZE if use is KeyUse.PIN else _KEY_SIZE
