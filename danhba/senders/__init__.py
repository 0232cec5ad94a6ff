"""Whoever submits mail is in its header who he is, too: himself or an agency that he keeps.

Postfix compares the envelope's sender alone; people are shown the header. A milter on edges looks
at what people submit, another one on stores at what their filters send. They run with what Debian's
python3 has; deploys/senders.py puts these files there. docs/submission.md says what is refused.
"""
