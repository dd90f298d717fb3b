"""What a served repository needs to deliver: resources and sockets for the interface, a thread for the receivers.

``[subscriptions]`` of its file: ``hosts``, names inside that receivers may have (they may also speak HTTP), and
``plain``, HTTP to receivers anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from jinka.api.epcis_exchange import Caller
from jinka.api.epcis_notices import ReceiverDesk
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import EpcisServices, Resource
from jinka.api.epcis_sockets import Bell, QuerySockets
from jinka.api.epcis_subscriptions import SubscriptionDesk
from jinka.app.trace_notices import NoticeRoad, run_notices
from jinka.app.trace_recall import RecallDesk
from jinka.app.trace_secret import TraceSecret
from jinka.app.trace_subscriptions import Outgoing, run
from jinka.kit import Usage
from jinka.node.trace_receivers import Receivers
from jinka.store.database import Database
from jinka.store.trace_notices import NoticeBooks
from jinka.store.trace_subscriptions import DeliveryTurn, SubscriptionBooks

_SETTINGS = {"hosts", "plain"}
STOP_S = 15.0  # longer than one try takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """``services`` ring when something was captured."""

    services: EpcisServices
    resources: Sequence[Resource]
    sockets: QuerySockets


def receivers_of(table: Mapping[str, Any]) -> Receivers:
    """Who may be sent to, as the file says; raises `Usage`."""
    hosts, plain = table.get("hosts", []), table.get("plain", False)
    if set(table) - _SETTINGS:
        raise Usage(
            "no such setting", where=f"subscriptions.{min(set(table) - _SETTINGS)}", fix="hosts, plain"
        )
    if not isinstance(hosts, list) or not all(isinstance(host, str) and host for host in hosts):
        raise Usage("no list of names", where="subscriptions.hosts", fix='hosts = ["erp.inside.example"]')
    if type(plain) is not bool:
        raise Usage("neither true nor false", where="subscriptions.plain", fix="plain = false")
    return Receivers(hosts=frozenset(host.lower() for host in hosts), plain=plain)


@contextmanager
def delivering(
    database: Database,
    services: EpcisServices,
    table: Mapping[str, Any],
    secret: TraceSecret,
    *,
    mount: str = "",
    caller: Callable[[str], Caller] = lambda name: Caller(name=name),
    let_in: Callable[[str], bool] = lambda _: True,
    owns: Callable[[str, list[str]], set[str]] = lambda _owner, _holders: set(),
) -> Iterator[Delivery]:
    """Deliver for a database as long as the block runs. ``caller``: whose eyes a subscription's owner has.

    ``let_in``: whether it is a participant still; ``owns``: which of some holders are a participant's.
    """
    bell, books, receivers = Bell(), SubscriptionBooks(database), receivers_of(table)

    def removed(query: str) -> None:
        books.remove_of(query)

    def check_removal(caller: Caller, query: str) -> None:
        if books.others(query, caller.name):
            raise EpcisError(
                Exceptions.FORBIDDEN, "others have subscriptions of it", where="queryName",
                fix="let them unsubscribe first",
            )  # fmt: skip

    services = replace(services, captured=bell.ring, query_removed=removed, check_removal=check_removal)
    desk = SubscriptionDesk(books=books, require=receivers.require, seal=secret.seal, wake=bell.ring)
    out = Outgoing(
        services=services,
        books=books,
        receivers=receivers,
        clock=services.clock,
        unseal=lambda one: secret.unseal(one.id, one.sealed_token),
        caller=caller,
        let_in=let_in,
    )
    stop = threading.Event()
    turn = DeliveryTurn(database)
    thread = threading.Thread(
        target=run, args=(out, stop, bell.rung), kwargs={"turn": turn}, name="trace-subscriptions"
    )
    told = NoticeBooks(database)
    road = NoticeRoad(
        books=told, recalls=RecallDesk(database, services.clock), receivers=receivers, clock=services.clock,
        owns=owns, unseal=secret.unseal_receiver, let_in=let_in,
    )  # fmt: skip
    notices = threading.Thread(target=run_notices, args=(road, stop, turn.held), name="trace-notices")
    for each in (thread, notices):
        each.start()
    own = ReceiverDesk(books=told, require=receivers.require, seal=secret.seal_receiver).resources()
    try:
        yield Delivery(
            services=services,
            resources=(*desk.resources(), *own),
            sockets=QuerySockets(services, bell, mount=mount),
        )
    finally:
        stop.set()
        bell.ring()
        for each in (thread, notices):
            each.join(STOP_S)
        turn.close()
