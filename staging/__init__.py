"""The lab: boots Debian 13 hosts and an "Internet" on one machine."""
