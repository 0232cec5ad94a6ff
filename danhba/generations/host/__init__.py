"""The half of danhba.generations that runs on the host, as root; standard library only."""
