"""HTTP: the payment gateway's API for merchants (OpenAPI 3.1), the payment page, and the self-service page for bills.

Rules are `jinka.acquirer`'s; here are only limits, words and pictures. Not here: TLS, which a proxy in front gives.
RFC 9457 (problems), RFC 6750 (bearer keys).
"""

from jinka.api.application import gateway_app, server
from jinka.api.limits import Buckets
from jinka.api.services import Services, key_hash

__all__ = ["Buckets", "Services", "gateway_app", "key_hash", "server"]
