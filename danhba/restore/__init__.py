"""Brings mail of a snapshot back into a mailbox. Runs on the store; standard library only.

    python3 -m restore ask     a line of JSON (work.Request), then the snapshot (frames.py), on
                               standard input; what was done as the steps of danhba answer

Nothing of the mailbox is taken away or changed: Dovecot adds what is missing, while it is used.
"""
