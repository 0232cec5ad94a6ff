"""What officials call junk, and what not, reaches the filter of every edge (Điều 8.6).

    python3 -m learning CONFIG carry     on stores: takes what Dovecot spools to every edge
    python3 -m learning CONFIG health    on stores: how much waits for which edge
    python3 -m learning CONFIG door      on edges: takes it in, and hands it to rspamd

It runs on the hosts, with what Debian's python3 has; deploys/learning.py puts these files there.
docs/learning.md says what is learned, and from whom.
"""
