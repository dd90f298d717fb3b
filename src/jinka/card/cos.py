"""The card operating system: power, the command table, and the state that lives while the card has power.

ISO/IEC 7816-4 (commands, security status), JR/T 0025.1 (purse). `transmit` answers every input with a status word.
Commands are functions in tables, one module for each family; a table maps (CLA, INS) to its function. The table of
the selected application's applet comes before the common one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from jinka.card import authenticate, file_access, grey, issuing, lifecycle, purse
from jinka.card.applet import Applet, Table
from jinka.card.applet import Handler as Handler  # the name under which the command families know it
from jinka.card.emv import EmvApplet
from jinka.card.files import (
    BLOCKED,
    CARD_BLOCKED,
    CARD_LOCKED,
    CARD_STATE,
    ISSUER_AID,
    OPEN,
    SEALED,
    STATE,
    CardError,
    Directory,
    File,
)
from jinka.card.globalplatform import SecurityDomain
from jinka.card.identity import Identity
from jinka.card.nvm import JournalFull, Nvm, PowerCut, WornCells
from jinka.card.purse import Pending
from jinka.card.travel import TravelDocument
from jinka.card.usim import Usim
from jinka.codec import Command, StatusWord
from jinka.codec.apdu import ApduError
from jinka.kit import Randomness
from jinka.profile import ApplicationKind

_GET_CHALLENGE = 0x84
_PURSE_STEPS = (
    purse.STEPS | grey.STEPS | {(0x00, 0xC0)}
)  # and the rest of an answer, which the transport fetches

ATR = bytes.fromhex("3B6800004A494E4B41303031")  # direct convention, T=0, historical bytes "JINKA001"

CARD_TABLE: Table = {
    **file_access.TABLE,
    **authenticate.TABLE,
    **issuing.TABLE,
    **purse.TABLE,
    **grey.TABLE,
    **lifecycle.TABLE,
}
_SECURED = 0x0C  # class bits of secure messaging
_CLASSES = frozenset({0x00, 0x04, 0x80, 0x84, 0xE0})

# Kind of application (`jinka.profile.ApplicationKind`) -> what answers for it. Kind 0 needs none.
APPLETS: dict[int, type[Applet]] = {
    ApplicationKind.EMV: EmvApplet,
    ApplicationKind.TRAVEL: TravelDocument,
    ApplicationKind.DOMAIN: SecurityDomain,
    ApplicationKind.USIM: Usim,
    ApplicationKind.IDENTITY: Identity,
}


class CardOs:
    """A card with power. One instance is one card in one reader; its memory outlives it (`nvm`)."""

    __slots__ = (
        "_directory",
        "_states",
        "applet",
        "challenge",
        "file",
        "folder",
        "nvm",
        "pending",
        "powered",
        "randomness",
        "rest",
        "security",
    )

    table: Table = CARD_TABLE
    applets: ClassVar[Mapping[int, type[Applet]]] = APPLETS
    applet: Applet | None
    folder: File
    file: File | None
    security: int
    challenge: bytes | None
    rest: bytes  # of an answer longer than its command asked for, for GET RESPONSE
    pending: Pending | None

    def __init__(self, nvm: Nvm, randomness: Randomness, directory: Directory | None = None) -> None:
        self.nvm = nvm
        self.randomness = randomness
        self._directory = directory
        self.power_up()

    def power_up(self) -> bytes:
        """Finish or drop what a power cut left, start a session at the root folder; returns the ATR."""
        self.powered = False
        nvm = self.nvm
        if nvm.journal:
            nvm.recover()
            self._directory = None
        self.powered = True
        self.challenge = None
        self.pending = None
        self.applet = None
        self.rest = b""
        self.enter(self.directory.root)
        return ATR

    @property
    def directory(self) -> Directory:
        """The files of the card; read again after one was created."""
        if self._directory is None:
            self._directory = Directory(self.nvm.memory)
        return self._directory

    def forget_directory(self) -> None:
        """The headers or the key file changed: read them again, and find the current folder in the new reading."""
        self._directory = None
        here = self.directory.folders.get(self.folder.header)
        if here is None:
            self.enter(self.directory.root)
            return
        self.folder, self.file, self._states = here, None, _states(here)
        if self.applet is not None:
            self.applet.folder = self.directory.folders[self.applet.folder.header]

    def enter(self, folder: File) -> None:
        """Make ``folder`` the current one: security register and current file start anew.

        An applet lives on while its application stays selected, and starts anew when its own folder is selected.
        """
        self.folder = folder
        self.file = None
        self.security = 0
        self.pending = None
        self._states = _states(folder)
        host = folder.host
        if host is None:
            self.applet = None
        elif self.applet is None or host is folder or self.applet.folder.header != host.header:
            kind = self.applets.get(host.application)
            self.applet = None if kind is None else kind(self, host)

    @property
    def blocked(self) -> bool:
        """Whether the current folder or one above it (the root aside) is blocked, or the card but for its issuer."""
        memory = self.nvm.memory
        if memory[CARD_STATE] == CARD_LOCKED and self.folder.name != ISSUER_AID:
            return True
        return any(memory[at] >= BLOCKED for at in self._states)

    def shadow(self) -> CardOs:
        """A second card over a copy of this memory: what is tried there reaches this card only by `Nvm.commit`."""
        return CardOs(Nvm(self.nvm.memory, capacity=self.nvm.capacity), self.randomness)

    def leave(self, target: File) -> None:
        """Seal the current folder if it is still open: from now on its access rights hold."""
        state = self.folder.header + STATE
        if target is not self.folder and self.nvm.memory[state] == OPEN:
            self.nvm.commit([(state, bytes((SEALED,)))])

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU; raises `PowerCut` only, when an armed cut comes due or no power is there."""
        if not self.powered:
            raise PowerCut("the card has no power", fix="power_up")
        try:
            return self._answer(command)
        except CardError as error:
            self.pending = self.challenge = None
            if error.sw >> 8 != StatusWord.LE_WRONG >> 8:
                self.rest = b""
            if self.applet is not None:
                return self.applet.respond(error.data, error.sw)
            return error.data + error.sw.to_bytes(2, "big")
        except PowerCut:
            self.powered = False
            raise

    def _answer(self, raw: bytes) -> bytes:
        try:
            command = Command.parse(raw)
        except ApduError:
            raise CardError(StatusWord.WRONG_LENGTH) from None
        is_secured = bool(
            command.cla & _SECURED
        )  # then Le is outside of the MAC, and no answer leaves in parts
        applet = self.applet
        if applet is not None:
            command = applet.receive(command)
        name = (command.cla, command.ins)
        handler = applet.table.get(name) if applet is not None else None
        if handler is None:
            handler = self.table.get(name)
        if handler is None:
            known = command.cla in _CLASSES
            raise CardError(StatusWord.INS_UNSUPPORTED if known else StatusWord.CLA_UNSUPPORTED)
        if self.nvm.memory[CARD_STATE] == CARD_BLOCKED or (
            self.blocked and name not in lifecycle.WHILE_BLOCKED
        ):
            raise CardError(StatusWord.FUNCTION_UNSUPPORTED)
        try:
            data = handler(self, command)
        except WornCells:
            raise CardError(StatusWord.MEMORY_FAILURE) from None
        except JournalFull:
            raise CardError(StatusWord.NO_SPACE) from None
        sw: int = StatusWord.OK
        if command.le is not None and command.le < len(data) and not is_secured:
            data, self.rest = data[: command.le], data[command.le :]
            sw = StatusWord.RESPONSE_LEFT | min(len(self.rest), 255)
        else:
            self.rest = b""
        if command.ins != _GET_CHALLENGE:
            self.challenge = None
        if self.pending is not None and name not in _PURSE_STEPS:
            self.pending = None
        if self.applet is not None:
            return self.applet.respond(data, sw)
        return data + sw.to_bytes(2, "big")


def _states(folder: File) -> tuple[int, ...]:
    """The offsets of the state bytes that a command here depends on: this folder's and those above, but the root."""
    places = [folder.header + STATE]
    above = folder.parent
    while above is not None and above.parent is not None:
        places.append(above.header + STATE)
        above = above.parent
    return tuple(places)
