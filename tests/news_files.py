"""Files of news made for the tests: a PDF, written by hand so that nothing but a reader of PDFs is needed."""

import io
from collections.abc import Mapping, Sequence

import pypdf


def make_pdf(pages: Sequence[Sequence[str]], *, properties: Mapping[str, str] | None = None) -> bytes:
    """A PDF whose pages hold the given lines; an empty line leaves a gap."""
    objects: list[bytes] = []
    font = len(pages) * 2 + 3
    for number, lines in enumerate(pages):
        steps, gap = [], 0
        for line in lines:
            gap += 14 if line else 20
            if line:
                words = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
                steps.append(f"0 -{gap} Td ({words}) Tj")
                gap = 0
        content = "\n".join(("BT /F1 11 Tf 50 800 Td", *steps, "ET")).encode("cp1252")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number * 2 + 4} 0 R "
            f"/Resources << /Font << /F1 {font} 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    kids = " ".join(f"{number * 2 + 3} 0 R" for number in range(len(pages)))
    head = [b"<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()]
    objects = [*head, *objects, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]
    data = bytearray(b"%PDF-1.4\n")
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(data)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    if properties is None:
        return bytes(data)
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(bytes(data)))
    writer.add_metadata(dict(properties))
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()
