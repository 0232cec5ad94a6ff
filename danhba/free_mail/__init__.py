"""How much mail officials exchange with free-mail services (Điều 4.2): counts by agency, no names.

records.py runs on edges; the rest asks them and makes a report. docs/free-mail.md says what counts.
"""
