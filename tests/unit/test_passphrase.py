"""First passwords."""

import re

from passlib.hash import sha512_crypt

from danhba import passphrase


def test_are_strong_enough_not_to_be_guessed() -> None:
    assert passphrase.entropy_bits() > 48


def test_no_input_method_changes_them() -> None:
    """Telex takes s f r x j w z after a vowel and doubled letters for marks; VNI takes digits."""
    for syllable in passphrase.syllables():
        assert re.fullmatch(r"[a-z]+", syllable)
        assert not re.search(r"[aeiouy].*[sfrxjwz]|aa|ee|oo|dd", syllable), syllable
    for _ in range(200):
        assert re.fullmatch(r"([a-z]+-){5}\d{3}", passphrase.new())


def test_only_a_salted_hash_leaves() -> None:
    plain = passphrase.new()
    first, second = passphrase.hashed(plain), passphrase.hashed(plain)
    assert plain not in first
    assert first != second
    assert sha512_crypt.verify(plain, first.removeprefix("{CRYPT}"))
