"""Text in any encoding, PDF, DOCX, dumps, saved feeds and zip files: read whole, or skipped with one plain reason."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest

from index.articles import Article, Skipped
from index.reading.document import of_bytes
from index.reading.kinds import read_document
from index.reading.naming import name_address
from index.reading.places import read_articles
from tests.news_files import make_pdf
from tests.news_pages import PARAGRAPHS, TITLE

URL = "https://b.org/7"
BODY = "The council met on Monday to vote. It agreed on a new bridge after three hours."


def read(data: str | bytes, name: str, fields: Mapping[str, str] | None = None) -> list[Article | Skipped]:
    raw = data.encode() if isinstance(data, str) else data
    return list(read_document(of_bytes(raw, name, Path(name).stem), fields=fields or {}))


def articles(data: str | bytes, name: str, fields: Mapping[str, str] | None = None) -> list[Article]:
    found = read(data, name, fields)
    assert not (skipped := [one for one in found if isinstance(one, Skipped)]), skipped
    return [one for one in found if isinstance(one, Article)]


def reasons(data: str | bytes, name: str, fields: Mapping[str, str] | None = None) -> list[str]:
    return [one.reason for one in read(data, name, fields) if isinstance(one, Skipped)]


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "Café Müller öffnete am Montag."),
        ("utf-16", "Café Müller öffnete am Montag."),
        ("utf-16-le", "Café Müller öffnete am Montag."),
        ("utf-16-be", "Café Müller öffnete am Montag."),
        ("cp1252", "Café “owners” met on Monday – all of them."),
        ("cp1252", "Der Bürgermeister sagte, die Brücke sei zu teuer. „Das ist nicht schön“, fügte er hinzu."),
        (
            "cp1250",
            "Prezydent powiedział, że most zostanie zbudowany. Mieszkańcy są zadowoleni, że władze się zgodziły.",
        ),
        ("cp1251", "Совет собрался в понедельник, чтобы проголосовать. Мост построят за два года, сказал мэр."),
        ("cp932", "市議会は月曜日に新しい橋の建設を承認した。市長は歓迎した。"),
        ("gb18030", "市议会星期一批准修建新桥。市长表示欢迎，称工程将在两年内完成。"),
    ],
)
def test_text_is_decoded_whatever_its_encoding(encoding: str, words: str) -> None:
    (article,) = articles(words.encode(encoding), "a.txt")
    assert article.text == words


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 ...", "is not text but a PDF"),
        (b"PK\x03\x04....", "is not text but a zip or DOCX file"),
        (b"\x89PNG\r\n\x1a\n", "is not text but a picture"),
        (b"\x7fELF\x02\x01\x01" + bytes(500), "is not text but binary data"),
        (b"MZ" + bytes(range(256)) * 20, "is not text but binary data"),
    ],
)
def test_what_is_no_text_under_its_ending_is_told(data: bytes, reason: str) -> None:
    assert reasons(data, "a.txt") == [reason]


def test_a_huge_file_is_not_even_opened(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(2_000_000_000)
    assert read_articles(tmp_path).skipped[0].reason == "is larger than 8 MB, too large for one article"


# --- PDF --------------------------------------------------------------------------------------------------------------


def test_pdf_lines_become_paragraphs_again_without_heads_and_page_numbers() -> None:
    pages = [["The Bugle, 15 Dec", *lines, str(at)] for at, lines in enumerate(wrapped(), start=1)]
    (article,) = articles(make_pdf([[TITLE, "", *pages[0][1:]], *pages[1:]]), "a.pdf")
    assert article.title == TITLE
    assert article.text.split("\n") == list(PARAGRAPHS)


def wrapped() -> list[list[str]]:
    """The paragraphs in lines of some sixty characters, two paragraphs a page."""
    import textwrap

    lines = [[*textwrap.wrap(one, 60), ""] for one in PARAGRAPHS]
    return [lines[at] + lines[at + 1] for at in range(0, len(lines), 2)]


def test_pdf_word_cut_at_a_line_end_is_whole_again() -> None:
    (article,) = articles(
        make_pdf([["The council met on Monday to vote on the inter-", "national bridge. It agreed."]]), "a.pdf"
    )
    assert "the international bridge" in article.text


def test_properties_of_a_pdf_count_where_its_text_says_so_too() -> None:
    page = [["Council votes for a bridge", "By Jane Doe", *BODY.split(". ")]]
    said = {"/Title": "Council votes for a bridge", "/Author": "Jane Doe"}
    (article,) = articles(make_pdf(page, properties=said), "a.pdf")
    assert (article.title, article.author) == ("Council votes for a bridge", "Jane Doe")
    assert article.found_in["author"] == "document properties"
    (other,) = articles(make_pdf(page, properties={"/Title": "Microsoft Word - x.doc", "/Author": "Admin PC"}), "a.pdf")
    assert (other.title, other.found_in["author"]) == ("Council votes for a bridge", "byline")
    assert other.published is None


def test_damaged_and_encrypted_pdfs_are_told() -> None:
    whole = make_pdf([[BODY]])
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(whole))
    writer.encrypt("secret", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    assert reasons(locked.getvalue(), "a.pdf") == ["is encrypted with a password; save it without one"]
    assert reasons(whole[: len(whole) // 3], "a.pdf") == ["is damaged or cut short and cannot be read as a PDF"]
    assert reasons(b"%PDF-1.7\n" + b"\x00\xff" * 5000, "a.pdf") == [
        "is damaged or cut short and cannot be read as a PDF"
    ]
    assert reasons("no PDF", "a.pdf") == ["is not a PDF, whatever its ending says"]
    assert "holds no text" in reasons(make_pdf([[]]), "a.pdf")[0]


# --- DOCX -------------------------------------------------------------------------------------------------------------


def make_docx(*, title_style: str = "Title", author: str = "Jane Doe") -> bytes:
    made = docx.Document()
    made.core_properties.author = author
    made.add_paragraph(TITLE, style=title_style)
    for one in PARAGRAPHS:
        made.add_paragraph(one)
    table = made.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Cost", "40 million"
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("style", ["Title", "Heading 1"])
def test_docx_gives_title_paragraphs_and_tables(style: str) -> None:
    (article,) = articles(make_docx(title_style=style), "a.docx")
    assert (article.title, article.found_in["title"], article.author) == (TITLE, "heading", "Jane Doe")
    assert article.text.split("\n") == [*PARAGRAPHS, "Cost | 40 million"]
    assert article.published is None


def test_author_that_a_template_names_is_none() -> None:
    assert articles(make_docx(author="python-docx"), "a.docx")[0].author is None


def test_damaged_docx_is_told() -> None:
    whole = make_docx()
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    assert reasons(whole[:2000], "a.docx") == ["is damaged or cut short and cannot be read as a DOCX file"]
    assert reasons(empty.getvalue(), "a.docx") == ["is damaged and cannot be read as a DOCX file"]
    assert "encrypted" in reasons(b"\xd0\xcf\x11\xe0" + bytes(100), "a.docx")[0]
    bomb = make_zip({"[Content_Types].xml": b"<x/>", "word/document.xml": b"\x00" * 30_000_000})
    assert reasons(bomb, "a.docx") == ["unpacks to far more than its size; it was not read"]


# --- dumps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        {"id": "7", "title": TITLE, "text": BODY, "url": URL, "date": "2025-12-15", "source": "The Bugle"},
        {"_id": "7", "headline": TITLE, "body": BODY, "link": URL, "published": "2025-12-15T08:00:00Z",
         "outlet": "The Bugle"},
        {"uid": 7, "title": TITLE, "content": f"<p>{BODY}</p>", "url": URL, "publishedAt": 1765785600,
         "source": {"id": None, "name": "The Bugle"}},
        {"id": {"$oid": "7"}, "title": TITLE, "maintext": BODY, "url": URL, "date_publish": "20251215",
         "publisher": "The Bugle"},
        {"id": "7", "webTitle": TITLE, "fields": {"bodyText": BODY}, "webUrl": URL,
         "webPublicationDate": "2025-12-15T01:02:03Z", "publication": "The Bugle"},
    ],
)  # fmt: skip
def test_dump_is_read_by_its_usual_names(row: dict[str, Any]) -> None:
    (article,) = articles(json.dumps(row) + "\n", "news.jsonl")
    assert (article.id, article.title, article.text) == ("news/7", TITLE, BODY)
    assert (article.url, article.published, article.source) == (URL, "2025-12-15", "The Bugle")
    assert article.found_in["published"].startswith("field ")


def test_names_of_its_own_are_given() -> None:
    fields = {"text": "doc.words", "title": "what", "id": "key"}
    (article,) = articles(
        json.dumps({"key": "k", "what": TITLE, "doc": {"words": BODY}, "text": "no"}), "n.jsonl", fields
    )
    assert (article.id, article.title, article.text) == ("n/k", TITLE, BODY)


def test_bad_rows_are_told_by_their_line_and_the_rest_is_read() -> None:
    rows = [
        {"id": 1, "text": BODY},
        {"id": 2, "title": TITLE},
        {"id": 1, "text": "Another. Short."},
        {"id": 3, "text": BODY},
    ]
    first, untold, again, last = map(json.dumps, rows)
    lines = [first, "{broken", "", "[1]", untold, again, "[" * 100_000, last]
    found = read("\n".join(lines), "news.jsonl")
    assert [one.id for one in found if isinstance(one, Article)] == ["news/1", "news/3"]
    told = [f"{one.path}: {one.reason}" for one in found if isinstance(one, Skipped)]
    assert told[0].startswith("news.jsonl, line 2: is no JSON (")
    assert told[1] == "news.jsonl, line 4: is no object with a title and a text"
    assert told[2].startswith("news.jsonl, line 5: has no text under text, body, content")
    assert told[3] == "news.jsonl, line 6: has the id of an earlier row (news/1)"
    assert told[4].startswith("news.jsonl, line 7: ")
    assert len(told) == 5


def test_many_bad_rows_are_summed_up() -> None:
    told = reasons("{}\n" * 500, "news.jsonl")
    assert len(told) == 101
    assert told[-1] == "400 more rows gave no article"


@pytest.mark.parametrize(
    "wrap", [lambda rows: rows, lambda rows: {"ok": 1, "articles": rows}, lambda rows: {"response": {"results": rows}}]
)
def test_json_list_is_found_where_it_is(wrap: Any) -> None:
    rows = [{"title": "One", "text": BODY}, {"title": "Two", "text": BODY + " Twice."}]
    assert [one.title for one in articles(json.dumps(wrap(rows)), "a.json")] == ["One", "Two"]


def test_single_json_object_and_jsonl_under_the_ending_of_json_are_read() -> None:
    row = json.dumps({"title": "One", "text": BODY, "tags": [{"a": 1}]})
    assert len(articles(row, "a.json")) == 1
    assert len(articles(f"{row}\n{row.replace('One', 'Two')}", "a.json")) == 2


def test_what_is_no_json_is_told_with_its_line() -> None:
    assert reasons('[\n{"a": 1},\nx]', "a.json") == ["is no JSON (line 3: Expecting value)"]
    assert reasons("[" * 200_000, "a.json") == ["holds lists within lists too deep to read"]
    assert reasons("3", "a.json") == ["holds no list of articles"]


def test_rows_without_an_id_are_named_by_address_or_words_and_the_same_each_time() -> None:
    rows = [
        {"title": "Höhe & Tiefe!", "text": BODY},
        {"title": "x", "text": BODY + "!", "url": "https://www.b.org/a/1.html?utm_medium=x"},
    ]
    first, second = (one.id for one in articles("\n".join(map(json.dumps, rows)), "n.jsonl"))
    assert first.startswith("n/höhe-tiefe-")
    assert second == "n/b.org/a/1"
    assert [one.id for one in articles("\n".join(map(json.dumps, rows[::-1])), "n.jsonl")] == [second, first]


# --- feeds in files ---------------------------------------------------------------------------------------------------

WHOLE = "".join(f"<p>{one}</p>" for one in PARAGRAPHS * 3) + "<script>x</script>"
RSS = f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>The Bugle</title><language>en</language>
<item><title>{TITLE} &amp;amp; more</title><link>https://b.org/1</link><author>Jane Doe</author>
<pubDate>Mon, 15 Dec 2025 10:00:00 GMT</pubDate><content:encoded><![CDATA[{WHOLE}]]></content:encoded></item>
<item><title>Short</title><link>https://b.org/2</link><description>One line.</description></item></channel></rss>"""


def test_saved_feed_gives_the_articles_it_holds_whole() -> None:
    whole, short = read(RSS, "feed.xml")
    assert isinstance(whole, Article)
    assert (whole.id, whole.title, whole.url) == ("feed/b.org/1", f"{TITLE} & more", "https://b.org/1")
    assert (whole.source, whole.published, whole.author) == ("The Bugle", "2025-12-15", "Jane Doe")
    assert whole.text.split("\n") == list(PARAGRAPHS * 3)
    assert isinstance(short, Skipped)
    assert short.path == "https://b.org/2"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("just words", "is no feed"),
        ("<html><body>hi</body></html>", "is no feed"),
        ("<rss><channel></channel></rss>", "is a feed without items"),
        ("<rss><channel><item>", "its text is not in the feed"),
        (
            '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><rss><title>&b;</title></rss>',
            "defines its own entities",
        ),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>', "defines its own entities"),
    ],
)
def test_what_is_no_feed_is_told(data: str, reason: str) -> None:
    (told,) = reasons(data, "feed.rss")
    assert told.startswith(reason)


# --- zip files -------------------------------------------------------------------------------------------------------


def make_zip(files: Mapping[str, bytes | str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return stream.getvalue()


def test_zip_is_read_like_a_folder() -> None:
    row = json.dumps({"id": "r", "text": BODY})
    files: dict[str, bytes | str] = {
        "news/a.txt": BODY, "b.md": f"# Title\n\n{BODY}", "c.jsonl": row, "in.zip": make_zip({"d.txt": BODY}),
             "picture.png": b"x", ".hidden.txt": BODY, "__MACOSX/a.txt": BODY}  # fmt: skip
    assert sorted(one.id for one in articles(make_zip(files), "all.zip")) == [
        "all/b",
        "all/c/r",
        "all/in/d",
        "all/news/a",
    ]


@pytest.mark.parametrize("name", ["../a.txt", "/etc/a.txt", "x/../../a.txt", "C:/a.txt", "..\\a.txt", "x\\a.txt"])
def test_path_tricks_in_a_zip_are_told_and_the_rest_is_read(name: str) -> None:
    trick = zipfile.ZipInfo("placeholder.txt")
    trick.filename = name
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr(trick, BODY)
        made.writestr("good.txt", BODY)
    bad, good = read(stream.getvalue(), "all.zip")
    assert isinstance(bad, Skipped)
    assert bad.reason == "its path leads out of the zip file; it was not read"
    assert isinstance(good, Article)


def test_links_bombs_twins_and_locked_files_in_a_zip_are_told() -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(link, "/etc/passwd")
        made.writestr("bomb.txt", b"a" * 50_000_000)
        made.writestr("twin.txt", BODY)
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("twin.txt", BODY + " Again.")
        made.writestr("locked.txt", BODY)
    data = bytearray(stream.getvalue())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.rfind(mark, 0, data.find(b"locked.txt") if mark == b"PK\x03\x04" else data.rfind(b"locked.txt"))
        data[at + flags] |= 1
    told = {Path(str(one.path)).name: one.reason for one in read(bytes(data), "all.zip") if isinstance(one, Skipped)}
    assert told == {
        "link.txt": "is a link, not a file",
        "bomb.txt": "unpacks to far more than its size; it was not read",
        "twin.txt": "is there twice in the zip file; the first one was read",
        "locked.txt": "is encrypted with a password",
    }


def test_zips_within_zips_end_somewhere() -> None:
    data = make_zip({"a.txt": BODY})
    for _ in range(4):
        data = make_zip({"in.zip": data})
    assert reasons(data, "all.zip") == ["is a zip file within a zip file within a zip file; unpack it first"]


def test_damaged_zip_is_told_whole_or_by_its_file() -> None:
    whole = make_zip({"a.txt": BODY * 50, "b.txt": BODY})
    assert reasons(whole[:100], "all.zip") == ["is damaged or cut short and cannot be read as a zip file"]
    assert reasons(make_zip({}), "all.zip") == ["is a zip file without a file that can be read"]
    broken = bytearray(whole)
    broken[60:70] = b"\xff" * 10
    bad, good = read(bytes(broken), "all.zip")
    assert isinstance(bad, Skipped)
    assert bad.reason == "is damaged in the zip file"
    assert isinstance(good, Article)


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "article_id"),
    [
        ("https://www.bugle.example/2025/12/bridge.html", "bugle.example/2025/12/bridge"),
        ("https://bugle.example/2025/12/bridge/?utm_source=feed&fbclid=3#top", "bugle.example/2025/12/bridge"),
        ("http://bugle.example:8080/story.php?id=12&utm_medium=rss", "bugle.example:8080/story?id=12"),
        ("https://bugle.example/caf%C3%A9%20news", "bugle.example/café news"),
        ("https://bugle.example/", "bugle.example"),
    ],
)
def test_address_gives_a_readable_id(address: str, article_id: str) -> None:
    assert name_address(address) == article_id


def test_long_addresses_stay_apart() -> None:
    first, second = (name_address(f"https://b.org/{'x' * 500}{end}") for end in "ab")
    assert first != second
    assert len(first) <= 200
