"""Writes an Ansible playbook that manages what danhba manages on one host.

python -m benchmarks.playbook DIRECTORY HOST FOLDER

A process of its own: the compiled directory must not make the measuring program large. Where
there is a choice it is in Ansible's favour: no facts are gathered, the interpreter is given,
contents are finished files rather than templates, and all packages are one task.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from danhba.generations.generation import Generation
from danhba.inventory import Host
from danhba.project import Project

Task = dict[str, Any]


def write(host: Host, folder: Path, generation: Generation) -> None:
    """folder/site.yml, inventory, configuration and the contents of the host's files."""
    for digest, content in generation.contents.items():
        (folder / digest).write_bytes(content)
    play = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": tasks(generation.manifest, folder),
    }
    (folder / "site.yml").write_text(json.dumps([play], indent=1))
    data = host.data
    known = f"-o UserKnownHostsFile={data['ssh_known_hosts_file']} -o IdentitiesOnly=yes"
    facts = {
        "ansible_host": host.ipv4,
        "ansible_user": data["ssh_user"],
        "ansible_ssh_private_key_file": data["ssh_key"],
        "ansible_ssh_common_args": f"-F none -o StrictHostKeyChecking=yes {known}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    inventory = {"all": {"hosts": {host.name: facts}}}
    (folder / "inventory.yml").write_text(json.dumps(inventory))
    (folder / "ansible.cfg").write_text(
        "[defaults]\nhost_key_checking = true\n[ssh_connection]\npipelining = true\n"
    )


def tasks(manifest: Any, folder: Path) -> list[Task]:
    """One for all packages, one for each file, link and service."""
    packages = {"ansible.builtin.apt": {"name": manifest["packages"], "state": "present"}}
    return [
        {"name": "packages", **packages},
        *(_file(path, facts, folder) for path, facts in manifest["files"].items()),
        *(_link(path, target) for path, target in manifest["links"].items()),
        *(_service(service["unit"]) for service in manifest["services"]),
    ]


def _file(path: str, facts: Any, folder: Path) -> Task:
    # follow: on the host the path is a link into the live generation
    wanted = {key: facts[key] for key in ("mode", "owner", "group")}
    source = str(folder / facts["sha256"])
    return {
        "name": path,
        "ansible.builtin.copy": {"src": source, "dest": path, "follow": True, **wanted},
    }


def _link(path: str, target: str) -> Task:
    return {"name": path, "ansible.builtin.file": {"path": path, "src": target, "state": "link"}}


def _service(unit: str) -> Task:
    wanted = {"name": unit, "enabled": True, "state": "started"}
    return {"name": unit, "ansible.builtin.systemd_service": wanted}


def main(directory: str, name: str, folder: str) -> None:
    project = Project(Path(directory))
    env = project.environment("staging")
    text = project.directory.read_bytes()
    write(env.host(name), Path(folder), project.compile(env, "", text)[0][name])


if __name__ == "__main__":
    main(*sys.argv[1:])
