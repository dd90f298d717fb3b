"""Random events with everything that a document can say, for properties and for oracles.

`events` draws from Hypothesis: identifiers in both forms, words in and beside the vocabulary, texts of every script,
trees of extensions. What JSON can say and XML cannot (trees in sensor reports) is not drawn.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from jinka.codec.epcis import (
    Action,
    ErrorDeclaration,
    Event,
    EventType,
    Extension,
    Kind,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
)
from jinka.codec.epcis.vocabulary import (
    BIZ_STEPS,
    COMPONENTS,
    DISPOSITIONS,
    ERROR_REASONS,
    EXCEPTIONS,
    MEASUREMENTS,
    PARTY_TYPES,
    TRANSACTION_TYPES,
    Words,
)

NAMESPACES = (
    "https://ns.example.com/epcis/",
    "http://ext2.example.com/x#",
    "urn:example:three:",
    "https://bare.example.com/y",
)
_serials = st.integers(1, 10**6).map(str)
_ids = st.one_of(
    _serials.map(lambda serial: f"urn:epc:id:sgtin:4012345.011111.{serial}"),
    _serials.map(lambda serial: f"https://id.gs1.org/01/04012345111118/21/{serial}"),
    _serials.map(lambda serial: f"https://example.com/thing/{serial}?a=b&c=%E9"),
    _serials.map(lambda serial: f"ext1:{serial}"),  # looks like a prefix, is none
)
_classes = _serials.map(lambda lot: f"urn:epc:class:lgtin:4012345.011111.L{lot}")
_texts = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=20
).map(str.strip)
_times = st.integers(-(10**15), 4 * 10**15)
_numbers = st.decimals(Decimal("-1e15"), Decimal("1e15"), places=4)
_names = st.sampled_from(["a", "b", "size", "样品", "x-1.y"])


def _words(words: Words) -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(sorted(words.bare)),
        st.just(words.stem + "other_one"),
        st.just("https://example.com/voc/own"),
    )


def _extension(
    namespaces: tuple[str, ...], children: st.SearchStrategy[Extension]
) -> st.SearchStrategy[Extension]:
    leaf = st.one_of(
        st.tuples(_texts, st.just(Kind.STRING)),
        st.tuples(st.integers(-(10**9), 10**9).map(str), st.just(Kind.NUMBER)),
        st.tuples(st.sampled_from(["true", "false"]), st.just(Kind.BOOLEAN)),
    )
    tree = st.lists(children, min_size=1, max_size=3).map(_together)
    return st.one_of(
        st.builds(
            lambda space, name, value: Extension(namespace=space, name=name, text=value[0], kind=value[1]),
            st.sampled_from(namespaces),
            _names,
            leaf,
        ),
        st.builds(
            lambda space, name, below: Extension(namespace=space, name=name, children=below),
            st.sampled_from(namespaces),
            _names,
            tree,
        ),
    )


def _together(found: list[Extension]) -> tuple[Extension, ...]:
    """Siblings of one name side by side, as readers have them."""
    names = list(dict.fromkeys((one.namespace, one.name) for one in found))
    return tuple(one for name in names for one in found if (one.namespace, one.name) == name)


_inner: st.SearchStrategy[Extension] = st.deferred(lambda: _extension((*NAMESPACES, ""), _inner))
extensions = st.lists(_extension(NAMESPACES, _inner), max_size=3).map(_together)
_flat = st.builds(
    lambda texts: tuple(
        Extension(namespace=space, name=name, text=text) for (space, name), text in texts.items()
    ),
    st.dictionaries(st.tuples(st.sampled_from(NAMESPACES), _names), _texts, max_size=2),
)
_quantity = st.one_of(
    st.builds(
        lambda name, amount: Quantity(epc_class=name, quantity=amount, uom="KGM"),
        _classes,
        st.decimals(Decimal("0.001"), Decimal("1e9"), places=3),
    ),
    st.builds(
        lambda name, count: Quantity(epc_class=name, quantity=Decimal(count)), _classes, st.integers(1, 10**9)
    ),
    st.builds(lambda name: Quantity(epc_class=name), _classes),
)
_places = st.one_of(st.none(), st.builds(Place, id=_ids, extensions=extensions))
_epcs = st.lists(_ids, min_size=1, max_size=3, unique=True).map(tuple)
_quantities = st.lists(_quantity, max_size=2).map(tuple)


def _maybe(found: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), found)


_metadata = st.builds(
    SensorMetadata,
    time_us=_maybe(_times),
    start_time_us=_maybe(_times),
    device_id=_maybe(_ids),
    raw_data=_maybe(_ids),
    extensions=_flat,
)
_report = st.builds(
    SensorReport,
    type=_words(MEASUREMENTS),
    exception=_maybe(_words(EXCEPTIONS)),
    component=_maybe(_words(COMPONENTS)),
    time_us=_maybe(_times),
    value=_maybe(_numbers),
    min_value=_maybe(_numbers),
    perc_rank=_maybe(_numbers),
    boolean_value=_maybe(st.booleans()),
    string_value=_maybe(_texts),
    hex_binary_value=_maybe(st.binary(min_size=1, max_size=4).map(bytes.hex)),
    uri_value=_maybe(_ids),
    uom=_maybe(st.just("CEL")),
    extensions=_flat,
)
_sensors = st.lists(
    st.builds(
        SensorElement,
        metadata=_maybe(_metadata),
        reports=st.lists(_report, min_size=1, max_size=2).map(tuple),
        extensions=extensions,
    ),
    max_size=2,
).map(tuple)
_error = st.builds(
    ErrorDeclaration,
    declaration_time_us=_times,
    reason=_maybe(_words(ERROR_REASONS)),
    corrective_event_ids=st.lists(_ids, max_size=2, unique=True).map(tuple),
    extensions=extensions,
)
_parties = st.lists(st.builds(Typed, id=_ids, type=_words(PARTY_TYPES)), max_size=2).map(tuple)
_transactions = st.builds(Typed, id=_ids, type=_maybe(_words(TRANSACTION_TYPES)))


@st.composite
def events(draw: st.DrawFn) -> Event:
    """One event of any type, with what that type may have."""
    kind = draw(st.sampled_from(EventType))
    action = None if kind is EventType.TRANSFORMATION else draw(st.sampled_from(Action))
    what: dict[str, object] = {}
    if kind in (EventType.OBJECT, EventType.TRANSACTION):
        what = {"epcs": draw(_epcs), "quantities": draw(_quantities)}
    elif kind is EventType.TRANSFORMATION:
        what = {"input_epcs": draw(_epcs), "input_quantities": draw(_quantities), "output_epcs": draw(_epcs)}
        what |= {"output_quantities": draw(_quantities), "transformation_id": draw(_maybe(_ids))}
    else:
        what = {"child_epcs": draw(_epcs), "child_quantities": draw(_quantities)}
    if kind in (EventType.AGGREGATION, EventType.ASSOCIATION, EventType.TRANSACTION):
        what["parent_id"] = draw(_ids)
    if kind is EventType.TRANSFORMATION or (kind is EventType.OBJECT and action is Action.ADD):
        what["ilmd"] = draw(extensions)
    needed = 1 if kind is EventType.TRANSACTION else 0
    return Event(
        event_type=kind,
        action=action,
        event_time_us=draw(_times),
        zone_offset=draw(st.sampled_from(["+00:00", "-00:00", "+08:00", "-05:30", "+14:00", "-14:00"])),
        event_id=draw(_maybe(st.uuids().map(lambda found: f"urn:uuid:{found}"))),
        record_time_us=draw(_maybe(_times)),
        certification=tuple(draw(st.lists(_ids, max_size=2, unique=True))),
        error=draw(_maybe(_error)),
        read_point=draw(_places),
        biz_location=draw(_places),
        biz_step=draw(_maybe(_words(BIZ_STEPS))),
        disposition=draw(_maybe(_words(DISPOSITIONS))),
        dispositions_set=tuple(draw(st.lists(_words(DISPOSITIONS), max_size=2, unique=True))),
        dispositions_unset=tuple(draw(st.lists(_words(DISPOSITIONS), max_size=2, unique=True))),
        transactions=tuple(draw(st.lists(_transactions, min_size=needed, max_size=2))),
        sources=draw(_parties),
        destinations=draw(_parties),
        sensors=draw(_sensors),
        extensions=draw(extensions),
        prefixes=draw(
            st.sampled_from(
                [(), (("example", NAMESPACES[0]),), (("ext1", NAMESPACES[1]), ("size", NAMESPACES[0]))]
            )
        ),
        **what,
    )
