"""Who guesses passwords is refused: the daemon beside every Dovecot that checks them.

It runs on the hosts, with what Debian's python3 has; deploys/lockout.py puts these files there.
docs/lockout.md says what it does for whom.
"""
