"""How much officials send, and what becomes of it: asked by Postfix about all that is submitted.

The milter runs on edges, with what Debian's python3 has; deploys/abuse.py puts these files there.
It counts nothing itself: the daemon that hosts share what they see with (danhba/lockout) does.
docs/incidents.md says what is refused, and when an account is suspended.
"""
