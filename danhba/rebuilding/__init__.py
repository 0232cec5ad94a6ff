"""Blank machines become the hosts again whose names they have (danhba rebuild, docs/recovery.md).

    close    a rule of their own keeps users, mail and other hosts out until the end
    apply    as any other host
    restore  what only they had, or what nobody else has any more
    open     and then what takes its time while users work: a store's mailboxes come home, the
             journal brings what was in no copy

How far a host is stands on the host itself, so that a rebuild that was cut off goes on when it is
run again, from whichever checkout.
"""
