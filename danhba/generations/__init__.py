"""Generations for pyinfra: publish a host's files whole, atomically, with rollback.

Of mail they know two things: no address may get lost, nor go elsewhere by itself (plan.py), and
mailboxes whose time has passed are archived and removed (host/boxes.py). What else a host does, the
services say (deploys/).

`facts.Report` asks a host everything in one remote command, `plan.compare` says what would change,
`operations` does exactly that. What runs on the host is `host/`, plain standard-library Python sent
along with every command, so a host needs python3 and nothing else.
"""
