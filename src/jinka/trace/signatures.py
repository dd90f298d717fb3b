"""Signatures of captures: who must sign, whose signature is believed, and what a wrong one is.

EPCIS 2.0 knows no signature of a capture; its REST binding has the header ``GS1-Signature`` for the other direction,
and names JWS as a form. Here a capture may bear it: a detached JWS (`jinka.crypto.detached_jws`) over the bytes of the
body, by ECDSA on P-256, RSA, or SM2 with SM3. It is checked whenever it is there, and must be there for whom the policy
says so. The signer is the participant who captures, by the name in its certificate.

A capture that is sent again is known by its events, so an old signature adds nothing and no time is asked of it. A
signer whose certificate was revoked or has ended signs nothing new; what it signed before stays, and says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from jinka.crypto.detached_jws import certificates_of, check_detached, check_signer
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_path import Trust
from jinka.kit import Fault, Refused
from jinka.trace.access import Participant

HEADER = "GS1-Signature"


class SignatureRefused(Refused):
    """A signature is missing, wrong, or another's: the standard's SecurityException."""

    fault = Fault.PEER


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePolicy:
    """``trust`` None: nobody is trusted to sign, so that a signature is refused. ``required``: of every capture.

    ``lists_age``: how old the trust's revocation lists may be, besides what they say themselves.
    """

    trust: Trust | None = None
    required: bool = False
    lists_age: dt.timedelta | None = None

    def check(
        self, body: bytes, signature: str, signer: Participant | None, at: dt.datetime
    ) -> tuple[bytes, ...]:
        """The certificates that it came with; `SignatureRefused` unless the capture is the participant's."""
        if not signature:
            if self.required or (signer is not None and signer.signs):
                raise SignatureRefused(
                    "the capture is not signed", where=HEADER, fix="a detached JWS over the body"
                )
            return ()
        if self.trust is None:
            raise SignatureRefused(
                "no signer is trusted here", where=HEADER, fix="send it without a signature"
            )
        try:
            certificate = check_detached(signature, body, _young(self.trust, at, self.lists_age), at)
        except Refused as error:
            raise SignatureRefused(f"{error.where}: {error.what}", where=HEADER, fix=error.fix) from None
        if signer is not None and certificate.common_name not in (signer.certificate or signer.id, signer.id):
            what = f"signed by {certificate.common_name!r}"
            raise SignatureRefused(what, where=HEADER, fix="the participant who captures signs")
        return tuple(certificates_of(signature))


def signer_now(
    ders: Sequence[bytes], trust: Trust | None, at: dt.datetime, lists_age: dt.timedelta | None
) -> dict[str, str]:
    """Who signed a capture once, as JSON has it, with a ``finding`` where it would not be believed any more."""
    leaf = read_certificate(ders[0])
    facts = {"signer": leaf.common_name, "serial": f"{leaf.serial:x}"}
    if trust is None:
        return facts | {"finding": "no signer is trusted here"}
    try:
        check_signer(ders, _young(trust, at, lists_age), at)
    except Refused as error:
        return facts | {"finding": f"{error.where}: {error.what}"}
    return facts


def _young(trust: Trust, at: dt.datetime, age: dt.timedelta | None) -> Trust:
    """The trust with a fault for lists that are too old: none is better than one that nobody renews."""
    if age is not None and trust.lists and any(at - each.this_update > age for each in trust.lists):
        raise Refused(f"older than {age.total_seconds() / 3600:.0f} h", where="revocation list")
    return trust
