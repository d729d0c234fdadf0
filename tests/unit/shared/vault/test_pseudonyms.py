"""Pseudonyms: stable for what is the same, different for what is not, useless without the secret."""

import re

import pytest

from shared.vault.pseudonyms import Pseudonyms
from shared.vault.secret import SecretError

SECRET = "s" * 32


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Ana@Example.COM", " ana@example.com "),
        ("email", "ana@exampl\u00e9.com", "ana@example\u0301.com"),
        ("phone", "+49 (30) 123-456", "+4930123456"),
        ("phone", "0049 30 123456", "+4930123456"),
        ("phone", "+44 (0)20 7946 0958", "+442079460958"),
        ("phone", "030/12 34 56", "030 123456"),
        ("phone", "+999 1234567", "+9991234567"),
    ],
)
def test_two_spellings_of_one_identifier_have_one_pseudonym(kind: str, one: str, other: str) -> None:
    """Given two ways to write the same; when hashed; then they are equal."""
    pseudonyms = Pseudonyms(SECRET)

    assert pseudonyms.of(kind, one) == pseudonyms.of(kind, other)


@pytest.mark.parametrize(
    ("region", "one", "other"),
    [
        ("US", "(212) 555-0100", "+1 212 555 0100"),
        ("US", "011 44 20 7946 0958", "+442079460958"),
        ("GB", "020 7946 0958", "+44 20 7946 0958"),
        ("IT", "06 1234 5678", "+390612345678"),
    ],
)
def test_a_number_without_its_country_is_one_of_the_region(region: str, one: str, other: str) -> None:
    """Given a shop's region; when a number comes without country code; then it is the same as the one with it."""
    pseudonyms = Pseudonyms(SECRET, region)

    assert pseudonyms.of("phone", one) == pseudonyms.of("phone", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("id", "c-42"), ("id", "C-42")),
        (("id", "c-42"), ("id", " c-42")),
        (("id", "a@b.de"), ("email", "a@b.de")),
        (("phone", "+4930123456"), ("phone", "4930123456")),
        (("anonymous_id", "x"), ("id", "x")),
    ],
)
def test_different_identifiers_have_different_pseudonyms(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    """Given two identifiers that are not the same; when hashed; then they differ."""
    pseudonyms = Pseudonyms(SECRET)

    assert pseudonyms.of(*one) != pseudonyms.of(*other)


def test_a_pseudonym_is_the_same_after_a_restart_and_says_nothing() -> None:
    """Given the same secret in a new process; when hashed; then the same 128 bits in hexadecimal."""
    pseudonym = Pseudonyms(SECRET).of("email", "ana@example.com")

    assert pseudonym == Pseudonyms(SECRET).of("email", "ana@example.com")
    assert re.fullmatch(r"[0-9a-f]{32}", pseudonym)


def test_another_secret_gives_other_pseudonyms() -> None:
    """Given another secret; when hashed; then there is no likeness."""
    assert Pseudonyms(SECRET).of("id", "x") != Pseudonyms("t" * 32).of("id", "x")


@pytest.mark.parametrize("secret", [None, "", "x" * 31])
def test_no_secret_or_a_short_one_is_refused(secret: str | None) -> None:
    """Given no good secret; when used; then the operator is told what to do."""
    with pytest.raises(SecretError, match="REGULARS_SECRET"):
        Pseudonyms(secret)
