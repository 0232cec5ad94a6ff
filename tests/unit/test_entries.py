"""LDIF in and out of danhba.generations.host.entries."""

from hypothesis import given
from hypothesis import strategies as st

from danhba.generations.host.entries import _ldif, read_tree
from danhba.generations.host.ldap import parse

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_what_is_written_is_read_back(values: list[str]) -> None:
    """Line breaks, colons and diacritics cannot break out of their attribute (RFC 2849)."""
    ldif = _ldif({"dn": "uid=an,dc=x", "add": {"cn": values}})
    [(dn, attrs)] = parse(ldif.encode())
    assert dn == "uid=an,dc=x"
    assert attrs["cn"] == values


def test_a_modification_names_every_attribute_once() -> None:
    ldif = _ldif({"dn": "uid=an,dc=x", "replace": {"title": [], "cn": ["An"]}})
    assert ldif.splitlines()[1:] == [
        "changetype: modify", "replace: title", "-", "replace: cn", "cn:: QW4=", "-", "",
    ]  # fmt: skip


def test_a_tree_file_keeps_its_order() -> None:
    text = '{"dn": "dc=x", "attrs": {}}\n{"dn": "uid=a,dc=x", "attrs": {"uid": ["a"]}}\n'
    assert list(read_tree(text)) == ["dc=x", "uid=a,dc=x"]
