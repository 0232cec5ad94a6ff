"""The staging province in the lab: three real hosts on this machine (see staging/).

A host is added by one line in `hosts` and its name in a role; script/staging boots it.
"""

from pathlib import Path

from staging.config import KEYS

_DOMAIN = "angiang.gov.vn"


def _host(name: str, number: int) -> tuple[str, dict[str, str]]:
    return name, {
        "fqdn": f"{name}.{_DOMAIN}",
        "ipv4": f"198.18.0.{number}",
        "ipv6": f"2001:db8:18::{number}",
        "ssh_hostname": f"198.18.0.{number}",
    }


hosts = (
    [_host("mx1", 11), _host("store1", 21)],
    {
        "ssh_user": "root",
        "ssh_key": str(Path(KEYS) / "id_ed25519"),
        "ssh_known_hosts_file": str(Path(KEYS) / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
        "dns": ["198.19.0.53"],
    },
)

edge = ["mx1"]
store = ["store1"]
people = ["store1"]
