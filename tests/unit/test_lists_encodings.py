"""Old encodings to Unicode: every letter, realistic names, and what must not be touched."""

import csv
import random
import unicodedata
from collections.abc import Callable

import oldtext
import pytest
from hypothesis import given
from hypothesis import strategies as st

from danhba import generate
from danhba.lists.encodings import Evidence, Piece, Undecided, convert, gather, readings
from danhba.lists.syllables import ALPHABET, is_syllable

ENCODERS: dict[str, Callable[[str], str]] = {
    "tcvn3": oldtext.tcvn3,
    "vni": oldtext.vni,
    "cp1258": oldtext.as_cp1252,
    "utf-8": oldtext.twice_utf8,
}
LETTERS = [letter for small in oldtext.SMALL for letter in (small, small.upper())]


def alone(text: str, font: str = "") -> str:
    return convert([Piece(text, font)], Evidence()).text


def people(count: int) -> list[str]:
    names = generate.Names(random.Random(50))
    # The frequencies hold "Buøi", which is Bùi in VNI: somebody met what this package is about.
    return [names.full().replace("Buøi", "Bùi") for _ in range(count)]


PEOPLE = people(1500)


def test_the_alphabet_of_the_tests_is_whole() -> None:
    assert len(set(LETTERS)) == 2 * (12 * 6 + 1)
    assert set(LETTERS) <= ALPHABET


@pytest.mark.parametrize("letter", LETTERS)
def test_every_letter_comes_back(letter: str) -> None:
    for encoding, encode in ENCODERS.items():
        if encoding == "tcvn3" and letter.isupper() and letter not in "AEIOUYĂÂÊÔƠƯĐ":
            continue  # VN3 has no code for it
        written = encode(letter)
        if not written.isascii():
            assert readings(written)[encoding][0] == letter, encoding
    assert readings(oldtext.nfd(letter))["unicode"][0] == letter
    assert readings(oldtext.cp1258(letter).decode("cp1258"))["unicode"][0] == letter


@pytest.mark.parametrize("tone", ["\u0300", "\u0301", "\u0303", "\u0309", "\u0323"])
def test_a_tone_may_come_before_the_shape_of_its_vowel(tone: str) -> None:
    assert alone(f"a{tone}\u0302n") == unicodedata.normalize("NFC", f"a\u0302{tone}n")


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("case", [str, str.upper], ids=["names", "capitals"])
def test_names_in_one_encoding_are_right_or_refused(
    encoding: str, case: Callable[[str], str]
) -> None:
    refused = wrong(PEOPLE, [Piece(ENCODERS[encoding](case(name))) for name in PEOPLE])
    assert refused <= {"tcvn3": 5, "vni": 20, "cp1258": 60, "utf-8": 0}[encoding]


@pytest.mark.parametrize("encoding", ENCODERS)
def test_names_in_a_file_of_single_bytes_are_all_right(encoding: str) -> None:
    pieces = [Piece(ENCODERS[encoding](name)) for name in PEOPLE]
    assert wrong(PEOPLE, pieces, single=True) == 0


@pytest.mark.parametrize(
    ("encode", "font"),
    [(oldtext.tcvn3, ".VnTime"), (oldtext.tcvn3, ".VnArialH"), (oldtext.vni, "VNI-Helve")],
)
def test_names_in_a_telling_font_are_all_right(encode: Callable[[str], str], font: str) -> None:
    assert wrong(PEOPLE, [Piece(encode(name), font) for name in PEOPLE]) == 0


@pytest.mark.parametrize("encoding", ["tcvn3", "vni", "cp1258"])
def test_names_half_in_unicode_are_right_or_refused(encoding: str) -> None:
    pieces = [Piece(ENCODERS[encoding](n) if i % 2 else n) for i, n in enumerate(PEOPLE)]
    assert wrong(PEOPLE, pieces) < len(PEOPLE) / 15


def wrong(names: list[str], pieces: list[Piece], single: bool = False) -> int:
    """How many were refused; a wrong one fails. Case apart: VN3 has not all capitals."""
    evidence, refused = gather([[piece] for piece in pieces], single), 0
    for name, piece in zip(names, pieces, strict=True):
        try:
            assert convert([piece], evidence).text.lower() == name.lower()
        except Undecided as error:
            refused += 1
            assert name.lower() in [reading.lower() for reading in error.readings]
    return refused


@pytest.mark.parametrize("text", PEOPLE[:300])
def test_unicode_passes_untouched(text: str) -> None:
    assert convert([Piece(text, "Times New Roman")], Evidence()).encodings == ()
    assert alone(text) == text


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32)))
def test_plain_ascii_is_never_changed(text: str) -> None:
    single = Evidence(single=True, bare=frozenset(("tcvn3",)))
    for evidence in (Evidence(), single):
        for font in ("", "Arial", ".VnTime", "VNI-Times"):
            assert convert([Piece(text, font)], evidence).text == text


@given(st.text(), st.sampled_from(["", ".VnTime", ".VnTimeH", "VNI-Times"]), st.booleans())
def test_any_text_is_converted_to_nfc_or_refused(text: str, font: str, single: bool) -> None:
    piece = Piece(text, font)
    try:
        done = convert([piece], gather([[piece]], single)).text
    except Undecided as error:
        assert "without guessing" in str(error)
    else:
        assert unicodedata.is_normalized("NFC", done)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Ðặng Văn Ðông", "Đặng Văn Đông"),  # U+00D0
        ("Đặng Văn Đông", "Đặng Văn Đông"),  # U+0110
        ("Ðinh", "Đinh"),
        ("ðinh", "đinh"),
        ("Nguyễn\u200b Văn\ufeff An", "Nguyễn Văn An"),
        ("Trư\u00adờng", "Trường"),  # a soft hyphen of Word
        ("H\u00adng", "Hưng"),  # the same character is ư in TCVN3
        ("Hoà", "Hoà"),
        ("Hòa", "Hòa"),
        ("Néang Sóc", "Néang Sóc"),
        ("H'Hên Niê", "H'Hên Niê"),
        ("Y-Bhăm Kđăm", "Y-Bhăm Kđăm"),
        ("H§ND - UBND x·", "HĐND - UBND xã"),
        ("HÑND TÆNH", "HĐND TỈNH"),
        ("THÀNH PHỐ", "THÀNH PHỐ"),
        ("HÃ\u00a0 Thanh", "Hà Thanh"),
        ("VÃ•", "VÕ"),
    ],
)
def test_near_misses(written: str, meant: str) -> None:
    assert alone(written) == meant


@pytest.mark.parametrize(
    ("written", "both"),
    [
        ("Lôc", ("Lôc", "Lục")),  # Lộc with its dot lost, or Lục in TCVN3
        ("Müller", ("Mỹller",)),
        ("Tæ", ("Tổ", "Tỉ")),  # TCVN3, VNI
        ("日本", ()),
        ("Nguyễn V¨n An", ()),  # half Unicode, half TCVN3
    ],
)
def test_what_needs_a_guess_is_refused(written: str, both: tuple[str, ...]) -> None:
    with pytest.raises(Undecided, match="cannot be converted without guessing") as caught:
        alone(written)
    assert caught.value.readings == both


def test_a_rest_of_tcvn3_makes_a_legal_name_doubtful() -> None:
    cells = [[Piece("NguyÔn V¨n An")], [Piece("Mai Thu Cóc")], [Piece("Lê Hà")]]
    evidence = gather(cells)
    with pytest.raises(Undecided) as caught:
        convert(cells[1], evidence)
    assert caught.value.readings == ("Mai Thu Cóc", "Mai Thu Cúc")
    assert "'Mai Thu Cóc' in Unicode or 'Mai Thu Cúc' in TCVN3" in str(caught.value)
    assert convert(cells[2], evidence).text == "Lê Hà"  # à has no meaning in TCVN3


def test_in_a_file_of_tcvn3_alone_what_is_no_syllable_is_tcvn3_too() -> None:
    old, unicode, doubtful = [Piece("NguyÔn V¨n An")], [Piece("Nguyễn An")], [Piece("Lôc")]
    assert convert(doubtful, gather([old, doubtful])).text == "Lục"
    with pytest.raises(Undecided):
        convert(doubtful, gather([old, unicode, doubtful]))


def test_single_bytes_are_no_unicode() -> None:
    with pytest.raises(Undecided) as caught:
        convert([Piece("Lê")], gather([[Piece("Lê")]], single=True))
    assert set(caught.value.readings) == {"Lê", "Lờ"}
    assert "Unicode" not in str(caught.value)


def test_the_font_decides() -> None:
    assert alone("Mai Thu Cóc", ".VnTime") == "Mai Thu Cúc"
    assert alone("Hoàng", "VNI-Times") == "Hồng"
    assert alone("Hoàng", "Arial") == "Hoàng"
    assert alone("nguyÔn v¨n lª", ".VnTimeH") == "NGUYỄN VĂN LÊ"
    assert alone("Y Bh¨m", ".VnTime") == "Y Bhăm"
    assert alone("Nguyễn Lê", ".VnTime") == "Nguyễn Lê"  # it cannot be TCVN3, whatever the font


def test_a_font_and_a_syllable_that_disagree_are_refused() -> None:
    with pytest.raises(Undecided) as caught:
        alone("Èo", ".VnTime")
    assert caught.value.readings == ("Èo", "ẩo")
    # In a font of one encoding, but of another, as syllables show.
    assert alone("Nguyeãn Vaên An", ".VnTime") == "Nguyễn Văn An"
    assert alone("NguyÔn V¨n An", "VNI-Times") == "Nguyễn Văn An"


def test_a_font_that_holds_unicode_elsewhere_decides_nothing() -> None:
    cells = [[Piece("Nguyễn Văn An", ".VnTime")], [Piece("Mai Thu Cóc", ".VnTime")]]
    with pytest.raises(Undecided):
        convert(cells[1], gather(cells))


def test_fonts_of_others_leave_unicode_alone() -> None:
    cells = [[Piece("NguyÔn V¨n An", ".VnTime")], [Piece("Mai Thu Cóc", "Times New Roman")]]
    assert convert(cells[1], gather(cells)).text == "Mai Thu Cóc"


def test_a_word_cut_by_the_word_processor_is_read_as_one() -> None:
    pieces = [Piece("Ngu", ".VnTime"), Piece("yÔ", ".VnArial"), Piece("n ", ""), Piece("ễ")]
    assert convert(pieces, Evidence()).text == "Nguyễn ễ"


def test_syllables_of_the_data_are_syllables() -> None:
    tokens = {token for name in PEOPLE for token in name.split()} - {"Néang"}
    with (generate.DATA / "units.csv").open(encoding="utf-8") as lines:
        rows = csv.reader(line for line in lines if not line.startswith("#"))
        tokens |= {word for row in rows for word in row[1].split() if word.isalpha()}
    tokens -= {"name", "B"}  # the header, and Long Điền B
    assert [token for token in sorted(tokens) if not is_syllable(token)] == []


@pytest.mark.parametrize(
    "word",
    [
        "nguyêt",
        "lôc",
        "kõ",
        "ngê",
        "gê",
        "cí",
        "nguyễnn",
        "uý́",
        "tuấín",
        "ceo",
        "bcd",
        "tòan",
        "qúy",
        "gíao",
        "hòaà",
    ],
)
def test_no_syllables(word: str) -> None:
    assert not is_syllable(unicodedata.normalize("NFC", word))
