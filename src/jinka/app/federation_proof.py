"""One foreign tap of the demonstration, proven at the centre of the terminal and at the centre of the card.

The documents are what `jinka proof get` writes, checked as a stranger would with each centre's public key; whoever
doubts it runs `jinka proof verify`, or scripts/verify_proof.py, over the same two files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinka.app.centre_files import RoundFiles
from jinka.app.proof import outcomes_of, proof_folder, write_document
from jinka.app.proof_check import check_file
from jinka.clearing.verdicts import SENT, VERDICTS


def prove_tap(centres: Mapping[str, Path], date: dt.date, issuers: Mapping[str, str], out: Path) -> list[Any]:
    """What each end proves of the first tap that crossed and was accepted: the terminal's, then the card's.

    ``centres`` are the cities' folders, ``issuers`` the cities of issuers. Empty when no card travelled. Raises
    `Refused` for what is not proven.
    """
    said = {
        (row["centre"], row["ref"])
        for folder in centres.values()
        for row in RoundFiles(folder, date).read("verdicts", VERDICTS).to_pylist()
        if row["reason"] == "ACCEPTED"
    }
    for code, folder in centres.items():
        sent = RoundFiles(folder, date).read("sent", SENT)
        for row in sent.to_pylist():
            if (code, row["record_id"]) in said and row["issuer"] in issuers:
                ends = (code, issuers[row["issuer"]])
                return [_proven(centres[end], end, date, row, out / f"{end}.json") for end in ends]
    return []


def _proven(folder: Path, code: str, date: dt.date, row: Mapping[str, Any], out: Path) -> dict[str, Any]:
    wanted = {"batch": row["batch"], "batch_seq": row["batch_seq"]}
    log = proof_folder(folder)
    write_document(log.document(outcomes_of(folder, date), wanted, date), out)
    checked = check_file(out, log.key_file)
    fields, words = checked.records[-1].fields, checked.records[-1].fields["words"]
    return {
        "centre": code, "document": str(out), "key": str(log.key_file), "card": fields["card_no"],
        "batch": fields["batch"], "batch_seq": fields["batch_seq"], "amount": fields["amount"],
        "outcome": words["outcome"], "reason": words["reason"], "place": checked.records[-1].place,
    }  # fmt: skip
