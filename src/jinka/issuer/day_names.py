"""Transactions that stand in the books under the day alone, as they were named before the time of day was part of it.

Their rows do not hold what a new id would be made of, so they are not renamed: a request that names one is. It names it
if it was sent before the row was received. Sent later, it only has the trace number in common with it and is another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jinka.issuer.authorisation import AuthorisationRequest, Trace
from jinka.issuer.books import Booking, IssuerBooks

_SKEW_MICROS = 60 * 1_000_000  # the clock of who sends it may be ahead of ours


class DayNames:
    """Finds such transactions in the books, and looks for none where all that was sent is newer than they are."""

    def __init__(self, books: IssuerBooks) -> None:
        self._books = books
        self._newest: int | None = None  # when the last one came that may be named by its day

    def as_in_books(self, requests: Sequence[AuthorisationRequest]) -> Sequence[AuthorisationRequest]:
        """The requests, by the names under which the books have them."""
        if self._newest is None:
            self._newest = self._books.newest_micros()
        named = ((r, trace) for r in requests for trace in (r.trace, r.original) if trace is not None)
        by_day = {r.id_of(trace.by_day) for r, trace in named if self._is_old(r, trace)}
        self._newest = max([self._newest, *(r.at_micros for r in requests if not r.trace.time6)])
        rows = self._books.bookings(by_day) if by_day else {}
        if not rows:
            return requests
        newer = self._books.bookings({i for r in requests for i in (r.id_of(r.trace), r.original_id)})
        return [_renamed(request, rows, newer) for request in requests]

    def _is_old(self, request: AuthorisationRequest, trace: Trace) -> bool:
        """Whether it was sent before the last such row came."""
        if not trace.time6 or not self._newest:
            return False
        sent = request.sent_micros(trace)
        return sent is not None and sent <= self._newest + _SKEW_MICROS


def _renamed(
    request: AuthorisationRequest, rows: Mapping[bytes, Booking], newer: Mapping[bytes, Booking]
) -> AuthorisationRequest:
    def found(trace: Trace) -> Trace:
        row = rows.get(request.id_of(trace.by_day))
        if not trace.time6 or row is None or request.id_of(trace) in newer:
            return trace
        sent = request.sent_micros(trace)
        return trace.by_day if sent is not None and sent <= row.at_micros + _SKEW_MICROS else trace

    own = found(request.trace)
    original = None if request.original is None else found(request.original)
    if own == request.trace and original == request.original:
        return request
    return replace(request, trace=own, original=original)
