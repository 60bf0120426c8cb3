"""Reading files into articles: titles, outlets, dates, what is no content, and what cannot be read."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from index.articles import ArticlesRead, Skipped, content_hash, make_article
from index.errors import ArticleError
from index.reading.places import read_articles
from tests.conftest import SEEDS

BODY = "The council met on Monday to vote. It agreed on a new bridge after three hours."


def read(tmp_path: Path, **files: str | bytes) -> ArticlesRead:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        path = tmp_path / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return read_articles(tmp_path)


# --- the seeds ---


def test_seeds_give_five_articles_named_by_their_files() -> None:
    found = read_articles(SEEDS)
    assert [article.id for article in found.articles] == sorted(path.stem for path in SEEDS.glob("*.txt"))
    assert found.skipped == ()


def test_titles_of_the_seeds_are_headlines_or_first_words() -> None:
    assert [article.title for article in read_articles(SEEDS).articles] == [
        "Ukrainian President Volodymyr Zelensky said on Monday that talks in Berlin with…",
        "Ukrainian President Volodymyr Zelenskyy and U.S. envoys arrived in Berlin on…",
        "Ukraine, US report progress following peace plan talks in Berlin",
        "A senior Ukrainian negotiator stated that U.S. and Ukrainian officials achieved…",
        "Talks between Ukraine and the US aimed toward reaching a peace cope with Russia…",
    ]


def test_outlets_of_the_seeds_are_those_the_texts_state() -> None:
    assert [article.source for article in read_articles(SEEDS).articles] == ["TDI", "Agencies", None, None, None]


def test_no_seed_states_a_whole_date() -> None:
    assert {article.published for article in read_articles(SEEDS).articles} == {None}


def test_seed_texts_are_the_files_less_what_is_no_content() -> None:
    tda, agencies, headlined, plain, blank_ended = read_articles(SEEDS).articles
    raw = [(SEEDS / f"{one.id}.txt").read_text(encoding="utf-8") for one in (tda, agencies, headlined, plain)]
    kept = [line for line in raw[0].rstrip().split("\n") if not line.startswith("Read More:")]
    assert len(kept) == len(raw[0].rstrip().split("\n")) - 2
    assert tda.text == "\n".join(kept)
    assert agencies.text == raw[1].rstrip().removesuffix(" — Agencies")
    assert headlined.text == raw[2].rstrip().removesuffix("\n" + headlined.title)
    assert plain.text == raw[3].rstrip()
    assert "\nKey Issues Remain Unresolved\n" in plain.text
    assert blank_ended.text.endswith("she added.")


# --- title ---


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (f"Council votes for a new bridge\n\n{BODY}", "Council votes for a new bridge"),
        (f"Will the bridge stand?\n{BODY}", "Will the bridge stand?"),
        (f"“A bridge for all”, says the mayor\n{BODY}", "“A bridge for all”, says the mayor"),
        (f"{BODY}\n\nCouncil votes for new bridge", "Council votes for new bridge"),
        (f"Council votes\nVote was close\n\n{BODY}", "Council votes"),
    ],
)
def test_headline_becomes_the_title_and_leaves_the_text(raw: str, title: str) -> None:
    article = make_article("a", raw)
    assert article.title == title
    assert title not in article.text
    assert BODY in article.text


@pytest.mark.parametrize(
    "raw",
    [
        BODY,
        f"{BODY}\nThe end came late.",
        f"{BODY}\nSubscribe today and save",  # speaks of nothing in the body
        f"By Jane Doe\n{BODY}",
        f"lower case fragment\n{BODY}",
        "Council votes for a new bridge",  # alone, it is all there is to quote
    ],
)
def test_no_headline_leaves_the_text_whole(raw: str) -> None:
    assert make_article("a", raw).text == raw


def test_derived_title_is_cut_at_a_word_and_says_so() -> None:
    article = make_article("a", "word " * 40)
    assert article.title == " ".join(["word"] * 16) + "…"


def test_derived_title_of_a_long_word_is_cut() -> None:
    assert make_article("a", "x" * 500).title == "x" * 80 + "…"


def test_derived_title_leaves_out_the_dateline() -> None:
    assert make_article("a", f"BERLIN, Dec 15 (Reuters) - {BODY}").title.startswith("The council met")


# --- outlet and date ---


@pytest.mark.parametrize(
    ("raw", "source"),
    [
        (f"Berlin (TDI): {BODY}", "TDI"),
        (f"BERLIN (AP) — {BODY}", "AP"),
        (f"KYIV, Ukraine, Dec. 15 (Reuters) - {BODY}", "Reuters"),
        (f"(dpa) – {BODY}", "dpa"),
        (f"{BODY} — Agencies", "Agencies"),
        (f"{BODY} (AFP)", "AFP"),
        (f"{BODY}\n\nReuters", "Reuters"),
        (f"{BODY}\nSource: The Daily Bugle", "The Daily Bugle"),
        (f"{BODY} — AFP/Reuters", "AFP/Reuters"),
        (f"Paris (Texas): {BODY}", None),
        (f"Berlin: {BODY}", None),
        (f"Trump (USA) - {BODY}", None),
        (f"{BODY} “All is well.” — Winston Churchill", None),
        (f"{BODY} It was first reported by Reuters.", None),
    ],
)
def test_outlet_is_taken_only_where_agencies_put_it(raw: str, source: str | None) -> None:
    assert make_article("a", raw).source == source


def test_closing_credit_is_no_part_of_the_text() -> None:
    assert make_article("a", f"{BODY} — Agencies").text == BODY


@pytest.mark.parametrize(
    ("raw", "published"),
    [
        (f"Council votes\nDecember 15, 2025\n{BODY}", "2025-12-15"),
        (f"Council votes\nPublished: 15 Dec. 2025, 10:30 am GMT\n{BODY}", "2025-12-15"),
        (f"Monday, 15 December 2025\n{BODY}", "2025-12-15"),
        (f"{BODY}\nUpdated on 2025-12-15", "2025-12-15"),
        (f"BERLIN, Dec. 15, 2025 (AP) — {BODY}", "2025-12-15"),
        (f"Council votes\n15 December\n{BODY}", None),
        (f"Council votes\n03/04/2025\n{BODY}", None),
        (f"February 31, 2025\n{BODY}", None),
        (f"{BODY} The war began on 24 February 2022.", None),
    ],
)
def test_date_is_taken_only_where_it_is_whole_and_stands_apart(raw: str, published: str | None) -> None:
    assert make_article("a", raw).published == published


def test_date_line_is_no_part_of_the_text() -> None:
    assert make_article("a", f"Council votes\nDecember 15, 2025\n{BODY}").text == BODY


# --- author, language, and where all was found ---


@pytest.mark.parametrize(
    ("raw", "author"),
    [
        (f"Council votes\nBy Jane Doe\n{BODY}", "Jane Doe"),
        (f"By Jane Doe and Max Müller\n{BODY}", "Jane Doe and Max Müller"),
        (f"Council votes\nBy Jane Doe, The Daily Bugle\n{BODY}", "Jane Doe"),
        (f"By Jane Doe, Max Moe and Ann Lee\n{BODY}", "Jane Doe, Max Moe and Ann Lee"),
        (f"By The Numbers\n{BODY}", None),
        (f"Council votes\nBy Ursula von der Leyen | Politics\n{BODY}", "Ursula von der Leyen"),
        (f"By Monday\n{BODY}", None),
        (f"{BODY}\nBy all accounts it was late", None),
    ],
)
def test_author_is_taken_from_a_byline_which_stays(raw: str, author: str | None) -> None:
    article = make_article("a", raw)
    assert article.author == author
    if author:
        assert f"By {author}" in article.text


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        (BODY, "en"),
        ("Der Rat stimmte am Montag ab. Die Brücke wird gebaut, und das ist nicht billig.", "de"),
        ("Совет собрался в понедельник. Мост построят.", "ru"),
        ("xyzzy plugh", None),
    ],
)
def test_language_is_noted_where_the_words_tell_it(raw: str, language: str | None) -> None:
    assert make_article("a", raw).language == language


def test_finnish_is_not_taken_for_a_language_that_is_known() -> None:
    raw = (
        "Kaupunginvaltuusto kokoontui maanantaina äänestämään uudesta sillasta. Se päätti asiasta kolmen tunnin "
        "keskustelun jälkeen. Pormestari sanoi, että silta on tärkeä koko kaupungille ja että rakentaminen alkaa "
        "keväällä. Oppositio vastusti hanketta, koska se on liian kallis. Rahoitus tulee pääosin valtiolta, mutta "
        "kaupunki maksaa kolmanneksen. Työt kestävät kaksi vuotta, ja liikenne ohjataan sinä aikana vanhan sillan "
        "kautta pohjoiseen."
    )
    assert make_article("a", raw).language is None


def test_every_part_says_where_it_was_found() -> None:
    raw = f"Council votes\nBy Jane Doe\nDecember 15, 2025\n{BODY} — Agencies"
    assert make_article("a", raw).found_in == {
        "author": "byline",
        "language": "text",
        "published": "date line",
        "source": "closing credit",
        "title": "headline",
    }
    assert make_article("a", f"BERLIN, Dec. 15, 2025 (AP) — {BODY}").found_in == {
        "language": "text",
        "published": "dateline",
        "source": "dateline",
        "title": "first words",
    }


# --- what is no content ---


@pytest.mark.parametrize(
    "line",
    [
        "Read More: Zelensky Signals Readiness",
        "Also read",
        "ALSO READ: Something else",
        "Advertisement",
        "- ADVERTISEMENT -",
        "Story continues below this ad",
        "Sign up for our newsletter",
        "Related: Five bridges to see",
        "Follow us on X and Facebook",
        "© 2025 The Daily Bugle. All rights reserved.",
    ],
)
def test_boilerplate_line_is_dropped(line: str) -> None:
    assert make_article("a", f"{BODY}\n\n{line}\n\n{BODY}").text == f"{BODY}\n\n{BODY}"


@pytest.mark.parametrize(
    "line",
    [
        "Read more books, the minister said.",
        "Watch out for ice, police warned.",
        "Related parties denied it.",
        "Share prices fell.",
        "Advertisement spending fell by 5%.",
    ],
)
def test_sentence_that_begins_like_boilerplate_stays(line: str) -> None:
    assert line in make_article("a", f"{BODY}\n{line}\n{BODY}").text


def test_characters_are_made_uniform() -> None:
    article = make_article(
        "a", "Cafe\u0301 owners\u00a0met\u200b on Monday.\r\nThey voted.\r\n\r\n\r\n\r\nIt rained.\n"
    )
    assert article.text == "Café owners met on Monday.\nThey voted.\n\nIt rained."


def test_markdown_heading_is_the_title_and_markup_goes() -> None:
    raw = "# Council votes\n\n**Monday** was [long](http://x.org).\n\n## What now?\n\n![](b.png)\nNobody *knows* it."
    article = make_article("a", raw, markdown=True)
    assert article.title == "Council votes"
    assert article.text == "Monday was long.\n\nWhat now?\n\nNobody knows it."


def test_markdown_front_matter_names_the_parts() -> None:
    front = '---\ntitle: "Council votes"\nsource: The Bugle\ndate: 2025-12-15\nurl: https://b.org/1\n'
    front += "author: J. Doe\ntags: x\n---\n"
    article = make_article("a", front + BODY, markdown=True)
    assert (article.title, article.source, article.published) == ("Council votes", "The Bugle", "2025-12-15")
    assert (article.url, article.text) == ("https://b.org/1", BODY)
    assert set(article.found_in.values()) == {"front matter", "text"}


# --- hash ---


def test_hash_of_a_text_that_names_no_author_stays_what_it_was() -> None:
    said = ["A", None, None, None, BODY]
    known = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    article = replace(make_article("a", BODY), title="A")
    assert content_hash(article) == known
    assert content_hash(replace(article, author="Jane Doe")) != known


def test_hash_is_of_everything_but_the_id() -> None:
    first, second = make_article("a", BODY), make_article("b", BODY)
    assert first.content_hash == second.content_hash == content_hash(first)
    assert make_article("a", BODY + " — AFP").content_hash != first.content_hash


# --- files ---


def test_folder_is_read_with_its_folders_in_order_of_paths(tmp_path: Path) -> None:
    found = read(tmp_path, b_txt=BODY, sub__a_md=BODY, a_txt=BODY, picture_png=b"\x89PNG")
    assert [article.id for article in found.articles] == ["a", "b", "sub/a"]


def test_files_that_begin_with_a_dot_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".hidden.txt").write_text(BODY)
    assert [article.id for article in read(tmp_path, a_txt=BODY).articles] == ["a"]


def test_files_that_differ_only_in_their_ending_keep_it(tmp_path: Path) -> None:
    assert [article.id for article in read(tmp_path, a_txt=BODY, a_md=BODY).articles] == ["a.md", "a.txt"]


def test_single_file_is_read(tmp_path: Path) -> None:
    read(tmp_path, a_txt=BODY)
    assert [article.id for article in read_articles(tmp_path / "a.txt").articles] == ["a"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_encodings_are_told_by_their_marks(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, a_txt="Café “talks” went on.".encode(encoding))
    assert found.articles[0].text == "Café “talks” went on."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (bytes(range(256)) * 4, "is not text but binary data"),
        (b"\x00\x01\x02 text", "is not text but binary data"),
        (b"Advertisement\n", "holds no article text"),
        (b"x" * 8_000_001, "is larger than 8 MB, too large for one article"),
    ],
)
def test_unreadable_file_is_skipped_with_its_reason_and_the_rest_is_read(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    found = read(tmp_path, bad_txt=data, good_txt=BODY)
    assert [article.id for article in found.articles] == ["good"]
    assert found.skipped == (Skipped(str(tmp_path / "bad.txt"), reason),)


def test_broken_link_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    found = read(tmp_path, good_txt=BODY)
    assert found.skipped == (Skipped(str(tmp_path / "gone.txt"), "is not an ordinary file"),)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "there is no such file or folder"),
        ("empty", "the folder holds no .txt, .md, .markdown, .html"),
        ("a.png", "only .txt, .md, .markdown, .html"),
    ],
)
def test_path_without_articles_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.png").write_bytes(b"%PNG")
    with pytest.raises(ArticleError, match=message):
        read_articles(tmp_path / name)
