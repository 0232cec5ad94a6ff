"""Restore drills: a random sample is restored from the backups, looked at, and certified.

A package that runs on the vault as it is. Three steps with different rights (templates/drill):
`fetch` has restic restore the sample and may read every repository; `look` opens what other hosts
made, with Dovecot, slapd and openssl, and may read nothing else; `certify` takes its findings for
text, and alone may write the records. docs/drill.md says what a drill proves.
"""
