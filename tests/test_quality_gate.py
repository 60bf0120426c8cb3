"""The gate on the real thing: every question of the set, asked without a model, must stay as good as it is.

The floors are the lower ends of the intervals of the run that eval/README.md reports.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (
    "correct=0.49",
    "correct_and_cited=0.46",
    "all_evidence@10=0.87",
    "evidence_precision=0.70",
    "refusal_recall=0.76",
)


def evaluate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eval", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_answers_without_a_model_stay_above_their_floors(tmp_path: Path) -> None:
    run = str(tmp_path / "quoting")
    floors = [part for floor in FLOORS for part in ("--fail-under", floor)]
    done = evaluate("run", "--out", run, *floors)
    assert done.returncode == 0, done.stdout + done.stderr

    unreachable = evaluate("gate", run, "--fail-under", "correct=0.99")
    assert unreachable.returncode == 1
    assert "correct" in (unreachable.stdout + unreachable.stderr).lower()
