require ["environment", "variables", "copy", "imapsieve", "vnd.dovecot.pipe"];

# Too large for what the filter learns from (danhba/learning/door.py): pictures teach nothing.
if size :over {{ most }}K { stop; }
if environment :matches "imap.user" "*" { set "account" "${1}"; }
pipe :copy "spool" ["spam", "${account}"];
