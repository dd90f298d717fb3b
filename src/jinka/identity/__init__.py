"""Identity: who certifies whom, under which profile, approved by whom, and what became of it.

A certification authority without I/O: certificate profiles, applications approved by two officers, certificates for
RSA, ECDSA and SM2 keys (the last in pairs with an escrowed encryption key), revocation lists and OCSP answers. Follows
RFC 5280 and 6960, GM/T 0015 and 0034. What certificates are made of, and whether one may be believed, is in `crypto`;
sockets are in `node`. Beside it stand base records (`jinka.identity.base_records`) and who may see them.
"""

from jinka.identity.application import TRANSITIONS, Act, Application, State, Step
from jinka.identity.authority import (
    ISSUING_PROFILES,
    ROOT_PROFILES,
    Addresses,
    CertificateAuthority,
    LockedSigner,
    make_root,
)
from jinka.identity.books import Books, Issued, MemoryBooks, PublishedList
from jinka.identity.enrolment import Enrolment
from jinka.identity.escrow import (
    Archive,
    Escrow,
    EscrowedKey,
    MemoryArchive,
    Recovery,
    Seal,
    SealedEscrow,
    SoftSeal,
)
from jinka.identity.profiles import PROFILES, CertificateProfile, ProfileName

__all__ = [
    "ISSUING_PROFILES",
    "PROFILES",
    "ROOT_PROFILES",
    "TRANSITIONS",
    "Act",
    "Addresses",
    "Application",
    "Archive",
    "Books",
    "CertificateAuthority",
    "CertificateProfile",
    "Enrolment",
    "Escrow",
    "EscrowedKey",
    "Issued",
    "LockedSigner",
    "MemoryArchive",
    "MemoryBooks",
    "ProfileName",
    "PublishedList",
    "Recovery",
    "Seal",
    "SealedEscrow",
    "SoftSeal",
    "State",
    "Step",
    "make_root",
]
