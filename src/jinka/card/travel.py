"""The travel document on the card: mutual authentication, secure messaging, active authentication (ICAO Doc 9303-11).

Files are read only inside the secure channel; a plain command, or one whose protection is false, ends it. Wrong
authentications are counted in the access key and lock the document when its tries are spent: Doc 9303 asks for a
limit or a delay and leaves the choice open. PACE, chip and terminal authentication are not here.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from jinka.card import file_access
from jinka.card.access import find_key, key_bytes, require_right, restore_tries, spend_try
from jinka.card.applet import Applet
from jinka.card.files import KEY_X, CardError, File
from jinka.codec import Command, StatusWord
from jinka.crypto.bac import (
    CHALLENGE,
    CRYPTOGRAM,
    KEY_SHARE,
    PLAIN_MAX,
    SECURE_CLASS,
    AccessKeys,
    SecureChannel,
    open_shares,
    seal_shares,
)
from jinka.crypto.rsa_sign import ChipKeyKind, private_size, recoverable_size, sign_digest, sign_recoverable
from jinka.kit import Refused, Usage
from jinka.profile import FileKind, KeyUse

if TYPE_CHECKING:
    from jinka.card.applet import Handler
    from jinka.card.cos import CardOs

ENC_KID, MAC_KID = 1, 2  # the two access keys, both of the kind that authenticates the outside
PRIVATE_FID = 0x0010  # kind of the key 1, then the private key
AUTHENTICATION_FAILED = 0x6300
_NO_DATA = 0x0C


class TravelDocument(Applet):
    """The secure channel lives here, so that it ends with the selection and with the power."""

    __slots__ = ("_secured", "channel")

    def __init__(self, card: CardOs, folder: File) -> None:
        super().__init__(card, folder)
        self.channel: SecureChannel | None = None
        self._secured = False  # whether the command being served came through the channel

    @property
    def secured(self) -> bool:
        """Whether the command being served came through the channel."""
        return self._secured

    def selected(self, file: File, p2: int) -> bytes | None:  # noqa: ARG002 every file alike
        """P2 0C asks for no data."""
        return b"" if p2 == _NO_DATA else None

    def receive(self, command: Command) -> Command:
        """Open a protected command; a plain one ends the session."""
        if command.cla != SECURE_CLASS:
            self._end()
            return command
        if self.channel is None:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        try:
            plain = self.channel.open_command(command)
        except Refused:
            self._end()
            raise CardError(StatusWord.SM_INCORRECT) from None
        self._secured = True
        return plain

    def respond(self, data: bytes, sw: int) -> bytes:
        """Protect the answer to a protected command, errors included."""
        status = sw.to_bytes(2, "big")
        if not self._secured or self.channel is None:
            return data + status
        self._secured = False
        return self.channel.protect_answer(data, sw) + status

    def _end(self) -> None:
        self._secured = False
        if self.channel is not None:
            self.channel = None
            self.card.security = 0
            self.card.rest = b""


def mutual_authenticate(card: CardOs, command: Command) -> bytes:
    """EXTERNAL (mutual) AUTHENTICATE with 40 bytes; 6300 when the terminal does not know the MRZ."""
    applet, challenge = _applet(card), card.challenge
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if len(command.data) != CRYPTOGRAM + 8:
        raise CardError(StatusWord.WRONG_LENGTH)
    if applet.secured or challenge is None or len(challenge) != CHALLENGE:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    enc = find_key(card, KeyUse.EXTERNAL_AUTHENTICATE, ENC_KID)
    mac = find_key(card, KeyUse.EXTERNAL_AUTHENTICATE, MAC_KID)
    keys = AccessKeys(key_bytes(card, enc), key_bytes(card, mac))
    spend_try(card, enc)
    try:
        plain = open_shares(keys, command.data)
    except Refused:
        raise CardError(AUTHENTICATION_FAILED) from None
    rand_terminal, echo, share_terminal = plain[:8], plain[8:16], plain[16:]
    if not hmac.compare_digest(echo, challenge):
        raise CardError(AUTHENTICATION_FAILED)
    restore_tries(card, enc)
    share = card.randomness.token_bytes(KEY_SHARE)
    applet.channel = SecureChannel.agreed(share_terminal, share, rand_terminal, challenge)
    card.security = card.nvm.memory[enc + KEY_X] & 0x0F
    return seal_shares(keys, challenge + rand_terminal + share)


def active_authenticate(card: CardOs, command: Command) -> bytes:
    """INTERNAL AUTHENTICATE over 8 bytes: ISO/IEC 9796-2 with RSA, plain ECDSA over P-256."""
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if len(command.data) != CHALLENGE:
        raise CardError(StatusWord.WRONG_LENGTH)
    secret = _applet(card).folder.children.get(PRIVATE_FID)
    if secret is None or secret.kind is not FileKind.SECRET:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    require_right(card, secret.read, card.folder)
    memory = card.nvm.memory
    try:
        kind = ChipKeyKind(memory[secret.at])
        private = bytes(memory[secret.at + 1 : secret.at + 1 + private_size(kind)])
        if kind is ChipKeyKind.P256:
            return sign_digest(kind, private, hashlib.sha256(command.data).digest())
        m1 = card.randomness.token_bytes(recoverable_size(len(private)))
        return sign_recoverable(private, m1, command.data)
    except (ValueError, Usage):  # nobody has written a key
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None


def read_binary(card: CardOs, command: Command) -> bytes:
    """READ BINARY; a protected answer holds at most 231 bytes."""
    data = file_access.read_binary(card, command)
    return data[:PLAIN_MAX] if _applet(card).secured else data


def _applet(card: CardOs) -> TravelDocument:
    assert isinstance(card.applet, TravelDocument)
    return card.applet


TABLE: dict[tuple[int, int], Handler] = {
    (0x00, 0x82): mutual_authenticate,
    (0x00, 0x88): active_authenticate,
    (0x00, 0xB0): read_binary,
}
TravelDocument.table = TABLE
