"""A made-up corpus of Vietnamese mail, junk and official, to teach the filter and to measure it.

Some sentences are never taught: what is measured is mail that was written anew, not what is known
by heart.
"""

from __future__ import annotations

import random
import unicodedata
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Literal

Kind = Literal["spam", "ham"]

_SPAM = """
Chúc mừng quý khách đã trúng thưởng {n} triệu đồng, bấm vào đường dẫn để nhận ngay hôm nay
Vay tiền nhanh không thế chấp, giải ngân trong {m} phút, lãi suất chỉ từ {m}% mỗi tháng
Nhà cái uy tín số một, nạp lần đầu tặng thêm {n}%, rút tiền siêu tốc
Giảm giá sốc {m}0% toàn bộ đồng hồ, nước hoa chính hãng, số lượng có hạn
Cơ hội đầu tư sinh lời {m}0% mỗi tháng, cam kết hoàn vốn, tham gia ngay kẻo lỡ
Tuyển cộng tác viên làm việc tại nhà, thu nhập {n} triệu mỗi tuần, không cần kinh nghiệm
Tài khoản ngân hàng của quý khách sẽ bị khóa, vui lòng xác minh trong {m} giờ
Thuốc tăng cường sinh lý nam thảo dược, hiệu quả sau {m} ngày, giao hàng kín đáo
Bán căn hộ cao cấp view sông, chiết khấu {m}% cho {n} khách đầu tiên, gọi ngay hotline
Nhận ngay mã giảm giá {n} nghìn đồng khi tải ứng dụng mua sắm của chúng tôi
Sim số đẹp giá rẻ, phong thủy hợp tuổi, miễn phí giao hàng toàn quốc
Khóa học làm giàu từ tiền ảo, chuyên gia cầm tay chỉ việc, cam kết lợi nhuận
Giảm cân cấp tốc {m} kg trong một tuần không cần ăn kiêng, mua hai tặng một
Soi cầu lô đề chuẩn xác hôm nay, bao trúng bao hoàn tiền
Dịch vụ làm bằng cấp chứng chỉ nhanh, bao xin việc, thanh toán khi nhận hàng
Quý khách có một bưu phẩm chờ nhận, vui lòng đóng phí {n} nghìn đồng qua đường dẫn sau
Mở thẻ tín dụng miễn phí trọn đời, hạn mức {n} triệu đồng, duyệt hồ sơ trong ngày
Kéo like tăng theo dõi giá rẻ nhất thị trường, bảo hành trọn đời
Đất nền dự án giá chỉ {n} triệu, sổ hồng trao tay, lợi nhuận gấp đôi
Ưu đãi vàng duy nhất hôm nay, đăng ký ngay để nhận quà tặng hấp dẫn
Bạn là người may mắn được chọn nhận điện thoại mới, chỉ cần trả phí vận chuyển
Cá cược bóng đá trực tuyến, hoàn trả {m}% mỗi ngày, đăng ký nhận tiền thưởng miễn phí
Xóa nợ xấu ngân hàng, vay lại ngay trong ngày, hồ sơ đơn giản chỉ cần căn cước
Kem trộn trắng da sau {m} ngày, cam kết không bắt nắng, nhắn tin nhận giá sỉ
"""
_HAM = """
Kính gửi các đồng chí báo cáo kết quả thực hiện nhiệm vụ quý {m} năm 2026 theo Công văn số {n}
Đề nghị các đơn vị rà soát, tổng hợp số liệu gửi về Văn phòng trước ngày {m} tháng {m}
Phòng Tổ chức cán bộ trân trọng mời đồng chí dự họp giao ban lúc {m} giờ tại hội trường
Thực hiện Quyết định số {n} của Ủy ban nhân dân tỉnh về việc phân bổ dự toán ngân sách
Gửi anh chị dự thảo Tờ trình để cho ý kiến, xin phản hồi trước cuối giờ chiều thứ {m}
Biên bản cuộc họp ngày {m} đã được chỉnh sửa theo góp ý, kính đề nghị các thành viên xem lại
Căn cứ Nghị định số {n} của Chính phủ, Sở đề nghị Ủy ban nhân dân các huyện phối hợp thực hiện
Hồ sơ giải quyết thủ tục hành chính của tổ chức, công dân đã được tiếp nhận tại bộ phận một cửa
Đồng chí vui lòng cập nhật lịch công tác tuần của lãnh đạo Sở và gửi lại cho bộ phận văn thư
Xin gửi kèm danh sách cán bộ, công chức tham gia lớp bồi dưỡng nghiệp vụ tại tỉnh
Về việc kiểm tra công tác phòng chống thiên tai và tìm kiếm cứu nạn trên địa bàn huyện
Kế hoạch chuyển đổi số năm 2026 của tỉnh đã được phê duyệt, các sở ngành triển khai đúng tiến độ
Đề nghị kế toán đối chiếu quyết toán kinh phí {n} triệu đồng với Kho bạc Nhà nước
Trung tâm Y tế huyện báo cáo tình hình dịch bệnh và công tác tiêm chủng trong tháng {m}
Thông báo nghỉ lễ và phân công lịch trực cơ quan từ ngày {m} đến hết tuần
Ban Tiếp công dân chuyển đơn kiến nghị của cử tri để xem xét, trả lời theo thẩm quyền
Phòng Giáo dục và Đào tạo tổng hợp số lượng học sinh, giáo viên đầu năm học mới
Dự thảo văn bản quy phạm pháp luật được gửi lấy ý kiến thành viên Ủy ban nhân dân tỉnh
Đề nghị cử một lãnh đạo và một chuyên viên tham gia đoàn thanh tra liên ngành
Báo cáo tiến độ giải phóng mặt bằng tuyến đường tỉnh {n} và những khó khăn, vướng mắc
Kính trình lãnh đạo Sở xem xét, ký ban hành văn bản trả lời đại biểu Hội đồng nhân dân
Văn phòng nhắc các phòng chuyên môn nộp bản đánh giá, xếp loại công chức năm 2026
Sở Nông nghiệp hướng dẫn các xã lịch xuống giống vụ đông xuân và phòng trừ sâu bệnh
Chi cục Thủy lợi đề xuất sửa chữa cống và nạo vét kênh mương nội đồng trước mùa mưa
"""
_KEPT_BACK = 6
"""Of each kind, that are never taught."""
_POOLS: dict[Kind, list[str]] = {
    "spam": _SPAM.strip().splitlines(),
    "ham": _HAM.strip().splitlines(),
}
_NAMES = (
    "An",
    "Bình",
    "Châu",
    "Dũng",
    "Giang",
    "Hạnh",
    "Khánh",
    "Lợi",
    "Nga",
    "Phúc",
    "Thảo",
    "Yến",
)


def _filled(line: str, pick: random.Random) -> str:
    return line.format(n=pick.randint(10, 990), m=pick.randint(2, 9))


def texts(kind: Kind, count: int, taught: bool = True, seed: str = "") -> list[str]:
    """So many messages, always the same ones. taught: of the sentences that may be taught; else
    half of each message are sentences that never are."""
    pick = random.Random(f"{kind} {taught} {seed}")
    known, strange = _POOLS[kind][:-_KEPT_BACK], _POOLS[kind][-_KEPT_BACK:]
    found = []
    for _ in range(count):
        lines = (
            pick.sample(known, 4) if taught else [*pick.sample(known, 2), *pick.sample(strange, 2)]
        )
        pick.shuffle(lines)
        body = ".\n".join(_filled(line, pick) for line in lines)
        found.append(f"{body}.\n{pick.choice(_NAMES)} {pick.randint(1000, 9999)}\n")
    return found


def message(text: str, sender: str, to: str, form: str = "NFC") -> EmailMessage:
    """A message that says so, its first line the subject. form: of Unicode."""
    text = unicodedata.normalize(form, text)
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = sender, to
    made["Subject"] = " ".join(text.split()[:6])
    made["Date"] = formatdate()
    made["Message-ID"] = f"<{abs(hash(text))}.{random.getrandbits(40):x}@ngoaitinh.test>"
    made.set_content(text, cte="base64")
    return made
