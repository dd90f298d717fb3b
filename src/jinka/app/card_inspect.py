"""`jinka card inspect`: a travel document at the control counter, and the verdict in both languages.

ICAO Doc 9303-10 and 9303-11, by `jinka.terminal.InspectionTerminal`. The country signers' certificates are the
caller's: without one no signer is known. Revocation lists and PACE are not asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinka.app.card_link import CardPlace, card_at
from jinka.app.card_reading import masked, masked_name
from jinka.app.certificates import read_ders
from jinka.crypto.x509_certificate import read_certificate
from jinka.kit import Refused
from jinka.node.system import SystemRandomness
from jinka.terminal.inspection import Inspection, InspectionTerminal, Verdict

VERDICT_WORDS = {
    Verdict.GENUINE: ("genuine", "证件真实"),
    Verdict.COPY_NOT_EXCLUDED: (
        "genuine data, but the chip may be a copy",
        "数据真实，但不能排除芯片被复制",
    ),
    Verdict.SIGNER_UNKNOWN: ("signer unknown or not valid", "签名者未知或无效"),
    Verdict.EXPIRED: ("expired", "证件已过期"),
    Verdict.FORGED: ("forged", "证件系伪造或被篡改"),
    Verdict.UNREADABLE: ("unreadable", "证件无法读取"),
}
RESULT_WORDS = {"passed": "通过", "failed": "未通过", "absent": "未检查"}


def inspect_document(
    place: CardPlace, lines: Sequence[str], anchor_files: Sequence[Path], now: dt.datetime
) -> Inspection:
    """Judge the document whose printed zone is ``lines``; anchors are PEM or DER, ``now`` is UTC."""
    anchors = [_anchor(der, path) for path in anchor_files for der in read_ders(path)]
    counter = InspectionTerminal(anchors, SystemRandomness())
    with card_at(place) as link:
        return counter.inspect(link, "\n".join(lines), now)


def _anchor(der: bytes, path: Path) -> bytes:
    """A broken anchor is the counter's fault and never the document's."""
    try:
        read_certificate(der)
    except Refused as error:
        raise Refused(
            error.what, where=f"{path}: {error.where}", fix="a country signer's certificate"
        ) from None
    return der


def inspection_values(found: Inspection, *, show: bool) -> dict[str, Any]:
    """Plain values; number and names of the chip's zone masked unless ``show``."""
    english, chinese = VERDICT_WORDS[found.verdict]
    checks = [
        {
            "check": check.name,
            "en": check.value[0],
            "zh": check.value[1],
            "result": result.value,
            "result_zh": RESULT_WORDS[result.value],
            "reason": found.reasons.get(check, ""),
        }
        for check, result in found.results.items()
    ]
    holder = None
    if (zone := found.zone) is not None:
        name = f"{zone.surname} {zone.given_names}".strip()
        holder = {
            "number": zone.number if show else masked(zone.number),
            "name": name if show else masked_name(name),
            "issuer": zone.issuer,
        }
    verdict = {"name": found.verdict.name, "en": english, "zh": chinese}
    return {"verdict": verdict, "checks": checks, "chip": holder}
