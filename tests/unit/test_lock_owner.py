"""Who holds a lock, and when it may be taken over without being asked."""

import subprocess
import sys
from datetime import datetime, timedelta

from danhba.owner import is_gone, me


def test_a_living_owner_is_not_gone() -> None:
    assert not is_gone(me())


def test_an_owner_that_was_killed_is_gone() -> None:
    code = "import json; from danhba.owner import me; print(json.dumps(me()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    import json

    assert is_gone(json.loads(done.stdout))


def test_a_process_number_that_was_used_again_is_gone() -> None:
    number = me()["process"].partition(":")[0]
    assert is_gone({**me(), "process": f"{number}:1"})


def test_an_owner_on_another_machine_is_never_taken_for_gone() -> None:
    assert not is_gone({**me(), "machine": "another", "process": "1:1"})


def test_an_owner_says_since_when_as_everywhere() -> None:
    """Hosts keep it, and engineers' machines may be in two time zones."""
    assert datetime.fromisoformat(me()["since"]).utcoffset() == timedelta(0)
