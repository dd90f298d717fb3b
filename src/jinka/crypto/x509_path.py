"""Whether a certificate may be believed: path validation (RFC 5280, 6) with lists, name constraints and the key's use.

A path goes from the certificate over the authorities that came with it to an anchor that the caller trusts. Every
authority on it must be one, be valid at the time, be allowed to sign certificates, keep its path length and serve the
names below it. With ``lists``, each certificate on the path must have a current list of its issuer and not be on it.

Policies are not evaluated. Name constraints are judged for DNS names and directory names; an authority with constraints
may not issue other alternative names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinka.codec import parse
from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_crl import RevocationList
from jinka.crypto.x509_fields import Constraints, KeyUsage, Purpose
from jinka.kit import Refused

DEPTH_MAX = 6
_CERTIFICATES_MAX = 16  # authorities that a peer may send along
_TRIES_MAX = 64  # steps in all: whoever sends many ways that lead nowhere is not followed on each


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a relying party believes: its anchors, and the lists it has. ``lists`` None means that it asks no list."""

    anchors: tuple[Certificate, ...]
    lists: tuple[RevocationList, ...] | None = None


class _Unknown(Refused):
    """Nobody is known who issued a certificate."""


def check_path(
    leaf: Certificate,
    authorities: Sequence[Certificate],
    trust: Trust,
    at: dt.datetime,
    *,
    usage: KeyUsage,
    purpose: Purpose | None = None,
    dns_name: str = "",
) -> tuple[Certificate, ...]:
    """The path from ``leaf`` to its anchor; raises `Refused` when there is none, or the key may not be used so."""
    if len(authorities) > _CERTIFICATES_MAX:
        raise Refused(f"{len(authorities)} certificates", where="path", fix=f"at most {_CERTIFICATES_MAX}")
    _require_use(leaf, usage, purpose, dns_name)
    return _extended((leaf,), authorities, trust, at, iter(range(_TRIES_MAX)))


def _extended(
    path: tuple[Certificate, ...],
    authorities: Sequence[Certificate],
    trust: Trust,
    at: dt.datetime,
    tries: Iterator[int],
) -> tuple[Certificate, ...]:
    """The path with its anchor. An authority that several have certified has several ways up: each is tried."""
    child = path[-1]
    _require_time(child, at)
    ways = [(parent, True) for parent in _issuers(child, trust.anchors)]
    ways += [(parent, False) for parent in _issuers(child, authorities)]
    refusals = []
    for parent, anchored in ways:
        try:
            if next(tries, None) is None or parent in path or len(path) >= DEPTH_MAX:
                raise Refused(f"a path of more than {DEPTH_MAX} certificates, or in a circle", where="path")
            child.require_signed_by(parent)
            _require_authority(parent, path)
            if trust.lists is not None:
                _require_not_revoked(child, parent, trust.lists, at)
            if not anchored:
                return _extended((*path, parent), authorities, trust, at, tries)
            _require_time(parent, at)
        except Refused as refusal:
            refusals.append(refusal)
        else:
            return (*path, parent)
    if refusals:  # what stopped a way that leads somewhere tells more than a way that ends
        raise next((one for one in refusals if not isinstance(one, _Unknown)), refusals[0])
    raise _Unknown("no known authority issued it", where=_name(child), fix="import its issuer's certificate")


def _issuers(child: Certificate, candidates: Sequence[Certificate]) -> list[Certificate]:
    """The candidates whose name and key identifier a certificate gives; signatures are checked later."""
    return [
        found
        for found in candidates
        if found.subject == child.issuer
        and found != child
        and (not child.issuer_key_id or not found.key_id or child.issuer_key_id == found.key_id)
    ]


def _require_use(leaf: Certificate, usage: KeyUsage, purpose: Purpose | None, dns_name: str) -> None:
    where = _name(leaf)
    if usage not in leaf.usages:
        raise Refused(f"its key is not for {usage.value}", where=where)
    if purpose is not None and purpose.value not in leaf.purposes:
        raise Refused(f"its key is not for {purpose.value}", where=where)
    if dns_name and dns_name.lower() not in leaf.dns_names:
        raise Refused(f"it does not name {dns_name!r}", where=where)


def _require_time(certificate: Certificate, at: dt.datetime) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        raise Refused("not valid at this time", where=_name(certificate), fix="renew it")


def _require_authority(parent: Certificate, below: Sequence[Certificate]) -> None:
    """The parent may have issued what stands below it: rights, path length, names."""
    where = _name(parent)
    if not parent.authority or KeyUsage.CERTIFICATES not in parent.usages:
        raise Refused("it is no authority", where=where)
    between = sum(1 for certificate in below[1:] if certificate.subject != certificate.issuer)
    if parent.path_length is not None and between > parent.path_length:
        raise Refused(f"more than {parent.path_length} authorities below it", where=where)
    if parent.constraints is not None:
        for certificate in below:
            _require_names(certificate, parent.constraints, where)


def _require_names(certificate: Certificate, rule: Constraints, where: str) -> None:
    for dns in certificate.dns_names:
        inside = not rule.permitted_dns or any(_within(dns, tree) for tree in rule.permitted_dns)
        if not inside or any(_within(dns, tree) for tree in rule.excluded_dns):
            raise Refused(f"it may not serve {dns!r}", where=where)
    if certificate.other_names:
        raise Refused("constrained, and below it are names of another kind than DNS", where=where)
    parts = _parts(certificate.subject)
    if rule.permitted_trees and not any(parts.startswith(_parts(tree)) for tree in rule.permitted_trees):
        raise Refused(
            f"it may not serve {certificate.organisation or certificate.common_name!r}", where=where
        )


def _within(name: str, tree: str) -> bool:
    """RFC 5280, 4.2.1.10: the name itself or anything to its left; a leading dot is the same tree without its top."""
    return name.endswith(tree) if tree.startswith(".") else name == tree or name.endswith("." + tree)


def _parts(name: bytes) -> bytes:
    """The relative names of a name in DER, in a row: a tree contains what starts with it."""
    return next(value for _, value, _ in parse(name))


def _require_not_revoked(
    child: Certificate, parent: Certificate, lists: Sequence[RevocationList], at: dt.datetime
) -> None:
    """The newest current list of the parent that is signed by it decides; without one nothing is believed."""
    own = [found for found in lists if found.issuer == parent.subject and found.base_number is None]
    if not own:
        raise Refused("no revocation list of its issuer", where=_name(child), fix="fetch it")
    newest = max(own, key=lambda found: found.number)
    newest.require_signed_by(parent)
    newest.require_current(at)
    newest.require_absent(child.serial)


def _name(certificate: Certificate) -> str:
    return f"certificate {certificate.serial:x} ({certificate.common_name})"
