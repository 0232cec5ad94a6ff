"""A master secret that everybody knows, for provinces that are never applied; no record of them."""

from __future__ import annotations

import pytest
from hypothesis import settings

from danhba.generations.host import record
from danhba.inventory import Environment
from danhba.secrets import Secrets

# What is stated is never a time: a machine that is busy with something else makes no test fail.
settings.register_profile("danhba", deadline=None)
settings.load_profile("danhba")


@pytest.fixture(autouse=True, scope="session")
def _known_secrets() -> None:
    known = property(lambda env: Secrets(bytes(range(32))))
    Environment.secrets = known  # type: ignore[assignment]


@pytest.fixture(autouse=True, scope="session")
def _record_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Steps that run here do not write down on this machine what they did."""
    record.RECORD = tmp_path_factory.mktemp("record") / "danhba-record" / "log"
    record._only_append = lambda file: None  # the file system would keep it for ever
