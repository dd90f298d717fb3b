"""Key hierarchy, purposes, ceremony, sealed store, and the verbs of the key service with its soft provider.

Keys are bound to one purpose and do not cross the border of the service, but for the one exception that `port`
names. Not here: files, sockets, security modules (`jinka.node`), certificates. JR/T 0025.1, PBOC 3.0 part 17.
"""

from jinka.keys.audit import AuditChain, AuditEntry, AuditEvent, Outcome
from jinka.keys.audit_check import AuditReport, check_log
from jinka.keys.catalogue import KeyName, KeyRecord, KeyState
from jinka.keys.ceremony import Ceremony, CeremonyRecord, hold_ceremony
from jinka.keys.checkpoint import Checkpoint
from jinka.keys.hierarchy import card_factor, city_factor
from jinka.keys.port import KeyService, Purpose, TacStatus
from jinka.keys.shares import Share, Sharing
from jinka.keys.soft import SoftKeyService
from jinka.keys.store import KeyStore, open_store, read_header

__all__ = [
    "AuditChain",
    "AuditEntry",
    "AuditEvent",
    "AuditReport",
    "Ceremony",
    "CeremonyRecord",
    "Checkpoint",
    "KeyName",
    "KeyRecord",
    "KeyService",
    "KeyState",
    "KeyStore",
    "Outcome",
    "Purpose",
    "Share",
    "Sharing",
    "SoftKeyService",
    "TacStatus",
    "card_factor",
    "check_log",
    "city_factor",
    "hold_ceremony",
    "open_store",
    "read_header",
]
