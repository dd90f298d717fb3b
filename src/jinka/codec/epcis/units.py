"""Units of measure (UN/ECE Recommendation 20, as EPCIS 2.0 7.3.3.3 and 7.3.7 use them) and what they measure.

A code has a dimension, named by its base unit, a factor and for temperatures an offset; so measures in different units
can be compared. Conversion is exact until its last step, a float with twelve digits, so that 20 CEL and 68 FAH are
equal. A code that is not listed is a dimension of its own. Money and units of packaging are none of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from jinka.kit.frozen import quick

# dimension: "CODE=FACTOR ..."; the factor is a decimal or a fraction of the base unit.
_UNITS = {
    "kg": (
        "KGM=1 GRM=0.001 MGM=1e-6 MC=1e-9 TNE=1000 KTN=1e6 DTN=100 HGM=0.1 DJ=0.01 DG=1e-4 CGM=1e-5 2U=1000 "
        "LBR=0.45359237 ONZ=0.028349523125 STN=907.18474 LTN=1016.0469088 APZ=0.0311034768 GRN=6.479891e-5 "
        "CWA=45.359237 CWI=50.80234544"
    ),
    "m": (
        "MTR=1 KMT=1000 DMT=0.1 CMT=0.01 MMT=0.001 4H=1e-6 C45=1e-9 C52=1e-12 A11=1e-10 INH=0.0254 FOT=0.3048 "
        "YRD=0.9144 SMI=1609.344 NMI=1852"
    ),
    "m2": "MTK=1 KMK=1e6 DMK=0.01 CMK=1e-4 MMK=1e-6 HAR=1e4 ARE=100 INK=6.4516e-4 FTK=0.09290304 YDK=0.83612736",
    "m3": (
        "MTQ=1 LTR=0.001 MLT=1e-6 CLT=1e-5 DLT=1e-4 HLT=0.1 A44=0.01 K6=1 MAL=1000 4G=1e-9 DMQ=0.001 CMQ=1e-6 "
        "MMQ=1e-9 INQ=1.6387064e-5 FTQ=0.028316846592 YDQ=0.764554857984 GLL=3.785411784e-3 GLI=4.54609e-3 "
        "PTI=5.6826125e-4 OZA=2.95735295625e-5 OZI=2.84130625e-5 BLL=0.158987294928"
    ),
    "kg/m3": "KMQ=1 A93=0.001 GP=1e-6 GQ=1e-9 GL=1 M1=0.001 B35=1000 GJ=1000 23=1000",
    "Pa": (
        "PAL=1 A97=100 KPA=1000 MPA=1e6 74=0.001 BAR=1e5 MBR=100 ATM=101325 ATT=98066.5 HN=133.322387415 "
        "PS=6894.757293168"
    ),
    "1": "C62=1 P1=0.01 NX=0.001 59=1e-6 61=1e-9 EA=1 H87=1 PR=2 DZN=12 GRO=144 CEN=100 MIL=1000",
    "s": "SEC=1 C26=0.001 B98=1e-6 C47=1e-9 MIN=60 HUR=3600 DAY=86400 WEE=604800",
    "m/s": "MTS=1 KMH=5/18 HM=0.44704 KNT=1852/3600 FS=0.3048 FR=0.00508 2M=0.01 C16=0.001 2X=1/60",
    "m/s2": "MSK=1 A76=0.01 K40=9.80665 A73=0.3048",
    "Hz": "HTZ=1 KHZ=1000 MHZ=1e6 A86=1e9 D29=1e12",
    "J": "JOU=1 KJO=1000 3B=1e6 WHR=3600 KWH=3.6e6 MWH=3.6e9 E14=4186.8 D70=4.1868",
    "W": "WTT=1 KWT=1000 MAW=1e6 A90=1e9 C31=0.001 D80=1e-6",
    "V": "VLT=1 KVT=1000 2Z=0.001 D82=1e-6",
    "A": "AMP=1 B22=1000 4K=0.001 B84=1e-6",
    "ohm": "OHM=1 B49=1000 B75=1e6",
    "N": "NEW=1 B47=1000 B73=1e6 C20=0.001",
    "lx": "LUX=1",
    "lm": "LUM=1",
    "cd": "CDL=1",
    "Gy": "A95=1 C13=0.001",
    "Sv": "D13=1 C28=0.001",
    "Bq": "BQL=1 2Q=1000 4N=1e6 GBQ=1e9 CUR=3.7e10",
    "C": "COU=1 AMH=3600",
    "F": "FAR=1 4O=1e-6 C41=1e-9 4T=1e-12",
    "mol/m3": "C36=1 C35=1000",
    "byte": "AD=1 2P=1000 4L=1e6 E34=1e9 E35=1e12 A99=1/8",
}
# code: (factor, the zero of the scale in kelvin)
_TEMPERATURES = {
    "KEL": (Fraction(1), Fraction(0)),
    "CEL": (Fraction(1), Fraction("273.15")),
    "FAH": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    "A48": (Fraction(5, 9), Fraction(0)),
}


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A value in this unit times ``factor`` plus ``offset`` is in the dimension's base unit."""

    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A measure in the base unit of its dimension."""

    dimension: str
    value: float


UNITS: dict[str, Unit] = {
    code: Unit(dimension=dimension, factor=Fraction(factor))
    for dimension, text in _UNITS.items()
    for code, _, factor in (one.partition("=") for one in text.split())
} | {
    code: Unit(dimension="K", factor=factor, offset=offset)
    for code, (factor, offset) in _TEMPERATURES.items()
}


def unit_of(code: str) -> Unit:
    """The unit of a code; one that is not listed is only comparable with itself. Without one, a bare number."""
    if not code:
        return Unit(dimension="", factor=Fraction(1))
    return UNITS.get(code) or Unit(dimension=f"uom {code}", factor=Fraction(1))


@lru_cache(1 << 14)
def scaled(value: Decimal, code: str, *, difference: bool = False) -> Scaled:
    """A measure in its base unit. A ``difference``, such as a deviation, has no zero to be shifted to."""
    unit = unit_of(code)
    exact = Fraction(value) * unit.factor + (0 if difference else unit.offset)
    return Scaled(dimension=unit.dimension, value=float(f"{float(exact):.12g}"))
