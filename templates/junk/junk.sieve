require ["fileinto", "mailbox", "special-use"];

if header :is "{{ header }}" "Yes" {
  fileinto :specialuse "\\Junk" :create "{{ folder }}";
}
