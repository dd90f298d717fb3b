"""Powers of big numbers for private keys of RSA: over the system's libcrypto where it is, else by Python's own.

`cryptography` offers no RSA without a padding of its own, and the signatures of bank cards and travel documents
(ISO/IEC 9796-2) have another; so the bare operation is here. OpenSSL's ``BN_mod_exp_mont_consttime`` takes the same
time for every exponent of one length; Python's ``pow`` does not, and is ten times slower. Neither is blinded,
so both are for simulated chips and test issuers, not for keys of a real bank.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_void_p
from functools import cache
from typing import Any

from jinka.crypto.sm2_libcrypto import find_libcrypto

# name -> (result, arguments), after the manual pages of OpenSSL 3.0
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "BN_CTX_new": (c_void_p, ()),
    "BN_CTX_free": (None, (c_void_p,)),
    "BN_new": (c_void_p, ()),
    "BN_clear_free": (None, (c_void_p,)),
    "BN_bin2bn": (c_void_p, (c_char_p, c_int, c_void_p)),
    "BN_bn2binpad": (c_int, (c_void_p, c_char_p, c_int)),
    "BN_mod_exp_mont_consttime": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "ERR_clear_error": (None, ()),
}


def secret_power(base: int, exponent: int, modulus: int) -> int:
    """``base ** exponent % modulus`` with a secret exponent; the modulus is odd, and none is negative."""
    library = _library()
    if library is None or not modulus & 1:
        return pow(base, exponent, modulus)
    size = (modulus.bit_length() + 7) // 8
    out = ctypes.create_string_buffer(size)
    numbers = [_number(library, value, size) for value in (base % modulus, exponent, modulus, 0)]
    context = library.BN_CTX_new()
    try:
        a, e, m, result = numbers
        done = (
            context
            and all(numbers)
            and library.BN_mod_exp_mont_consttime(result, a, e, m, context, None) == 1
            and library.BN_bn2binpad(result, out, size) == size
        )
    finally:
        for number in numbers:
            library.BN_clear_free(number)
        library.BN_CTX_free(context)
    if not done:
        library.ERR_clear_error()
        return pow(base, exponent, modulus)
    return int.from_bytes(out.raw, "big")


def _number(library: Any, value: int, size: int) -> int | None:
    raw = value.to_bytes(max(size, (value.bit_length() + 7) // 8), "big")
    found: int | None = library.BN_bin2bn(raw, len(raw), None)
    return found


@cache
def _library() -> Any | None:
    """A handle of its own, so that what is declared here and for SM2 does not mix; None where there is none."""
    found = find_libcrypto()
    if found is None:
        return None
    library = ctypes.CDLL(found._name)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name, None)
        if function is None:
            return None
        function.restype, function.argtypes = result, list(arguments)
    return library
