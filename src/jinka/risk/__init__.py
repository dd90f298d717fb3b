"""Lists of blocked cards: which card was blocked at which terminal, and since when.

Velocity rules and anomalies come later. No I/O: expressions over tables that the caller gives. The lists are the
ones of JT/T 978 (blacklists that terminals load). A card is blocked from the later of two times: when its entry takes
effect, and when the terminal acknowledged the list.
"""

from jinka.risk.lists import blocked_at, listing_status, new_listings

__all__ = ["blocked_at", "listing_status", "new_listings"]
