"""The text of ``jinka.toml`` for a small network on one machine; docs/serve.md tells what its tables mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the parts listen on this machine."""

    till: int = 7001
    pos: int = 7003
    gateway_line: int = 7002
    issuer: int = 7100
    gateway: int = 8480
    issuer_metrics: int = 9106
    gateway_metrics: int = 9107
    atm: int = 7005
    switch_metrics: int = 9108  # the last one: a second worker's is the next


def network_file(ports: Ports) -> str:
    """The file of the whole network."""
    return _HEAD + _issuer(ports) + _switch(ports) + _gateway(ports)


def terminal_file(ports: Ports, *, terminal: str, merchant: str) -> str:
    """The file of a shop's terminal that signs in at the switch: ``pos.toml``."""
    return f"""# A shop's terminal of the network beside: jinka pos sale --config pos.toml ...
[terminal]
id = "{terminal}"
merchant = "{merchant}"
name = "Jinka 便利店"
institution = "103"
sign_in = "003"                     # it fetches its work keys from the switch, under its master key

[host]
connect = "127.0.0.1:{ports.pos}"
mac = {{ kind = "pos" }}
"""


def cash_terminal_file(ports: Ports, *, terminal: str, merchant: str, cash_fen: int) -> str:
    """The file of a cash terminal, whose work keys are in its pad from the beginning: ``atm.toml``."""
    return f"""# A cash terminal of the network beside: jinka atm cash --config atm.toml ...
[terminal]
id = "{terminal}"
merchant = "{merchant}"
name = "Jinka 自助银行"
category = "6011"                   # by which the issuer knows a cash terminal
institution = "104"
cash_fen = {cash_fen}                 # what is in its dispenser

[host]
connect = "127.0.0.1:{ports.atm}"
dialect = "iso1987-binary"
framing = "2-binary"
mac = {{ kind = "iso", field = 128, algorithm = "retail" }}
"""


_HEAD = """# A small network on this machine, made by `jinka serve`. docs/serve.md tells all of it.
# Take a table out and its part is not started. All keys and cards here are simulated.

[keys]                              # docs/key-service.md
service = "keys"                    # the folder of the key service; its callers are in keys/keys.toml

"""


def _issuer(ports: Ports) -> str:
    return f"""# ---- the issuer's host: docs/issuer-host.md

[issuer]
name = "bank"
database = "issuer.db"              # or postgresql://user@host/name
acquirers = ["101", "102", "103", "104"]    # field 32 of those it settles with
metrics = "127.0.0.1:{ports.issuer_metrics}"          # /metrics for Prometheus, /status
log = "log/issuer.jsonl"            # lines and counts as they change; masked

[peer]                              # the switch, on the issuer's side
listen = "127.0.0.1:{ports.issuer}"
zone = "zone_pin/TDES/1@bank"       # PINs come under this key
mac = "zone_mac/TDES/1@bank"        # and every message has a MAC
capability_at = 11                  # of field 60: terminals' own fields come through the switch

[names]                             # keys in the key service, never their values
pin = "pin_verify/TDES/1"
card_value = "card_verify/TDES/1"
cryptogram = {{ TDES = "cryptogram/TDES/1", SM4 = "cryptogram/SM4/1" }}
script_mac = {{ TDES = "script_mac/TDES/1", SM4 = "script_mac/SM4/1" }}
script_data = {{ TDES = "script_data/TDES/1", SM4 = "script_data/SM4/1" }}

[policy.pin]                        # what needs a PIN
kinds = ["cash", "transfer", "transfer out", "balance"]
channels = ["atm"]

[[policy.products.debit.limits]]
code = "DAY"
en = "spent in a day"
zh = "日累计限额"
kinds = ["purchase", "cash"]
day_fen = 5000000

[[policy.rules]]
kind = "velocity"
code = "V1"
en = "more than twenty in a minute"
zh = "一分钟内超过二十笔"
window_s = 60
count = 20

"""


def _switch(ports: Ports) -> str:
    return f"""# ---- the switch: docs/switch.md

[switch]
institution = "88001"
database = "switch.db"              # or postgresql://user@host/name
metrics = "127.0.0.1:{ports.switch_metrics}"
log = "log/switch.jsonl"
workers = 1                         # processes that share its ports and its journal

[peers.bank]                        # the issuer's host
connect = "127.0.0.1:{ports.issuer}"
mac = {{ kind = "iso", key = "zone_mac/TDES/1@bank", field = 128, algorithm = "retail" }}
pin = {{ key = "zone_pin/TDES/1@bank", format = 0 }}
retry_ms = 500

[peers.till]                        # for your own first message: no MAC, so for this machine alone
listen = "127.0.0.1:{ports.till}"
institution = "101"

[peers.gateway]                     # the gateway below
listen = "127.0.0.1:{ports.gateway_line}"
institution = "102"
sign_on = "peer"
mac = {{ kind = "iso", key = "zone_mac/TDES/1@gateway", field = 128, algorithm = "retail" }}

[peers.pos]                         # terminals that sign in for their keys: docs/pos-atm.md
listen = "127.0.0.1:{ports.pos}"
institution = "103"
dialect = "unionpay-pos"
framing = "unionpay-pos"
terminals = "terminals.csv"
mac = {{ kind = "pos", field = 64 }}
pin = {{ format = 0 }}

[peers.atm]                         # a cash terminal with fixed keys
listen = "127.0.0.1:{ports.atm}"
institution = "104"
mac = {{ kind = "iso", key = "zone_mac/TDES/1@atm", field = 128, algorithm = "retail" }}
pin = {{ key = "zone_pin/TDES/1@atm", format = 0 }}

[routes]                            # prefix of the card number -> peer
6299 = "bank"

"""


def _gateway(ports: Ports) -> str:
    return f"""# ---- the gateway: docs/gateway.md

[gateway]
institution = "102"
listen = "127.0.0.1:{ports.gateway}"
database = "gateway.db"
vault = "vault.sealed"
metrics = "127.0.0.1:{ports.gateway_metrics}"
log = "log/gateway.jsonl"

[gateway.switch]                    # its line to the switch above
connect = "127.0.0.1:{ports.gateway_line}"
sign_on = "we"
mac = {{ kind = "iso", key = "zone_mac/TDES/1@gateway", field = 128, algorithm = "retail" }}

[callbacks]                         # both false in production
plain = true                        # allow http
inside = true                       # allow receivers in this network
"""
