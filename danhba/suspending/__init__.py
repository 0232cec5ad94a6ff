"""Carries out on a host what the hosts have recorded of misused accounts (danhba/lockout).

It runs as root on edges and stores, with what Debian's python3 has: ends sessions, holds and lets
go what is in Postfix's queue, and writes to who has to know. deploys/suspending.py puts these files
there; docs/incidents.md says what becomes of whom.
"""
