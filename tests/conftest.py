"""Fixtures shared by all tests: settings that see only the test's folder, and an index over `seeds/`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.build import add_articles
from index.opening import open_store
from index.settings import Settings
from index.store import PassageStore
from tests.fakes import HashingEmbedding

SEEDS = Path(__file__).parent.parent / "seeds"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's environment, and no `.env` beside the project, reaches a test."""
    for name in list(os.environ):
        if name.startswith(("BYLINE_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("BYLINE_HOME", str(tmp_path / "home"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own, no language model, no waiting for a locked index."""
    return Settings(home=tmp_path / "home", llm="none", lock_seconds=0)


@pytest.fixture
def embedding() -> HashingEmbedding:
    """Vectors without a model."""
    return HashingEmbedding(model_name="tests/hashing")


@pytest.fixture
def seed_store(settings: Settings, embedding: HashingEmbedding) -> Iterator[PassageStore]:
    """An open index over the five articles of `seeds/`."""
    with open_store(settings, embedding, owner="a test") as store:
        add_articles(store, [SEEDS], settings=settings)
        yield store
