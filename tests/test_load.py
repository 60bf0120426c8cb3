"""A short form of `python -m eval load`: everybody gets an answer, and each figure is of what it says."""

import os
from pathlib import Path

import pytest

from eval.load import Measuring, load_json, load_lines
from eval.load_model import MODEL, model_app
from index.settings import Settings
from rag.engine import open_engine
from tests.browser import serving
from tests.served import served

pytestmark = [
    # Gradio's own count of its queue uses two things of pandas that pandas is about to drop.
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting.*"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated.*"),
]


@pytest.mark.slow
async def test_first_texts_are_timed_alone_and_in_a_crowd(tmp_path: Path) -> None:
    with served(model_app(0.05, 0.002)) as model:
        settings = Settings(
            home=tmp_path,
            embedding="tests.fakes.HashingEmbedding",
            llm=f"openai-like/{MODEL}",
            llm_base_url=f"{model}/v1",
        )
        with open_engine(settings, owner="a test") as engine, serving(engine) as page:
            measuring = Measuring(model, page.rstrip("/"), os.getpid(), people=2, rounds=1, pause_seconds=0.1)
            done: list[int] = []
            figures = await measuring.all(lambda so_far, _: done.append(so_far))
    assert done == [1, 2, 3, 4, 5, 7]
    for alone, before, after in (
        (figures.door, figures.door_before, figures.door_after),
        (figures.page, figures.page_before, figures.page_after),
    ):
        # Nobody sees a text before the model has begun, and the parts make up the whole.
        assert before.p50 > 0
        assert after.p50 > 0
        assert alone.p50 > before.p50 + after.p50 + 45
        assert alone.p50 > figures.direct.p50 > 50
    assert figures.door_at_once.count == figures.page_at_once.count == figures.page_talking.count == 2
    assert figures.page_steps.count > 1
    assert load_json(figures)["people"] == 2
    assert any("in the same moment" in line for line in load_lines(figures))
