"""How many different names there were, in bounded space: exact up to `EXACT`, estimated beyond.

A sketch holds the smallest fingerprints seen, sorted: of the same names in any order and repetition it is the same,
and that of two sets together is the union cut off ("k minimum values": Bar-Yossef et al. 2002, "Counting distinct
elements in a data stream"; Beyer et al. 2007, "On synopses for distinct-value estimation").
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

EXACT = 64
"""So many fingerprints are kept. Fewer different names than that are counted exactly."""

_BYTES = 4
_FULL = EXACT * _BYTES
_BEYOND = b"\xff" * (_BYTES + 1)
_RANGE = 1 << (8 * _BYTES)


@lru_cache(maxsize=16_384)  # shops sell the same things again and again
def fingerprint(name: str) -> bytes:
    """Four bytes that stand for a name; big-endian, so that they sort as numbers."""
    return blake2b(name.encode(), digest_size=_BYTES, person=b"regulars.distin").digest()


def with_names(sketch: bytes, names: Iterable[str]) -> bytes:
    """The sketch after these names."""
    new = []
    largest = sketch[-_BYTES:] if len(sketch) == _FULL else _BEYOND
    for name in names:
        mark = fingerprint(name)
        if mark < largest and ((at := sketch.find(mark)) < 0 or at % _BYTES):
            new.append(mark)
    if not new:
        return sketch  # nearly always: customers buy again what they bought
    marks = {*new, *(sketch[at : at + _BYTES] for at in range(0, len(sketch), _BYTES))}
    return b"".join(sorted(marks)[:EXACT])


def count(sketch: bytes) -> int:
    """How many different names: exact below `EXACT`; beyond, an estimate with a standard error of about an eighth.

    With the k-th smallest of uniform fingerprints at the fraction u of their range, there are about (k - 1) / u.
    """
    if len(sketch) < _FULL:
        return len(sketch) // _BYTES
    largest = int.from_bytes(sketch[-_BYTES:])
    return max(EXACT, (EXACT - 1) * _RANGE // (largest + 1))
