"""The archive of all mail (Điều 8.4): every message that passes an edge, with its true envelope.

Edges send a copy of each message from its own queue transaction to the vault (deploys/journal.py).
There a daemon (door) seals it and appends it to a chain of entries that nobody can change unseen.
The package runs on hosts as it is, by Debian's python3: entry, segment, chain (the format and who
writes it), seal, index, ids, table; door, desk (daemon); lag (edges), health (vault).
"""
