"""How long danhba takes: with nothing to do, beside plain ssh and Ansible; to check a directory."""
