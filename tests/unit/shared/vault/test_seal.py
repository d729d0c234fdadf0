"""Sealing: read with the key and in its place, or not at all."""

import os

import pytest

from shared.vault.seal import Sealer, UnsealError

KEY = os.urandom(32)


@pytest.mark.parametrize(
    "plain", [b"", b"ana@example.com", bytes(range(256)) * 400], ids=["nothing", "an address", "much"]
)
def test_what_is_sealed_comes_back(plain: bytes) -> None:
    """Given bytes; when sealed and unsealed; then they are the same, and were not to be seen."""
    sealed = Sealer(KEY).seal(plain, b"event-1")

    assert Sealer(KEY).unseal(sealed, b"event-1") == plain
    assert not plain or plain not in sealed


def test_sealing_twice_gives_different_bytes() -> None:
    """Given the same bytes twice; when sealed; then nobody can tell that they are the same."""
    sealer = Sealer(KEY)

    assert sealer.seal(b"x", b"event-1") != sealer.seal(b"x", b"event-1")


def test_another_place_another_key_or_another_byte_is_refused() -> None:
    """Given sealed bytes; when moved, opened with another key or altered anywhere; then unsealing fails."""
    sealed = Sealer(KEY).seal(b"ana", b"event-1")

    with pytest.raises(UnsealError):
        Sealer(KEY).unseal(sealed, b"event-2")
    with pytest.raises(UnsealError):
        Sealer(os.urandom(32)).unseal(sealed, b"event-1")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(UnsealError):
            Sealer(KEY).unseal(bytes(altered), b"event-1")


@pytest.mark.parametrize("length", [0, 1, 12, 27])
def test_what_is_too_short_is_refused(length: int) -> None:
    """Given bytes that cannot hold nonce and tag; when unsealed; then a clear error."""
    with pytest.raises(UnsealError):
        Sealer(KEY).unseal(b"\0" * length, b"")
