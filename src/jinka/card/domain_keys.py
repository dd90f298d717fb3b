"""The keys of a security domain on the card, and the one count of all the channels that they open.

GlobalPlatform Card Specification 2.3.1, annex E (SCP02: sequence counter), Amendment D 6.2.2.1 (SCP03: pseudo-random
challenge). A key file has three places of 104 bytes: version | family | size | tries | spare 3 | option | three keys
of 32. On older cards the spare bytes counted the set's own channels. Who may use them: `jinka.card.globalplatform`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from jinka.card.files import CHANNELS, CardError, Directory, File
from jinka.codec import StatusWord
from jinka.crypto.scp import KeyFamily, KeySet
from jinka.profile import ApplicationKind

KEYS_FID = 0x0002
KEY_TRIES = 64  # wrong EXTERNAL AUTHENTICATE in a row, then the key set is spent
_KEY_SLOT, _KEY_SLOTS, _KEY_MAX = 104, 3, 32
KEY_FILE_SIZE = _KEY_SLOT * _KEY_SLOTS


class Option(IntEnum):
    """The ``i`` parameter that a key set answers with: how the card's challenge comes about."""

    SCP02_RANDOM = 0x15
    SCP02_PSEUDO = 0x55
    SCP03_RANDOM = 0x60
    SCP03_PSEUDO = 0x70


DEFAULT_OPTION = {KeyFamily.TDES: Option.SCP02_PSEUDO, KeyFamily.AES: Option.SCP03_PSEUDO}


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """A key set on the card, with its place and the tries that are left.

    ``counted`` are the channels that it counted itself on a card made before the card counted for all of them.
    """

    at: int
    keys: KeySet
    option: Option
    tries: int
    counted: int

    def with_tries(self, tries: int) -> tuple[int, bytes]:
        """The write that sets the tries."""
        return self.at + 3, bytes((tries,))


def key_sets(memory: bytes | bytearray, domain: File) -> list[StoredKeys]:
    """The key sets of a domain, in order of their places."""
    file = domain.children[KEYS_FID]
    found = []
    for at in range(file.at, file.at + file.size, _KEY_SLOT):
        version, family, size, tries = memory[at : at + 4]
        if not version:
            continue
        keys = [bytes(memory[at + 8 + _KEY_MAX * i : at + 8 + _KEY_MAX * i + size]) for i in range(3)]
        stored = KeySet(version=version, family=KeyFamily(family), enc=keys[0], mac=keys[1], dek=keys[2])
        counted = int.from_bytes(memory[at + 4 : at + 7], "big")
        found.append(StoredKeys(at, stored, Option(memory[at + 7]), tries, counted))
    return found


def channels(memory: bytes | bytearray, directory: Directory) -> int:
    """The sequence counter: channels that were ever opened on this card, with whatever domain and keys.

    With a pseudo-random challenge a session follows from keys and counter alone, so it never goes back: it lies in
    the card's head, out of reach of DELETE. On an older card each key set counted for itself; the highest goes on.
    """
    domains = (
        folder for folder in directory.folders.values() if folder.application == ApplicationKind.DOMAIN
    )
    counted = (stored.counted for domain in domains for stored in key_sets(memory, domain))
    return max(int.from_bytes(memory[CHANNELS : CHANNELS + 3], "big"), *counted, 0)


def channel_opened(sequence: int) -> tuple[int, bytes]:
    """The write that counts a channel which began at ``sequence``."""
    return CHANNELS, (sequence + 1).to_bytes(3, "big")


def key_writing(
    memory: bytes | bytearray, domain: File, keys: KeySet, *, replaces: int, option: Option | None = None
) -> tuple[int, bytes]:
    """The write that adds a key set (``replaces`` 0) or puts it in place of a version."""
    present = {stored.keys.version: stored.at for stored in key_sets(memory, domain)}
    if keys.version != replaces and keys.version in present:
        raise CardError(StatusWord.DATA_WRONG)
    if replaces:
        if replaces not in present:
            raise CardError(StatusWord.REFERENCE_NOT_FOUND)
        at = present[replaces]
    else:
        file = domain.children[KEYS_FID]
        free = (at for at in range(file.at, file.at + file.size, _KEY_SLOT) if not memory[at])
        place = next(free, None)
        if place is None:
            raise CardError(StatusWord.NO_SPACE)
        at = place
    head = bytes((keys.version, keys.family.value, len(keys.enc), KEY_TRIES)) + bytes(3)
    head += bytes((DEFAULT_OPTION[keys.family] if option is None else option,))
    return at, head + b"".join(key.ljust(_KEY_MAX, b"\x00") for key in keys.keys)


def wiped_keys(memory: bytearray, file: File) -> None:
    """Wipe the keys of a domain's key file, and leave versions and families."""
    for at in range(file.at + 8, file.at + file.size, _KEY_SLOT):
        memory[at : at + 3 * _KEY_MAX] = bytes(3 * _KEY_MAX)
