"""Documents that bear a secrecy mark are refused when somebody submits them (Điều 4.4).

The milter runs on edges, with what Debian's python3 has; deploys/marks.py puts these files there.
docs/secrecy-marks.md says what is read, and what is not.
"""
