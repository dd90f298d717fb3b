"""The work that the gateway does by itself: send what is in the outbox, and settle what is in doubt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from jinka.acquirer import Callback, Merchant, Vault
from jinka.acquirer.callbacks import headers, tried
from jinka.kit import Clock, JinkaError
from jinka.node.callback_http import CallbackSender
from jinka.store import GatewayBooks

BATCH = 64
_SENDERS = 8


def deliver(books: GatewayBooks, vault: Vault, sender: CallbackSender, clock: Clock) -> int:
    """Try every callback whose time has come; the number of tries. What a kill interrupts is tried again."""
    with books.desk() as desk:
        due = desk.due_callbacks(clock.now_micros(), BATCH)
        merchants = {callback.merchant: desk.merchant(callback.merchant) for callback in due}
    if not due:
        return 0
    with ThreadPoolExecutor(_SENDERS) as pool:  # one slow receiver keeps its own thread only
        for done in pool.map(lambda c: _try(c, merchants[c.merchant], vault, sender, clock), due):
            with books.desk() as desk:
                desk.save_callback(done)
    return len(due)


def _try(
    callback: Callback, merchant: Merchant | None, vault: Vault, sender: CallbackSender, clock: Clock
) -> Callback:
    now = clock.now_micros()
    if merchant is None or not merchant.callback_url:
        return tried(callback, now, delivered=False, outcome="no receiver")
    try:
        secret = vault.unseal(merchant.callback_secret, callback_context(merchant.id))
    except JinkaError as error:
        return tried(callback, now, delivered=False, outcome=str(error))
    took, outcome = sender.send(merchant.callback_url, headers(secret, callback, now), callback.body)
    return tried(callback, now, delivered=took, outcome=outcome)


def callback_context(merchant: str) -> str:
    """What a merchant's secret is sealed for."""
    return f"callbacks {merchant}"
