import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eval.reading import Found, best_f1, measure_reading, reading_lines
from index.embeddings import BundledEmbedding
from index.errors import ModelError
from rag.reader.data import NEWS_FILE, Sampler, encode, find_answer, read_news
from rag.reader.spans import READER_FOLDER, load_reader, read_windows
from rag.reader.windows import WINDOW_TOKENS, count_tokens, cut_windows, make_window, pack

TALKS = make_window(
    "Talks in Lisbon end without a deal",
    (
        "Delegates of the two unions met the port's owners in Lisbon on Tuesday.",
        "The meeting lasted seven hours and ended shortly after midnight, a spokeswoman said.",
        "Another round is planned for next month.",
    ),
)


def best_words(question: str) -> tuple[str, float]:
    (readings,) = read_windows(question, [TALKS])
    best = max(range(len(readings)), key=lambda place: readings[place].score)
    return TALKS.sentences[best][readings[best].start : readings[best].end], readings[best].score


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How long did the meeting last?", "seven hours"),
        ("Where did the unions meet the owners?", "Lisbon"),
    ],
)
def test_the_words_that_answer_are_found(question: str, words: str) -> None:
    assert words in best_words(question)[0]


def test_a_question_about_something_else_scores_lower() -> None:
    asked = best_words("How long did the meeting last?")[1]
    for other in ("Who won the cup final?", "What is the capital of Mongolia?", "How much did the new ship cost?"):
        assert best_words(other)[1] < min(asked, 0)


def test_words_stand_where_the_reading_says() -> None:
    questions = ["Who met?", "", "\ud800?", "when " * 500, "漢字"]
    for question in questions:
        (readings,) = read_windows(question, [TALKS])
        assert len(readings) == len(TALKS.sentences)
        for reading, sentence in zip(readings, TALKS.sentences, strict=True):
            assert 0 <= reading.start < reading.end <= len(sentence)


def test_what_is_beyond_the_longest_window_is_not_read() -> None:
    long = make_window("Title", ["word " * 400, "The meeting lasted seven hours."])
    (readings,) = read_windows("How long did the meeting last?", [long])
    assert readings[1].score < readings[0].score


def test_windows_are_read_alike_alone_and_by_several_threads() -> None:
    alone = [read_windows("Who met?", [TALKS])[0] for _ in range(2)]
    assert read_windows("Who met?", [TALKS] * 4) == alone * 2
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: read_windows("Who met?", [TALKS])[0], range(3))) == [alone[0]] * 3


def test_the_model_is_the_one_recorded() -> None:
    recorded, name = (READER_FOLDER / "SHA256SUMS").read_text(encoding="ascii").split()
    assert hashlib.sha256((READER_FOLDER / name).read_bytes()).hexdigest() == recorded


@pytest.mark.parametrize("damage", ["missing", "cut short"])
def test_a_missing_or_damaged_model_is_named(damage: str, tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").symlink_to(READER_FOLDER / "SHA256SUMS")
    if damage == "cut short":
        (tmp_path / "reader_int8.onnx").write_bytes((READER_FOLDER / "reader_int8.onnx").read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"^The bundled reader .*reader_int8\.onnx.*rag/reader"):
        load_reader(tmp_path)


@pytest.mark.parametrize(
    ("lengths", "packed"),
    [
        ([], []),
        ([10], [range(1)]),
        ([WINDOW_TOKENS - 1, 1, 1], [range(2), range(2, 3)]),
        ([500, 1], [range(1), range(1, 2)]),
        ([1, 500, 1], [range(1), range(1, 2), range(2, 3)]),
    ],
)
def test_sentences_are_packed_as_long_as_they_fit(lengths: Sequence[int], packed: Sequence[range]) -> None:
    assert pack(lengths) == packed


def test_windows_hold_every_sentence_once_and_under_its_title() -> None:
    tokenizer = load_reader().tokenizer
    sentences = [f"Sentence number {number} tells of the harbour and its ships." for number in range(30)]
    windows = cut_windows("Ships_of the harbour.", sentences, tokenizer)
    assert [one for window in windows for one in window.sentences] == sentences
    for window in windows:
        assert sum(count_tokens(one, tokenizer) for one in window.sentences) <= WINDOW_TOKENS
        assert window.text.startswith("Ships of the harbour. Sentence")
        assert all(window.text[at:].startswith(sentence) for at, sentence in window.places)


def test_news_to_learn_from_says_where_each_answer_stands() -> None:
    rows = [json.loads(line) for line in NEWS_FILE.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        for one in row["questions"]:
            assert one["answer"] in one["sentence"]
            assert one["sentence"] in row["text"]
            assert bool(one["answer"]) == bool(one["sentence"])


def test_what_is_drawn_to_learn_from_marks_its_answers() -> None:
    tokenizer = load_reader().tokenizer
    asked = read_news(tokenizer)[:60]
    for one in asked:
        found = [example for window in one.windows for example in [find_answer(one, window)] if example.starts]
        assert bool(found) == bool(one.answers)
        for example in found:
            start, end = example.starts[0][0], example.ends[0][1]
            assert example.text[start:end] == one.answers[0]
            encoded = encode(example, tokenizer)
            assert 0 < encoded.starts[0] <= encoded.ends[0] < len(encoded.ids)


def test_what_is_drawn_repeats_with_its_seed() -> None:
    asked = read_news(load_reader().tokenizer)[:60]
    first = Sampler(asked, seed=3).draw()
    assert first == Sampler(asked, seed=3).draw()
    assert first != Sampler(asked, seed=4).draw()
    assert {bool(example.starts) for example in first} == {True, False}


def test_held_out_is_decided_by_the_event() -> None:
    asked = read_news(load_reader().tokenizer)
    assert {one.group for one in asked if one.held_out}.isdisjoint({one.group for one in asked if not one.held_out})
    assert 0.1 < sum(one.held_out for one in asked) / len(asked) < 0.3


def test_the_best_threshold_gives_the_best_f1() -> None:
    def found(score: float, f1: float, *, answerable: bool = True) -> Found:
        return Found(answerable, score, right=f1 > 0, f1=f1)

    assert best_f1([found(3, 1.0), found(2, 0.5), found(1, 0.0, answerable=False)]) == pytest.approx(2.5 / 3)
    # one without an answer scores highest: better to answer nothing but the two that follow, or all three
    assert best_f1([found(3, 0.0, answerable=False), found(2, 1.0), found(1, 1.0)]) == pytest.approx(2 / 3)
    assert best_f1([found(1, 1.0), found(1, 0.0, answerable=False)]) == pytest.approx(0.5)
    assert best_f1([]) == 0.0


def test_the_reader_is_measured_beside_the_nearest_sentence(tmp_path: Path) -> None:
    rows = [("Nikola Tesla", "Where was he born?", "Smiljan"), ("Normans", "When did they come?", None)]
    for folder in ("squad2", "clapnq", "selqa", "onestopqa"):
        (tmp_path / folder).mkdir()
        for name in ("corpus.jsonl", "queries.jsonl", "corpus_v1.1.jsonl", "queries_v1.1.jsonl"):
            (tmp_path / folder / name).write_text("", encoding="utf-8")
        (tmp_path / folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    text = "He was born in Smiljan in 1856. He liked pigeons."
    documents = [{"id": title, "title": title, "sentences": text.split(". ")} for title, _, _ in rows]
    queries = [
        {
            "id": title,
            "question": question,
            "answerable": answer is not None,
            "doc_id": title,
            "answers": [answer] if answer else [],
            "evidence_sentences": ["He was born in Smiljan in 1856"],
        }
        for title, question, answer in rows
    ]
    for name, made in (("corpus.jsonl", documents), ("queries.jsonl", queries)):
        content = "".join(json.dumps(row) + "\n" for row in made)
        (tmp_path / "squad2" / name).write_text(content, encoding="utf-8")
    figures = measure_reading(tmp_path, embedding=BundledEmbedding(), most=20)
    first = {(one.source, one.way): one for one in figures}
    assert first["squad", "reader"].right_sentence.value == 1.0
    assert first["squad", "reader"].without == 1
    assert {source for source, _ in first} == {"squad", "news"}
    assert len(reading_lines(figures)) == 1 + len(figures)
