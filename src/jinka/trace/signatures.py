"""Signatures of captures: who must sign, whose signature is believed, and what a wrong one is.

EPCIS 2.0 knows no signature of a capture; its REST binding has the header ``GS1-Signature`` for the other direction,
and names JWS as a form. Here a capture may bear it: a detached JWS (`jinka.crypto.detached_jws`) over the bytes of the
body, by ECDSA on P-256, RSA, or SM2 with SM3. It is checked whenever it is there, and must be there for whom the policy
says so. The signer is the participant who captures, by the name in its certificate.

A capture that is sent again is known by its events, so an old signature adds nothing and no time is asked of it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jinka.crypto.detached_jws import check_detached
from jinka.crypto.x509_path import Trust
from jinka.kit import Fault, Refused
from jinka.trace.access import Participant

HEADER = "GS1-Signature"


class SignatureRefused(Refused):
    """A signature is missing, wrong, or another's: the standard's SecurityException."""

    fault = Fault.PEER


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePolicy:
    """``trust`` None: nobody is trusted to sign, so that a signature is refused. ``required``: of every capture."""

    trust: Trust | None = None
    required: bool = False

    def check(self, body: bytes, signature: str, signer: Participant | None, at: dt.datetime) -> None:
        """Raise `SignatureRefused` unless the capture may be taken as the participant's."""
        if not signature:
            if self.required or (signer is not None and signer.signs):
                raise SignatureRefused(
                    "the capture is not signed", where=HEADER, fix="a detached JWS over the body"
                )
            return
        if self.trust is None:
            raise SignatureRefused(
                "no signer is trusted here", where=HEADER, fix="send it without a signature"
            )
        try:
            certificate = check_detached(signature, body, self.trust, at)
        except Refused as error:
            raise SignatureRefused(f"{error.where}: {error.what}", where=HEADER, fix=error.fix) from None
        if signer is not None and certificate.common_name not in (signer.certificate or signer.id, signer.id):
            what = f"signed by {certificate.common_name!r}"
            raise SignatureRefused(what, where=HEADER, fix="the participant who captures signs")
