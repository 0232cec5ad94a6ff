"""Mail comes back from the journal's archive into the mailboxes that lack it (docs/replay.md).

wanted runs on the vault, queues on edges, missing and delivering on stores; programs sends each of
them there for the time of its work, so that hosts always run what the control machine has.
"""
