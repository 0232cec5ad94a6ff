"""Backups with restic: every host to its own repository on the vault (docs/backup.md).

    python3 -m backup CONFIG check       may a generation with it go live?
    python3 -m backup CONFIG mail        mailboxes that have changed
    python3 -m backup CONFIG daily       all mailboxes, and what else the host has
    python3 -m backup CONFIG host        only what else the host has
    python3 -m backup CONFIG accept      what is on the mail disk is all there is to be
    python3 -m backup CONFIG health      lines for danhba status
    python3 -m backup CONFIG ask         a question of danhba, as JSON

On the vault, with its own configuration:

    python3 -m backup CONFIG repositories    make those that are missing
    python3 -m backup CONFIG prune           forget by policy, remove what nobody needs
    python3 -m backup CONFIG copy            what the second place lacks
    python3 -m backup CONFIG verify          are the repositories whole? a tenth of the data is
                                             read, and of the mailboxes compared with their lists
    python3 -m backup CONFIG verify whole    likewise, all of it
    python3 -m backup CONFIG accept HOST     the snapshots that are there are the host's
    python3 -m backup CONFIG find            JSON on standard input and output
    python3 -m backup CONFIG dump            a folder of a snapshot, as tar on standard output
    python3 -m backup CONFIG restic HOST ... restic on that host's repository
    python3 -m backup CONFIG health, ask     as above
"""
