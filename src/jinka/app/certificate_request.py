"""`jinka certificate request`: a key pair of one's own and its PKCS #10 request, or a request that a card signs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinka.app.card_link import CardPlace, card_at
from jinka.app.certificates import as_pem
from jinka.crypto.x509_fields import Subject
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_private import new_signer, private_der
from jinka.crypto.x509_request import build_request
from jinka.kit import Refused, Usage
from jinka.node import file_errors, write_durable
from jinka.node.system import SystemRandomness
from jinka.sectors.identity_card import PROFILE
from jinka.terminal.identity import CardSigner, read_public_key

_LABEL = "CERTIFICATE REQUEST"
_PIN_DIGITS = (4, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for."""

    subject: Subject
    dns_names: tuple[str, ...]


def request_with_new_key(out: Path, wish: Wish, kind: KeyKind) -> list[Path]:
    """Write a fresh key, which its owner alone can read, and then the request; never over another key."""
    key = out.with_suffix(".key")
    if key == out:
        raise Usage("the key would lie in its place", where=str(out), fix="such as centre.csr")
    if key.exists():
        raise Refused("a key lies there already", where=str(key), fix="name another file")
    signer = new_signer(kind, SystemRandomness())
    request = build_request(wish.subject, signer, wish.dns_names)
    with file_errors(out):
        write_durable(key, as_pem(private_der(signer), "PRIVATE KEY"), private=True)
        write_durable(out, as_pem(request, _LABEL))
    return [key, out]


def request_by_card(out: Path, wish: Wish, *, reader: str, pin: str) -> Path:
    """Have the identity card in a reader sign the request with the key that it made."""
    if not pin.isdigit() or not _PIN_DIGITS[0] <= len(pin) <= _PIN_DIGITS[1] or len(pin) % 2:
        raise Usage("not a PIN of this card", where="PIN", fix="an even number of digits")
    with card_at(CardPlace(reader=reader)) as link:
        public_der = read_public_key(link, PROFILE.aid)
        signer = CardSigner(link, PROFILE.aid, bytes.fromhex(pin), public_der)
        request = build_request(wish.subject, signer, wish.dns_names)
    with file_errors(out):
        write_durable(out, as_pem(request, _LABEL))
    return out
