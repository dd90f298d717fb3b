"""The issuer's side: cards made, payments, loads and overdraft limits authorised, updates signed.

Keys stay in the key service; what stands here asks its verbs. No terminals and no I/O. JR/T 0025.1 (load), JR/T 0025.2
(personalisation), GlobalPlatform 2.3.1 (cards in the field). `IssuerHost` decides online authorisations in no dialect.
"""

from jinka.issuer.accounts import AccountAct, AccountState, CardAct, CardState, HolderAccount, IssuedCard
from jinka.issuer.authorisation import (
    AuthorisationRequest,
    CardValue,
    Channel,
    Decision,
    Entry,
    Kind,
    PinData,
    Place,
    Trace,
)
from jinka.issuer.books import Booking, IssuerBooks, MemoryBooks, State
from jinka.issuer.bureau import Holder, NumberRange, Reservation, check_holders, next_reservation
from jinka.issuer.card_checks import CardChecks, CardKeyNames, ScriptOrder
from jinka.issuer.embossing import EmbossLine, embossing_file, masked_number
from jinka.issuer.emv import EmvIssuer, IssuerKeys, Question
from jinka.issuer.field_update import FieldUpdate
from jinka.issuer.grey_host import ReleaseHost
from jinka.issuer.host import IssuerHost
from jinka.issuer.hosts import AccessHost, CardListed, LoadHost, MaintenanceHost
from jinka.issuer.iso import IsoIssuer, IsoTerms
from jinka.issuer.load_funds import AllFunds, CardFunds, LedgerFunds
from jinka.issuer.migration import MigrationReport, migration_report
from jinka.issuer.online_load import HomeLoads, Load, LoadBooks, LoadOrder, LoadState, MemoryLoads
from jinka.issuer.passbook_hosts import LimitHost, UnloadHost
from jinka.issuer.policy import Policy, Product, read_policy
from jinka.issuer.production import CardOrder, make_cards, personal_data
from jinka.issuer.reasons import Reason
from jinka.issuer.relayed_load import RelayedLoads

__all__ = [
    "AccessHost",
    "AccountAct",
    "AccountState",
    "AllFunds",
    "AuthorisationRequest",
    "Booking",
    "CardAct",
    "CardChecks",
    "CardFunds",
    "CardKeyNames",
    "CardListed",
    "CardOrder",
    "CardState",
    "CardValue",
    "Channel",
    "Decision",
    "EmbossLine",
    "EmvIssuer",
    "Entry",
    "FieldUpdate",
    "Holder",
    "HolderAccount",
    "HomeLoads",
    "IsoIssuer",
    "IsoTerms",
    "IssuedCard",
    "IssuerBooks",
    "IssuerHost",
    "IssuerKeys",
    "Kind",
    "LedgerFunds",
    "LimitHost",
    "Load",
    "LoadBooks",
    "LoadHost",
    "LoadOrder",
    "LoadState",
    "MaintenanceHost",
    "MemoryBooks",
    "MemoryLoads",
    "MigrationReport",
    "NumberRange",
    "PinData",
    "Place",
    "Policy",
    "Product",
    "Question",
    "Reason",
    "RelayedLoads",
    "ReleaseHost",
    "Reservation",
    "ScriptOrder",
    "State",
    "Trace",
    "UnloadHost",
    "check_holders",
    "embossing_file",
    "make_cards",
    "masked_number",
    "migration_report",
    "next_reservation",
    "personal_data",
    "read_policy",
]
