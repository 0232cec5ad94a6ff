require ["environment", "variables", "copy", "imapsieve", "vnd.dovecot.pipe"];

# Who throws junk away does not say that it was none.
if environment :is "imap.mailbox" ["Thùng rác", "Thư rác", "Expunged"] { stop; }
if size :over 4096K { stop; }
if environment :matches "imap.user" "*" { set "account" "${1}"; }
pipe :copy "spool" ["ham", "${account}"];
