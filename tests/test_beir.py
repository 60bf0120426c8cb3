import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from eval.beir import BeirQuery, read_beir
from eval.dataset import Evidence
from index.errors import QuestionSetError
from rag.conversation import Turn

CORPUS = [
    {"_id": "d1", "title": "Floods", "text": "The river rose.", "date": "2031-03-04T09:00:00+00:00", "source": "KNA"},
    {"_id": "d2", "title": "", "text": "Dockers strike.", "url": "https://news.example/2"},
]
QUERIES = [{"_id": "q1", "text": "What rose?"}, {"_id": "q2", "text": "Who won?"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n"


def rows(items: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


def folder(path: Path, corpus: str = rows(CORPUS), queries: str = rows(QUERIES), qrels: str = QRELS) -> Path:
    (path / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (path / "queries.jsonl").write_text(queries, encoding="utf-8")
    (path / "qrels.tsv").write_text(qrels, encoding="utf-8")
    return path


def test_beirs_own_spelling_is_read(tmp_path: Path) -> None:
    read = read_beir(folder(tmp_path))
    first, second = read.articles
    assert (first.id, first.title, first.source, first.published) == ("d1", "Floods", "KNA", "2031-03-04")
    assert (second.title, second.url, second.published) == ("Dockers strike.", "https://news.example/2", None)
    assert first.content_hash != second.content_hash
    assert read.queries == (BeirQuery("q1", "What rose?"), BeirQuery("q2", "Who won?"))
    assert read.qrels == {"q1": {"d1": 2}}
    assert read.name == tmp_path.name


def test_compressed_files_and_a_qrels_folder_without_header_are_read(tmp_path: Path) -> None:
    folder(tmp_path)
    for name in ("corpus", "queries"):
        plain = tmp_path / f"{name}.jsonl"
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    (tmp_path / "qrels.tsv").unlink()
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("q2\td2\t1\n")
    assert read_beir(tmp_path).qrels == {"q2": {"d2": 1}}


def test_answers_history_rewrite_and_evidence_are_read(tmp_path: Path) -> None:
    query = {
        "id": "q1", "question": "And then?", "type": "follow-up", "answers": ["It fell."], "answerable": False,
        "wrong_options": ["It froze."], "rewrite": "What did the river do then?", "doc_id": "d1",
        "evidence_sentences": ["The river rose."], "evidence": [{"doc_id": "d2", "quote": "Dockers strike."}],
        "history": [{"role": "user", "text": "What rose?"}, {"role": "assistant", "text": "The river."}],
    }  # fmt: skip
    read = read_beir(folder(tmp_path, queries=rows([query]), qrels="q1\td1\t1\n"))
    assert read.queries == (
        BeirQuery(
            id="q1",
            question="And then?",
            history=(Turn("user", "What rose?"), Turn("assistant", "The river.")),
            rewrite="What did the river do then?",
            answers=("It fell.",),
            wrong_answers=("It froze.",),
            answerable=False,
            category="follow-up",
            evidence=(Evidence("d1", "The river rose."), Evidence("d2", "Dockers strike.")),
        ),
    )


def test_evidence_that_is_a_list_of_document_ids_is_left_to_the_qrels(tmp_path: Path) -> None:
    query = {"id": "q1", "question": "What rose?", "evidence": ["d1"]}
    assert read_beir(folder(tmp_path, queries=rows([query]))).queries[0].evidence == ()


def test_a_second_set_in_a_folder_is_read_by_its_variant(tmp_path: Path) -> None:
    folder(tmp_path)
    for name, ending in (("corpus", "jsonl"), ("queries", "jsonl"), ("qrels", "tsv")):
        (tmp_path / f"{name}.{ending}").rename(tmp_path / f"{name}_v2.{ending}")
    assert read_beir(tmp_path, variant="v2").name == f"{tmp_path.name}_v2"
    with pytest.raises(QuestionSetError, match=r"has no corpus\.jsonl"):
        read_beir(tmp_path)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"corpus": "{}\n"}, r"corpus\.jsonl:1: no field text"),
        ({"corpus": '{"_id": "a", "text": 5}\n'}, r"corpus\.jsonl:1: text must be a string"),
        ({"corpus": "\n"}, r"corpus\.jsonl is empty"),
        ({"corpus": rows([*CORPUS, CORPUS[0]])}, r"corpus\.jsonl:3: the id 'd1' is taken"),
        ({"queries": "\n{"}, r"queries\.jsonl:2: not JSON"),
        ({"queries": "[]"}, r"queries\.jsonl:1: not a JSON object"),
        ({"queries": '{"_id": "q1", "text": "?", "answerable": "no"}'}, r"queries\.jsonl:1: answerable must be true"),
        ({"queries": '{"_id": "q1", "text": "?", "history": "no"}'}, r"queries\.jsonl:1: history must be a list"),
        ({"queries": '{"_id": "q1", "text": "?", "history": [{"role": "user"}]}'}, r"history: no field content or"),
        ({"qrels": QRELS + "q1\td1\n"}, r"qrels\.tsv:4: not `query <tab> document <tab> relevance`"),
        ({"qrels": QRELS + "q9\td1\t1\n"}, r"qrels\.tsv:4: no query has the id 'q9'"),
        ({"qrels": QRELS + "q1\td9\t1\n"}, r"qrels\.tsv:4: no document has the id 'd9'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(
    files: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(QuestionSetError, match=complaint):
        read_beir(folder(tmp_path, **files))


def test_a_folder_without_qrels_is_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "qrels.tsv").unlink()
    with pytest.raises(QuestionSetError, match=r"has no qrels\.tsv"):
        read_beir(tmp_path)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "corpus.jsonl").unlink()
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(rows(CORPUS).encode())[:-12])
    with pytest.raises(QuestionSetError, match="Cannot read"):
        read_beir(tmp_path)
