"""The word index: which passages hold which words, on disk beside Chroma, ranked by BM25 (tantivy).

It holds words and ids only; texts are Chroma's. Each article leaves one entry (its id, content hash and number of
passages), so that `PassageStore` sees at opening whether the two agree, and mends what does not.
"""

import json
import math
import re
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import tantivy
from filelock import FileLock

from index.days import days_named
from index.errors import StoreError
from index.passages import Passage

# Part of the folder's name: a change of the analysis below makes a new index.
ANALYSIS_VERSION = 2
# What a title's words count that were said before the question: they tell the article, not the passage.
_ABOUT_WEIGHT = 0.5
# Letters a word needs to be taken for a misspelling of another, and what such a likeness is worth of the word itself.
_MISSPELT_LETTERS = 5
_MISSPELT_SHARE = 0.5
_WRITER_BYTES = 20_000_000
_WRITER_SECONDS = 60


class Entry(NamedTuple):
    """What the word index holds of one article."""

    article_id: str
    content_hash: str
    passages: int


class WordMatch(NamedTuple):
    """A passage that holds words of a query; larger scores are better."""

    passage_id: str
    score: float


# --- words --------------------------------------------------------------------------------------------------------

# `us` is not among them: it is a country more often than a pronoun.
_STOP_WORDS = """
a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing done down during each few for from further had has have having he her here hers him his how i
if in into is it its itself just let many me more most much my no nor not of off on once only or other our ours out
over own said same say says she should so some such than that the their theirs them then there these they this those
through to too under until up upon very was we were what when where which while who whom whose why will with would you
your yours tell know please
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
_COUNTED = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNTED, start=2)}
_ACRONYM = re.compile(r"\b(?:[^\W\d_]\.)+[^\W\d_]\b\.?")
_ENDINGS = frozenset(("", "s", "t", "re", "ve", "ll", "d", "m"))
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")


@lru_cache(maxsize=1)
def _stemmer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return builder.filter(tantivy.Filter.ascii_fold()).filter(tantivy.Filter.stemmer("english")).build()


def words_of(text: str) -> list[str]:
    """The words of a text or a query as the index keeps them, in order, stop words left out.

    Lower case, without accents, stemmed; `U.S.` is `us`, `Ukraine’s` `ukrain`, `138,000` `138000`, `five` `5`, and a
    name's final `yy` is `y`, because agencies differ there.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    text = _ACRONYM.sub(lambda match: match[0].replace(".", ""), text)
    words = []
    for token in _WORD.findall(text):
        word, ending = token, ""
        if not token.isalpha():
            word, _, ending = token.replace(",", "").replace("’", "'").partition("'")
            if ending not in _ENDINGS:  # O'Brien
                word += ending.replace("'", "")
        if ending == "t" or word in STOP_WORDS:  # didn't
            continue
        if word.endswith("yy"):
            word = word[:-1]
        words.append(_NUMBERS.get(word, word))
    return [word for word in _stemmer().analyze(" ".join(words)) if word]


@lru_cache(maxsize=1024)
def words_of_passage(text: str) -> Sequence[str]:
    """The words of a text that is a passage's, kept a while: when it is stored, two ask for them."""
    return tuple(words_of(text))


# --- index --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("passage", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("article", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("entry", stored=True, tokenizer_name="raw", index_option="basic")
    # Words come analysed, with a blank between: of title, outlet, day and text in one field, so that BM25 weighs a
    # word's rarity and a passage's length once for all of them; and of the title alone.
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("title", tokenizer_name="whitespace", index_option="freq")
    return builder.build()


class WordIndex:
    """The index in one folder; what is damaged there is made anew, empty, since Chroma holds everything it needs."""

    def __init__(self, folder: Path) -> None:
        """Open the index in `folder`, or begin one."""
        self._folder = folder
        try:
            self._index = self._open()
        except (ValueError, OSError):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                self._index = self._open()
            except (ValueError, OSError) as exc:
                raise StoreError(f"The word index in {folder} cannot be made ({exc}); is the disk full?") from exc

    def _open(self) -> tantivy.Index:
        self._folder.mkdir(parents=True, exist_ok=True)
        return tantivy.Index(_schema(), path=str(self._folder))

    def entries(self) -> set[Entry]:
        """What it holds, an entry an article; also what another process has written."""
        self._index.reload()
        searcher = self._index.searcher()
        query = tantivy.Query.regex_query(_schema(), "entry", r"\[.*")
        hits = searcher.search(query, limit=max(1, searcher.num_docs)).hits
        return {Entry(*json.loads(searcher.doc(address)["entry"][0])) for _, address in hits}

    def count(self) -> int:
        """How many passages it holds."""
        query = tantivy.Query.regex_query(_schema(), "entry", r"\[.*")
        searcher = self._index.searcher()
        return searcher.num_docs - _count(searcher, query)

    def change(self, *, remove: Iterable[str], add: Iterable[tuple[Entry, Sequence[Passage]]]) -> None:
        """Take articles out by id and put articles in, all at once or, after a crash, not at all.

        An article put in replaces what was there under its id. Writers, of other processes too, wait for each other.
        """
        with FileLock(self._folder.with_name(f"{self._folder.name}.lock"), timeout=_WRITER_SECONDS):
            self._write(remove, add)

    def _write(self, remove: Iterable[str], add: Iterable[tuple[Entry, Sequence[Passage]]]) -> None:
        try:
            writer = self._index.writer(heap_size=_WRITER_BYTES, num_threads=1)
            # A process that was killed may have left a file under the very name that the next commit wants.
            writer.garbage_collect_files()
            for article_id in remove:
                writer.delete_documents_by_term("article", article_id)
            for entry, passages in add:
                writer.delete_documents_by_term("article", entry.article_id)
                title = " ".join(words_of(passages[0].title))
                head = " ".join((title, _words_of_origin(passages[0])))
                writer.add_document(tantivy.Document(article=entry.article_id, entry=json.dumps(entry)))
                for passage in passages:
                    words = " ".join((head, *words_of_passage(passage.text)))
                    writer.add_document(
                        tantivy.Document(passage=passage.id, article=entry.article_id, text=words, title=title)
                    )
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()
        except (ValueError, OSError) as exc:
            raise StoreError(
                f"The word index in {self._folder} cannot be written ({exc}); is the disk full? "
                "Once there is room, the next start completes it."
            ) from exc

    def search(
        self,
        query: str,
        limit: int,
        *,
        about: str = "",
        days: Iterable[str] = (),
        article_ids: Iterable[str] | None = None,
    ) -> list[WordMatch]:
        """The passages that hold words of `query`, best first, ties by id; none where no word is known.

        A day that `query` names in full counts as a word that the articles published on it hold; for a longer word that
        no passage holds, words that differ in one letter count in part, since it may be misspelt.

        Args:
            query: its words are looked up in title, outlet and text.
            limit: how many at most.
            about: what is spoken of; articles whose titles hold its words come sooner.
            days: ISO dates that `query` means without naming them, like those that it names.
            article_ids: only passages of these articles.
        """
        words = dict.fromkeys([*words_of(query), *map(_day_word, (*days_named(query), *days))])
        searcher = self._index.searcher()
        wanted_words = [_word_or_like_it(word, searcher) for word in words]
        wanted_words += [_title_query(word) for word in dict.fromkeys(words_of(about))]
        if not wanted_words or limit < 1:
            return []
        wanted = _any_of(wanted_words)
        if article_ids is not None:
            among = _terms_query("article", article_ids)
            wanted = tantivy.Query.boolean_query([(tantivy.Occur.Must, among), (tantivy.Occur.Must, wanted)])
        # A few more than asked for, so that ids decide between equals at the edge as well.
        hits = searcher.search(wanted, limit=limit + 16, count=False).hits
        found = [WordMatch(searcher.doc(address)["passage"][0], score) for score, address in hits]
        return sorted(found, key=lambda match: (-match.score, match.passage_id))[:limit]

    def passages_of(self, article_ids: Iterable[str], *, among: Iterable[str] | None = None) -> list[str]:
        """The ids of the passages that it holds of some articles; of those in `among` only, where that is given."""
        searcher = self._index.searcher()
        wanted = [_terms_query("article", article_ids)]
        if among is not None:
            wanted.append(_terms_query("passage", among))
        query = tantivy.Query.boolean_query([(tantivy.Occur.Must, one) for one in wanted])
        hits = searcher.search(query, limit=max(1, searcher.num_docs), count=False).hits
        held = [searcher.doc(address)["passage"] for _, address in hits]
        return [passage[0] for passage in held if passage]  # an article's own entry has none

    def document_frequency(self, words: Iterable[str]) -> dict[str, int]:
        """For each word as `words_of` gives it, in how many passages it occurs, titles and outlets included."""
        searcher = self._index.searcher()
        return {word: _count(searcher, _word_query(word)) for word in words}


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    """How many documents match, deleted ones left out (`Searcher.doc_freq` counts them)."""
    result: Any = searcher.search(query, limit=1, count=True)  # its type declaration lacks `count`
    return int(result.count)


def _terms_query(field: str, terms: Iterable[str]) -> tantivy.Query:
    """What has one of these terms in a field; it adds nothing to a score."""
    return tantivy.Query.const_score_query(tantivy.Query.term_set_query(_schema(), field, sorted(set(terms))), 0.0)


def _word_query(word: str) -> tantivy.Query:
    return tantivy.Query.term_query(_schema(), "text", word, index_option="freq")


def _word_or_like_it(word: str, searcher: tantivy.Searcher) -> tantivy.Query:
    if len(word) < _MISSPELT_LETTERS or not word.isalpha() or searcher.doc_freq("text", word):
        return _word_query(word)
    like_it = tantivy.Query.fuzzy_term_query(_schema(), "text", word, distance=1, transposition_cost_one=True)
    # Such a query scores 1 wherever it matches; a word of one passage would score about the logarithm.
    return tantivy.Query.boost_query(like_it, _MISSPELT_SHARE * math.log1p(searcher.num_docs))


def _title_query(word: str) -> tantivy.Query:
    return tantivy.Query.boost_query(
        tantivy.Query.term_query(_schema(), "title", word, index_option="freq"), _ABOUT_WEIGHT
    )


def _words_of_origin(passage: Passage) -> str:
    """The words of an article's outlet and its day."""
    day = [_day_word(passage.published)] if passage.published else []
    return " ".join((*words_of(passage.source or ""), *day))


def _day_word(day: str) -> str:
    """An ISO day as a word that no text holds by chance: `day20231006`."""
    return f"day{day[:10].replace('-', '')}"


def _any_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])
