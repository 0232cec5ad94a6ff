require ["fileinto", "mailbox", "special-use"];

if header :is "X-Spam" "Yes" {
  fileinto :specialuse "\\Junk" :create "Thư rác";
}
