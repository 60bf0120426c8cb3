"""The doctor's report: as tables for people, as one object for programs, and as an exit code."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from index.settings import Settings
from rag.doctor import Check, ModelReport, OnProgress, examine_model
from rag.embedding_check import EmbeddingReport, examine_embedding
from rag.findings import keep_findings

_MARKS = {True: ("ok", "green"), False: ("no", "red"), None: ("", "")}


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """What was found about both models."""

    model: ModelReport
    embedding: EmbeddingReport

    @property
    def exit_code(self) -> int:
        """0 where answers can be given as set, 2 where something must be mended."""
        return 2 if "not good enough" in (self.model.verdict, self.embedding.verdict) else 0

    def to_json(self) -> dict[str, Any]:
        """One object with every check and reply."""
        findings = self.model.findings
        return {
            "language_model": {
                "model": self.model.model,
                "address": self.model.address,
                "verdict": self.model.verdict,
                "reason": self.model.reason,
                "citing": findings.citing if findings else None,
                "context_tokens_found": findings.context_tokens if findings else None,
                "checks": _checks_json(self.model.checks),
                "answers": [
                    {
                        "id": outcome.probe.id,
                        "question": outcome.probe.question,
                        "text": outcome.text,
                        "answerable": outcome.probe.answerable,
                        "answered": outcome.answered,
                        "cites_rightly": outcome.cites_rightly,
                        "refused": outcome.refused,
                        "obeyed": outcome.obeyed,
                    }
                    for outcome in self.model.outcomes
                ],
            },
            "embedding": {
                "model": self.embedding.model,
                "verdict": self.embedding.verdict,
                "reason": self.embedding.reason,
                "checks": _checks_json(self.embedding.checks),
            },
            "exit_code": self.exit_code,
        }

    def show(self, console: Console) -> None:
        """Draw both tables and say both verdicts."""
        where = f" at {self.model.address}" if self.model.address else ""
        if self.model.checks:
            console.print(_table(f"Language model {self.model.model}{where}", self.model.checks))
        console.print(f"Language model {self.model.model}: {self.model.in_words}", markup=False, soft_wrap=True)
        console.print(_table(f"Embedding model {self.embedding.model}", self.embedding.checks))
        console.print(
            f"Embedding model {self.embedding.model}: {self.embedding.in_words}", markup=False, soft_wrap=True
        )


def examine(settings: Settings, on_progress: OnProgress = lambda done, total: None) -> DoctorReport:
    """Look at both models that the settings name, and keep what is found about the language model for answering.

    Args:
        settings: name the models.
        on_progress: told how many calls of the language model are done, of how many at most.

    Raises:
        StoreError: what was found cannot be kept.
    """
    embedding = examine_embedding(settings)
    model = asyncio.run(examine_model(settings, embedding=embedding.embedding, on_progress=on_progress))
    if model.findings is not None:
        keep_findings(settings, model.findings)
    return DoctorReport(model, embedding)


def _checks_json(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [{"name": check.name, "found": check.found, "passed": check.passed} for check in checks]


def _table(title: str, checks: Sequence[Check]) -> Table:
    table = Table(title=Text(title), title_justify="left", show_header=False)
    for check in checks:
        word, colour = _MARKS[check.passed]
        table.add_row(Text(check.name), Text(check.found), Text(word, style=colour))
    return table
