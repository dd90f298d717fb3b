"""The card operating system: power, the command table, and the state that lives while the card has power.

ISO/IEC 7816-4 (commands, security status), JR/T 0025.1 (purse). `transmit` answers every input with a status word.
Commands are functions in tables, one module for each family; a table maps (CLA, INS) to its function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jinka.card import authenticate, file_access, issuing, lifecycle, purse
from jinka.card.files import BLOCKED, CARD_STATE, OPEN, SEALED, STATE, CardError, Directory, File
from jinka.card.nvm import Nvm, PowerCut
from jinka.card.purse import Pending
from jinka.codec import Command, StatusWord
from jinka.codec.apdu import ApduError
from jinka.kit import Randomness

Handler = Callable[["CardOs", Command], bytes]
Table = Mapping[tuple[int, int], Handler]

_SW = {sw: sw.to_bytes(2, "big") for sw in StatusWord}
_OK = b"\x90\x00"
_GET_CHALLENGE = 0x84
# Commands after which a begun purse transaction still stands: INITIALIZE, CREDIT, DEBIT, UPDATE CAPP DATA CACHE.
_PURSE_STEPS = frozenset({(0x80, 0x50), (0x80, 0x52), (0x80, 0x54), (0x80, 0xDC)})

ATR = bytes.fromhex("3B6800004A494E4B41303031")  # direct convention, T=0, historical bytes "JINKA001"

CARD_TABLE: Table = {
    **file_access.TABLE,
    **authenticate.TABLE,
    **issuing.TABLE,
    **purse.TABLE,
    **lifecycle.TABLE,
}
_CLASSES = frozenset({0x00, 0x04, 0x80, 0x84})


class CardOs:
    """A card with power. One instance is one card in one reader; its memory outlives it (`nvm`)."""

    __slots__ = (
        "_directory",
        "challenge",
        "file",
        "folder",
        "nvm",
        "pending",
        "powered",
        "randomness",
        "security",
    )

    table: Table = CARD_TABLE
    folder: File
    file: File | None
    security: int
    challenge: bytes | None
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
        self.folder = self.directory.folders[self.folder.header]
        self.file = None

    def enter(self, folder: File) -> None:
        """Make ``folder`` the current one: security register and current file start anew."""
        self.folder = folder
        self.file = None
        self.security = 0
        self.pending = None

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
            return error.sw.to_bytes(2, "big")
        except PowerCut:
            self.powered = False
            raise

    def _answer(self, raw: bytes) -> bytes:
        try:
            command = Command.parse(raw)
        except ApduError:
            raise CardError(StatusWord.WRONG_LENGTH) from None
        name = (command.cla, command.ins)
        handler = self.table.get(name)
        if handler is None:
            known = command.cla in _CLASSES
            raise CardError(StatusWord.INS_UNSUPPORTED if known else StatusWord.CLA_UNSUPPORTED)
        memory = self.nvm.memory
        blocked = memory[self.folder.header + STATE] >= BLOCKED and name not in lifecycle.WHILE_BLOCKED
        if blocked or memory[CARD_STATE]:
            raise CardError(StatusWord.FUNCTION_UNSUPPORTED)
        data = handler(self, command)
        if command.ins != _GET_CHALLENGE:
            self.challenge = None
        if self.pending is not None and name not in _PURSE_STEPS:
            self.pending = None
        return data + _OK
