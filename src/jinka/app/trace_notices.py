"""Sends recall notices to holders who named a receiver: signed, in order, each byte for byte until it was taken.

The road is that of subscriptions (`jinka.app.trace_subscriptions`): HTTPS POST, HMAC-SHA256 of Standard Webhooks under
the receiver's token, a 2xx as the only acknowledgement, tries for ever. That a receiver took a notice is no act of the
recall: an officer of the holder acknowledges it (``/trace/recalls``, `jinka trace recall acknowledge`). Who has no
receiver finds its notices there as well.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

from jinka.acquirer.callbacks import signature
from jinka.app.trace_recall import RecallDesk
from jinka.kit import Clock, JinkaError
from jinka.node.trace_receivers import Receivers
from jinka.reports import Language
from jinka.reports.trace_recall import notice_text
from jinka.store.trace_notices import NoticeBooks, Waiting
from jinka.trace.recall import NoticeState, Recall, RecallState

KIND = "application/json"
MESSAGES = 20  # to one receiver in one turn
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRoad:
    """``owns`` says which of some holders are a participant's, ``unseal`` opens a receiver's token."""

    books: NoticeBooks
    recalls: RecallDesk
    receivers: Receivers
    clock: Clock
    owns: Callable[[str, list[str]], set[str]]
    unseal: Callable[[str, bytes], bytes]
    let_in: Callable[[str], bool]

    def gather(self) -> int:
        """Write down what acts of recalls have to tell since they were last looked at; how much that is."""
        count = 0
        for owner, number, acts in self.books.unread():
            recall = self.recalls.books.get(number)
            # a draft is told to nobody
            own = self.owns(owner, sorted(recall.notices)) if recall.begun_us is not None else set[str]()
            told = {holder: message_of(recall, holder) for holder in sorted(own)}
            count += self.books.tell(
                owner, number, min(acts, len(recall.acts)), told, self.clock.now_micros()
            )
        return count

    def send(self, owner: str) -> int:
        """Send what waits for one receiver, until there is nothing more or one was not taken."""
        for count in range(MESSAGES):
            one = self.books.next(owner, self.clock.now_micros())
            if one is None or not self._sent(one):
                return count
        return MESSAGES

    def _sent(self, one: Waiting) -> bool:
        if not self.let_in(one.receiver.owner):
            self.books.failed(one, self.clock.now_micros(), "its owner is let in no more")
            return False
        at_s = self.clock.now_micros() // _MICROS
        headers = {"content-type": KIND, "webhook-id": one.id, "webhook-timestamp": str(at_s)}
        try:
            if one.receiver.sealed_token:
                token = self.unseal(one.receiver.owner, one.receiver.sealed_token)
                headers["GS1-Signature"] = signature(token, one.id, at_s, one.message.decode())
        except JinkaError as error:
            self.books.failed(one, self.clock.now_micros(), error.what)
            return False
        answer = self.receivers.post(one.receiver.dest, headers, one.message)
        if answer.taken:
            self.books.taken(one, self.clock.now_micros())
        else:
            self.books.failed(one, self.clock.now_micros(), answer.words)
        return answer.taken


class NoticeDeliveries:
    """Serves receivers in threads, each in one at a time."""

    def __init__(self, road: NoticeRoad, pool: ThreadPoolExecutor) -> None:
        self._road, self._pool = road, pool
        self._lock, self._busy = threading.Lock(), set[str]()

    def begin(self, done: Callable[[], None] = lambda: None) -> list[Future[int]]:
        """Gather what there is to tell, and begin with every receiver whose time has come; ``done`` hears of ends."""
        self._road.gather()
        begun = []
        for one in self._road.books.due(self._road.clock.now_micros()):
            owner = one.receiver.owner
            with self._lock:
                if owner in self._busy:
                    continue
                self._busy.add(owner)
            begun.append(self._pool.submit(self._serve, owner, done))
        return begun

    def _serve(self, owner: str, done: Callable[[], None]) -> int:
        try:
            return self._road.send(owner)
        finally:
            with self._lock:
                self._busy.discard(owner)
            done()


def run_notices(
    road: NoticeRoad, stop: threading.Event, turn: Callable[[], bool], idle_s: float = 1.0, senders: int = 4
) -> None:
    """Deliver until ``stop``, as long as it is this process's ``turn``. Recalls are looked at every ``idle_s``."""
    log = logging.getLogger("jinka.trace")
    with ThreadPoolExecutor(senders, thread_name_prefix="trace-notices") as pool:
        deliveries, under_way = NoticeDeliveries(road, pool), list[Future[int]]()
        while not stop.wait(idle_s):
            try:
                for future in [future for future in under_way if future.done()]:
                    under_way.remove(future)
                    future.result()
                if turn():
                    under_way += deliveries.begin()
            except Exception:  # a database that is not there now is asked again; nothing is lost by that
                log.exception("no notices now; tried again")


def message_of(recall: Recall, holder: str) -> bytes:
    """What a holder is told of a recall: the same bytes as long as it is the same."""
    notice = recall.notice(holder)
    over = recall.state is not RecallState.ACTIVE or (
        notice.state is NoticeState.SETTLED and not notice.scope.lines
    )
    told = {
        "type": "RecallNotice", "recall": recall.number, "title": recall.title, "grade": recall.grade.value[0],
        "drill": recall.drill, "state": recall.state.value[0], "hazard": recall.cause.hazard, "holder": holder,
        "lines": [
            {"subject": line.subject, "amount": None if line.unknown else str(line.amount), "unit": line.uom}
            for line in notice.scope.lines
        ],
        "digest": notice.scope.digest, "reminders": notice.reminders, "acknowledge_within_hours": recall.grade.hours,
        "notice": f"/trace/recalls/{recall.number}/notices/{quote(holder, safe=':')}",
    }  # fmt: skip
    if not over:  # what is over asks for nothing
        told["text"] = {each.value: notice_text(recall, notice, language=each) for each in Language}
    return json.dumps(told, ensure_ascii=False).encode()
