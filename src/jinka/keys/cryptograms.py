"""Verbs of chip cards for their issuer: check a cryptogram, answer it, protect script commands. 3DES and SM4.

EMV Book 2: 8.1 and 8.2 (cryptograms, issuer authentication), 9 (secure messaging), A1.3 and A1.4 (keys of session and
card); JR/T 0025.7 and 0025.17 (PBOC). The named root decides the cipher. An answer is made only for a cryptogram that
was right, else the verb would encipher any block under a card's key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from jinka.crypto.block import xor
from jinka.crypto.block_key import BlockCipher, CipherKey
from jinka.crypto.emv import card_block, card_block_long, common_seed, pboc_seed, script_frame
from jinka.crypto.mac import MacAlgorithm, MacScheme, Padding, expect_mac, make_mac
from jinka.crypto.pin_block import check_pan
from jinka.keys.border import verb
from jinka.keys.catalogue import Use
from jinka.keys.payment import WorkingKeyVerbs
from jinka.keys.port import Purpose
from jinka.keys.steps import StepKey
from jinka.keys.wire import add_enums
from jinka.kit import Refused, Usage

_SIZE = 8  # bytes of a cryptogram
_SCRIPT_MAX = 255


class CardKey(Enum):
    """How a card's key comes down from the root (EMV Book 2, A1.4)."""

    OPTION_A = "A"
    OPTION_B = "B"  # for numbers of more than 16 digits


class SessionKey(Enum):
    """What key a cryptogram is made under."""

    CARD = "card"  # the card's own (Visa's version 10)
    COMMON = "common"  # EMV's common session key (A1.3.1), 3DES
    PBOC = "pboc"  # JR/T 0025.7


add_enums(CardKey, SessionKey)


class CryptogramVerbs(WorkingKeyVerbs):
    """``counter`` is the card's transaction counter (ATC), ``data`` what the cryptogram is over, without padding."""

    @verb
    def check_cryptogram(
        self,
        data: bytes,
        cryptogram8: bytes,
        *,
        key: str,
        pan: str,
        sequence: str,
        counter: int,
        session: SessionKey,
        padding: Padding = Padding.METHOD_2,
        card: CardKey = CardKey.OPTION_A,
    ) -> None:
        """Check a TC, ARQC or AAC; raises `Refused`. That the counter is new is the host's check."""
        seeds = _cryptogram_seeds(session, counter)
        with self._session(key, Use.CHECK, Purpose.CRYPTOGRAM, (pan, sequence, card), session, seeds) as made:
            expect_mac(_cryptogram(made, data, padding), cryptogram8)

    @verb
    def make_response(
        self,
        data: bytes,
        cryptogram8: bytes,
        *,
        key: str,
        pan: str,
        sequence: str,
        counter: int,
        session: SessionKey,
        code2: bytes = b"",
        status4: bytes = b"",
        own: bytes = b"",
        padding: Padding = Padding.METHOD_2,
        card: CardKey = CardKey.OPTION_A,
    ) -> bytes:
        """Check an ARQC and answer it: ARPC by method 1 (``code2``, 8 bytes) or 2 (``status4``, ``own``: 4 bytes)."""
        if (len(code2), len(status4)) not in ((2, 0), (0, 4)) or len(own) > 8 or (own and code2):
            raise Usage("neither code nor status", where="ARPC", fix="2 bytes of code, or 4 of status")
        seeds = _cryptogram_seeds(session, counter)
        with self._session(key, Use.MAKE, Purpose.CRYPTOGRAM, (pan, sequence, card), session, seeds) as made:
            expect_mac(_cryptogram(made, data, padding), cryptogram8)
            if code2:
                mixed = xor(cryptogram8, code2 + bytes(6))
                return made.encrypt(mixed.ljust(made.cipher.block, b"\x00"))[:_SIZE]
            if made.cipher is not BlockCipher.TDES:
                raise Refused("method 2 under SM4", where="ARPC", fix="method 1")
            return _cryptogram(made, cryptogram8 + status4 + own, Padding.METHOD_2)[:4]

    @verb
    def make_script_mac(
        self,
        head5: bytes,
        body: bytes,
        *,
        key: str,
        pan: str,
        sequence: str,
        counter: int,
        cryptogram8: bytes,
        session: SessionKey,
        card: CardKey = CardKey.OPTION_A,
    ) -> bytes:
        """The MAC of a script command, 8 bytes, bound to the transaction by its counter and cryptogram."""
        if len(head5) != 5 or len(body) > _SCRIPT_MAX:
            raise Usage("not a command", where="script", fix="5 bytes of header, at most 255 of data")
        seeds = _script_seeds(session, counter, cryptogram8)
        with self._session(key, Use.MAKE, Purpose.SCRIPT_MAC, (pan, sequence, card), session, seeds) as made:
            message = head5 + counter.to_bytes(2, "big") + cryptogram8 + body
            return _cryptogram(made, message, Padding.METHOD_2)

    @verb
    def encipher_script(
        self,
        plain: bytes,
        *,
        key: str,
        pan: str,
        sequence: str,
        counter: int,
        cryptogram8: bytes,
        session: SessionKey,
        card: CardKey = CardKey.OPTION_A,
    ) -> bytes:
        """The confidential data of a script command, with its length byte and padding."""
        if not 0 < len(plain) <= _SCRIPT_MAX:
            raise Usage(f"{len(plain)} bytes", where="script data", fix=f"1 to {_SCRIPT_MAX}")
        seeds = _script_seeds(session, counter, cryptogram8)
        with self._session(key, Use.MAKE, Purpose.SCRIPT_DATA, (pan, sequence, card), session, seeds) as made:
            return made.encrypt(script_frame(plain, made.cipher.block))

    @contextmanager
    def _session(
        self,
        key: str,
        use: Use,
        purpose: Purpose,
        card: tuple[str, str, CardKey],
        session: SessionKey,
        seed: bytes,
    ) -> Iterator[StepKey]:
        """The session key that comes down from the card's by ``seed``, or the card's own."""
        pan, sequence, option = card
        check_pan(pan)
        if len(sequence) != 2 or not (sequence.isascii() and sequence.isdigit()):
            raise Usage("a sequence number has 2 digits", where="card")
        block8 = (card_block if option is CardKey.OPTION_A else card_block_long)(pan, sequence)
        with self._card_key(key, use, purpose, block8) as own:
            if session is SessionKey.CARD:
                yield own
                return
            if session is SessionKey.COMMON and own.cipher is not BlockCipher.TDES:
                raise Refused("the common session key is for 3DES", where=f"keys.{key}", fix="session PBOC")
            made = own.derive(seed)
            try:
                yield StepKey(made)
            finally:
                made.close()


def _cryptogram(key: CipherKey, data: bytes, padding: Padding) -> bytes:
    """8 bytes: algorithm 3 under 3DES; the left half of a CBC-MAC under SM4, which has one padding."""
    if key.cipher is BlockCipher.TDES:
        return make_mac(MacScheme(algorithm=MacAlgorithm.RETAIL, padding=padding), key, data)
    scheme = MacScheme(algorithm=MacAlgorithm.CBC_MAC, padding=Padding.METHOD_2, size=_SIZE)
    return make_mac(scheme, key, data)


def _cryptogram_seeds(session: SessionKey, counter: int) -> bytes:
    atc = _atc(counter)
    if session is SessionKey.COMMON:
        return common_seed(atc + bytes(6))
    return pboc_seed(counter) if session is SessionKey.PBOC else b""


def _script_seeds(session: SessionKey, counter: int, cryptogram8: bytes) -> bytes:
    _atc(counter)
    if len(cryptogram8) != _SIZE:
        raise Usage(
            f"{len(cryptogram8)} bytes", where="script", fix="the transaction's cryptogram of 8 bytes"
        )
    if session is SessionKey.COMMON:
        return common_seed(cryptogram8)
    return pboc_seed(counter) if session is SessionKey.PBOC else b""


def _atc(counter: int) -> bytes:
    if not 0 <= counter <= 0xFFFF:
        raise Usage(f"counter {counter}", where="ATC", fix="0 to 65535")
    return counter.to_bytes(2, "big")
