"""The verbs of payments as their callers see them, beside `jinka.keys.port.KeyService`; standards are with the verbs.

Keys go by name (``purpose/algorithm/version@owner``), PINs only as blocks. What is checked raises `Refused`. Wherever a
serial number may be given, the named key is a base derivation key of DUKPT.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from jinka.crypto.key_block_header import KeyBlockVersion
from jinka.crypto.mac import MacAlgorithm, Padding
from jinka.crypto.pin_block import PinFormat
from jinka.crypto.unionpay_mac import PosMacForm
from jinka.keys.cryptograms import CardKey, SessionKey
from jinka.keys.port import KeyService

Bytes = npt.NDArray[np.uint8]
# Of each row whether it was right, and whether it had an answer: none has who failed too often before.
Checked = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


class MessageService(Protocol):
    """MACs and data: `jinka.keys.payment.MessageVerbs`."""

    def generate_mac(
        self,
        data: bytes,
        *,
        key: str,
        algorithm: MacAlgorithm,
        padding: Padding = ...,
        size: int = ...,
        serial: bytes = ...,
    ) -> bytes: ...

    def verify_mac(
        self,
        data: bytes,
        mac: bytes,
        *,
        key: str,
        algorithm: MacAlgorithm,
        padding: Padding = ...,
        size: int = ...,
        serial: bytes = ...,
    ) -> None: ...

    def generate_pos_mac(self, message: bytes, *, key: str, form: PosMacForm = ...) -> bytes: ...

    def verify_pos_mac(self, message: bytes, field64: bytes, *, key: str, form: PosMacForm = ...) -> None: ...

    def generate_interbank_mac(self, fields: list[str], *, key: str) -> bytes: ...

    def verify_interbank_mac(self, fields: list[str], field128: bytes, *, key: str) -> None: ...

    def encrypt_data(self, data: bytes, *, key: str, iv: bytes, serial: bytes = ...) -> bytes: ...

    def decrypt_data(self, data: bytes, *, key: str, iv: bytes, serial: bytes = ...) -> bytes: ...


class MacBatchService(Protocol):
    """MACs of many messages: `jinka.keys.mac_batch.MacBatchVerbs`."""

    def generate_macs(
        self, messages: list[bytes], *, key: str, algorithm: MacAlgorithm, form: PosMacForm | None = ...
    ) -> list[bytes]: ...

    def check_macs(
        self,
        messages: list[bytes],
        macs: list[bytes],
        *,
        key: str,
        algorithm: MacAlgorithm,
        form: PosMacForm | None = ...,
    ) -> npt.NDArray[np.bool_]: ...


class PinService(Protocol):
    """PINs: `jinka.keys.pins.PinVerbs`, many at once `jinka.keys.check_batch`.

    Too many failures close the way for a while, also to a right PIN.
    """

    def translate_pin(
        self,
        block: bytes,
        *,
        source: str,
        source_format: PinFormat,
        target: str,
        target_format: PinFormat,
        pan: str,
        serial: bytes = ...,
    ) -> bytes: ...

    def translate_pins(
        self,
        blocks: Bytes,
        *,
        source: str,
        source_format: PinFormat,
        target: str,
        target_format: PinFormat,
        pans: list[str],
    ) -> tuple[Bytes, npt.NDArray[np.bool_]]: ...

    def verify_pin(
        self,
        block: bytes,
        *,
        zone: str,
        zone_format: PinFormat,
        pan: str,
        key: str,
        reference: str,
        serial: bytes = ...,
    ) -> None: ...

    def verify_pins(
        self,
        blocks: list[bytes],
        *,
        zone: str,
        zone_format: PinFormat,
        pans: list[str],
        key: str,
        references: list[str],
    ) -> Checked: ...

    def make_pvv(
        self,
        block: bytes,
        *,
        zone: str,
        zone_format: PinFormat,
        pan: str,
        key: str,
        index: int,
        serial: bytes = ...,
    ) -> str: ...

    def make_offset(
        self, block: bytes, *, zone: str, zone_format: PinFormat, pan: str, key: str, serial: bytes = ...
    ) -> str: ...


class CardService(Protocol):
    """Card values and cryptograms: `jinka.keys.payment.CardValueVerbs`, `jinka.keys.cryptograms.CryptogramVerbs`."""

    def make_card_value(self, *, key: str, pan: str, date4: str, service3: str, digits: int = ...) -> str: ...

    def verify_card_value(self, *, key: str, pan: str, date4: str, service3: str, value: str) -> None: ...

    def verify_card_values(
        self, *, key: str, pans: list[str], dates: list[str], services: list[str], values: list[str]
    ) -> Checked: ...

    def verify_dynamic_value(
        self, *, key: str, pan: str, sequence: str, date4: str, service3: str, counter: int, value: str
    ) -> None: ...

    def verify_cvc3(
        self,
        *,
        key: str,
        pan: str,
        sequence: str,
        track: bytes,
        unpredictable4: bytes,
        counter: int,
        value: str,
    ) -> None: ...

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
        padding: Padding = ...,
        card: CardKey = ...,
    ) -> None: ...

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
        code2: bytes = ...,
        status4: bytes = ...,
        own: bytes = ...,
        padding: Padding = ...,
        card: CardKey = ...,
    ) -> bytes: ...

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
        card: CardKey = ...,
    ) -> bytes: ...

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
        card: CardKey = ...,
    ) -> bytes: ...


class ExchangeService(Protocol):
    """Working keys in key blocks: `jinka.keys.exchange.ExchangeVerbs`."""

    def wrap_key(self, *, key: str, under: str, version: KeyBlockVersion = ...) -> str: ...

    def unwrap_key(self, block: str, *, under: str, name: str, valid_to: str = ...) -> str: ...

    def draw_key(self, *, name: str, size: int, method: str = ..., exportable: bool = ...) -> str: ...

    def wrap_terminal_key(self, *, key: str, under: str) -> bytes: ...

    def drop_key(self, *, name: str) -> None: ...


class SigningService(Protocol):
    """Signatures: `jinka.keys.signing.SigningVerbs`."""

    def sign(self, message: bytes, *, key: str) -> bytes: ...

    def verify(self, message: bytes, signature: bytes, *, key: str) -> None: ...

    def public_key(self, *, key: str) -> bytes: ...


class PaymentService(
    MessageService, MacBatchService, PinService, CardService, ExchangeService, SigningService, Protocol
):
    """All verbs of payments and signatures."""


class FullKeyService(KeyService, PaymentService, Protocol):
    """All verbs: what `jinka.keys.LocalKeyService` and a connection to a service offer."""
