"""Delivers what standing queries find to their receivers: what is under way first, then what is new, one after another.

EPCIS 2.0, 8.2.5 and 12.7. `jinka.trace.subscriptions` says what follows from each try; here the store is asked, the
message is signed and sent, and what came of it is written before the next one. Of several processes on one database
one delivers.

A message bears ``GS1-Signature``: the HMAC-SHA256 of Standard Webhooks 1.0.0 over id, time and body under the client's
``signatureToken``, and the id and the time beside it (``webhook-id``, ``webhook-timestamp``). A repeat is the same
bytes under the same id, whatever became of the events and of its owner's sight meanwhile. An owner who is let in no
more is sent nothing.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from jinka.acquirer.callbacks import signature
from jinka.api.epcis_exchange import Caller
from jinka.api.epcis_problems import problem_body
from jinka.api.epcis_services import EpcisServices
from jinka.api.epcis_standing import document, find
from jinka.kit import Clock, JinkaError
from jinka.node.trace_receivers import Answer, Receivers
from jinka.store.trace_queries import query_name
from jinka.store.trace_query import EventQuery
from jinka.store.trace_subscriptions import DeliveryTurn, SubscriptionBooks
from jinka.trace.subscriptions import Subscription, failed, offering, passed_over, taken, too_large

DUE = 256  # subscriptions in one round
MESSAGES = 20  # to one receiver in one round, then the others have their turn
TURN_S = 5.0  # so long: who takes his time has fewer
SENDERS = 16
_MICROS = 1_000_000
_KIND = "application/ld+json"
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """``unseal`` opens a subscription's token; ``caller`` says with whose eyes it sees, ``let_in`` who is still."""

    services: EpcisServices
    books: SubscriptionBooks
    receivers: Receivers
    clock: Clock
    unseal: Callable[[Subscription], bytes]
    caller: Callable[[str], Caller]
    let_in: Callable[[str], bool] = field(default=lambda _: True)


class Deliveries:
    """Serves subscriptions in threads, each in one at a time, so that a slow receiver holds up nobody else."""

    def __init__(self, out: Outgoing, pool: ThreadPoolExecutor) -> None:
        self._out, self._pool = out, pool
        self._lock, self._busy = threading.Lock(), set[str]()

    def begin(self, done: Callable[[], None] = lambda: None) -> list[Future[int]]:
        """Begin with every subscription whose time has come and that nobody serves; ``done`` hears of each end.

        Who was served when the books were opened is left to the next call: what was read of him may be out of date, and
        what was acknowledged meanwhile would be sent again.
        """
        with self._lock:
            served = frozenset(self._busy)
        newest = self._out.services.store.newest()
        begun = []
        for one in self._out.books.due(self._out.clock.now_micros(), newest, DUE):
            with self._lock:
                if one.id in served or len(self._busy) >= SENDERS:
                    continue
                self._busy.add(one.id)
            begun.append(self._pool.submit(self._serve, one, newest, done))
        return begun

    def _serve(self, one: Subscription, newest: int, done: Callable[[], None]) -> int:
        try:
            return _serve(self._out, one, newest)
        finally:
            with self._lock:
                self._busy.discard(one.id)
            done()


def deliver(out: Outgoing) -> int:
    """One round, to its end: the number of messages that were taken."""
    with ThreadPoolExecutor(SENDERS) as pool:
        return sum(future.result() for future in Deliveries(out, pool).begin())


def run(
    out: Outgoing,
    stop: threading.Event,
    wake: threading.Event,
    idle_s: float = 1.0,
    turn: DeliveryTurn | None = None,
) -> None:
    """Deliver until ``stop``: at once when something was captured (``wake``), and for what is due by its time.

    With a ``turn``: as long as this process has it.
    """
    log = logging.getLogger("jinka.trace")
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="trace-sender") as pool:
        deliveries, under_way = Deliveries(out, pool), list[Future[int]]()
        while not stop.is_set():
            wake.wait(idle_s)
            wake.clear()
            # A database that is not there now is asked again; nothing is lost by that.
            for future in [future for future in under_way if future.done()]:
                if (error := future.exception()) is not None:
                    log.error("a delivery stopped and is tried again", exc_info=error)
                    stop.wait(idle_s)
            try:
                under_way = [future for future in under_way if not future.done()]
                if turn is None or turn.held():
                    under_way += deliveries.begin(wake.set)
            except Exception:
                log.exception("no deliveries now; tried again in %s s", idle_s)
                stop.wait(idle_s)


def _serve(out: Outgoing, one: Subscription, newest: int) -> int:
    """Messages to one receiver, until there is nothing more or one was not taken."""
    count, since = 0, time.monotonic()
    while count < MESSAGES and time.monotonic() - since < TURN_S:
        named = out.services.named.one(one.query)
        if named is None:  # its query went: so does it
            out.books.remove(one.query, one.id)
            return count
        if not out.let_in(one.owner):
            out.books.save(failed(one, out.clock.now_micros(), "its owner is let in no more"))
            return count
        try:
            step = _step(out, one, named.query, newest, first=count == 0)
        except JinkaError as error:  # such as a query that takes too long: the receiver is told
            out.books.save(failed(one, out.clock.now_micros(), str(error)))
            with suppress(JinkaError):  # a token that does not open
                _post(out, one, problem_body(error, xml=False), _PROBLEM)
            return count
        if step is None:
            return count
        one, sent, more = step
        if not out.books.save(one):
            return count
        count += sent
        if not more:
            return count
    return count


def _step(
    out: Outgoing, one: Subscription, query: EventQuery, newest: int, *, first: bool
) -> tuple[Subscription, bool, bool] | None:
    """(what is to be written, whether a message was taken, whether to go on); None when it was ended meanwhile."""
    if one.offered and (kept := out.books.message(one.id)):  # what was under way: the same message
        return _send(out, one, kept, more=newest > one.offered)
    upto = max(newest, one.acknowledged)
    found = find(out.services, query, out.caller(one.owner), one.acknowledged, upto, one.batch)
    now = out.clock.now_micros()
    if not found.events and found.more:  # nothing that the owner may see: on to what follows
        return passed_over(one, found.last, now, at_once=True), False, True
    if not found.events and not (one.report_if_empty and first and one.schedule is not None):
        return passed_over(one, upto, now), False, False
    body = document(out.services, found.events, query_name(one.query), one.id, one.epc_format)
    one = offering(one, found.last if found.more else upto)
    if not out.books.offer(one, body):  # on the disk before it is sent
        return None
    return _send(out, one, body, more=found.more)


def _send(out: Outgoing, one: Subscription, body: bytes, *, more: bool) -> tuple[Subscription, bool, bool]:
    answer = _post(out, one, body, _KIND)
    now = out.clock.now_micros()
    if answer.taken:
        return taken(one, now, more=more), True, more
    if answer.too_large:
        count = len(json.loads(body)["epcisBody"]["queryResults"]["resultsBody"]["eventList"])
        return too_large(one, now, count), False, count > 1
    return failed(one, now, answer.words), False, False


def _post(out: Outgoing, one: Subscription, body: bytes, kind: str) -> Answer:
    """Sign and send."""
    id_ = one.message_id(body)
    headers = {"content-type": kind, "webhook-id": id_}
    if one.sealed_token:
        at_s = out.clock.now_micros() // _MICROS
        headers["webhook-timestamp"] = str(at_s)
        headers["GS1-Signature"] = signature(out.unseal(one), id_, at_s, body.decode())
    return out.receivers.post(one.dest, headers, body)
