"""How long danhba takes with nothing to do, beside plain ssh and beside Ansible."""
