"""Keys derived from the secret."""

from pydantic import SecretStr

from shared.vault.secret import derive


def test_each_purpose_has_its_own_key() -> None:
    """Given one secret; when derived for two purposes; then two keys of 256 bits that differ."""
    one, other = derive("s" * 32, "pseudonyms"), derive("s" * 32, "subject-keys")

    assert len(one) == len(other) == 32
    assert one != other


def test_the_key_does_not_depend_on_how_the_secret_is_wrapped() -> None:
    """Given the secret as text and as SecretStr; when derived; then the key is the same."""
    assert derive("s" * 32, "check") == derive(SecretStr("s" * 32), "check")


def test_the_derivation_is_pinned() -> None:
    """Given a known secret; when derived; then the key of the first release: a change would orphan all data."""
    assert derive("0123456789abcdef0123456789abcdef", "check").hex() == PINNED


PINNED = "b850042d34c03fe41f5e846528fb43c435003d6ab2e3a2977de33d1c20613786"
