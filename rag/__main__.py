"""`python -m rag`: ask one question, or a file of them."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from index.commands import progress_bar, run, write_json
from index.errors import ModelError, QuestionSetError, SettingsError
from index.settings import Settings, load_settings
from rag.answers import Answer, to_json
from rag.batch import read_answered, read_history, read_questions, write_answer
from rag.conversation import Turn
from rag.doctor_report import examine
from rag.engine import open_engine
from rag.filters import Filter
from rag.passwords import check_name, hash_password
from rag.remote import find_running_page
from rag.rendering import to_plain
from rag.spending import spent_in_words

app = typer.Typer(help="Ask the articles.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Ask = Callable[[str, Sequence[Turn], Filter], Answer]


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object.")] = False,
    history: Annotated[
        Path | None, typer.Option(help='The turns before it: a JSON list of {"role", "content"}.')
    ] = None,
    outlet: Annotated[list[str] | None, typer.Option(help="Only articles of this outlet; may be repeated.")] = None,
    article: Annotated[list[str] | None, typer.Option(help="Only this article, by its id; may be repeated.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="Only articles published on this day or later: 2025-12-15."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Only articles published on this day or earlier.")
    ] = None,
) -> None:
    """Answer one question from the articles, with its sources."""
    if not question.strip():
        raise QuestionSetError("The question is empty.")
    among = Filter(outlets=tuple(outlet or ()), articles=tuple(article or ()), since=since, until=until)
    turns = read_history(history) if history else ()
    settings = load_settings()
    with _answering(settings, owner="python -m rag ask") as answer_to:
        answer = answer_to(question, turns, among)
    if as_json:
        write_json(to_json(answer))
    else:
        print(to_plain(answer))


@app.command()
def batch(
    questions: Annotated[Path, typer.Argument(help="A question a line: id, question, optional history.")],
    out: Annotated[Path, typer.Option(help="Where the answers go, one a line; a stopped run goes on.")],
) -> None:
    """Answer a file of questions, in order; questions that OUT answers already are passed over."""
    asked = read_questions(questions)
    answered = read_answered(out, asked)
    left = [question for question in asked if question.id not in answered]
    if not left:
        return
    with (
        _answering(load_settings(), owner="python -m rag batch") as answer_to,
        progress_bar("Answering") as on_progress,
    ):
        given: list[Answer] = []
        for done, question in enumerate(left):
            on_progress(len(answered) + done, len(asked))
            answer = answer_to(question.question, question.history, Filter())
            if answer.notice and answer.mode == "extractive":
                # A quotation among a model's answers would falsify every figure made from them.
                raise ModelError(f"Question {question.id}: {answer.notice} Run the same command to go on from here.")
            write_answer(out, to_json(answer, id=question.id))
            given.append(answer)
        on_progress(len(asked), len(asked))
    if spent := spent_in_words(given):
        print(spent, file=sys.stderr)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as one JSON object.")] = False,
) -> None:
    """Find out whether the models that are set can be reached and trusted; exit code 2 where one cannot."""
    settings = load_settings()
    with progress_bar("Asking the model") as on_progress:
        report = examine(settings, on_progress)
    if as_json:
        write_json(report.to_json())
    else:
        report.show(Console())
    raise typer.Exit(report.exit_code)


@app.command()
def mcp() -> None:
    """Be a tool server for agents, over standard input and output (Model Context Protocol)."""
    if not find_spec("mcp"):
        raise SettingsError(
            "The package mcp is not installed: uv pip install --python .venv -r pyproject.toml --extra mcp."
        )
    from rag.agents import serve_agents

    settings = load_settings()
    page = find_running_page(settings)
    if page is not None:
        with closing(page):
            serve_agents(page)
        return
    with open_engine(settings, owner="python -m rag mcp") as engine:
        serve_agents(engine)


@app.command()
def password(name: Annotated[str, typer.Argument(help="Who logs in with it.")]) -> None:
    """Ask for a new password and print the NAME:HASH pair that BYLINE_AUTH wants."""
    check_name(name)
    if sys.stdin.isatty():
        chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        chosen = sys.stdin.readline().rstrip("\n")
    if not chosen:
        raise SettingsError("The password is empty.")
    print(f"{name}:{hash_password(chosen)}")


@contextmanager
def _answering(settings: Settings, *, owner: str) -> Iterator[Ask]:
    """Whoever can answer: the page that owns the index where one is running, else an engine of our own."""
    page = find_running_page(settings)
    if page is not None:
        with closing(page):
            yield lambda question, turns, among: page.ask(question, turns, among=among)
        return
    with open_engine(settings, owner=owner) as engine, asyncio.Runner() as runner:
        yield lambda question, turns, among: runner.run(engine.answer(question, turns, among=among))


if __name__ == "__main__":
    run(app)
