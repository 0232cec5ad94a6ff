"""HAProxy: where the Dovecot of a host finds the people, whichever of their hosts are there.

Dovecot could ask them itself, but libldap tries the hosts of its list one after the other and waits
for each: one that is silent (no power, a cut cable) made every login over SMTP fail. Here somebody
looks every second which hosts answer, and ends the connections to one that does not.
"""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Probe, Service
from deploys.common import CA, PEOPLE_PORT, people_for

_CONFIG = "/etc/haproxy/haproxy.cfg"
_UNAVAILABLE = "/etc/haproxy/unavailable.lua"
_UNIT = "haproxy.service"


def part(directory: Compiled, env: Environment, host: Host) -> Part:
    config = render(
        "people_door/haproxy.cfg",
        people=people_for(host, env),
        port=PEOPLE_PORT,
        ca=CA,
        unavailable=_UNAVAILABLE,
    )
    drop_in = render("people_door/unit.conf", config=_CONFIG)
    return Part(
        name="people_door",
        packages=("haproxy",),
        files=(
            File(_CONFIG, config, effect="restart"),
            File(_UNAVAILABLE, render("people_door/unavailable.lua"), effect="restart"),
            File(f"/etc/systemd/system/{_UNIT}.d/danhba.conf", drop_in, effect="restart"),
        ),
        services=(Service(_UNIT, answers=(Probe(PEOPLE_PORT, address="127.0.0.1"),)),),
        validate=(("haproxy", "-c", "-f", _CONFIG),),
    )
