require ["fileinto", "mailbox"];

if header :is "{{ header }}" "Yes" {
  fileinto :create "{{ folder }}";
}
