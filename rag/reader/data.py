"""Questions, passages and answers that the reader is trained and measured on, from BEIR-like folders (see README.md).

A folder has `corpus.jsonl` (`id`, `title`, `text`, `sentences`) and `queries.jsonl` (`id`, `question`, `answerable`,
`doc_id`, `answers`, `evidence_sentences`), plain or gzipped; SelQA's has one sentence a row and `qrels.tsv`.
"""

import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from rag.reader.windows import Window, cut_windows

# Of so many articles, by a hash of their titles, one is held out: nothing is trained on it.
_PARTS, _HELD_OUT = 5, 2
NEWS_FILE = Path(__file__).with_name("news.jsonl")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over the windows of a document.

    Attributes:
        question: as it was asked.
        source: the set it is from.
        group: the article.
        windows: the document's windows.
        answers: what may be marked; where there is none, any place in a sentence of `evidence` counts.
        evidence: sentences that hold the answer; none where the document does not answer.
    """

    question: str
    source: str
    group: str
    windows: tuple[Window, ...]
    answers: tuple[str, ...]
    evidence: frozenset[str]

    @property
    def held_out(self) -> bool:
        """Whether its article is kept for validation."""
        return int(hashlib.sha256(self.group.encode()).hexdigest(), 16) % _PARTS == _HELD_OUT


@dataclass(frozen=True, slots=True)
class Example:
    """A question and a window; `starts` and `ends` are characters of the window's text, none where it has no answer."""

    question: str
    text: str
    starts: tuple[tuple[int, int], ...] = ()
    ends: tuple[tuple[int, int], ...] = ()


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, plain or gzipped."""
    packed = path.with_name(f"{path.name}.gz")
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    yield from map(json.loads, filter(None, content.decode("utf-8").split("\n")))


def read_sets(bench: Path, tokenizer: Tokenizer) -> list[Asked]:
    """All questions, in a fixed order: SQuAD 2.0, what SQuAD 1.1 adds to it, CLAP NQ, SelQA, OneStopQA."""
    asked: list[Asked] = []
    seen: set[str] = set()
    for suffix in ("", "_v1.1"):
        rows = list(read_rows(bench / "squad2" / f"queries{suffix}.jsonl"))
        corpus = bench / "squad2" / f"corpus{suffix}.jsonl"
        asked += _documents("squad", corpus, [row for row in rows if row["id"] not in seen], tokenizer)
        seen |= {row["id"] for row in rows}
    clapnq = bench / "clapnq"
    asked += _documents("clapnq", clapnq / "corpus.jsonl", list(read_rows(clapnq / "queries.jsonl")), tokenizer)
    return asked + _selqa(bench / "selqa", tokenizer) + _onestopqa(bench / "onestopqa", tokenizer)


def _documents(source: str, corpus: Path, queries: Sequence[dict[str, Any]], tokenizer: Tokenizer) -> list[Asked]:
    written = untokenize if source == "clapnq" else str
    documents = {}
    for row in read_rows(corpus):
        group = f"{source}: {row['title']}"
        sentences = [written(one) for one in row["sentences"]]
        documents[row["id"]] = group, cut_windows(row["title"], sentences, tokenizer)
    asked = []
    for row in queries:
        if row["doc_id"] not in documents:
            continue
        group, windows = documents[row["doc_id"]]
        # CLAP NQ's answers are written anew from several sentences; nothing in the passage is the answer itself.
        answers = tuple(row["answers"]) if source == "squad" and row["answerable"] else ()
        evidence = frozenset(map(written, row.get("evidence_sentences") or ())) if row["answerable"] else frozenset()
        asked.append(Asked(row["question"], source, group, windows, answers, evidence))
    return asked


def _selqa(folder: Path, tokenizer: Tokenizer) -> list[Asked]:
    relevant = {tuple(line.split("\t")[:2]) for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]}
    sentences: dict[str, list[dict[str, Any]]] = {}
    for row in read_rows(folder / "corpus.jsonl"):
        sentences.setdefault(row["qid"], []).append(row)
    asked = []
    for row in read_rows(folder / "queries.jsonl"):
        own, group = sentences[row["id"]], f"selqa: {row['doc_title']}"
        windows = cut_windows(row["doc_title"], [one["text"] for one in own], tokenizer)
        evidence = frozenset(one["text"] for one in own if (row["id"], one["id"]) in relevant)
        asked.append(Asked(row["question"], "selqa", group, windows, (), evidence))
    return asked


def _onestopqa(folder: Path, tokenizer: Tokenizer) -> list[Asked]:
    """News: each question over the paragraph it is about, at the hardest and the easiest of three reading levels."""
    articles = {row["id"]: row for row in read_rows(folder / "corpus.jsonl")}
    asked = []
    for row in read_rows(folder / "queries.jsonl"):
        for evidence in row["evidence"]:
            article = articles[evidence["doc_id"]]
            group = f"onestopqa: {article['title']}"
            if evidence["doc_id"].endswith(":int"):
                continue
            paragraph = next((one for one in article["text"].split("\n") if evidence["quote"] in one), "")
            sentences = [one for one in re.split(r"(?<=[.?!”])\s+(?=[A-Z“])", paragraph) if one]
            within = frozenset(one for one in sentences if one in evidence["quote"] or evidence["quote"] in one)
            windows = cut_windows(article["title"], sentences, tokenizer)
            if within:
                asked.append(Asked(row["question"], "onestopqa", group, windows, (), within))
    return asked


def read_news(tokenizer: Tokenizer, *, path: Path = NEWS_FILE) -> list[Asked]:
    """Questions over the invented news articles beside this file, each over its whole article."""
    asked = []
    for row in read_rows(path):
        group, text = f"news: {row['event']}", row["text"]
        places = [
            match.span() for match in re.finditer(r"\S.*?(?:[.?!][”\"’')]*(?=\s+[A-Z“\"‘'\d])|$)", text, re.MULTILINE)
        ]
        windows = cut_windows(row["title"], [text[start:end] for start, end in places], tokenizer)
        for one in row["questions"]:
            at = text.index(one["sentence"]) + one["sentence"].index(one["answer"])
            within = frozenset(text[start:end] for start, end in places if one["answer"] and start <= at < end)
            answers = (one["answer"],) if one["answer"] else ()
            asked.append(Asked(one["question"], "news", group, windows, answers, within))
    return asked


def untokenize(text: str) -> str:
    """Text as it is written, from text whose marks stand between blanks (``CLAP NQ's``)."""
    text = text.replace("`` ", '"').replace(" ''", '"').replace("``", '"').replace("''", '"')
    text = re.sub(r" (n't|'(?:s|re|ve|ll|d|m))\b", r"\1", text)
    text = re.sub(r" ([.,;:!?%)\]])", r"\1", text)
    return re.sub(r"([(\[$]) ", r"\1", text).replace(" - ", "-")


def find_answer(asked: Asked, window: Window) -> Example:
    """The example of a question and a window: every place of an answer in a sentence that is evidence."""
    starts, ends = [], []
    for at, sentence in window.places:
        if sentence in asked.evidence:
            if not asked.answers:
                starts.append((at, at + len(sentence)))
                ends.append((at, at + len(sentence)))
            for answer in asked.answers:
                for match in re.finditer(re.escape(answer), sentence):
                    starts.append((at + match.start(), at + match.start() + 1))
                    ends.append((at + match.end() - 1, at + match.end()))
    return Example(asked.question, window.text, tuple(starts), tuple(ends))


_SWAPPED = re.compile(r"(?<!^)(?<![.?!] )\b(?:[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*|\d[\d,.]*\d|\d)\b")


class Sampler:
    """Draws the examples of a pass over the questions: answers, near misses, other passages, swapped names."""

    def __init__(self, asked: Sequence[Asked], *, seed: int) -> None:
        """Draw from `asked`, the same examples for the same seed."""
        self._asked = asked
        self._random = random.Random(seed)  # noqa: S311  # draws are to repeat
        self._windows: dict[str, list[Window]] = {}
        self._names: dict[str, list[str]] = {}
        for one in asked:
            self._windows.setdefault(one.group, []).extend(one.windows)
            self._names.setdefault(one.group, []).extend(_SWAPPED.findall(one.question))

    def draw(self) -> list[Example]:
        """One pass, in random order."""
        examples = [example for one in self._asked for example in self._of(one)]
        self._random.shuffle(examples)
        return [self._rewrite(example) for example in examples]

    def _of(self, asked: Asked) -> Iterator[Example]:
        chance = self._random.random()
        if not asked.evidence:  # asked about this very document, which does not answer
            yield Example(asked.question, _nearest(asked, asked.windows).text)
            if asked.source == "news" and chance < 0.6:
                yield Example(asked.question, self._random.choice(asked.windows).text)
            return
        found = [example for window in asked.windows if (example := find_answer(asked, window)).starts]
        if not found:
            return
        example = self._random.choice(found)
        yield example
        if chance < (0.6 if asked.source == "news" else 0.35) and (other := self._other_window(asked)):
            yield Example(asked.question, other.text)
        elif chance < 0.55 and (swapped := self._swap(asked, example)):
            yield Example(swapped, example.text)

    def _other_window(self, asked: Asked) -> Window | None:
        """The likeliest of some windows of the same article, or of any, that hold no answer."""
        pool = self._windows[asked.group]
        if asked.source not in {"squad", "news"}:
            pool = self._windows[self._random.choice(list(self._windows))] + list(asked.windows)
        some = [self._random.choice(pool) for _ in range(12)]
        free = [one for one in some if not any(a.lower() in one.text.lower() for a in asked.answers)]
        free = [one for one in free if asked.evidence.isdisjoint(one.sentences)]
        return _nearest(asked, free) if free else None

    def _swap(self, asked: Asked, example: Example) -> str | None:
        """The question about another name or number of its article, which this window does not hold."""
        inside = [match for match in _SWAPPED.finditer(asked.question) if match[0] in example.text]
        names = [name for name in self._names[asked.group] if name not in example.text and name not in asked.question]
        if not inside or not names:
            return None
        match = self._random.choice(inside)
        alike = [name for name in names if name[0].isdigit() == match[0][0].isdigit()]
        if not alike:
            return None
        return asked.question[: match.start()] + self._random.choice(alike) + asked.question[match.end() :]

    def _rewrite(self, example: Example) -> Example:
        """As people type: one in five without its question mark, one in ten with two letters of a word changed over."""
        question = example.question
        if self._random.random() < 0.2:
            question = question.rstrip("? ")
        long = list(re.finditer(r"[a-z]{5,}", question))
        if long and self._random.random() < 0.1:
            at = (match := self._random.choice(long)).start() + self._random.randrange(1, len(match[0]) - 1)
            question = question[:at] + question[at + 1] + question[at] + question[at + 2 :]
        return replace(example, question=question)


def _nearest(asked: Asked, windows: Sequence[Window]) -> Window:
    """The window that shares most words with the question."""
    words = set(re.findall(r"\w{4,}", asked.question.lower()))
    return max(windows, key=lambda one: len(words & set(re.findall(r"\w{4,}", one.text.lower()))))


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example in tokens; where the window does not answer, `starts` and `ends` hold the first token alone."""

    ids: list[int]
    types: list[int]
    starts: list[int]
    ends: list[int]


def encode(example: Example, tokenizer: Tokenizer) -> Encoded:
    """Turn an example into tokens: `[CLS] question [SEP] window [SEP]`."""
    encoding: Encoding = tokenizer.encode(example.question, example.text)
    starts, ends = _tokens_of(encoding, example.starts), _tokens_of(encoding, example.ends)
    if not starts or not ends:
        starts, ends = [0], [0]
    return Encoded(encoding.ids, encoding.type_ids, starts, ends)


def _tokens_of(encoding: Encoding, places: Sequence[tuple[int, int]]) -> list[int]:
    return [
        token
        for token, (sequence, (start, end)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True))
        if sequence == 1 and any(start < last and first < end for first, last in places)
    ]
