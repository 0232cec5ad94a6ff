"""When mailboxes were accessed (Điều 6.4, 10.1): recorded on hosts, collected, reported."""
