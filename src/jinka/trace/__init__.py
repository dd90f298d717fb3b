"""Trace: what EPCIS events say together. Lineage, provenance, recall, signs of counterfeits, conditions.

GS1 EPCIS 2.0 and CBV 2.0. Pure: events and edges in, values out. It reads no store and no clock and sends nothing;
what an event looks like on the wire is `jinka.codec.epcis`, which things are the same is `jinka.codec.tags`.
"""

from jinka.trace.lineage import Edge, EdgeKind, Step, edges_of

__all__ = ["Edge", "EdgeKind", "Step", "edges_of"]
