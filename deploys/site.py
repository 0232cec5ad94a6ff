"""For pyinfra's own CLI: `pyinfra inventory/staging.py deploys/site.py` applies as danhba does.

Everything a host needs is compiled from directory.yaml and the inventory; see danhba/publish.py.
"""

import os
from pathlib import Path

from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import config, host, inventory

from danhba.engine import environment_of
from danhba.project import BadDirectory, Project
from danhba.publish import ask, carry_out, same_time

config.FAIL_PERCENT = 0  # one host that cannot: no host swaps

_project = Project(Path(os.environ.get("DANHBA_DIRECTORY", Project().directory)))
try:
    _generations = _project.generations(_project.known(environment_of(inventory)))
except BadDirectory as bad:
    raise PyinfraError("\n".join(map(str, bad.findings))) from None
carry_out(host, same_time(ask(host, _generations[host.name])))
