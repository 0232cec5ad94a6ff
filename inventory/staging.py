"""The staging province: real hosts, which the lab boots on this machine (see staging/).

A host is added by one line in `hosts` and its name in a role; script/staging boots it.
"""

from pathlib import Path

from staging.config import KEYS, PROVINCE4, PROVINCE6, SECOND_PLACE

_DOMAIN = "angiang.gov.vn"


def _host(name: str, number: int, **more: str) -> tuple[str, dict[str, str]]:
    return name, {
        "fqdn": f"{name}.{_DOMAIN}",
        "ipv4": str(PROVINCE4[number]),
        "ipv6": str(PROVINCE6[int(str(number), 16)]),
        "ssh_hostname": str(PROVINCE4[number]),
        **more,
    }


hosts = (
    [
        _host("mx1", 11),
        _host("mx2", 12),
        _host("store1", 21),
        _host("store2", 22),
        # Copies of all backups go to another place as well: net1's, by SFTP.
        _host("vault1", 41, secrets=str(Path(KEYS) / "vault"), second_place=SECOND_PLACE),
    ],
    {
        "ssh_user": "root",
        "ssh_key": str(Path(KEYS) / "id_ed25519"),
        "ssh_known_hosts_file": str(Path(KEYS) / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
        # Viruses that edges know: the test file and no other, for no mirror is in reach.
        "signatures": "lab",
        # The root of DNS and its key: net1's.
        "dns_root": "/etc/ssl/danhba",
    },
)

edge = ["mx1", "mx2"]
store = ["store1", "store2"]
people = ["store1", "store2"]
vault = ["vault1"]
