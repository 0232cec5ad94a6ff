"""Parts add up to a generation."""

import pytest

from danhba.assemble import AssemblyError, assemble
from danhba.generations.generation import Generation
from danhba.service import File, Part, Service


def generation(content: bytes = b"one", revision: str = "r1", **facts: str) -> Generation:
    file = File("/etc/a.conf", content, effect="reload", **facts)  # type: ignore[arg-type]
    return assemble([Part("a", files=(file,), services=(Service("a.service"),))], revision)


def test_equal_parts_give_equal_digests_whatever_the_revision() -> None:
    assert generation().digest == generation(revision="r2").digest


@pytest.mark.parametrize(
    "other", [generation(b"two"), generation(mode="0600"), generation(owner="vmail")]
)
def test_content_mode_and_owner_change_the_digest(other: Generation) -> None:
    assert generation().digest != other.digest


def test_two_parts_may_not_claim_one_path() -> None:
    file = File("/etc/a.conf", b"")
    with pytest.raises(AssemblyError, match=r"/etc/a.conf is claimed by one and by two"):
        assemble([Part("one", files=(file,)), Part("two", links={"/etc/a.conf": "x"})], "r")


def test_a_table_that_daemons_reread_makes_no_reload_due() -> None:
    def service(table: bytes) -> object:
        files = (File("/etc/a.conf", b"", effect="reload"), File("/etc/table", table))
        part = Part("a", files=files, services=(Service("a.service"),))
        return assemble([part], "r").manifest["services"][0]

    assert service(b"one") == service(b"two")
