"""What may be wrong with a restored sample, for engineers and for who reads the certificate."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KINDS = {  # in English and in Vietnamese
    "no-backup": ("there is no backup", "không có bản sao lưu"),
    "unreadable": ("restic cannot restore it", "không khôi phục được từ kho sao lưu"),
    "no-manifest": ("no manifest was backed up", "bản sao lưu không có bảng kê"),
    "missing": ("message files are missing", "thiếu tệp thư"),
    "damaged": ("files are not what was backed up", "nội dung tệp khác bảng kê"),
    "empty": (
        "no message was restored, and there is mail",
        "không khôi phục được thư nào, dù máy chủ có thư",
    ),
    "count": ("Dovecot does not see what was backed up", "số thư đọc được khác bảng kê"),
    "dovecot": ("Dovecot cannot open it", "Dovecot không mở được hộp thư"),
    "ldif": ("slapadd refuses the entries", "không nạp được danh bạ LDAP"),
    "no-entries": ("no LDAP entries were backed up", "bản sao lưu không có mục LDAP"),
    "entries": ("other entries than were backed up", "số mục LDAP nạp được khác bản sao lưu"),
    "key": ("a key does not load", "khóa không nạp được"),
    "no-key": ("no key was backed up", "bản sao lưu không có khóa"),
    "learned": ("what was learned does not load", "dữ liệu đã học không nạp được"),
    "unfinished": ("the drill was cut off", "diễn tập bị ngắt giữa chừng"),
}


@dataclass(frozen=True)
class Trouble:
    """kind: one of those above. where: host, or host and account. detail: what a program said, or
    which files; of a host that may be anybody's by now."""

    kind: str
    where: str
    detail: str = ""

    def english(self) -> str:
        return self._told(KINDS[self.kind][0])

    def vietnamese(self) -> str:
        return self._told(KINDS[self.kind][1])

    def _told(self, text: str) -> str:
        return f"{self.where}: {text}" + (f": {self.detail}" if self.detail else "")

    def json(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def of(cls, found: dict[str, Any]) -> Trouble:
        """Raises ValueError: of what is not one."""
        kind, where, detail = (str(found.get(key, "")) for key in ("kind", "where", "detail"))
        if kind not in KINDS:
            raise ValueError(f"no trouble of a drill: {found!r:.100}")
        return cls(kind, seen(where)[:200], seen(detail)[:500])


def seen(text: str) -> str:
    """On one line, and without what no document may contain (XML 1.0, 2.2)."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def some(names: list[str]) -> str:
    """The first of many, and how many there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
