"""What every host has, whatever it does: its name, its clock, its updates, its journal."""

from __future__ import annotations

from danhba.compiled import Compiled
from danhba.inventory import Environment, Host
from danhba.render import render
from danhba.service import File, Part, Service
from deploys.common import CA, suffix


def name(directory: Compiled, env: Environment, host: Host) -> Part:
    """The host's own name, and the names of the hosts it works with.

    /etc/hosts has them because certificates are checked by name, and neither mail between hosts
    nor a login may depend on a resolver. A unit of our own sets the name: systemd reads
    /etc/hostname only while booting.
    """
    unit = "danhba-hostname.service"
    return Part(
        name="name",
        files=(
            File("/etc/hostname", f"{host.name}\n".encode(), effect="restart"),
            File("/etc/hosts", render("base/hosts", hosts=env.hosts)),
            File(f"/etc/systemd/system/{unit}", render("base/hostname.service")),
        ),
        services=(Service(unit),),
    )


def ldap(directory: Compiled, env: Environment, host: Host) -> Part:
    """Where LDAP clients of this host find the people, and whose certificates they trust.

    A part of every host: Dovecot 2.4.1 does not pass its own authority (ssl_client_ca_file) on to
    libldap, which reads this file.
    """
    config = render("base/ldap.conf", people=env.having("people"), suffix=suffix(directory), ca=CA)
    return Part(name="ldap", files=(File("/etc/ldap/ldap.conf", config),))


def clock(directory: Compiled, env: Environment, host: Host) -> Part:
    """The province's time zone: what the logs say is what officials' clocks say."""
    return Part(
        name="clock",
        packages=("tzdata",),
        links={"/etc/localtime": f"/usr/share/zoneinfo/{directory.timezone}"},
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
