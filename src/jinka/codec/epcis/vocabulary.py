"""The words of the Core Business Vocabulary and of the sensors' part of the GS1 Web Vocabulary, as tables.

CBV 2.0 clause 7 (standard vocabularies: business steps, dispositions, types of transactions, sources and destinations,
reasons of errors, measurements, exceptions, components). One word has four forms: a bare word
(JSON), a web URI, a CURIE (``cbv:BizStep-shipping``) and, for the older ones, a URN (XML, before 2.0). Inside Jinka it
is the web URI, also where it came in the namespace of the drafts (``https://ns.gs1.org/cbv/``).

A word within the vocabulary's namespaces that the table does not have stays what it is: `trace` judges that. A bare
word that the table does not have means nothing, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinka.kit.errors import Refused

CBV = "https://ref.gs1.org/cbv/"
GS1_VOC = "https://gs1.org/voc/"
# What GS1's own context (epcis-context.jsonld) declares, so that no document has to.
PREFIXES: Mapping[str, str] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": CBV,
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": GS1_VOC,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
# The type of a report of an exception that names none (XML): GS1's JSON schema wants one, and this says nothing.
UNSPECIFIED = PREFIXES["rdfs"] + "Resource"
_DRAFT = re.compile(r"https?://ns\.gs1\.org/cbv/")
_OLD_VOC = re.compile(r"https?://(?:www\.)?gs1\.org/voc/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One table: what every form of its words becomes, and the forms that a writer wants back."""

    what: str  # for errors: "business step"
    stem: str  # web URI without the word
    urn_stem: str  # "" where there is no URN
    curie_stem: str
    words: frozenset[str]
    uris: Mapping[str, str]  # any form -> web URI
    bare: Mapping[str, str]  # web URI -> word

    def uri(self, text: str) -> str:
        """The full URI of a word in any of its forms, or of a word of somebody else's; `Refused` for a bare one."""
        found = self.uris.get(text)
        if found is not None:
            return found
        if ":" not in text:
            raise Refused(
                f"{text[:60]!r} is no {self.what} of CBV 2.0",
                fix=f"a word of CBV, or a full URI: {self.stem}...",
            )
        if self.urn_stem and text.startswith(self.urn_stem):
            return self.stem + text[len(self.urn_stem) :]
        if text.startswith("urn:epcglobal:cbv"):
            raise Refused(
                f"{text[:60]!r} is no {self.what} of CBV 2.0", fix=f"such as {self.urn_stem or self.stem}..."
            )
        if text.startswith("http"):
            return _OLD_VOC.sub(GS1_VOC, _DRAFT.sub(CBV, text, count=1), count=1)
        return text

    def json(self, uri: str) -> str:
        """The bare word; a CURIE for what lies in the namespace without being in the table; else the URI."""
        word = self.bare.get(uri)
        if word is not None:
            return word
        for name, stem in (("cbv:", CBV), ("gs1:", GS1_VOC)):
            if uri.startswith(stem):
                return name + uri[len(stem) :]
        return uri

    def urn(self, uri: str) -> str:
        """The URN that 1.2 had for it, where it had one; else the URI."""
        return self.urn_stem + self.bare[uri] if self.urn_stem and uri in self.bare else uri


def _table(what: str, words: str, *, stem: str, urn: str = "") -> Words:
    names = words.split()
    prefix, base = ("cbv:", CBV) if stem.startswith(CBV) else ("gs1:", GS1_VOC)
    curie = prefix + stem[len(base) :]
    stems = ["", stem, curie, *([urn] if urn else [])]
    uris = {form + name: stem + name for name in names for form in stems}
    return Words(
        what=what,
        stem=stem,
        urn_stem=urn,
        curie_stem=curie,
        words=frozenset(names),
        uris=uris,
        bare={stem + name: name for name in names},
    )


BIZ_STEPS = _table(
    "business step",
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
    "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting "
    "installing killing loading other packing picking receiving removing repackaging repairing replacing reserving "
    "retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting "
    "unloading unpacking void_shipping",
    stem=CBV + "BizStep-",
    urn="urn:epcglobal:cbv:bizstep:",
)
DISPOSITIONS = _table(
    "disposition",
    "active available completeness_inferred completeness_verified conformant container_closed container_open damaged "
    "destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance "
    "mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed "
    "recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown",
    stem=CBV + "Disp-",
    urn="urn:epcglobal:cbv:disp:",
)
TRANSACTION_TYPES = _table(
    "business transaction type",
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
    stem=CBV + "BTT-",
    urn="urn:epcglobal:cbv:btt:",
)
PARTY_TYPES = _table(
    "source or destination type",
    "owning_party possessing_party location",
    stem=CBV + "SDT-",
    urn="urn:epcglobal:cbv:sdt:",
)
ERROR_REASONS = _table(
    "error reason", "did_not_occur incorrect_data", stem=CBV + "ER-", urn="urn:epcglobal:cbv:er:"
)
COMPONENTS = _table(
    "component",
    "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude "
    "longitude altitude",
    stem=CBV + "Comp-",
)
MEASUREMENTS = _table(
    "measurement type",
    "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance "
    "AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance "
    "Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity "
    "ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency "
    "Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux "
    "LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate "
    "MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux "
    "RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed "
    "SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction "
    "VolumetricFlux Wavenumber",
    stem=GS1_VOC,
)
EXCEPTIONS = _table("sensor exception", "ALARM_CONDITION ERROR_CONDITION", stem=GS1_VOC)
