"""What every host has, whatever it does: its name, its clock, its updates, its journal."""

from __future__ import annotations

import json

from danhba import dated, guards
from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service, State
from deploys.common import CA, KEY, people_for, suffix


def name(directory: Compiled, env: Environment, host: Host) -> Part:
    """The host's own name, and the names of the hosts it works with.

    /etc/hosts has them because certificates are checked by name, and neither mail between hosts
    nor a login may depend on a resolver. A unit of our own sets the name: systemd reads
    /etc/hostname only while booting.
    """
    unit = "danhba-hostname.service"
    path = f"/etc/systemd/system/{unit}"
    return Part(
        name="name",
        files=(
            File("/etc/hostname", f"{host.name}\n".encode(), effect="restart"),
            File("/etc/hosts", render("base/hosts", hosts=env.hosts)),
            File(path, render("base/hostname.service")),
        ),
        # `systemctl enable` would follow the link into the generation of today.
        links={f"/etc/systemd/system/multi-user.target.wants/{unit}": path},
        services=(Service(unit),),
        states=(State("the name of the host", ("hostname",), f"{host.name}\n", unit),),
    )


def certificate(directory: Compiled, env: Environment, host: Host) -> Part:
    """The host's key comes with the host; that only root reads it is danhba's matter."""
    mode = f"z {KEY} 0600 root root\n"
    return Part(
        name="certificate",
        files=(File("/etc/tmpfiles.d/danhba-key.conf", mode.encode()),),
        states=(State(f"the mode of {KEY}", ("stat", "-c", "%U:%G %a", KEY), "root:root 600\n"),),
    )


def ldap(directory: Compiled, env: Environment, host: Host) -> Part:
    """Where LDAP clients of this host find the people, and whose certificates they trust.

    A part of every host: Dovecot 2.4.1 does not pass its own authority (ssl_client_ca_file) on to
    libldap, which reads this file.
    """
    config = render("base/ldap.conf", people=people_for(host, env), suffix=suffix(directory), ca=CA)
    return Part(name="ldap", files=(File("/etc/ldap/ldap.conf", config),))


def guard(directory: Compiled, env: Environment, host: Host) -> Part:
    """What the next apply compares its change with."""
    found = directory.guard
    content = {
        "people_percent": found.people_percent,
        "agency_percent": found.agency_percent,
        "protected": dict(found.protected),
        "approvals": dict(found.approvals),
        "withheld": dict(found.withheld),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return Part(name="guard", files=(File(guards.FILE, text.encode()),))


def ahead(directory: Compiled, env: Environment, host: Host) -> Part:
    """What the days to come bring: the plan of whatever writes a day shows it, and an apply on that
    day needs nobody to look again (danhba/dated.py)."""
    rows = [f"{each.day} {each.address} {each.what}\n" for each in directory.ahead]
    text = "".join([f"{directory.timezone}\n", *rows])
    return Part(name="ahead", files=(File(dated.FILE, text.encode()),))


def clock(directory: Compiled, env: Environment, host: Host) -> Part:
    """The province's time zone: what the logs say is what officials' clocks say."""
    return Part(
        name="clock",
        packages=("tzdata",),
        links={"/etc/localtime": f"/usr/share/zoneinfo/{directory.timezone}"},
        # Old names, Asia/Saigon say, are in another package, and a dangling link means UTC.
        validate=(("test", "-f", f"/usr/share/zoneinfo/{directory.timezone}"),),
    )


def upgrades(directory: Compiled, env: Environment, host: Host) -> Part:
    """Security upgrades, every day, without anybody asking for them."""
    return Part(
        name="upgrades",
        packages=("unattended-upgrades",),
        files=(File("/etc/apt/apt.conf.d/52danhba", render("base/apt.conf")),),
        services=(Service("apt-daily.timer"), Service("apt-daily-upgrade.timer")),
        validate=(("apt-config", "dump"),),
    )


def journal(directory: Compiled, env: Environment, host: Host) -> Part:
    """A journal that survives a reboot, keeps every line, and cannot fill the disk."""
    path = "/etc/systemd/journald.conf.d/danhba.conf"
    return Part(
        name="journal",
        files=(File(path, render("base/journald.conf"), effect="restart"),),
        services=(Service("systemd-journald.service"),),
    )
