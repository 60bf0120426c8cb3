"""A short form of `python -m eval crash`: processes of the index are killed at work, and nothing is lost or doubled."""

from pathlib import Path

import pytest

from eval.crash import crash_json, crash_lines, kill_at_random
from index.settings import Settings


@pytest.mark.slow
def test_index_survives_being_killed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", embedding="tests.fakes.HashingEmbedding")
    figures = kill_at_random(settings, times=3, seed=5)
    assert figures.faults == []
    assert sum(crash_json(figures)["kills"].values()) == 3
    assert crash_lines(figures)[-1].startswith("Nothing was lost or doubled")
