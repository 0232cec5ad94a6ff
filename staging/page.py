"""The page that script/staging ends with: where everything is, and one mailbox to log in to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from danhba import passphrase
from staging import mounts, zones
from staging.config import CA_FILE, CHECKOUT, MAILBOXES, NET1, NET1_IPV4, NET1_IPV6, OUTSIDE
from staging.lab import Lab
from staging.shell import LabError, write


def danhba(*arguments: str, quiet: bool = False) -> None:
    """Run danhba as the engineer would. Raises LabError."""
    argv = [str(Path(sys.executable).with_name("danhba")), *arguments]
    out = subprocess.DEVNULL if quiet else None
    done = subprocess.run(argv, cwd=CHECKOUT, stdout=out, check=False)
    if done.returncode:
        raise LabError(f"danhba {' '.join(arguments)}: exit status {done.returncode}")


def show(lab: Lab) -> None:
    environment = lab.environment
    edge, store = environment.having("edge")[0], environment.having("store")[0]
    edges = " or ".join(host.ipv4 for host in environment.having("edge"))
    mailbox = _mailbox(lab)  # first: it may have something to say
    rows = [(host.name, host.ipv4, host.ipv6, ", ".join(host.roles)) for host in environment.hosts]
    rows.append((NET1, NET1_IPV4, NET1_IPV6, f"the Internet: DNS, and mail for {OUTSIDE}"))
    hosts = "\n".join(f"  {name:<8} {ip4:<13} {ip6:<18} {what}" for name, ip4, ip6, what in rows)
    print(f"""
The province of inventory/{environment.name}.py is up: mail for {zones.domain(environment)}.

{hosts}

Mailbox   {mailbox}
  IMAP    {edges}, port 993 (TLS); SMTP port 465 (TLS) or 587 (STARTTLS)
  trust   {CA_FILE}, the lab's own authority
Outside   {MAILBOXES} has the passwords of {OUTSIDE}

Try next
  script/staging shell {edge.name:<11} look around on a host as root
  {f".venv/bin/danhba plan {environment.name}":<32} what an apply would change: nothing now
  {f".venv/bin/danhba apply {environment.name}":<32} after you have edited directory.yaml
  {f"script/staging cut {store.name}":<32} break something; join mends it (or stop, start)
  script/staging --down            remove every trace""")


def _mailbox(lab: Lab) -> str:
    """An official and a password of his own choice, made when nobody has one yet."""
    environment = lab.environment
    agency = _agency()
    if not agency:
        return "the directory has no officials yet"
    # First passwords of one agency. Beside an overlay, because they go when that goes.
    passwords = mounts.HOSTS / environment.having("people")[0].name / "passwords"
    if not passwords.exists():
        asked = ("--agency", agency, "--out", str(passwords))
        danhba("password", "issue", environment.name, *asked, quiet=True)
        _choose(lab, passwords)
    lines = passwords.read_text(encoding="utf-8").splitlines()
    if not lines:
        return f"everybody in {agency} has a password already: danhba password reset makes new ones"
    who, _, password = lines[0].partition("\t")
    return f"{who}, password {password}\n          first passwords of {agency} in {passwords}"


def _choose(lab: Lab, passwords: Path) -> None:
    """With a first password one can only choose another: the first official does it (RFC 3062)."""
    first, *rest = passwords.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
    if not first:
        return
    who, _, old = first.rstrip("\n").partition("\t")
    new = passphrase.new()
    login = who.rpartition("<")[2].partition("@")[0]
    done = lab.run(lab.environment.having("people")[0].name, ["sh", "-c", _CHANGE, "-", login],
                   input=f"{old}\n{new}\n")  # fmt: skip
    if done.returncode:
        raise LabError(f"ldappasswd for {login}: {done.stderr.strip()}")
    write(passwords, "".join([f"{who}\t{new}\n", *rest]), 0o600)


_CHANGE = """
set -eu
read -r old
read -r new
base=$(sed -n 's/^BASE //p' /etc/ldap/ldap.conf)
put() { (umask 077; printf %s "$1" >"$2"); }
place=$(mktemp -d)
trap 'rm -r $place' EXIT
put "$old" $place/old
put "$new" $place/new
ldappasswd -x -D "uid=$1,ou=people,$base" -y $place/old -T $place/new
"""


def _agency() -> str:
    """The first agency that has officials."""
    from danhba.check import check_file

    directory, _ = check_file(CHECKOUT / "directory.yaml")
    agencies = directory.agencies if directory else ()
    return next((agency.address for agency in agencies if agency.staff), "")
