"""An index as one file, to move and to keep: JSON lines, a header, then an article a line with its vectors.

The header names the format's version and the embedding model. An article's line has what is known of it, its passages
with their places, and their vectors as little-endian 32-bit floats in base64, row after row. Earlier versions follow,
without vectors. A name that ends in `.gz` is compressed.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from index.articles import Article
from index.build import OnProgress
from index.earlier import replaced_at
from index.errors import ArticleError, EmbeddingMismatchError, StoreError
from index.passages import Passage
from index.records import Embedded, Row, Vectors, make_rows, read_listed, read_passage, stitch
from index.store import PassageStore
from index.updating import BuildReport

FORMAT = "byline-index"
VERSION = 1

_PASSAGES_A_WRITE = 1000
_ARTICLE_FIELDS = [field.name for field in fields(Article)]


def export_index(store: PassageStore, file: Path, *, on_progress: OnProgress | None = None) -> int:
    """Write the index to a file, which appears when it is complete; returns how many articles are in it.

    Raises:
        ArticleError: the file cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    total = len(store.articles())
    header = {
        "format": FORMAT,
        "version": VERSION,
        "embedding": store.embedding.model_name,
        "articles": total,
        "passages": store.count(),
    }
    done = 0
    try:
        with _open(part, "wt", compressed=file.suffix == ".gz") as target:
            _write(target, header)
            for done, one in enumerate(store.all_whole(), start=1):
                _write(target, _article_line(one.article, one.passages, origin=one.origin, vectors=one.vectors))
                if on_progress:
                    on_progress(done, total)
            for line in _earlier_lines(store):
                _write(target, line)
        part.replace(file)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise ArticleError(f"{file}: cannot be written ({exc.strerror or exc}).") from exc
    return done


def import_index(store: PassageStore, file: Path, *, on_progress: OnProgress | None = None) -> BuildReport:
    """Put the articles of an exported index into this one; those of other ids stay.

    Raises:
        ArticleError: it is no such file, or damaged; what stands before the damage is imported.
        EmbeddingMismatchError: its vectors are of another model.
    """
    report = BuildReport()
    waiting: list[Embedded] = []
    try:
        with _open(file, "rt", compressed=file.suffix == ".gz") as source:
            header = _read_header(source.readline(), file, store.embedding.model_name)
            for number, line in enumerate(source, start=2):
                try:
                    value = json.loads(line)
                    if "replaced" in value:
                        store.keep_earlier(_earlier_rows(value))
                        continue
                    waiting.append(_embedded(value))
                except (ValueError, KeyError, TypeError, AttributeError) as exc:
                    raise ArticleError(
                        f"{file}, line {number}: is damaged ({type(exc).__name__}); the lines before it are imported."
                    ) from exc
                if sum(len(one.passages) for one in waiting) >= _PASSAGES_A_WRITE:
                    _put(store, waiting, report)
                    waiting = []
                if on_progress:
                    on_progress(number - 1, header["articles"])
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as exc:
        raise ArticleError(f"{file}: cannot be read ({getattr(exc, 'strerror', None) or exc}).") from exc
    finally:
        _put(store, waiting, report)
    if report.done() < header["articles"]:
        raise ArticleError(f"{file}: ends after {report.done()} of {header['articles']} articles; those are imported.")
    return report


def _put(store: PassageStore, articles: Sequence[Embedded], report: BuildReport) -> None:
    wanted = []
    for one in articles:
        known = store.find_article(one.article.id)
        if known is None:
            report.added.append(one.article.id)
        elif (known.content_hash, known.passages) == (one.article.content_hash, len(one.passages)):
            report.unchanged.append(one.article.id)
            continue
        else:
            report.changed.append(one.article.id)
        wanted.append(one)
    store.put_all(wanted)


def _open(file: Path, mode: str, *, compressed: bool) -> IO[str]:
    if compressed:
        return cast("IO[str]", gzip.open(file, mode, encoding="utf-8"))
    return cast("IO[str]", file.open(mode, encoding="utf-8"))


def _write(target: IO[str], value: dict[str, Any]) -> None:
    target.write(json.dumps(value) + "\n")


def _read_header(line: str, file: Path, model_name: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
        kind, version, made_with = header["format"], header["version"], header["embedding"]
        int(header["articles"])
    except (ValueError, KeyError, TypeError) as exc:
        raise ArticleError(f"{file}: is no index that `python -m index export` wrote.") from exc
    if kind != FORMAT or version != VERSION:
        raise ArticleError(f"{file}: is written in {kind} {version}; this Byline reads {FORMAT} {VERSION}.")
    if made_with != model_name:
        raise EmbeddingMismatchError(
            f"{file}: its vectors are of the embedding model {made_with}, and {model_name} is set. Set "
            "BYLINE_EMBEDDING to that one, import, and run `python -m index rebuild` with the other."
        )
    return cast("dict[str, Any]", header)


def _article_line(
    article: Article, passages: Sequence[Passage], *, origin: str, vectors: Vectors | None = None
) -> dict[str, Any]:
    line = asdict(article) | {"origin": origin, "passages": [[one.id, one.start, one.end] for one in passages]}
    if vectors is not None:
        line["vectors"] = base64.b64encode(np.ascontiguousarray(vectors, dtype="<f4").tobytes()).decode("ascii")
    return line


def _read_article(line: dict[str, Any]) -> tuple[Article, list[Passage]]:
    article = Article(**{name: line[name] for name in _ARTICLE_FIELDS})
    places = [(str(id_), int(start), int(end)) for id_, start, end in line["passages"]]
    ends = [0, *(end for _, _, end in places)]
    if [start for _, start, _ in places] != ends[:-1] or ends[-1] != len(article.text):
        raise ValueError("the passages do not cover the text")
    about = (article.title, article.source, article.url, article.published)
    return article, [
        Passage(id_, article.id, start, end, article.text[start:end], *about) for id_, start, end in places
    ]


def _embedded(line: dict[str, Any]) -> Embedded:
    article, passages = _read_article(line)
    vectors = np.frombuffer(base64.b64decode(line["vectors"], validate=True), dtype="<f4").astype(np.float32)
    return Embedded(article, passages, vectors.reshape(len(passages), -1), line["origin"])


def _earlier_lines(store: PassageStore) -> Iterator[dict[str, Any]]:
    def version(row: Row) -> tuple[str, int]:
        return row.metadata["article_id"], row.metadata["version"]

    for (_, number), rows in groupby(sorted(store.earlier_rows(), key=version), key=version):
        ordered = sorted(rows, key=lambda row: int(row.metadata["place"]))
        passages = [read_passage(row) for row in ordered]
        try:
            article = stitch(read_listed(ordered[0].metadata), passages)
        except StoreError:  # a part of it was cut again under the same ids and then taken back; nothing cites the rest
            continue
        replaced = {"replaced": replaced_at(ordered[0]), "version": number}
        yield _article_line(article, passages, origin=ordered[0].metadata["origin"]) | replaced


def _earlier_rows(line: dict[str, Any]) -> list[Row]:
    article, passages = _read_article(line)
    replaced = int(datetime.fromisoformat(line["replaced"]).timestamp() * 1e6)
    empty = np.zeros((len(passages), 1), dtype=np.float32)
    rows = make_rows(Embedded(article, passages, empty, line["origin"]), int(line["version"]))
    return [Row(row.id, row.document, {**row.metadata, "replaced": replaced}) for row in rows]
