"""Run: a folder with everything one evaluation came to; writing it, reading it back, listing what there is.

RUN/questions.jsonl  the questions asked (eval.dataset)
    answers.jsonl    an answer a line, in their order: the shared Answer JSON with `sentences`, `confidence`, `notice`,
                     or {"id", "error"}; flushed line by line, so that a stopped run can go on
    gold.jsonl       a line a question: where its evidence is, in articles and index (eval.scoring.Gold)
    results.jsonl    a line a question: scores, faults, remarks (eval.metrics.Result)
    judge.jsonl      the judge's grades, where it was asked (eval.judge)
    articles.jsonl   the articles retrieved from or holding evidence, for reports and exports
    run.json         settings without secrets, versions, hashes, times and the figures with their intervals
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from eval.dataset import Question, read_questions
from eval.metrics import Figures, Result, by_category, read_result, result_json, risk_curve, summarise
from eval.scoring import Gold, gold_json, read_gold
from index.articles import Article
from index.errors import QuestionSetError
from rag.answers import Answer, from_json, to_json
from rag.support import SentenceSupport

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run as it is read back.

    Attributes:
        folder: where it is.
        info: run.json.
        questions: in the order asked.
        answers: question id -> answer; a question that failed is missing.
        gold: question id -> its evidence.
        results: one a question, in their order.
        articles: article id -> article, of those retrieved from or holding evidence.
    """

    folder: Path
    info: Mapping[str, Any]
    questions: tuple[Question, ...]
    answers: Mapping[str, Answer]
    gold: Mapping[str, Gold]
    results: tuple[Result, ...]
    articles: Mapping[str, Article]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name


def read_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        QuestionSetError: it is no run, or one that was stopped and not finished.
    """
    info = read_info(folder)
    if info is None:
        raise QuestionSetError(
            f"{folder} is no evaluation run: it has no run.json. Make one with `python -m eval run`."
        )
    if not info.get("finished"):
        raise QuestionSetError(f"The run {folder} was stopped; `python -m eval run --out {folder}` goes on with it.")
    answers, _ = read_answers(folder / "answers.jsonl")
    try:
        return Run(
            folder=folder,
            info=info,
            questions=tuple(read_questions(folder / "questions.jsonl")),
            answers=answers,
            gold={row["id"]: read_gold(row) for row in _rows(folder / "gold.jsonl")},
            results=tuple(read_result(row) for row in _rows(folder / "results.jsonl")),
            articles={row["id"]: Article(**row) for row in _rows(folder / "articles.jsonl")},
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise QuestionSetError(f"The run {folder} cannot be read ({exc}); run it again into another folder.") from exc


def read_info(folder: Path) -> dict[str, Any] | None:
    """What run.json says; None where there is none.

    Raises:
        QuestionSetError: it is no JSON, or of a later version of Byline.
    """
    path = folder / "run.json"
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise QuestionSetError(f"Cannot read {path}: {exc}.") from exc
    if not isinstance(info, dict) or info.get("format") != FORMAT:
        raise QuestionSetError(f"{path} is not of the format {FORMAT} that this version of Byline reads.")
    return info


def list_runs(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The finished runs directly under `folder`, newest first; a folder that is no run is passed over."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            info = read_info(path)
        except QuestionSetError:
            continue
        if info and info.get("finished"):
            found.append((path, info))
    return sorted(found, key=lambda run: (str(run[1]["finished"]), run[0].name), reverse=True)


def read_answers(path: Path) -> tuple[dict[str, Answer], dict[str, str]]:
    """The answers on file and the errors of questions that failed, by question id; none where there is no file.

    A last line that was cut off when the run was stopped is left out.
    """
    answers: dict[str, Answer] = {}
    errors: dict[str, str] = {}
    for row in _rows(path, cut_off=True) if path.exists() else ():
        if "error" in row:
            errors[row["id"]] = row["error"]
        else:
            sentences = tuple(
                SentenceSupport(**(sentence | {"markers": tuple(sentence["markers"])}))
                for sentence in row.get("sentences", ())
            )
            answers[row["id"]] = replace(
                from_json(row),
                sentences=sentences,
                confidence=row.get("confidence"),
                notice=row.get("notice", ""),
            )
    return answers, errors


def answer_line(question_id: str, answer: Answer | str) -> str:
    """A line of answers.jsonl: an answer, or the error that came instead."""
    if isinstance(answer, str):
        return _line({"id": question_id, "error": answer})
    extra = {
        "sentences": [asdict(sentence) for sentence in answer.sentences],
        "confidence": answer.confidence,
        "notice": answer.notice,
    }
    return _line(to_json(answer, id=question_id) | extra)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file of JSON lines whole: the old one stays until the new one is complete."""
    fresh = path.with_name(f"{path.name}.part")
    fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    fresh.replace(path)


def write_info(folder: Path, info: Mapping[str, Any]) -> None:
    """Write run.json."""
    write_lines(folder / "run.json", [json.dumps(info, ensure_ascii=False, indent=1)])


def write_gold(folder: Path, gold: Mapping[str, Gold]) -> None:
    """Write gold.jsonl."""
    write_lines(folder / "gold.jsonl", (_line({"id": name} | gold_json(piece)) for name, piece in gold.items()))


def write_results(folder: Path, results: Sequence[Result]) -> None:
    """Write results.jsonl."""
    write_lines(folder / "results.jsonl", (_line(result_json(result)) for result in results))


def write_articles(folder: Path, articles: Iterable[Article]) -> None:
    """Write articles.jsonl."""
    write_lines(folder / "articles.jsonl", (_line(asdict(article)) for article in articles))


def read_grades(folder: Path) -> list[dict[str, Any]]:
    """The lines of judge.jsonl; none where no judge was asked."""
    path = folder / "judge.jsonl"
    return list(_rows(path, cut_off=True)) if path.exists() else []


def write_grade(folder: Path, row: Mapping[str, Any]) -> None:
    """Add a line to judge.jsonl."""
    with (folder / "judge.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{_line(row)}\n")


def figures_json(results: Sequence[Result]) -> dict[str, Any]:
    """The summary in run.json: all figures with their intervals, by category too, and the risk-coverage curve."""
    return {
        "all": _figures(summarise(results)),
        "by_category": {category: _figures(figures) for category, figures in by_category(results).items()},
        "risk_coverage": [[round(coverage, 6), round(risk, 6)] for coverage, risk in risk_curve(results)],
    }


def _figures(figures: Figures) -> dict[str, Any]:
    metrics = {
        name: {"value": round(i.value, 6), "low": round(i.low, 6), "high": round(i.high, 6), "count": i.count}
        for name, i in figures.metrics.items()
    }
    return {"questions": figures.questions, "unscored": figures.unscored, "metrics": metrics}


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _rows(path: Path, *, cut_off: bool = False) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise QuestionSetError(f"Cannot read {path}: {exc}.") from exc
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError as exc:
            if cut_off and number == len(lines):
                return
            raise QuestionSetError(f"{path}:{number}: not JSON; run it again into another folder.") from exc
