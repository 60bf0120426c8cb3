import re
from pathlib import Path
from string import Formatter

from rag.interface import TEXT, phrase

RAG = Path(__file__).parent.parent / "rag"
SCRIPTS = [*RAG.glob("static/*.js")]
SOURCES = [*RAG.glob("*.py")]
CALL = re.compile(r"""\bphrase\(\s*(?:[^"'()]*?\?\s*)?["']([^"']+)["'](?:\s*:\s*["']([^"']+)["'])?""")
KEY = re.compile(r"""["']([a-z][a-z ]*)["']""")


def test_every_text_the_page_asks_for_is_there() -> None:
    asked = {
        key
        for path in [*SCRIPTS, *SOURCES]
        for match in CALL.finditer(path.read_text(encoding="utf-8"))
        for key in match.groups()
        if key
    }
    assert asked
    assert asked - set(TEXT) == set()


def test_no_text_is_there_that_the_page_never_shows() -> None:
    named = {key for path in [*SCRIPTS, *SOURCES] for key in KEY.findall(path.read_text(encoding="utf-8"))}
    assert set(TEXT) - named - {"language"} == set()


def test_both_forms_of_a_plural_have_the_same_names() -> None:
    names = {
        key: [{name for _, name, _, _ in Formatter().parse(form) if name} for form in entry.values()]
        for key, entry in TEXT.items()
        if isinstance(entry, dict)
    }
    assert names
    assert [key for key, forms in names.items() if forms[0] != forms[1]] == []


def test_a_number_chooses_the_form_and_what_is_put_in_is_not_read_again() -> None:
    assert phrase("article count", count=1) == "1 article"
    assert phrase("article count", count=12000) == "12,000 articles"
    assert phrase("looked for", question="{count} {0}") == "Looked for: “{count} {0}”"


def test_no_script_makes_markup_of_text() -> None:
    banned = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc")
    assert [path.name for path in SCRIPTS if banned.search(path.read_text(encoding="utf-8"))] == []
