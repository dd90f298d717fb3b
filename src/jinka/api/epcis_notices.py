"""Where a participant wants its recall notices: /trace/receiver, beside the EPCIS resources and not of the standard.

PUT names a receiver (``dest``, and perhaps a ``signatureToken``, which is kept sealed and never given out again), GET
tells what was taken and what waits, DELETE ends it. A receiver is judged as that of a subscription is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from jinka.api.epcis_exchange import JSON, Ask, Reply, accepted
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import EpcisServices, Resource
from jinka.api.epcis_subscriptions import receiver_of, subscription_body, token_of
from jinka.codec.epcis.scalars import time_text
from jinka.store.trace_notices import NoticeBooks, NoticeReceiver

PATH = "/trace/receiver"
_MEMBERS = frozenset({"dest", "signatureToken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverDesk:
    """``require`` judges a receiver's address, ``seal`` a token for its owner."""

    books: NoticeBooks
    require: Callable[[str], object]
    seal: Callable[[str, bytes], bytes]

    def resources(self) -> tuple[Resource, ...]:
        """What `jinka.api.epcis` serves besides its own."""
        return (Resource(path=PATH, methods={"GET": self.get, "PUT": self.put, "DELETE": self.remove}),)

    def put(self, ask: Ask, services: EpcisServices) -> Reply:
        """PUT /trace/receiver."""
        accepted(ask, JSON)
        owner, body = _owner(ask), subscription_body(ask, _MEMBERS)
        token = token_of(body)
        made = NoticeReceiver(
            owner=owner, dest=receiver_of(body, self.require),
            sealed_token=self.seal(owner, token) if token else b"", created_micros=services.clock.now_micros(),
        )  # fmt: skip
        self.books.put(made)
        return self._told(made)

    def get(self, ask: Ask, _: EpcisServices) -> Reply:
        """GET /trace/receiver."""
        accepted(ask, JSON)
        return self._told(self._require(ask))

    def remove(self, ask: Ask, _: EpcisServices) -> Reply:
        """DELETE /trace/receiver."""
        self.books.remove(self._require(ask).owner)
        return Reply(status=204, kind="")

    def _require(self, ask: Ask) -> NoticeReceiver:
        found = self.books.receiver(_owner(ask))
        if found is None:
            raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no receiver", where="URL", fix=f"PUT {PATH}")
        return found

    def _told(self, made: NoticeReceiver) -> Reply:
        taken, waiting, outcome = self.books.standing(made.owner)
        told = {
            "dest": made.dest,
            "createdAt": time_text(made.created_micros),
            "taken": taken,
            "waiting": waiting,
        }
        return Reply(body=json.dumps(told | ({"outcome": outcome} if outcome else {})).encode())


def _owner(ask: Ask) -> str:
    if not ask.caller.name:
        raise EpcisError(
            Exceptions.FORBIDDEN, "only a participant has notices", where="Authorization", fix="a token"
        )
    return ask.caller.name
