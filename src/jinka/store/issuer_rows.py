"""An issuer's transactions as rows of `jinka.store.issuer_tables` and back: a tuple each, in the order of the columns.

Decides nothing. Card and fingerprint come and go as the books keep them, under the vault's cover.
"""

from __future__ import annotations

from jinka.issuer.authorisation import Channel, Entry, Kind
from jinka.issuer.books import Booking, Deed, State
from jinka.issuer.reasons import BY_WORD
from jinka.store.statements import Row

_KINDS = {kind.word: kind for kind in Kind}
_CHANNELS = {channel.value[0]: channel for channel in Channel}
_STATES = {state.value[0]: state for state in State}
_ENTRIES = {entry.value: entry for entry in Entry}
COLUMNS = (
    "id", "seq", "fingerprint", "card", "account", "original", "chip", "source", "hold", "kind", "acquirer", "merchant",
    "category", "channel", "entry", "state", "reason", "rule", "authorisation", "amount_fen", "at_micros", "forced",
    "terminal_chip", "card_chip", "taken_fen", "latitude_e6", "longitude_e6", "available_fen", "settled_date",
    "stan", "terminal", "masked_card",
)  # fmt: skip
# What changes once a transaction is received; the id, by which it is found, comes behind.
OUTCOME = (
    "state", "reason", "rule", "authorisation", "available_fen", "chip", "source", "hold", "taken_fen",
)  # fmt: skip
DEED_COLUMNS = (
    "card", "id", "kind", "channel", "entry", "state", "reason", "acquirer", "merchant", "category", "amount_fen",
    "at_micros", "latitude_e6", "longitude_e6",
)  # fmt: skip


def stored_row(booking: Booking, seq: int, card: bytes, fingerprint: bytes) -> Row:
    """In the order of `COLUMNS`."""
    b = booking
    latitude, longitude = b.place_e6 or (None, None)
    return (
        b.id, seq, fingerprint, card, b.account, b.original, b.chip, b.source, b.hold, b.kind.word, b.acquirer,
        b.merchant, b.category, b.channel.value[0], b.entry.value, b.state.value[0], b.reason.word, b.rule,
        b.authorisation, b.amount_fen, b.at_micros, int(b.forced), int(b.terminal_chip), int(b.card_chip), b.taken_fen,
        latitude, longitude, b.available_fen, b.settled, b.stan, b.terminal, b.masked,
    )  # fmt: skip


def outcome_row(booking: Booking) -> Row:
    """In the order of `OUTCOME`, and the id."""
    b = booking
    return (
        b.state.value[0], b.reason.word, b.rule, b.authorisation, b.available_fen, b.chip, b.source, b.hold,
        b.taken_fen, b.id,
    )  # fmt: skip


def booking_of(row: Row, card: bytes, fingerprint: bytes) -> Booking:
    """From a row of `COLUMNS`."""
    (
        id_, _, _, _, account, original, chip, source, hold, kind, acquirer, merchant, category, channel, entry, state,
        reason, rule, authorisation, amount_fen, at_micros, forced, terminal_chip, card_chip, taken_fen, latitude,
        longitude, available_fen, settled, stan, terminal, shown,
    ) = row  # fmt: skip
    return Booking(
        id=id_, kind=_KINDS[kind], fingerprint=fingerprint, card=card, account=account, acquirer=acquirer,
        merchant=merchant, category=category, channel=_CHANNELS[channel], entry=_ENTRIES[entry], amount_fen=amount_fen,
        at_micros=at_micros, original=original, forced=bool(forced), terminal_chip=bool(terminal_chip),
        card_chip=bool(card_chip), place_e6=None if latitude is None else (latitude, longitude), state=_STATES[state],
        reason=BY_WORD[reason], rule=rule, authorisation=authorisation, available_fen=available_fen, chip=chip,
        source=source, hold=hold, taken_fen=taken_fen, settled=settled,
        stan=stan, terminal=terminal, masked=shown,
    )  # fmt: skip


def deed_of(row: Row) -> Deed:
    """From a row of `DEED_COLUMNS`."""
    _, id_, kind, channel, entry, state, reason, acquirer, merchant, category, amount_fen, at_micros = row[
        :12
    ]
    latitude, longitude = row[12:]
    return Deed.told(
        id_, _KINDS[kind], _CHANNELS[channel], _ENTRIES[entry], _STATES[state], BY_WORD[reason], acquirer, merchant,
        category, amount_fen, at_micros, None if latitude is None else (latitude, longitude),
    )  # fmt: skip
