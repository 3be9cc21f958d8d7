"""Make the sample files that are no plain text: an HWPX, a PDF and an XLSX.

    python examples/make_gov_files.py

Needs python-hwpx and openpyxl. The PDF is written by hand: it names a Korean font and holds none,
so that it stays small, and its text layer reads the same everywhere.
"""

from datetime import datetime
from pathlib import Path

import openpyxl
from hwpx import HwpxDocument

HERE = Path(__file__).parent / "gov"

BUS = """마을버스 노선 개편 계획
2026. 2. 9. 대중교통과
개편 목적
새로 들어선 솔빛마을 3,200세대와 한빛역을 바로 잇고, 이용이 적은 노선을 합쳐 배차 간격을 줄인다.
바뀌는 노선
마을01번은 시청에서 솔빛마을을 거쳐 한빛역까지 늘린다. 마을04번과 마을07번은 하나로 합쳐 마을04번으로 운행한다. 마을09번은 없애고 그 구간을 부르는 버스로 바꾼다.
배차 간격과 막차
아침과 저녁에는 8분, 그 밖의 시간에는 15분마다 다닌다. 막차는 한빛역에서 23:40에 떠난다. 토요일과 공휴일에는 20분마다 다닌다.
부르는 버스
가람면과 나래면에서는 전화나 앱으로 부르면 30분 안에 가까운 정류장에 온다. 요금은 마을버스와 같고, 06:00부터 22:00까지 탈 수 있다.
운전자 확보
운전자 14명을 더 뽑고, 첫해에는 한 사람에 월 30만 원의 정착 수당을 준다. 하루 운전 시간은 9시간을 넘지 않게 한다.
시행일
2026. 5. 1.부터 시행하고, 시행 뒤 3개월 동안 이용 자료를 모아 8월에 시간표를 다시 맞춘다.
"""  # noqa: E501 - a paragraph is one line
FARES = (("구분", "교통카드", "현금"), ("어른", "1,250원", "1,350원"),
         ("청소년", "900원", "1,000원"), ("어린이", "500원", "500원"))  # fmt: skip

SPENDING = (
    ("분기", "부서", "예산액(천원)", "집행액(천원)"),
    ("2025년 1분기", "교통정책과", 420000, 310500),
    ("2025년 1분기", "노인복지과", 655000, 602300),
    ("2025년 1분기", "도로관리과", 880000, 214000),
    ("2025년 2분기", "교통정책과", 430000, 402100),
    ("2025년 2분기", "노인복지과", 655000, 640800),
    ("2025년 2분기", "도로관리과", 910000, 733400),
    ("2025년 3분기", "교통정책과", 415000, 398700),
    ("2025년 3분기", "노인복지과", 670000, 661200),
    ("2025년 3분기", "도로관리과", 940000, 915600),
)

RENT = (
    """청년 월세 지원사업 시행 지침
2026. 1. 12. 청년정책과
1. 지원 대상
19세부터 34세까지의 무주택 청년으로 부모와 따로 살고, 임차보증금 5천만 원
이하이면서 월세 70만 원 이하인 집에 사는 사람을 대상으로 한다.
청년 가구의 소득이 기준 중위소득 60% 이하이고, 부모를 포함한 원가구의
소득이 100% 이하여야 한다.
2. 지원 내용
매월 실제로 내는 월세 가운데 20만 원까지 최대 24개월 동안 지원한다.
군 복무나 입원으로 집을 비운 달은 세지 않는다.
3. 제외되는 사람
공공임대주택에 사는 사람, 형제나 자매의 집을 빌려 사는 사람,
이미 다른 기관에서 월세를 지원받고 있는 사람은 제외한다.""",
    """4. 신청 방법
2026. 2. 23.부터 3. 20.까지 누리집이나 주소지 동 행정복지센터에서 신청한다.
낼 서류는 임대차계약서, 최근 3개월의 월세 이체 확인서,
가족관계증명서, 통장 사본이다.
5. 선정과 지급
신청자가 예산의 범위를 넘으면 소득이 낮은 순서로 뽑고, 소득이 같으면
한빛시에 오래 산 사람을 먼저 뽑는다. 결과는 4월 30일까지 문자로 알리며,
지원금은 매월 25일에 본인 계좌로 넣는다.
6. 지급 중지와 환수
다른 시·군으로 이사하거나 집을 사면 그다음 달부터 지급을 멈춘다.
거짓으로 신청한 사실이 드러나면 받은 돈을 모두 돌려받고,
그날부터 3년 동안 다시 신청할 수 없다.""",
)

FONT = tuple(
    line.encode()
    for line in """\
<< /Type /Font /Subtype /Type0 /BaseFont /HYSMyeongJo-Medium /Encoding /UniKS-UTF16-H /DescendantFonts [4 0 R] >>
<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HYSMyeongJo-Medium /DW 1000 /CIDSystemInfo << /Registry (Adobe) /Ordering (Korea1) /Supplement 2 >> /FontDescriptor 5 0 R >>
<< /Type /FontDescriptor /FontName /HYSMyeongJo-Medium /Flags 6 /ItalicAngle 0 /FontBBox [0 -120 1000 880] /Ascent 880 /Descent -120 /CapHeight 700 /StemV 80 >>
""".splitlines()  # noqa: E501 - an object is one line
)
"""Objects 3 to 5 of the PDF."""


def make_hwpx(path: Path) -> None:
    """Paragraphs, then the fares as a table."""
    document = HwpxDocument.new()
    for line in BUS.splitlines():
        document.add_paragraph(line)
    document.add_paragraph("요금(2026. 5. 1.부터)")
    table = document.add_table(len(FARES), len(FARES[0]))
    for row, cells in enumerate(FARES):
        for column, cell in enumerate(cells):
            table.set_cell_text(row, column, cell)
    document.save_to_path(path)


def make_pdf(path: Path) -> None:
    """One page a text, in UTF-16 through the CMap that every reader of PDF knows."""
    count = len(RENT)
    kids = " ".join(f"{6 + 2 * n} 0 R" for n in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        *FONT,
    ]
    for number, text in enumerate(RENT):
        lines = "".join(
            f"<{line.encode('utf-16-be').hex().upper()}> Tj T*\n" for line in text.splitlines()
        )
        stream = f"BT /F1 10 Tf 20 TL 60 780 Td\n{lines}ET".encode()
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {7 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode(),
            f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream",
        ]
    path.write_bytes(_pdf(objects))


def _pdf(objects: list[bytes]) -> bytes:
    """The objects, and the table that says where each stands."""
    data, places = b"%PDF-1.5\n", list[int]()
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        data
        + (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}"
            f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
        ).encode()
    )


def make_xlsx(path: Path) -> None:
    """One sheet, values only."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = datetime(2026, 1, 2)  # noqa: DTZ001 - openpyxl wants it bare
    sheet = book.active
    sheet.title = "집행"
    for row in SPENDING:
        sheet.append(row)
    book.save(path)


if __name__ == "__main__":
    make_hwpx(HERE / "documents" / "마을버스 노선 개편 계획.hwpx")
    make_pdf(HERE / "documents" / "청년 월세 지원 지침.pdf")
    make_xlsx(HERE / "tables" / "부서별 예산 집행.xlsx")
