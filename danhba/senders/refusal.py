"""What somebody is told whose message bears a name that is not his."""

from __future__ import annotations

from .rule import Why, Wrong

_TEXTS: dict[Why, tuple[str, str]] = {
    "missing": ("Thu khong co dong {}", "The message has no {} field"),
    "several": ("Thu co nhieu dong {}", "The message has several {} fields"),
    "unreadable": ("Dong {} cua thu sai quy cach", "The {} field is not well-formed"),
    "foreign": (
        "Dong {} co dia chi khong phai cua ban, cung khong phai cua co quan ma ban giu hop thu",
        "The {} field has an address that is neither yours nor of an agency whose mailbox you keep",
    ),
}


def refusal(wrong: Wrong) -> str:
    """Nothing of what the field said.

    Vietnamese first, without its marks: a reply is ASCII unless the client has asked for more
    (RFC 6531 3.5). One line of at most 512 octets (RFC 5321 4.5.3.1.5).
    """
    vietnamese, english = (text.format(wrong.field) for text in _TEXTS[wrong.why])
    return f"{vietnamese} / {english}"


LEAVES = (
    "Thu cua tinh khong duoc tu dong chuyen tiep ra ngoai (Dieu 4.2)"
    " / Official mail is not forwarded outside by a filter"
)

UNPROVEN = (
    "Khong tra loi: khong chung thuc duoc nguoi gui"
    " / Not answered: it is not proven who has sent this"
)

MANY = (
    "Khong tra loi: bo loc da gui qua nhieu thu tra loi trong mot gio"
    " / Not answered: this filter has sent too many answers within an hour"
)

SUSPENDED = (
    "Khong tra loi: tai khoan tam khoa vi nghi bi lam dung"
    " / Not answered: this account is suspended because it seems to be misused"
)

UNABLE = (
    "Chua kiem tra duoc nguoi gui, xin gui lai sau"
    " / The sender cannot be checked yet, please send again later"
)
