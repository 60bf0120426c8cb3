import ast
from pathlib import Path
from string import Template

import pytest

from index.errors import PromptError
from rag import prompts
from rag.prompts import PROMPTS_FOLDER, fill_prompt, new_fence

ROOT = Path(__file__).resolve().parent.parent


def _names_used() -> set[str]:
    """The prompts that the code fills."""
    names = set()
    for path in [*ROOT.glob("rag/*.py"), *ROOT.glob("eval/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "fill_prompt":
                assert isinstance(node.args[0], ast.Constant), path
                names.add(str(node.args[0].value))
    return names


def test_every_prompt_is_used_and_every_prompt_used_is_there() -> None:
    assert {path.stem for path in PROMPTS_FOLDER.glob("*.md")} == _names_used()


@pytest.mark.parametrize("name", sorted(path.stem for path in PROMPTS_FOLDER.glob("*.md")))
def test_every_prompt_fills_and_leaves_no_variable(name: str) -> None:
    text = (PROMPTS_FOLDER / f"{name}.md").read_text(encoding="utf-8")
    values = {variable: f"value of {variable}" for variable in Template(text).get_identifiers()}
    filled = fill_prompt(name, **values)
    assert all(value in filled for value in values.values())
    assert not any(f"${variable}" in filled for variable in values)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(prompts, "PROMPTS_FOLDER", tmp_path)
    return tmp_path


def test_missing_and_unused_variables_are_one_error_that_names_all(folder: Path) -> None:
    (folder / "ask.md").write_text("$question $sources $fence", encoding="utf-8")
    with pytest.raises(PromptError) as caught:
        fill_prompt("ask", fence="x", tone="kind", colour="red")
    assert str(caught.value) == (
        "prompts/ask.md and its variables differ; without a value: question, sources; given but not used: colour, tone."
    )


def test_values_are_not_searched_for_variables(folder: Path) -> None:
    (folder / "ask.md").write_text("Q: $question for $$5", encoding="utf-8")
    assert fill_prompt("ask", question="costs $fence ${question} $5") == "Q: costs $fence ${question} $5 for $5"


@pytest.mark.parametrize("content", [b"costs $5", b"\xff\xfe"])
def test_prompt_that_cannot_be_read_is_named(folder: Path, content: bytes) -> None:
    (folder / "ask.md").write_bytes(content)
    with pytest.raises(PromptError, match=r"prompts/ask\.md"):
        fill_prompt("ask")


def test_prompt_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(PromptError, match=r"prompts/ask\.md"):
        fill_prompt("ask")


def test_fences_differ() -> None:
    assert len({new_fence() for _ in range(100)}) == 100
