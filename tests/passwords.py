"""Passwords good and bad, for the library and for slapd: both must say the same."""

from __future__ import annotations

import unicodedata

KNOWN = ("An Giang", "angiang.gov.vn")
ABOUT = ("Nguyễn Thử", "doi.luat@angiang.gov.vn", "doi.luat", "Tdoi.luat", "Sở Tài chính",
         "sotaichinh")  # fmt: skip
"""As tests add an official (Province.add_officials)."""

GOOD = (
    "cá lóc nướng trui bông điên điển",
    "thốt nốt Tri Tôn ngọt lịm",
    "con đò qua bến buổi sáng",
    "ca loc nuong trui dien dien",
    "ăn cơm chưa em ơi",
    "binh-trung-cang-muyen-lao-407",
    "xK9#mQ2$vL7p",
    "correct horse battery staple",
    "Ửợậ ễỡữ ẵẩự ỗ",
)

SHORT, COMMON, OWN = "quá ngắn", "phổ biến hoặc dễ đoán", "tên, địa chỉ hoặc cơ quan"
DIGITS = "chỉ có chữ số"

BAD = {
    "ngắn quá": SHORT,
    "xK9#mQ2$vL7": SHORT,
    "password1234": COMMON,
    "Passw0rd@2026!": COMMON,
    "123456789012": DIGITS,
    "aaaaaaaaaaaa": COMMON,
    "qwertyuiop123": COMMON,
    "abcabcabcabcabc": COMMON,
    "Mật khẩu 12345": COMMON,
    "matkhau@12345": COMMON,
    "Việt Nam vô địch 2026": COMMON,
    "Độc lập Tự do Hạnh phúc": COMMON,
    "anhyeuemnhieulam": COMMON,
    "15/08/1975 1975": DIGITS,
    "thuyền giấy leo cột đèn": COMMON,
    "Thuyền-giấy-leo-cột-đèn 1": COMMON,
    "truongsahoangsa": COMMON,
    "Hoàng Sa - Trường Sa": COMMON,
    "conmeomatrotxuong": COMMON,
    "Con mèo mà trèo cây cau": COMMON,
    "bacho1905nhaRong": COMMON,
    "Bến Nhà Rồng 1911": COMMON,
    "mùa xuân nho nhỏ": COMMON,
    "Có công mài sắt, có ngày nên kim": COMMON,
    "Trăm năm trong cõi người ta": COMMON,
    "Nối vòng tay lớn 1968": COMMON,
    "0913123456 0913": DIGITS,
    "0918.284.617 - 2763": DIGITS,
    "089075001234": DIGITS,
    "Angiang@20262": OWN,
    "An Giang 2026": OWN,
    "Sở Tài chính 123": OWN,
    "SoTaiChinh@2026": OWN,
    "Nguyễn Thử 1985": OWN,
    "nguyen.thu.1985": OWN,
    "N9uy3n.Thu.1985": OWN,
    "doi.luat@angiang.gov.vn": OWN,
    "doi.luat15081975": OWN,
    unicodedata.normalize("NFD", "cá lóc nướng trui bông điên điển"): "Unicode tổ hợp",
    "cá lóc\tnướng trui bông": "không nhìn thấy",
    "cá lóc\u200b nướng trui bông": "không nhìn thấy",
    "cá lóc\u2028nướng trui bông": "không nhìn thấy",
    "cá lóc\ue000 nướng trui bông": "không nhìn thấy",
    " cá lóc nướng trui bông ": "dấu cách",
    "cá lóc nướng trui " * 20 + "x": "quá dài",
}
