"""Administrative divisions of China, GB/T 2260: provinces by their codes, the levels below by their structure.

Six digits: province, prefecture, county. The list of the counties is not here; it changes every year, and a number
given under a county that was dissolved since stays right. So a division is checked for a province that exists and for
digits that the standard uses at each level, and not for the county itself.
"""

from __future__ import annotations

from jinka.kit import Refused

PROVINCES = frozenset(
    str(code)
    for run in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for code in range(run[0], run[1] + 1)
)
NATION = "100000"  # a centre or a register of the whole country
# Cities without counties, whose own code stands in the numbers of their people: Dongguan, Zhongshan, Sanya, Sansha,
# Danzhou, Jiayuguan.
_UNDIVIDED = frozenset({"441900", "442000", "460200", "460300", "460400", "620200"})
# Permits of residence for people of Taiwan take 83 (GB 11643, in use since 2018); no division has the code.
RESIDENCE_PERMITS = frozenset({"810000", "820000", "830000"})


def check_division(code: str, where: str, *, county: bool = False) -> None:
    """Raises `Refused` unless ``code`` is built as a division; with ``county``, as one of the lowest level."""
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        raise Refused("a division has 6 digits", where=where, fix="see GB/T 2260")
    prefecture, below = code[2:4], code[4:6]
    if code == NATION and not county:
        return
    if code[:2] not in PROVINCES:
        raise Refused("an unknown division: no such province", where=where, fix="see GB/T 2260")
    if prefecture == "00" and below != "00":
        raise Refused("an unknown division: a county without a prefecture", where=where, fix="see GB/T 2260")
    if prefecture != "00" and not ("01" <= prefecture <= "70" or prefecture == "90"):
        raise Refused(
            "an unknown division: no such prefecture",
            where=where,
            fix="01 to 70, or 90",
        )
    if county and "00" in (prefecture, below) and code not in _UNDIVIDED:
        raise Refused(
            "an unknown division: not a county or district", where=where, fix="6 digits down to the county"
        )
