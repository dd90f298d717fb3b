"""`EmvSpec`: what a debit or credit application says of itself, beside its files and keys.

EMV Book 3, annexes A and C; JR/T 0025.5 (risk parameters), JR/T 0025.13 (electronic cash). Inert: the card's issuing
code makes file contents of it, and terminals never see it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvSpec:
    """One product of one issuer. Lists are raw; amounts are in fen; 0 switches a limit off."""

    label: str
    priority: int = 1
    language: str = "zh"
    pdol: bytes
    cdol1: bytes
    cdol2: bytes
    ddol: bytes
    log_format: bytes
    cvm_list: bytes
    usage: bytes
    iac_default: bytes
    iac_denial: bytes
    iac_online: bytes
    country: bytes
    currency: bytes
    aip: bytes
    form: int = 0
    session: int = 0  # 00 PBOC's session keys, 01 EMV's common ones
    cryptogram_version: int = 0x01
    issuer_key_index: int = 0x01
    default_action: int = 0
    offline_lower: int = 0
    offline_upper: int = 0
    spent_lower_fen: int = 0
    spent_upper_fen: int = 0
    ecash_limit_fen: int = 0
    ecash_single_fen: int = 0
    ecash_reset_fen: int = 0
    ecash_code: str = (
        ""  # the issuer's authorisation code 9F74, 6 characters: electronic cash over the contacts too
    )
