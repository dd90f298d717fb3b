"""What the names of a JSON-LD document mean: its contexts, resolved from tables and from its own lines, never fetched.

JSON-LD 1.1 clauses 3.1 and 4.1, as far as EPCIS 2.0 uses them (its clause 10): GS1's context is built in and holds in
every document, whichever of its known addresses stands there. Contexts that a document carries itself declare prefixes
and terms; what they say of types and containers changes nothing here. A context that is only an address of somebody
else's is not fetched: what needs it is refused with its address, the rest is read.

GS1's context is protected: no context may give its terms another meaning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import count
from typing import Any

from jinka.codec.epcis.scalars import ABSOLUTE, LIMITS, Limits, uri
from jinka.codec.epcis.vocabulary import PREFIXES
from jinka.kit.errors import Refused

GS1_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_KNOWN = re.compile(
    r"https?://(?:ref\.gs1\.org/standards/epcis/(?:2\.[0-9.]+/)?|gs1\.github\.io/EPCIS/)epcis-context(?:\.jsonld)?"
).fullmatch
_TERMS = frozenset(
    """
    id type @id @type baseURL ObjectEvent AggregationEvent TransformationEvent AssociationEvent TransactionEvent
    Collection member eventTime recordTime eventTimeZoneOffset action certificationInfo bizStep disposition bizLocation
    readPoint transformationID epcList sourceList source destinationList destination persistentDisposition set unset
    quantity epcClass uom quantityList bizTransactionList bizTransaction parentID childEPCs childQuantityList
    inputEPCList outputEPCList inputQuantityList outputQuantityList sensorElementList deviceID deviceMetadata rawData
    dataProcessingMethod time sensorMetadata startTime endTime bizRules sensorReport exception
    coordinateReferenceSystem microorganism chemicalSubstance value component stringValue booleanValue hexBinaryValue
    uriValue minValue maxValue meanValue sDev percRank percValue errorDeclaration reason correctiveEventIDs
    declarationTime eventID creationDate sender receiver instanceIdentifier schemaVersion ilmd EPCISDocument
    EPCISQueryDocument epcisHeader masterData epcisMasterData vocabularyList epcisBody queryResults subscriptionID
    queryName resultsBody eventList children
    """.split()  # noqa: SIM905 - a list of names is read, not executed
)
_SCHEMES = frozenset({"urn", "http", "https", "ni", "epc", "_"})  # what an absolute URI here begins with
_IGNORED = frozenset({"@version", "@protected", "@language", "@direction", "@propagate", "@base"})
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_LOCAL = f"[{_START}][{_START}0-9.\u00b7\u0300-\u036f\u203f-\u2040-]*"
is_local_name = re.compile(_LOCAL).fullmatch  # XML's NCName
_IRI = re.compile(
    f"(.*[^{_START}0-9.\u00b7\u0300-\u036f\u203f-\u2040-])[0-9.\u00b7-]*({_LOCAL})", re.DOTALL
).fullmatch
_ESCAPES = re.compile("(?:%[89A-Fa-f][0-9A-Fa-f])+")
_SHOWN_MAX, _SEEN_MAX = 1_000, 128  # what is remembered of contexts and names: some megabytes at the most
_NAMES_MAX, _NAME_MAX = 500, 100
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*").fullmatch


class Context:
    """The prefixes and terms in force at one place of a document. Made by `extended`, and then left as it is."""

    __slots__ = ("_names", "declared", "limits", "prefixes", "unfetched", "vocab")

    def __init__(
        self, prefixes: Mapping[str, str], limits: Limits, vocab: str = "", unfetched: tuple[str, ...] = ()
    ) -> None:
        self.limits = limits
        self.prefixes = prefixes
        self.vocab = vocab
        self.unfetched = unfetched
        self.declared = tuple(item for item in prefixes.items() if PREFIXES.get(item[0]) != item[1])
        self._names: dict[str, tuple[str, str]] = {}

    def extended(self, value: Any) -> Context:
        """The context within an object that says ``@context: value``."""
        shown = repr(value) if self.prefixes is PREFIXES else ""  # a sender says the same in each document
        if not 0 < len(shown) <= _SHOWN_MAX:
            return self._extended(value)
        found = _SEEN.get(shown)
        if found is None or (found.limits is not self.limits and found.limits != self.limits):
            found = self._extended(value)
            if len(_SEEN) >= _SEEN_MAX:
                _SEEN.clear()
            _SEEN[shown] = found
        return found

    def _extended(self, value: Any) -> Context:
        prefixes, vocab, unfetched = dict(self.prefixes), self.vocab, list(self.unfetched)
        entries = value if type(value) is list else [value]
        for at, entry in enumerate(entries):
            try:
                if type(entry) is str:
                    if not _KNOWN(entry) and entry not in unfetched:
                        unfetched.append(uri(entry))
                elif type(entry) is dict:
                    vocab = self._declare(entry, prefixes, vocab)
                else:
                    raise Refused("a context is an address or an object")
            except Refused as fault:
                raise fault_at(f"/@context/{at}" if type(value) is list else "/@context", fault) from None
        if len(prefixes) + len(unfetched) > self.limits.prefixes:
            raise Refused(f"more than {self.limits.prefixes} prefixes", where="/@context")
        return Context(prefixes, self.limits, vocab, tuple(unfetched))

    def _declare(self, entry: dict[str, Any], prefixes: dict[str, str], vocab: str) -> str:
        for key, value in entry.items():
            if key == "@vocab":
                vocab = uri(value) if type(value) is str else self._odd(key)
            elif key in _IGNORED:
                continue
            elif key.startswith("@"):
                self._odd(key)
            elif key in _TERMS:
                if value != key:
                    raise Refused(f"{key!r} is a term of GS1's context and protected", fix="another name")
            elif type(value) is dict:
                if "@context" in value or "@reverse" in value:
                    self._odd(key)
                if "@id" in value:
                    prefixes[key] = self._expanded(value["@id"], prefixes)
            elif key in _SCHEMES or not _PREFIX(key):
                raise Refused(
                    f"{key[:40]!r} is no prefix", fix="a letter, then letters, digits, '-', '_', '.'"
                )
            else:
                prefixes[key] = self._expanded(value, prefixes)
        return vocab

    @staticmethod
    def _odd(key: str) -> str:
        raise Refused(f"a context with {key[:40]!r} is not read here", fix="prefixes and terms alone")

    @staticmethod
    def _expanded(value: Any, prefixes: Mapping[str, str]) -> str:
        if type(value) is not str:
            raise Refused("a prefix stands for a URI")
        head, colon, rest = value.partition(":")
        if colon and head in prefixes and not rest.startswith("//"):
            value = prefixes[head] + rest
        return uri(value)

    def name(self, key: str, *, nested: bool = False) -> tuple[str, str]:
        """(namespace, local name) of a field that is none of EPCIS's own; ``nested`` may do without a namespace."""
        found = self._names.get(key)
        if found is None:
            found = self._resolve(key)
            if len(self._names) < _NAMES_MAX and len(key) < _NAME_MAX:
                self._names[key] = found
        if not found[0] and not nested:
            raise Refused(
                f"the term {key[:60]!r} is unknown",
                fix="a field of EPCIS, or a prefix that @context declares",
            )
        return found

    def _resolve(self, key: str) -> tuple[str, str]:
        head, colon, rest = key.partition(":")
        if key.startswith("@"):
            raise Refused(f"the keyword {key[:40]!r} is not read here", fix="a plain name and value")
        if not colon:
            if key in self.prefixes and self.prefixes[key][-1] not in "/#:":
                return split(self.prefixes[key])
            if not is_local_name(key):
                raise Refused(
                    f"{key[:60]!r} is no name", fix="letters, digits, '-', '_', '.'; a letter first"
                )
            return self.vocab, key
        if head in self.prefixes and not rest.startswith("//"):
            namespace, rest = self.prefixes[head], from_uri(rest)
            return (namespace, rest) if is_local_name(rest) else split(namespace + rest)
        if head in _SCHEMES:
            return split(key)
        unfetched = f"; {self.unfetched[0][:100]} is not fetched" if self.unfetched else ""
        raise Refused(f"the prefix {head[:40]!r} is not declared{unfetched}", fix="declare it in @context")

    def uri(self, text: Any) -> str:
        """An identifier, its prefix expanded if it is a declared one."""
        if type(text) is not str:
            raise Refused(f"a URI is text, not {type(text).__name__}")
        if not text.startswith(ABSOLUTE):
            head, colon, rest = text.partition(":")
            if colon and head in self.prefixes and not rest.startswith("//"):
                return uri(self.prefixes[head] + rest)
        return uri(text)


def split(iri: str) -> tuple[str, str]:
    """Cut a full name before the longest end of it that XML takes for a local name."""
    found = _IRI(uri(iri))
    if found is None:
        raise Refused(
            f"{iri[:60]!r} has no name at its end", fix="namespace and name, such as https://ns.example.com/x"
        )
    namespace = iri[: found.start(2)]
    return namespace, found[2]


def to_uri(name: str) -> str:
    """A local name as the end of a URI: what is not ASCII is percent-encoded (RFC 3987, 3.1)."""
    if name.isascii():
        return name
    return "".join(one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in name)


def from_uri(name: str) -> str:
    """The other way; an escape that is no UTF-8 stays."""
    return _ESCAPES.sub(_unescaped, name) if "%" in name else name


def _unescaped(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return found[0]


def fault_at(place: str, fault: Refused) -> Refused:
    """The same fault, one step further from where it was found."""
    return Refused(fault.what, where=place + fault.where, fix=fault.fix)


def choose_prefixes(
    namespaces: Iterable[str], hints: Iterable[tuple[str, str]], banned: Collection[str]
) -> dict[str, str]:
    """A prefix for each namespace: GS1's, else the one that it came with, else ``ext1``, ``ext2``, ..."""
    ours = {namespace: prefix for prefix, namespace in PREFIXES.items()}
    hinted = {namespace: prefix for prefix, namespace in hints if is_free_prefix(prefix)}
    chosen, taken = dict[str, str](), {*banned, *hinted.values()}
    fresh = (name for name in (f"ext{at}" for at in count(1)) if name not in taken)
    used = set[str]()
    for namespace in sorted(namespaces):
        prefix = ours.get(namespace) or hinted.get(namespace, "")
        if not prefix or prefix in banned or prefix in used:
            prefix = next(fresh)
        chosen[namespace] = prefix
        used.add(prefix)
    return chosen


def is_free_prefix(prefix: str) -> bool:
    """Whether a document may declare it: none of GS1's own, no term, no scheme."""
    return bool(_PREFIX(prefix)) and not (prefix in PREFIXES or prefix in _TERMS or prefix in _SCHEMES)


_SEEN: dict[str, Context] = {}
ROOT = Context(PREFIXES, LIMITS)
