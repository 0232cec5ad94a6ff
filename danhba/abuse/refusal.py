"""What a sender is told: code, enhanced status, text.

Vietnamese first, without its marks: a reply is ASCII unless the client has asked for more (RFC 6531
3.5). All of them are for now: programs keep the message and try again.
"""

from __future__ import annotations

LATER = (
    "450", "4.7.1",
    "Ban da gui qua nhieu thu trong mot gio, xin gui lai sau; can gui nhieu hon xin lien he can bo"
    " cong nghe thong tin / You have sent too much within an hour, please send again later; if you"
    " need more, ask your IT officer",
)  # fmt: skip
SUSPENDED = (
    # Postfix ends the session (RFC 5321 3.8).
    "421", "4.7.1",
    "Tai khoan tam khoa gui thu vi nghi bi lam dung, xin lien he can bo cong nghe thong tin cua co"
    " quan / This account is suspended because it seems to be misused, please ask your IT officer",
)  # fmt: skip
UNABLE = (
    "451", "4.3.0",
    "Chua dem duoc thu da gui, xin gui lai sau / What is sent cannot be counted yet, please send"
    " again later",
)  # fmt: skip
