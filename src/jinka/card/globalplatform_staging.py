"""Work on a shadow of the card's memory: made, filled and extended there, then committed at once.

GlobalPlatform Card Specification 2.3.1, 9.3 (content loading and installation). The native commands do the work, held
inside the application's own folder; the caller has checked who asks. The commands are in
`jinka.card.globalplatform_content`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jinka.card import personalise
from jinka.card.domains import Kind, Life, Record, Registry, subtree
from jinka.card.files import HIDDEN, OPEN, STATE, CardError, File
from jinka.card.globalplatform_session import SecurityDomain
from jinka.card.nvm import differences, fits_journal
from jinka.codec import Command, StatusWord
from jinka.codec.apdu import ApduError
from jinka.profile import NEVER, ApplicationProfile, FileKind
from jinka.profile.package import PackageError, decode

if TYPE_CHECKING:
    from jinka.card.cos import CardOs

# The native commands that fill an application; nothing else is carried out for a domain.
_FILLING = frozenset({(0x00, 0xA4), (0x80, 0xD4), (0x00, 0xD6), (0x00, 0xDC), (0x00, 0xE2)})


def new_application(
    domain: SecurityDomain,
    shadow: CardOs,
    source: Record,
    profile: ApplicationProfile,
    privileges: bytes,
    life: Life,
) -> None:
    """Make folders and files with the native commands, in a shadow whose root is open for the first of them alone."""
    memory, root = shadow.nvm.memory, shadow.directory.root
    before = memory[root.header + STATE]
    memory[root.header + STATE] = OPEN
    first, *others, last = personalise.structure(profile)
    _carry_out(shadow, [first], root)
    memory[root.header + STATE] = before
    folder = shadow.directory.by_name[profile.aid]
    shadow.enter(folder)
    _carry_out(shadow, others, folder)
    _carry_out(shadow, [last], shadow.directory.root)
    if life is Life.INSTALLED:
        memory[folder.header + STATE] = HIDDEN
    here = domain.folder.header
    record(
        shadow,
        header=folder.header,
        owner=here,
        package=source.header,
        kind=Kind.APPLICATION,
        life=life,
        version=profile.version,
        privileges=privileges,
    )


def upgrade(
    domain: SecurityDomain, shadow: CardOs, present: Record, source: Record, profile: ApplicationProfile
) -> None:
    """Install a later version over an earlier one: what is there stays as it is, new files and folders are added."""
    if present.version >= profile.version or present.life not in (Life.SELECTABLE, Life.PERSONALISED):
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    earlier = package(domain.registry.package(domain.registry.records[present.package]))
    if not _extends(profile, earlier):
        raise CardError(StatusWord.DATA_WRONG)
    added = replace(
        profile,
        files=tuple(spec for spec in profile.files if spec not in earlier.files),
        folders=tuple(spec for spec in profile.folders if spec not in earlier.folders),
    )
    memory, folder = shadow.nvm.memory, shadow.directory.folders[present.header]
    states = _open(shadow, folder)
    memory[folder.header + 13 : folder.header + 15] = Command.parse(personalise.structure(profile)[0]).data[
        1:3
    ]
    shadow.enter(folder)
    *commands, last = personalise.structure(added)[1:]
    _carry_out(shadow, commands, folder)
    _carry_out(shadow, [last], shadow.directory.root)
    _restore(shadow, states)
    record = replace(present, package=source.header, version=profile.version)
    memory[record.at : record.at + 16] = record.raw()


def _extends(later: ApplicationProfile, earlier: ApplicationProfile) -> bool:
    """Whether a version keeps all of an earlier one, and adds files to its own folder or to new ones only."""
    kept = set(earlier.files) <= set(later.files) and set(earlier.folders) <= set(later.folders)
    same = all(
        getattr(later, part) == getattr(earlier, part) for part in ("aid", "fid", "purse", "application")
    )
    old_folders = {spec.fid for spec in earlier.folders}
    return (
        kept
        and same
        and all(spec.folder not in old_folders for spec in set(later.files) - set(earlier.files))
    )


def fill(shadow: CardOs, record: Record, commands: list[bytes], begin: tuple[int, int]) -> tuple[int, int]:
    """Carry out filling commands inside the application; what only its own commands may change later stays.

    ``begin`` are the headers of the folder and the file (0 for none) to begin with; where it ended comes back.
    """
    own = shadow.directory.folders[record.header]
    before = _kept(shadow, record)
    states = _open(shadow, own)
    folder = shadow.directory.folders[begin[0]]
    shadow.enter(folder)
    shadow.file = next((file for file in folder.children.values() if file.header == begin[1]), None)
    for raw in commands:
        try:
            command = Command.parse(raw)
        except ApduError:
            raise CardError(StatusWord.DATA_WRONG) from None
        if (command.cla, command.ins) not in _FILLING:
            raise CardError(StatusWord.DATA_WRONG)
    _carry_out(shadow, commands, own)
    _restore(shadow, states)
    memory = shadow.nvm.memory
    kept = all(memory[at : at + len(body)] == body for at, body in before.items())
    if record.life == Life.PERSONALISED and not kept:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    return shadow.folder.header, shadow.file.header if shadow.file is not None else 0


def _carry_out(shadow: CardOs, commands: list[bytes], within: File) -> None:
    """Give the shadow native commands; 6A80 when one leaves the folder that it is confined to, or is refused."""
    for raw in commands:
        answer = shadow.transmit(raw)
        if answer[-2:] != b"\x90\x00":
            full = answer[-2:] == StatusWord.NO_SPACE.to_bytes(2, "big")
            raise CardError(StatusWord.NO_SPACE if full else StatusWord.DATA_WRONG)
        here: File | None = shadow.folder
        while here is not None and here.header != within.header:
            here = here.parent
        if here is None:
            raise CardError(StatusWord.DATA_WRONG)


def _kept(shadow: CardOs, record: Record) -> dict[int, bytes]:
    """What may no longer be filled: purses, the card's own logs, secrets (electronic cash among them) once they are."""
    memory = shadow.nvm.memory
    found = {}
    for file in subtree(shadow.directory.folders[record.header]):
        body = bytes(memory[file.at : file.at + file.size])
        own_log = file.kind is FileKind.CYCLIC and file.write == NEVER
        if file.kind is FileKind.PURSE or own_log or (file.kind is FileKind.SECRET and any(body)):
            found[file.at] = body
    return found


def _open(shadow: CardOs, folder: File) -> dict[int, int]:
    """Open a folder and those below, as before issue; returns what their states were."""
    memory = shadow.nvm.memory
    places = [file.header + STATE for file in subtree(folder) if file.kind is FileKind.FOLDER]
    states = {at: memory[at] for at in places}
    for at in places:
        memory[at] = OPEN
    return states


def _restore(shadow: CardOs, states: dict[int, int]) -> None:
    for at, state in states.items():
        shadow.nvm.memory[at] = state


def require_keys(shadow: CardOs, registry: Registry, record: Record) -> None:
    """6985 unless every key that the package declares has been written."""
    profile = package(registry.package(registry.records[record.package]))
    folders = {spec.fid: spec.name for spec in profile.folders}
    own = shadow.directory.folders[record.header]
    by_name = {file.name: file for file in subtree(own) if file.kind is FileKind.FOLDER}
    for key in profile.keys:
        folder = own if not key.folder else by_name.get(folders.get(key.folder, b""))
        key_file = folder.key_file if folder is not None else None
        if key_file is None or (key.use, key.kid) not in key_file.keys:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)


def record(shadow: CardOs, **fields: Any) -> None:
    """Add a record to the registry of a shadow."""
    shadow.forget_directory()
    memory = shadow.nvm.memory
    record = Record(at=Registry(memory, shadow.directory).free_place(fields["owner"]), **fields)
    memory[record.at : record.at + 16] = record.raw()


def commit(card: CardOs, shadow: CardOs, owner: int) -> None:
    """Bring the shadow's changes to the card in one transaction; 6A84 beyond the owner's quota or the journal."""
    memory = shadow.nvm.memory
    shadow.forget_directory()
    used, quota = Registry(memory, shadow.directory).room(owner)
    entries = differences(card.nvm.memory, memory)
    if (quota and used > quota) or not fits_journal(entries):
        raise CardError(StatusWord.NO_SPACE)
    card.nvm.commit(entries)
    card.forget_directory()


def package(raw: bytes) -> ApplicationProfile:
    try:
        return decode(raw)
    except PackageError:
        raise CardError(StatusWord.DATA_WRONG) from None
