"""What the sender of a marked document is told."""

from __future__ import annotations

from .message import Place

_WHERE: dict[Place, tuple[str, str]] = {
    "subject": ("tieu de", "the subject"),
    "header": ("phan dau thu", "a header"),
    "text": ("noi dung thu", "the text"),
    "file name": ("ten tep dinh kem", "the name of an attachment"),
    "attachment": ("tep dinh kem", "an attachment"),
}


def refusal(place: Place, contact: str) -> str:
    """Nothing of the content, not even which mark. contact: in ASCII.

    Vietnamese first, without its marks: a reply is ASCII unless the client has asked for more
    (RFC 6531 3.5). One line of at most 512 octets (RFC 5321 4.5.3.1.5).
    """
    vietnamese, english = _WHERE[place]
    return (
        f"Thu bi tu choi: co dau chi do mat o {vietnamese}; khong gui tai lieu mat qua thu dien tu "
        f"(Dieu 4.4). Neu nham, xin goi {contact} / Refused: a secrecy mark in {english}; secret "
        "documents are not sent by mail. If this is a mistake, call the contact named above"
    )


UNABLE = (
    "Chua kiem tra duoc dau chi do mat, xin gui lai sau"
    " / Not checked for secrecy marks yet, please send again later"
)

TOO_DEEP = (
    "Thu bi tu choi: qua nhieu lop thu long trong thu"
    " / Refused: too many parts within parts to be read"
)
