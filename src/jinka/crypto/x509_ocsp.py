"""Asking about one certificate: OCSP requests and answers (RFC 6960), with nonces (RFC 9654).

The issuer answers itself or by a responder that it certified for this alone. A certificate is named by hashes of its
issuer's name and key (SHA-1 or SHA-256, as the asker likes; the hash protects nothing here). Answers are signed with
RSA, ECDSA or SM2; a refusal to answer is not signed, and is never taken for an answer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from asn1crypto import core, crl, keys, ocsp, x509

from jinka.codec import TlvError
from jinka.codec.der import check_der
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_crl import Reason
from jinka.crypto.x509_fields import Purpose, read_extensions, sign_body, signature_bits
from jinka.crypto.x509_keys import Signer, check_signature
from jinka.kit import Refused, Usage

REQUEST_SIZE_MAX = 4 * 1024
QUESTIONS_MAX = 16
NONCE_MAX = 128  # RFC 9654, 2.1
_NONCE_MIN = 1
_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


class OcspFailure(Enum):
    """Why there is no answer (RFC 6960, 4.2.1); the value is asn1crypto's name."""

    MALFORMED = "malformed_request"
    INTERNAL = "internal_error"
    LATER = "try_later"
    UNAUTHORISED = "unauthorized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which certificate is meant: a serial under an issuer that is named by hashes."""

    hash_name: str
    name_hash: bytes
    key_hash: bytes
    serial: int

    def is_of(self, issuer: Certificate) -> bool:
        """Whether it asks about a certificate of this issuer."""
        return (self.name_hash, self.key_hash) == _issuer_hashes(issuer, self.hash_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspRequest:
    """What somebody asks. Signed requests are read, and their signatures are not looked at."""

    questions: tuple[Question, ...]
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known of one certificate; ``revoked`` (since, why) or good, or not ``known`` at all."""

    question: Question
    known: bool
    revoked: tuple[dt.datetime, Reason] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """Who answers: the issuer itself, or a certificate of its with the purpose for it."""

    certificate: Certificate
    signer: Signer = field(repr=False)


def ask(issuer: Certificate, serials: Sequence[int], nonce: bytes, hash_name: str = "sha256") -> bytes:
    """A request (DER) about certificates of one issuer; ``nonce`` of 16 to 32 bytes, fresh."""
    name_hash, key_hash = _issuer_hashes(issuer, hash_name)
    requests = [
        {
            "req_cert": _cert_id(
                Question(hash_name=hash_name, name_hash=name_hash, key_hash=key_hash, serial=serial)
            )
        }
        for serial in serials
    ]
    body = {"request_list": requests, "request_extensions": _nonce(nonce)}
    return bytes(ocsp.OCSPRequest({"tbs_request": body}).dump())


def read_request(der: bytes) -> OcspRequest:
    """Read a request; raises `Refused`."""
    try:
        check_der(der, size_max=REQUEST_SIZE_MAX)
        body = ocsp.OCSPRequest.load(der, strict=True)["tbs_request"]
        found = read_extensions(body["request_extensions"], frozenset({"nonce"}))
        nonce = found["nonce"].native if "nonce" in found else b""
        if "nonce" in found and not _NONCE_MIN <= len(nonce) <= NONCE_MAX:
            raise Refused(f"a nonce of {len(nonce)} bytes", where="OCSP request", fix=f"1 to {NONCE_MAX}")
        questions = []
        for request in body["request_list"]:
            read_extensions(request["single_request_extensions"], frozenset())
            questions.append(_question(request["req_cert"]))
        if not 0 < len(questions) <= QUESTIONS_MAX:
            raise Refused(f"{len(questions)} questions", where="OCSP request", fix=f"1 to {QUESTIONS_MAX}")
        return OcspRequest(questions=tuple(questions), nonce=nonce)
    except TlvError as error:
        raise Refused(error.what, where=f"OCSP request, {error.where}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Refused("not a request", where="OCSP request") from None


def build_answer(
    answers: Sequence[Answer],
    responder: Responder,
    *,
    at: dt.datetime,
    next_update: dt.datetime,
    nonce: bytes,
) -> bytes:
    """Sign an answer (DER); the nonce of the request is repeated."""
    if responder.signer.public_der != responder.certificate.public_der:
        raise Usage("the signer's key is not the responder's", where="OCSP")
    fields: dict[str, Any] = {
        "responder_id": ocsp.ResponderId(name="by_key", value=_key_hash(responder.certificate, "sha1")),
        "produced_at": at,
        "responses": [_single(answer, at, next_update) for answer in answers],
    }
    if nonce:
        fields["response_extensions"] = _nonce(nonce)
    signed = sign_body(ocsp.ResponseData(fields), responder.signer)
    basic = ocsp.BasicOCSPResponse.load(signed)
    if not responder.certificate.authority:
        basic["certs"] = [x509.Certificate.load(responder.certificate.der)]
    wrapped = {"response_type": "basic_ocsp_response", "response": basic}
    return bytes(ocsp.OCSPResponse({"response_status": "successful", "response_bytes": wrapped}).dump())


def build_failure(failure: OcspFailure) -> bytes:
    """An answer (DER) that says only why there is none."""
    return bytes(ocsp.OCSPResponse({"response_status": failure.value}).dump())


def check_answer(der: bytes, issuer: Certificate, serial: int, *, nonce: bytes, at: dt.datetime) -> None:
    """Accept an answer that says a certificate is good; raises `Refused` for every other one."""
    try:
        check_der(der)
        outer = ocsp.OCSPResponse.load(der, strict=True)
        if outer["response_status"].native != "successful":
            raise Refused(f"no answer: {outer['response_status'].native}", where="OCSP")
        if outer["response_bytes"]["response_type"].native != "basic_ocsp_response":
            raise Refused("not a basic answer", where="OCSP answer")
        raw = bytes(outer["response_bytes"]["response"])
        check_der(raw)
        _check_basic(ocsp.BasicOCSPResponse.load(raw, strict=True), issuer, serial, nonce, at)
    except TlvError as error:
        raise Refused(error.what, where=f"OCSP answer, {error.where}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Refused("not an answer", where="OCSP answer") from None


def _check_basic(basic: Any, issuer: Certificate, serial: int, nonce: bytes, at: dt.datetime) -> None:
    body = basic["tbs_response_data"]
    responder = _responder(basic, issuer, at)
    check_signature(
        responder.public_der,
        basic["signature_algorithm"].dump(),
        body.dump(),
        signature_bits(basic["signature"]),
    )
    found = read_extensions(body["response_extensions"], frozenset({"nonce"}))
    if nonce and not hmac.compare_digest(found["nonce"].native if "nonce" in found else b"", nonce):
        raise Refused("the nonce is another", where="OCSP answer", fix="ask again")
    for single in body["responses"]:
        question = _question(single["cert_id"])
        if question.serial == serial and question.is_of(issuer):
            _check_single(single, serial, at)
            return
    raise Refused(f"it does not speak of certificate {serial:x}", where="OCSP answer")


def _check_single(single: Any, serial: int, at: dt.datetime) -> None:
    read_extensions(single["single_extensions"], frozenset())
    until = single["next_update"].native
    if single["this_update"].native > at or until is None or at >= until:
        raise Refused("not valid at this time", where="OCSP answer", fix="ask again")
    status = single["cert_status"]
    if status.name == "revoked":
        raise Refused(
            f"revoked since {status.chosen['revocation_time'].native:%Y-%m-%d}",
            where=f"certificate {serial:x}",
        )
    if status.name != "good":
        raise Refused("unknown to its issuer", where=f"certificate {serial:x}")


def _responder(basic: Any, issuer: Certificate, at: dt.datetime) -> Certificate:
    """Who signed: the issuer, or the one certificate inside, which the issuer made for this purpose."""
    inside = list(basic["certs"] or ())
    if not inside:
        return issuer
    responder = read_certificate(inside[0].dump())
    if responder.der == issuer.der:
        return issuer
    responder.require_signed_by(issuer)
    if Purpose.OCSP.value not in responder.purposes or not responder.not_before <= at <= responder.not_after:
        raise Refused("its signer may not answer for the issuer", where="OCSP answer")
    return responder


def _issuer_hashes(issuer: Certificate, hash_name: str) -> tuple[bytes, bytes]:
    return _HASHES[hash_name](issuer.subject).digest(), _key_hash(issuer, hash_name)


def _key_hash(certificate: Certificate, hash_name: str) -> bytes:
    return _HASHES[hash_name](bytes(keys.PublicKeyInfo.load(certificate.public_der)["public_key"])).digest()


def _question(cert_id: Any) -> Question:
    hash_name = cert_id["hash_algorithm"]["algorithm"].native
    if hash_name not in _HASHES:
        raise Refused(f"hash {hash_name}", where="OCSP", fix="SHA-1 or SHA-256")
    return Question(
        hash_name=hash_name,
        name_hash=cert_id["issuer_name_hash"].native,
        key_hash=cert_id["issuer_key_hash"].native,
        serial=cert_id["serial_number"].native,
    )


def _cert_id(question: Question) -> dict[str, Any]:
    return {
        "hash_algorithm": {"algorithm": question.hash_name, "parameters": core.Null()},
        "issuer_name_hash": question.name_hash,
        "issuer_key_hash": question.key_hash,
        "serial_number": question.serial,
    }


def _nonce(nonce: bytes) -> list[dict[str, Any]]:
    return [{"extn_id": "nonce", "critical": False, "extn_value": core.OctetString(nonce)}]


def _single(answer: Answer, at: dt.datetime, next_update: dt.datetime) -> dict[str, Any]:
    status: ocsp.CertStatus
    if not answer.known:
        status = ocsp.CertStatus(name="unknown", value=ocsp.StatusUnknown())
    elif answer.revoked is None:
        status = ocsp.CertStatus(name="good", value=ocsp.StatusGood())
    else:
        since, reason = answer.revoked
        info: dict[str, Any] = {"revocation_time": since}
        if reason is not Reason.UNSPECIFIED:
            info["revocation_reason"] = crl.CRLReason(reason.value)
        status = ocsp.CertStatus(name="revoked", value=ocsp.RevokedInfo(info))
    return {
        "cert_id": _cert_id(answer.question),
        "cert_status": status,
        "this_update": at,
        "next_update": next_update,
    }
