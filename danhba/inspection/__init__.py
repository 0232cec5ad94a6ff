"""What an authority gets on a legal request (Điều 8.4, 8.9): mail from the archive, with proofs.

request: may it be handed out; package: the folder that is; proof: of what is in it; papers: the
letter and the page that says how to verify.
"""
