"""Generations for pyinfra: publish a host's files whole, atomically, with rollback.

Knows nothing of mail. `facts.Report` asks a host everything in one remote command, `plan.compare`
says what would change, `operations` does exactly that. What runs on the host is `host/`, plain
standard-library Python sent along with every command, so a host needs python3 and nothing else.
"""
