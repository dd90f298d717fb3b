"""The issuer's side: cards made from planned holders, loads authorised, updates signed.

Keys stay in the key service; what stands here asks its verbs. No terminals and no I/O. JR/T 0025.1 (load), JR/T 0025.2
(personalisation). Card life-cycle and online authorisation come with the issuer host.
"""

from jinka.issuer.hosts import LoadHost, MaintenanceHost
from jinka.issuer.production import CardOrder, make_cards

__all__ = ["CardOrder", "LoadHost", "MaintenanceHost", "make_cards"]
