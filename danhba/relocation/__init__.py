"""Mailboxes get another home: move, rebalance, failover, failback.

The order loses nothing, wherever it is cut off. What is under way is in the placement file before
it is begun; running the command again goes on.

    move      both stores know the mailbox; copy; swap the routes; end sessions; compare once more
    failover  swap the routes to the standbys; what edges have queued is tried again
    failback  compare; swap the routes back; end sessions; compare once more
"""
