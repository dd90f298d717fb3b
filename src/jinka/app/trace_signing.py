"""What a participant shows a repository: its token out of a file, and the signature of a document under its key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinka.app.certificates import read_ders
from jinka.crypto.detached_jws import sign_detached
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_private import read_private
from jinka.kit import Refused, Usage
from jinka.node import file_errors
from jinka.node.system import SystemRandomness


def read_token(path: Path | None) -> str:
    """The token in a file; empty without one."""
    if path is None:
        return ""
    with file_errors(path):
        token = path.read_text(encoding="ascii", errors="replace").strip()
    if not token.startswith("jkt_") or len(token.split()) != 1:
        raise Usage("no token", where=str(path), fix="as jinka trace access put showed it")
    return token


def signer_of(key: Path | None, certificate: Path | None) -> Callable[[bytes], str] | None:
    """What signs documents; None where neither is given. Raises `Usage` and `Refused` for files that do not fit."""
    if key is None and certificate is None:
        return None
    if key is None or certificate is None:
        raise Usage("a key and its certificate belong together", where="--key", fix="give both")
    signer = read_private(read_ders(key)[0], choose_sm2(SystemRandomness()))
    chain = read_ders(certificate)
    if read_certificate(chain[0]).public_der != signer.public_der:
        raise Refused(
            "the first certificate is another key's", where=str(certificate), fix="the signer's own first"
        )
    return lambda document: sign_detached(document, signer, chain)
