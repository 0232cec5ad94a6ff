"""DANE before MTA-STS (RFC 8461 2): whose servers are known by signed DNS. Runs on edges."""
