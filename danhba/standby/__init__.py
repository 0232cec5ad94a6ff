"""Keeps the standby copies of a store's mailboxes. Runs on the store; standard library only.

    python3 -m standby CONFIG run          for ever: what changed is synchronised within seconds
    python3 -m standby CONFIG all          every mailbox, by a full comparison (the nightly timer)
    python3 -m standby CONFIG sync STORE   the accounts on standard input, by a full comparison
    python3 -m standby CONFIG end          sessions in the accounts on standard input
    python3 -m standby CONFIG queued       those of the accounts given so that mail is queued for
    python3 -m standby CONFIG health       how many copies wait, and what an engineer must look at
    python3 -m standby CONFIG check        can CONFIG and its table be read?

CONFIG is JSON: host, domain, stores (name to fqdn), ways (name to the near end of a tunnel), port,
table, leaving, mail, state.
"""
