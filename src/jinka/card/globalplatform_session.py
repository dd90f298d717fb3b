"""The session with a security domain: what lives between SELECT and the next SELECT or the loss of power.

GlobalPlatform Card Specification 2.3.1, 10.2 (secure channel session). The commands are in `jinka.card.globalplatform`
and `jinka.card.globalplatform_content`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jinka.card.applet import Applet, Table
from jinka.card.domain_keys import StoredKeys
from jinka.card.domains import (
    Registry,
)
from jinka.card.files import CardError, File
from jinka.codec import Command, StatusWord, tlv
from jinka.codec.tlv import TlvError, parse
from jinka.crypto.scp import SECURE, Channel, ChannelBroken
from jinka.crypto.scp02 import Scp02
from jinka.crypto.scp03 import Scp03

if TYPE_CHECKING:
    from jinka.card.cos import CardOs

INITIALIZE_UPDATE, EXTERNAL_AUTHENTICATE = 0x50, 0x82
_OID = bytes.fromhex("2A864886FC6B")


@dataclass(slots=True)
class Load:
    """A package on its way onto the card: its AID and the blocks so far."""

    aid: bytes
    blocks: int = 0
    body: bytes = b""


class SecurityDomain(Applet):
    """The state of a session with a domain; gone with the selection and with the power."""

    __slots__ = ("blocks", "channel", "cursor", "load", "partial", "pending", "rest", "secured", "target")

    # set by `jinka.card.globalplatform`, where the commands are
    table: ClassVar[Table]

    def __init__(self, card: CardOs, folder: File) -> None:
        super().__init__(card, folder)
        self.channel: Channel | None = None
        self.pending: tuple[Scp02 | Scp03, StoredKeys, int] | None = None
        self.secured = False  # the command being served came through the channel
        self.load: Load | None = None
        self.target = 0  # header of the application that STORE DATA fills
        self.blocks = 0  # of STORE DATA so far
        self.cursor = (0, 0)  # headers of the folder and the file in which its last block ended
        self.partial = b""  # of a grouping that goes on in the next block
        self.rest: list[bytes] = []  # of GET STATUS

    def receive(self, command: Command) -> Command:
        """Open a protected command; a false one ends the session (6982)."""
        self.secured = False
        channel, setting_up = self.channel, command.ins in (INITIALIZE_UPDATE, EXTERNAL_AUTHENTICATE)
        if channel is None or setting_up or not command.cla & SECURE:
            return command
        try:
            plain = channel.unwrap(command)
        except ChannelBroken:
            self.end()
            raise CardError(StatusWord.SECURITY_NOT_SATISFIED) from None
        self.secured = True
        return plain

    def respond(self, data: bytes, sw: int) -> bytes:
        """Protect the answer to a protected command."""
        if self.secured and self.channel is not None:
            return self.channel.respond(data, sw)
        return data + sw.to_bytes(2, "big")

    def selected(self, file: File, p2: int) -> bytes | None:  # noqa: ARG002 the base's form
        """The FCI of a domain: ``6F {84 name, A5 {73 {06 ..}, 9F65 longest data}}`` (table 11-78)."""
        if file is not self.folder:
            return None
        return tlv(0x6F, tlv(0x84, file.name), tlv(0xA5, recognition(), tlv(0x9F65, b"\xff")))

    def end(self) -> None:
        """Forget the session."""
        self.channel = self.pending = self.load = None
        self.secured, self.target, self.rest, self.partial = False, 0, [], b""

    @property
    def registry(self) -> Registry:
        """The registry as it stands."""
        return Registry(self.card.nvm.memory, self.card.directory)


def domain_of(card: CardOs) -> SecurityDomain:
    """The selected domain; 6982 unless the command came through its channel."""
    domain = card.applet
    assert isinstance(domain, SecurityDomain), "its table serves no other applet"
    if not domain.secured:
        raise CardError(StatusWord.SECURITY_NOT_SATISFIED)
    return domain


def objects(data: bytes) -> dict[int, bytes]:
    """The data objects of a command at their first level; 6A80 for anything else."""
    try:
        return {tag: value for tag, value, _ in parse(data)}
    except TlvError:
        raise CardError(StatusWord.DATA_WRONG) from None


def recognition() -> bytes:
    """``73 {06 GlobalPlatform, 60 2.3.1, 63 identification, 64 SCP02 i=55, 64 SCP03 i=70}`` (annex H)."""
    return tlv(
        0x73,
        tlv(0x06, _OID + b"\x01"),
        tlv(0x60, tlv(0x06, _OID + b"\x02\x02\x03\x01")),
        tlv(0x63, tlv(0x06, _OID + b"\x03")),
        tlv(0x64, tlv(0x06, _OID + b"\x04\x02\x55"), tlv(0x06, _OID + b"\x04\x03\x70")),
    )
