"""HTTP: the payment gateway's API for merchants (OpenAPI 3.1), the payment page, and the self-service page for bills.

Rules are `jinka.acquirer`'s; here are only limits, words and pictures. Not here: TLS, which a proxy in front gives.
RFC 9457 (problems), RFC 6750 (bearer keys). The gateway is loaded when it is asked for: a centre's door needs none.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinka.api.application import gateway_app, server
    from jinka.api.limits import Buckets
    from jinka.api.services import Services, key_hash

_PLACES = {
    "Buckets": "limits",
    "Services": "services",
    "gateway_app": "application",
    "key_hash": "services",
    "server": "application",
}

__all__ = ["Buckets", "Services", "gateway_app", "key_hash", "server"]


def __getattr__(name: str) -> object:
    """What is in `_PLACES`, on first use (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
