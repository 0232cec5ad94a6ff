"""What engineers do by hand elsewhere: keys that edges made get into DNS, on net1."""

from __future__ import annotations

import subprocess
import sys
import time

from staging import keys, mounts, zones
from staging.config import CHECKOUT, NET1, NET1_IPV4
from staging.lab import Lab
from staging.shell import LabError, write


def records(lab: Lab) -> str:
    """What `danhba dkim show` says that DNS must hold, whatever DNS says. Raises LabError."""
    argv = [sys.executable, "-m", "danhba", "dkim", "show", lab.environment.name]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if "_domainkey" not in done.stdout:
        raise LabError(f"danhba dkim show: {done.stderr}")
    return done.stdout


def publish(lab: Lab, text: str) -> None:
    """Make these records all that the zone of keys has. Raises LabError."""
    zone = zones.keys(lab.environment)
    own = [line for line in text.splitlines() if f"{zone}. IN TXT" in line]
    place = mounts.root(NET1) / zones.path(zone).lstrip("/")
    write(place, "\n".join([zones.keys_head(int(time.time())) + "\n".join(own), ""]))
    done = keys.ssh(NET1_IPV4, f"rndc reload {zone}")
    if done.returncode:
        raise LabError(f"rndc reload {zone}: {done.stderr}")
