"""A province on one host, which plays every role; the lab boots it on this machine:

script/staging --inventory single
"""

from pathlib import Path

from staging.config import KEYS, PROVINCE4, PROVINCE6

hosts = [
    (
        "single1",
        {
            "fqdn": "single1.angiang.gov.vn",
            "ipv4": str(PROVINCE4[31]),
            "ipv6": str(PROVINCE6[0x31]),
            "ssh_hostname": str(PROVINCE4[31]),
            "ssh_user": "root",
            "ssh_key": str(Path(KEYS) / "id_ed25519"),
            "ssh_known_hosts_file": str(Path(KEYS) / "known_hosts"),
            "ssh_strict_host_key_checking": "yes",
            "signatures": "lab",
            "dns_root": "/etc/ssl/danhba",
        },
    )
]

edge = ["single1"]
store = ["single1"]
people = ["single1"]
