"""Cards in the field: load, install, personalise, update, lock and remove applications over a secure channel.

GlobalPlatform Card Specification 2.3.1, host side, SCP02 and SCP03. One `FieldUpdate` is one authority's session with
its own security domain; the link may be a reader, a modem or a simulated card. It holds the domain's keys itself: the
key service has no verbs for secure channels yet, so this is for simulated chips.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from jinka.card import Personal
from jinka.card.domains import DOMAIN_MODULE, DOMAIN_PACKAGE, CardLife, Life
from jinka.card.grants import NAMES
from jinka.card.personalise import contents
from jinka.codec import Command, StatusWord, find, tlv
from jinka.codec.tlv import parse
from jinka.crypto import scp02, scp03
from jinka.crypto.scp import CHALLENGE_SIZE, Channel, ChannelBroken, Diversification, KeyFamily, KeySet, Level
from jinka.crypto.scp02 import Scp02
from jinka.crypto.scp03 import Scp03
from jinka.kit import Randomness, Refused, Usage
from jinka.profile import ApplicationProfile
from jinka.profile.package import encode

SCP02_LEVEL = Level.C_MAC | Level.C_ENC
SCP03_LEVEL = Level.C_MAC | Level.C_ENC | Level.R_MAC | Level.R_ENC
_BLOCK = 223  # bytes of a LOAD or STORE DATA block: with padding and MAC at most 232
_MORE_LEFT = 0x6310
_APPLICATIONS, _PACKAGES = 0x40, 0x20


class Link(Protocol):
    """One card, wherever it is."""

    def transmit(self, command: bytes) -> bytes:
        """Send a command APDU, return the response APDU."""
        ...


class DomainRefused(Refused):
    """The card answered a management command with another status word than 9000."""

    def __init__(self, step: str, sw: int) -> None:
        super().__init__(f"SW {sw:04X}", where=step, fix="see GlobalPlatform 2.3.1, 11")
        self.step, self.sw = step, sw


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One line of GET STATUS."""

    aid: bytes
    life: int
    owner: bytes
    package: bytes = b""


def package_aid(profile: ApplicationProfile) -> bytes:
    """The AID of a profile's package: the application's with the version appended, at most 16 bytes."""
    return profile.aid[:15] + bytes((profile.version,))


class FieldUpdate:
    """A session with one security domain. The verbs raise `DomainRefused`, a broken channel `ChannelBroken`."""

    def __init__(
        self,
        link: Link,
        *,
        domain: bytes,
        keys: KeySet,
        randomness: Randomness,
        diversification: Diversification = Diversification.NONE,
        level: Level | None = None,
    ) -> None:
        self._link, self._domain, self._keys = link, domain, keys
        self._randomness, self._diversification = randomness, diversification
        tdes = keys.family is KeyFamily.TDES
        self._level = level if level is not None else SCP02_LEVEL if tdes else SCP03_LEVEL
        self._channel: Channel | None = None

    def open(self) -> None:
        """Select the domain and open the channel; both sides prove that they hold the keys."""
        self._channel = None
        self._plain("select domain", Command(0x00, 0xA4, 0x04, 0, self._domain))
        host8 = self._randomness.token_bytes(CHALLENGE_SIZE)
        first = Command(0x80, 0x50, self._keys.version, 0, host8, 256)
        answer = self._plain("initialize update", first)
        session = self._session(answer, host8)
        self._plain("external authenticate", session.external_authenticate(self._level))
        self._channel = session

    def _session(self, answer: bytes, host8: bytes) -> Scp02 | Scp03:
        """Check the card's cryptogram; `ChannelBroken` when it is wrong or the protocol is another one."""
        keys = self._keys.for_card(answer[:10], self._diversification)
        wanted = scp02.ID if keys.family is KeyFamily.TDES else scp03.ID
        if len(answer) not in (28, 29, 32) or answer[11] != wanted:
            raise ChannelBroken("another protocol or length", where="initialize update", fix="check the keys")
        session: Scp02 | Scp03
        if wanted == scp02.ID:
            session = Scp02(keys, counter2=answer[12:14], host8=host8, card6=answer[14:20])
            given = answer[20:28]
        else:
            session = Scp03(keys, host8=host8, card8=answer[13:21])
            given = answer[21:29]
        if given != session.card_cryptogram:
            raise ChannelBroken(
                "the card cryptogram is wrong", where="initialize update", fix="check the keys"
            )
        return session

    def make_domain(self, aid: bytes, *, quota: int, names: Iterable[bytes] = ()) -> None:
        """Issuer only: a domain of another authority, without keys, with room for ``quota`` bytes (0: no limit).

        ``names`` are the prefixes of the AIDs that it may give; without any it has those that begin with its own.
        """
        own = tlv(NAMES, _fields(*names))
        parameters = tlv(0xC9) + tlv(0xEF, tlv(0xC7, quota.to_bytes(2, "big")), own)
        body = _fields(DOMAIN_PACKAGE, DOMAIN_MODULE, aid, bytes.fromhex("808000"), parameters, b"")
        self._send("install domain", Command(0x80, 0xE6, 0x0C, 0, body, 256))

    def grant(self, aid: bytes, names: Iterable[bytes]) -> None:
        """Issuer only: the prefixes of the AIDs that a domain may give from now on, in place of the earlier ones."""
        parameters = tlv(0xEF, tlv(NAMES, _fields(*names)))
        body = _fields(b"", b"", aid, b"", parameters, b"")
        self._send("install for registry update", Command(0x80, 0xE6, 0x40, 0, body, 256))

    def put_keys(self, keys: KeySet, *, replaces: int = 0) -> None:
        """Give the domain a key set, or replace a version; `ChannelBroken` when the card's check values differ."""
        channel = self._require_channel()
        body = bytes((keys.version,))
        for key in keys.keys:
            block = 16 if keys.family is KeyFamily.AES else 8
            secret = channel.wrap_key(key + bytes(-len(key) % self._dek_block))
            sized = (
                bytes((len(key),)) + secret if keys.family is KeyFamily.AES or len(key) % block else secret
            )
            check = keys.check_values[keys.keys.index(key)]
            body += bytes((keys.family.value, len(sized))) + sized + b"\x03" + check
        answer = self._send("put key", Command(0x80, 0xD8, replaces, 0x81, body, 256))
        if answer != bytes((keys.version,)) + b"".join(keys.check_values):
            raise ChannelBroken(
                "the card answers other check values", where="put key", fix="put the keys again"
            )

    def load(self, profile: ApplicationProfile) -> None:
        """Bring a profile's package onto the card."""
        body = _fields(package_aid(profile), self._domain, b"", b"", b"")
        self._send("install for load", Command(0x80, 0xE6, 0x02, 0, body, 256))
        raw = tlv(0xC4, encode(profile))
        blocks = [raw[at : at + _BLOCK] for at in range(0, len(raw), _BLOCK)]
        for number, block in enumerate(blocks):
            last = 0x80 if number == len(blocks) - 1 else 0
            self._send("load", Command(0x80, 0xE8, last, number, block, 256))

    def install(self, profile: ApplicationProfile, *, selectable: bool = True) -> None:
        """Make the application of a loaded package, or extend an earlier version of it."""
        body = _fields(package_aid(profile), profile.aid, profile.aid, b"\x00", tlv(0xC9), b"")
        self._send("install", Command(0x80, 0xE6, 0x0C if selectable else 0x04, 0, body, 256))

    def make_selectable(self, aid: bytes) -> None:
        """Let an installed application be selected."""
        body = _fields(b"", b"", aid, b"\x00", b"", b"")
        self._send("install for make selectable", Command(0x80, 0xE6, 0x08, 0, body, 256))

    def personalise(self, profile: ApplicationProfile, personal: Personal) -> None:
        """Fill files and keys of an installed application with one holder's data."""
        self.write(profile.aid, contents(profile, personal))

    def write(self, aid: bytes, commands: Iterable[bytes]) -> None:
        """Carry out native filling commands inside an application: WRITE KEY, UPDATE, APPEND, SELECT by identifier."""
        body = _fields(b"", b"", aid, b"", b"", b"")
        self._send("install for personalization", Command(0x80, 0xE6, 0x20, 0, body, 256))
        blocks = _blocks(commands)
        for number, block in enumerate(blocks):
            last = 0x80 if number == len(blocks) - 1 else 0
            plain, flags = block, 0x08
            if Level.C_ENC not in self._level:
                size = self._dek_block
                padded = block + b"\x80" + bytes(-(len(block) + 1) % size)
                plain, flags = self._require_channel().wrap_key(padded), 0x68
            self._send("store data", Command(0x80, 0xE2, last | flags, number & 0xFF, plain))

    def lock(self, aid: bytes, *, with_all: bool = False) -> None:
        """Take an application or a domain out of use; ``with_all`` a domain together with what it owns."""
        self._send("set status", Command(0x80, 0xF0, 0x60 if with_all else 0x40, Life.LOCKED, aid))

    def unlock(self, aid: bytes, *, with_all: bool = False) -> None:
        """Undo `lock`."""
        self._send("set status", Command(0x80, 0xF0, 0x60 if with_all else 0x40, Life.SELECTABLE, aid))

    def move_card(self, life: CardLife) -> None:
        """Issuer only: the life-cycle state of the card."""
        self._send("set status of the card", Command(0x80, 0xF0, 0x80, life, b""))

    def remove(self, aid: bytes, *, with_related: bool = False) -> None:
        """Delete an application, a package (``with_related`` with its applications) or an empty domain."""
        body = tlv(0x4F, aid)
        self._send("delete", Command(0x80, 0xE4, 0, 0x80 if with_related else 0, body, 256))

    def content(self) -> list[Content]:
        """What the domain owns (the issuer sees everything): applications and domains, then packages."""
        found: list[Content] = []
        for kind in (_APPLICATIONS, _PACKAGES):
            try:
                raw = self._send("get status", Command(0x80, 0xF2, kind, 0x02, tlv(0x4F), 256))
            except DomainRefused as error:
                if error.sw != StatusWord.REFERENCE_NOT_FOUND:
                    raise
                continue
            found += [_line(value) for tag, value, _ in parse(raw) if tag == 0xE3]
        return [line for line in found if line.aid != self._domain]

    @property
    def _dek_block(self) -> int:
        return 16 if self._keys.family is KeyFamily.AES else 8

    def _require_channel(self) -> Channel:
        if self._channel is None:
            raise Usage("no channel is open", where="field update", fix="call open first")
        return self._channel

    def _plain(self, step: str, command: Command) -> bytes:
        answer = self._link.transmit(command.build())
        return _data(step, answer)

    def _send(self, step: str, command: Command) -> bytes:
        """One protected command; an answer in parts (6310) is asked for to its end."""
        channel, whole = self._require_channel(), b""
        while True:
            answer = channel.read(self._link.transmit(channel.wrap(command).build()))
            if int.from_bytes(answer[-2:], "big") != _MORE_LEFT:
                return whole + _data(step, answer)
            whole += answer[:-2]
            command = Command(command.cla, command.ins, command.p1, command.p2 | 1, command.data, command.le)


def _data(step: str, answer: bytes) -> bytes:
    sw = int.from_bytes(answer[-2:], "big")
    if sw != StatusWord.OK:
        raise DomainRefused(step, sw)
    return answer[:-2]


def _line(value: bytes) -> Content:
    return Content(
        aid=find(value, 0x4F) or b"",
        life=int.from_bytes(find(value, 0x9F70) or b"", "big"),
        owner=find(value, 0xCC) or b"",
        package=find(value, 0xC4) or b"",
    )


def _fields(*values: bytes) -> bytes:
    """Length 1 | value, for each."""
    return b"".join(bytes((len(value),)) + value for value in values)


def _blocks(commands: Iterable[bytes]) -> list[bytes]:
    """Native commands in groupings 8F01, one after another, cut into blocks; a grouping may go on in the next."""
    whole = b"".join(
        b"\x8f\x01" + (bytes((len(raw),)) if len(raw) < 0xFF else b"\xff" + len(raw).to_bytes(2, "big")) + raw
        for raw in commands
    )
    return [whole[at : at + _BLOCK] for at in range(0, len(whole), _BLOCK)]
