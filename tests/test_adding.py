"""`python -m eval adding`: what adding costs beside the model alone, and a run that was stopped goes on."""

from pathlib import Path

import pytest

from eval.adding import adding_json, adding_lines, measure_adding
from index.errors import ArticleError
from index.settings import Settings
from tests.conftest import SEEDS


def test_adding_is_measured_and_goes_on_where_it_stopped(tmp_path: Path, settings: Settings) -> None:
    home = tmp_path / "kept"
    told: list[tuple[int, int]] = []
    first = measure_adding(
        settings, SEEDS, articles=5, home=home, on_progress=lambda done, total: told.append((done, total))
    )
    assert (first.articles, first.there_before) == (5, 0)
    assert told == [(number, 5) for number in range(1, 6)]
    assert first.ratio == pytest.approx(first.adding_rate / first.bare_rate)
    second = measure_adding(settings, SEEDS, articles=7, home=home)
    assert (second.articles, second.there_before) == (2, 5)
    assert adding_json(second)["articles"] == 2
    assert adding_lines(second)[0].startswith("2 articles, beside 5 added before, ")
    with pytest.raises(ArticleError, match="all 7 articles are there already"):
        measure_adding(settings, SEEDS, articles=7, home=home)
    assert not settings.home.exists()
