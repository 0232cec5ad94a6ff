require ["environment", "variables", "copy", "imapsieve", "vnd.dovecot.pipe"];

# Who throws junk away does not say that it was none.
if environment :is "imap.mailbox" [{% for folder in nowhere %}"{{ folder }}"{{ ", " if not loop.last }}{% endfor %}] { stop; }
if size :over {{ most }}K { stop; }
if environment :matches "imap.user" "*" { set "account" "${1}"; }
pipe :copy "spool" ["ham", "${account}"];
