"""Tokens and scopes, as far as they need no database."""

from shared.auth.keys import hash_token, known_scopes
from shared.auth.scopes import Scope


def test_a_token_is_hashed_whole() -> None:
    """Given two tokens that differ in the last character; when hashed; then 256 bits that differ."""
    assert len(hash_token("reg_a")) == 32
    assert hash_token("reg_a") != hash_token("reg_b")


def test_a_token_that_is_no_utf8_can_be_hashed() -> None:
    """Given half a surrogate; when hashed; then it is simply another unknown token."""
    assert len(hash_token("\udcff")) == 32


def test_a_scope_of_a_newer_version_gives_no_right() -> None:
    """Given a key with a scope that this version does not know; when read; then the known one is left."""
    assert known_scopes(["rewards:read", "planets:move"]) == {Scope.REWARDS_READ}
