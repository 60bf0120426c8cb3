"""BEIR folders: a corpus, queries and which documents are relevant to which query, read into typed values.

A folder holds `corpus.jsonl`, `queries.jsonl` (either may end in `.gz`) and `qrels.tsv` or `qrels/test.tsv`, described
at https://github.com/beir-cellar/beir. Both spellings of the fields are read: BEIR's own (`_id`, a query's `text`) and
the plain one (`id`, `question`). Further fields of a query are read where they are present: `answers`, `answerable`,
`history`, `rewrite`, `type`, `evidence` and the planned wrong answers.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from eval.dataset import Evidence
from index.articles import Article, content_hash
from index.errors import QuestionSetError
from rag.conversation import Turn


@dataclass(frozen=True, slots=True)
class BeirQuery:
    """One query.

    Attributes:
        id: its id in the folder.
        question: its text, as asked.
        history: the turns before it, oldest first.
        rewrite: the same question made to stand alone by a person, where the set has one.
        answers: reference answers, any of which is right; empty where the set has none.
        wrong_answers: answers the set's makers know to be wrong.
        answerable: whether the corpus holds the answer; None where the set does not say.
        category: the kind of question by the set's own names; empty where it has none.
        evidence: sentences that carry the answer; `article` is a document's id.
    """

    id: str
    question: str
    history: tuple[Turn, ...] = ()
    rewrite: str | None = None
    answers: tuple[str, ...] = ()
    wrong_answers: tuple[str, ...] = ()
    answerable: bool | None = None
    category: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class BeirSet:
    """A folder's contents.

    Attributes:
        name: the folder's name, with the variant.
        articles: its documents, in the order of the file.
        queries: its queries, in the order of the file.
        qrels: query id -> document id -> relevance, 1 or more; queries without a relevant document are absent.
    """

    name: str
    articles: tuple[Article, ...]
    queries: tuple[BeirQuery, ...]
    qrels: Mapping[str, Mapping[str, int]]


_Item = TypeVar("_Item", Article, BeirQuery)


def read_beir(folder: Path, *, variant: str = "") -> BeirSet:
    """Read a BEIR folder.

    Args:
        folder: where it is.
        variant: reads `corpus_<variant>.jsonl` and so on, for a folder that holds more than one set.

    Raises:
        QuestionSetError: a file is missing or has a line that cannot be used, as `file:line: what`.
    """
    ending = f"_{variant}" if variant else ""
    articles = _read(_find(folder, f"corpus{ending}.jsonl"), _article)
    queries = _read(_find(folder, f"queries{ending}.jsonl"), _query)
    tables = (folder / f"qrels{ending}.tsv", folder / "qrels" / f"test{ending}.tsv")
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        raise QuestionSetError(f"{folder} has no qrels{ending}.tsv, so it is not a BEIR folder.")
    return BeirSet(
        name=f"{folder.resolve().name}{ending}",
        articles=tuple(articles.values()),
        queries=tuple(queries.values()),
        qrels=_read_qrels(table, queries=queries.keys(), documents=articles.keys()),
    )


class _Row:
    """One JSON object of a file, with typed access; every complaint names the line."""

    def __init__(self, place: str, fields: Mapping[str, object]) -> None:
        self.place = place
        self._fields = fields

    def text(self, *names: str, default: str | None = None) -> str:
        """The first of these fields that is there; without a default, one has to be."""
        for name in names:
            value = self._fields.get(name)
            if isinstance(value, str):
                return value
            if value is not None:
                raise QuestionSetError(f"{self.place}: {name} must be a string")
        if default is None:
            raise QuestionSetError(f"{self.place}: no field {' or '.join(names)}")
        return default

    def items(self, *names: str) -> Sequence[object]:
        """The first of these lists that is there, or nothing."""
        for name in names:
            value = self._fields.get(name)
            if isinstance(value, list):
                return value
            if value is not None:
                raise QuestionSetError(f"{self.place}: {name} must be a list")
        return ()

    def texts(self, *names: str) -> tuple[str, ...]:
        """The strings of such a list."""
        return tuple(item for item in self.items(*names) if isinstance(item, str))

    def rows(self, name: str) -> list["_Row"]:
        """The objects of such a list."""
        return [_Row(f"{self.place}: {name}", item) for item in self.items(name) if isinstance(item, dict)]

    def flag(self, name: str) -> bool | None:
        """A true or false, or None where it is absent."""
        value = self._fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise QuestionSetError(f"{self.place}: {name} must be true or false")
        return value


def _article(row: _Row) -> Article:
    title, text = row.text("title", default=""), row.text("text")
    day = re.match(r"\d{4}-\d\d-\d\d(?!\d)", row.text("date", "published", default=""))
    article = Article(
        id=row.text("_id", "id"),
        title=title or text[:80],
        source=row.text("source", default="") or None,
        url=row.text("url", default="") or None,
        published=day.group() if day else None,
        text=text,
        content_hash="",
    )
    return replace(article, content_hash=content_hash(article))


def _query(row: _Row) -> BeirQuery:
    document = row.text("doc_id", default="")
    quotes = [(document, sentence) for sentence in row.texts("evidence_sentences") if document]
    quotes += [(item.text("doc_id", "article"), item.text("quote")) for item in row.rows("evidence")]
    return BeirQuery(
        id=row.text("_id", "id"),
        question=row.text("question", "text"),
        history=tuple(_turn(item) for item in row.rows("history")),
        rewrite=row.text("rewrite", default="") or None,
        answers=row.texts("answers"),
        wrong_answers=row.texts("wrong_answers", "wrong_options"),
        answerable=row.flag("answerable"),
        category=row.text("type", "category", default=""),
        evidence=tuple(Evidence(article, quote) for article, quote in quotes),
    )


def _turn(row: _Row) -> Turn:
    return Turn("assistant" if row.text("role") in {"assistant", "agent"} else "user", row.text("content", "text"))


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise QuestionSetError(f"{folder} has no {name} or {name}.gz, so it is not a BEIR folder.")


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines that hold something, each with its place as `file:line`."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path}:{number}", line.rstrip("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as exc:
        raise QuestionSetError(f"Cannot read {path}: {exc}.") from exc


def _read(path: Path, make: Callable[[_Row], _Item]) -> dict[str, _Item]:
    """The objects of a file by id, in its order."""
    items: dict[str, _Item] = {}
    for place, line in _lines(path):
        try:
            fields: object = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as exc:
            raise QuestionSetError(f"{place}: not JSON") from exc
        if not isinstance(fields, dict):
            raise QuestionSetError(f"{place}: not a JSON object")
        item = make(_Row(place, fields))
        if item.id in items:
            raise QuestionSetError(f"{place}: the id {item.id!r} is taken")
        items[item.id] = item
    if not items:
        raise QuestionSetError(f"{path} is empty.")
    return items


def _read_qrels(path: Path, *, queries: Container[str], documents: Container[str]) -> dict[str, dict[str, int]]:
    """Judgements of relevance; rows of relevance 0 or less say "not relevant" and are left out."""
    qrels: dict[str, dict[str, int]] = {}
    first = True
    for place, line in _lines(path):
        columns = line.rstrip("\r").split("\t")
        header, first = first and not columns[-1].lstrip("-").isdigit(), False
        if header:
            continue
        if len(columns) != 3 or not columns[2].lstrip("-").isdigit():
            raise QuestionSetError(f"{place}: not `query <tab> document <tab> relevance`")
        query, document, relevance = columns[0], columns[1], int(columns[2])
        if query not in queries:
            raise QuestionSetError(f"{place}: no query has the id {query!r}")
        if document not in documents:
            raise QuestionSetError(f"{place}: no document has the id {document!r}")
        if relevance > 0:
            qrels.setdefault(query, {})[document] = relevance
    return qrels
