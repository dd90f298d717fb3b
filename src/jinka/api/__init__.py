"""HTTP: the payment gateway's API for merchants (OpenAPI 3.1), the payment page, and the self-service page for bills.

Rules are `jinka.acquirer`'s; here are only limits, words and pictures. Not here: TLS, which a proxy in front gives.
RFC 9457 (problems), RFC 6750 (bearer keys).

Import the module that is meant: a centre's door does not pay for the gateway's pages.
"""
