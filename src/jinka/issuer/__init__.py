"""The issuer's side: cards made, loads, unloads and overdraft limits authorised, updates signed.

Keys stay in the key service; what stands here asks its verbs. No terminals and no I/O. JR/T 0025.1 (load), JR/T 0025.2
(personalisation), GlobalPlatform 2.3.1 (cards in the field). Online authorisation comes with the issuer host.
"""

from jinka.issuer.bureau import Holder, NumberRange, Reservation, check_holders, next_reservation
from jinka.issuer.embossing import EmbossLine, embossing_file, masked_number
from jinka.issuer.emv import EmvIssuer, IssuerKeys, Question
from jinka.issuer.field_update import FieldUpdate
from jinka.issuer.grey_host import ReleaseHost
from jinka.issuer.hosts import LoadHost, MaintenanceHost
from jinka.issuer.passbook_hosts import LimitHost, UnloadHost
from jinka.issuer.production import CardOrder, make_cards, personal_data

__all__ = [
    "CardOrder",
    "EmbossLine",
    "EmvIssuer",
    "FieldUpdate",
    "Holder",
    "IssuerKeys",
    "LimitHost",
    "LoadHost",
    "MaintenanceHost",
    "NumberRange",
    "Question",
    "ReleaseHost",
    "Reservation",
    "UnloadHost",
    "check_holders",
    "embossing_file",
    "make_cards",
    "masked_number",
    "next_reservation",
    "personal_data",
]
