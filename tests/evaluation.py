"""A small set over three articles, and runs made from it, for the tests of `eval/`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.dataset import Evidence, Question, write_questions
from eval.metrics import Result
from eval.runner import Plan, run_questions, score_all
from eval.runs import Run, answer_line, figures_json, read_run, write_info, write_lines, write_results
from index.passages import Passage
from index.settings import Settings
from rag.answers import Answer
from rag.citations import Citation
from rag.coverage import Coverage
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

TEXTS = {
    "bridge": """New bridge for Halden
Halden, 20 May 2031 (Gazette): Parliament voted by 61 to 38 to replace the Halden bridge. The new bridge will be 1.2
kilometres long. Engineer Ilse Brandt said work would start in June.""",
    "flood": """Flood in Tavlin
Tavlin, 4 March 2031 (Wire): Six people drowned when the Orrin flooded Tavlin on Monday night. The town hall counted
1,900 flooded homes. The army sent 250 soldiers and 12 boats.""",
    "strike": """Dockers strike
Eastport, 5 March 2031 (Post): Dockers at Eastport will stop work on 12 March. Their union asks for a rise of 9 percent.
The port authority offers 4 percent.""",
}


def question(name: str, **changes: Any) -> Question:
    """A question about the flood's soldiers, with what a test changes of it."""
    plain = Question(
        id=name,
        category="single-fact",
        question="How many soldiers did the army send?",
        history=(),
        answer="250 soldiers.",
        answerable=True,
        evidence=(Evidence("flood", "The army sent 250 soldiers and 12 boats."),),
        must_include=(("250",),),
        must_not_include=("300 soldiers",),
        must_cite=(("flood",),),
    )
    return replace(plain, **changes)


QUESTIONS = [
    question("soldiers"),
    question(
        "rise",
        category="number-date",
        question="What rise does the dockers' union ask for?",
        answer="9 percent.",
        evidence=(Evidence("strike", "Their union asks for a rise of 9 percent."),),
        must_include=(("9 percent",),),
        must_not_include=("4 percent",),
        must_cite=(("strike",),),
    ),
    question(
        "start",
        category="number-date",
        question="When will work on the Halden bridge start, according to Ilse Brandt?",
        answer="In June.",
        evidence=(Evidence("bridge", "Engineer Ilse Brandt said work would start in June."),),
        must_include=(("June",),),
        must_not_include=(),
        must_cite=(("bridge",),),
    ),
    question(
        "goalkeeper",
        category="off-topic",
        question="Who is Tavlin Rovers' goalkeeper's favourite violinist?",
        answer="",
        answerable=False,
        evidence=(),
        must_include=(),
        must_not_include=(),
        must_cite=(),
    ),
]


def write_set(folder: Path) -> tuple[Path, Path]:
    """Write the articles and the questions; returns the question file and the articles' folder."""
    articles = folder / "articles"
    articles.mkdir(parents=True, exist_ok=True)
    for name, text in TEXTS.items():
        (articles / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")
    write_questions(folder / "questions.jsonl", QUESTIONS)
    return folder / "questions.jsonl", articles


def small_settings(home: Path, **changes: Any) -> Settings:
    """No model, vectors of hashed words."""
    named: dict[str, Any] = {"home": home, "llm": "none", "embedding": "tests.fakes.HashingEmbedding"}
    return Settings(**(named | {"lock_seconds": 0} | changes))


def make_run(folder: Path, *, name: str = "run", **changes: Any) -> Run:
    """Run the small set into `folder`/`name`."""
    questions, articles = write_set(folder)
    return run_questions(Plan(small_settings(folder / "home", **changes), questions, articles, folder / name))


def made_up_run(folder: Path) -> Run:
    """The run with answers of our own in place of Byline's: each its evidence, cited; what has none is refused."""
    run = make_run(folder)
    answers = {asked.id: _evidence_quoted(asked, run) for asked in run.questions}
    write_lines(run.folder / "answers.jsonl", (answer_line(name, given) for name, given in answers.items()))
    results = score_all(run.questions, answers, {}, run.gold)
    write_results(run.folder, results)
    write_info(run.folder, {**run.info, "figures": figures_json(results)})
    return read_run(run.folder)


def _evidence_quoted(asked: Question, run: Run) -> Answer:
    if not asked.evidence:
        return answer("The articles do not say.", refused=True, question=asked.question)
    article = run.articles[asked.evidence[0].article]
    (place,) = run.gold[asked.id].places[0]
    cited = Passage(
        run.gold[asked.id].passages[0][0], article.id, place.start, place.end,
        article.text[place.start : place.end], article.title, None, None, None,
    )  # fmt: skip
    text = f"“{cited.text}” [1]"
    return answer(text, (1, cited, "supported"), question=asked.question, standalone_question=asked.question)


FLOOD = "Six people drowned. The army sent 250 soldiers and 12 boats. The town hall counted 1,900 flooded homes."


def passage(name: str, article_id: str, start: int, end: int, *, text: str = FLOOD) -> Passage:
    """A passage of a made-up article."""
    return Passage(name, article_id, start, end, text[start:end], f"Title of {article_id}", None, None, None)


def answer(text: str, *cited: tuple[int, Passage, str], refused: bool = False, **changes: Any) -> Answer:
    """An answer of one sentence: its citations as (marker, passage, verdict), each of the whole passage."""
    places = [place for _, place, _ in cited]
    verdicts = {verdict for _, _, verdict in cited}
    plain = Answer(
        question="Asked?",
        standalone_question="Asked?",
        text=text,
        refused=refused,
        mode="extractive",
        model="none",
        citations=tuple(
            Citation(marker, place, place.start, place.end, place.text, 0, len(text), verdict)  # type: ignore[arg-type]  # a table of strings
            for marker, place, verdict in cited
        ),
        sentences=()
        if refused
        else (
            SentenceSupport(
                0,
                len(text),
                tuple(marker for marker, _, _ in cited),
                "supported" if "supported" in verdicts else "unsupported",
            ),
        ),
        coverage=Coverage(1, (), ()),
        passages=tuple(ScoredPassage(place, 0.9 - 0.1 * at, at + 1) for at, place in enumerate(places)),
        timings_ms={"total": 12},
        usage={"prompt_tokens": 30, "completion_tokens": 5},
    )
    return replace(plain, **changes)


def result(name: str, *, correct: bool | None = True, category: str = "single-fact", **changes: Any) -> Result:
    """A question's figures, right or wrong in everything that is gated."""
    scores = {} if correct is None else dict.fromkeys(
        ("correct", "correct_and_cited", "ndcg@10", "evidence_recall", "support_recall"), (float(correct), 1.0)
    )  # fmt: skip
    return replace(Result(name, category, answerable=True, scores=scores, confidence=0.5, latency_ms=100), **changes)


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
