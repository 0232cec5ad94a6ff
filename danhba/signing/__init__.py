"""Keys for DKIM (RFC 6376) on an edge: made there, never elsewhere. Runs on edges."""
