"""Questions with known answers -> figures: running sets, metrics, comparing, gating, reports.

The names below are what other programs use; each is loaded from its module when first asked for, so that `import eval`
alone is quick. The command line is `python -m eval`; `eval/README.md` says what each figure means.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.bridge import export_rows as export_rows
    from eval.bridge import retrieval_cases as retrieval_cases
    from eval.bridge import retriever_evaluator as retriever_evaluator
    from eval.compare import compare_runs as compare_runs
    from eval.dataset import Evidence as Evidence
    from eval.dataset import Question as Question
    from eval.dataset import check_questions as check_questions
    from eval.dataset import read_questions as read_questions
    from eval.dataset import write_questions as write_questions
    from eval.judge import judge_run as judge_run
    from eval.matching import mentions as mentions
    from eval.metrics import METRICS as METRICS
    from eval.metrics import Result as Result
    from eval.report import write_reports as write_reports
    from eval.runner import Plan as Plan
    from eval.runner import run_questions as run_questions
    from eval.runs import Run as Run
    from eval.runs import list_runs as list_runs
    from eval.runs import read_run as read_run
    from eval.scoring import score_answer as score_answer

_HOME_OF = {
    "METRICS": "metrics",
    "Evidence": "dataset",
    "Plan": "runner",
    "Question": "dataset",
    "Result": "metrics",
    "Run": "runs",
    "check_questions": "dataset",
    "compare_runs": "compare",
    "export_rows": "bridge",
    "judge_run": "judge",
    "list_runs": "runs",
    "mentions": "matching",
    "read_questions": "dataset",
    "read_run": "runs",
    "retrieval_cases": "bridge",
    "retriever_evaluator": "bridge",
    "run_questions": "runner",
    "score_answer": "scoring",
    "write_questions": "dataset",
    "write_reports": "report",
}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'eval' has no attribute {name!r}")
    return getattr(import_module(f"eval.{_HOME_OF[name]}"), name)
