"""The page: a conversation on the left, its sources on the right (drawn by `static/panel.js`), mounted in FastAPI.

What the browser sends back, the conversation so far included, is untrusted: `rag/messages.py` and `rag/kept.py` make
plain text of it before anything reads it.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, Protocol

import gradio as gr
from fastapi import FastAPI, Response

from index.errors import BylineError
from rag.api import MAX_QUESTION_CHARACTERS, Answering, api_router
from rag.changes import Changes
from rag.choices import read_choices
from rag.corpus import describe
from rag.feedback import RecentAnswers
from rag.followups import Quoting
from rag.gateway import asking_rate, guard
from rag.interface import TEXT, phrase
from rag.kept import MAX_KEPT_TURNS, from_kept, read_conversation
from rag.limits import Rate, client_of
from rag.markup import escape_text
from rag.messages import (
    Message,
    Streaming,
    contents_of,
    cut_at,
    problem,
    safe_again,
    said,
    stopped_messages,
    stopped_text,
    turns_of,
    waiting_step,
)
from rag.page_routes import page_router
from rag.rendering import answer_markdown, plain_message
from rag.waiting import MAX_ANSWERING, MAX_WAITING, Line

Update = tuple[Any, Any]
"""New values of the conversation and of the question box."""

MAX_MESSAGES: Final = 2 * MAX_KEPT_TURNS
"""Longest conversation kept on the page; older messages leave it."""

_STATIC: Final = Path(__file__).parent / "static"
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


class Engine(Answering, Quoting, Streaming, Protocol):
    """What the page needs of a `NewsQueryEngine`."""

    @property
    def model(self) -> str:
        """`provider/model`, or `none` where it answers by quoting."""


def mount_page(
    app: FastAPI,
    engine: Engine,
    *,
    local_only: bool,
    evaluation: str = "",
    others: Sequence[Engine] = (),
    changes: Changes | None = None,
) -> FastAPI:
    """Put the page, its files, the HTTP routes and the shield around them on `app`.

    Args:
        app: what is served.
        engine: what answers.
        local_only: the server listens on a loopback address.
        evaluation: address, relative to the page, of a page about how good the answers are.
        others: engines over the same articles with other models, for a person to choose.
        changes: adds and removes articles; None where the page may not.
    """
    answers = RecentAnswers()
    rate = asking_rate(engine.settings, local_only=local_only)
    engines = {one.model: one for one in [*reversed(others), engine]}
    models = [engine.model, *(one.model for one in others if one.model != engine.model)]
    app.include_router(api_router(engine, answers, rate=rate))
    app.include_router(page_router(engine, models, answers, changes=changes))
    head = _serve_static(app)
    guard(app, engine.settings, local_only=local_only)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_page(engine, answers, engines=engines, rate=rate, evaluation=evaluation),
        path="/",
        head='<meta name="color-scheme" content="light dark">' + head,
        theme=gr.themes.Default(
            primary_hue="blue",
            neutral_hue="slate",
            font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
            font_mono=["ui-monospace", "monospace"],
        ),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        max_file_size="1kb",
        ssr_mode=False,
        show_error=False,
        mcp_server=False,
        root_path=engine.settings.root_path or None,
    )
    return mounted


def _serve_static(app: FastAPI) -> str:
    """Serve the page's script and style; returns the tags that load them.

    The address holds the files' version, so that browsers may keep them and a script finds those it imports.
    """
    files = {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir()) if path.suffix in _MEDIA_TYPES}
    files["text.js"] = f"export const TEXT = {json.dumps(TEXT)};\n".encode()
    version = hashlib.sha256(b"".join(files.values())).hexdigest()[:12]
    for name, content in files.items():
        app.get(f"/byline/{version}/{name}")(_file_route(content, _MEDIA_TYPES[Path(name).suffix]))
    styles = "".join(
        f'<link rel="stylesheet" href="byline/{version}/{name}">' for name in files if name.endswith(".css")
    )
    return f'{styles}<script type="module" src="byline/{version}/chat.js"></script>'


def _file_route(content: bytes, media_type: str) -> Callable[[], Response]:
    def serve() -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=31536000"})

    return serve


def build_page(
    engine: Engine, answers: RecentAnswers, *, engines: Mapping[str, Engine], rate: Rate, evaluation: str = ""
) -> gr.Blocks:
    """The page's components and what they do.

    Args:
        engine: what answers where no model is chosen.
        answers: keeps those it gives, for readers to rate.
        engines: what answers, by the name of its model.
        rate: how much one client may ask.
        evaluation: address of a page about how good the answers are.
    """
    page: gr.Blocks
    with gr.Blocks(title=phrase("title"), fill_width=True, analytics_enabled=False) as page:
        with gr.Row(elem_id="byline-header"):
            gr.Markdown(lambda: f"# {phrase('title')}\n\n{_about(engine)}", elem_id="byline-about")
            new_chat = gr.Button(phrase("new chat"), size="sm", elem_id="byline-new")
        with gr.Column(elem_id="byline-conversation"):
            chat = gr.Chatbot(
                elem_id="byline-chat",
                label=phrase("conversation"),
                show_label=False,
                container=False,
                height=None,
                layout="panel",
                buttons=["copy"],
                feedback_options=None,
                editable="user",
                latex_delimiters=[],
                allow_tags=False,
                sanitize_html=True,
                group_consecutive_messages=False,
            )
            with gr.Column(elem_id="byline-empty"):
                gr.Markdown(f"## {phrase('what')}")
            question = gr.Textbox(
                elem_id="byline-question",
                label=phrase("question"),
                show_label=False,
                container=False,
                placeholder=phrase("ask"),
                lines=1,
                max_lines=6,
                max_length=MAX_QUESTION_CHARACTERS,
                submit_btn=True,
                autofocus=True,
            )
            # Filled and pressed by the page's script, never seen.
            choices = gr.Textbox(elem_id="byline-choices", visible="hidden")
            kept = gr.Textbox(elem_id="byline-kept", visible="hidden")
            restored = gr.Button(elem_id="byline-restore", visible="hidden")
            gr.Markdown(_caution(engine, evaluation), elem_id="byline-caution")
        _connect(engine, answers, chat, question, choices=choices, engines=engines, rate=rate, new_chat=new_chat)
        restored.click(
            lambda text: (restore(answers, text), _box()),
            kept,
            [chat, question],
            api_visibility="private",
            show_progress="hidden",
            queue=False,
        )
    page.queue(max_size=2 * (MAX_ANSWERING + MAX_WAITING), api_open=False)
    return page


def _about(engine: Engine) -> str:
    return escape_text(describe(engine.store.articles(), engine.model))


def _caution(engine: Engine, evaluation: str) -> str:
    """What to keep in mind, and the way to the figures."""
    line = phrase("word for word" if engine.model == "none" else "can be wrong")
    return f"{line} [{phrase('evaluation')}]({evaluation})" if evaluation else line


def _connect(
    engine: Engine,
    answers: RecentAnswers,
    chat: gr.Chatbot,
    question: gr.Textbox,
    *,
    choices: gr.Textbox,
    engines: Mapping[str, Engine],
    rate: Rate,
    new_chat: gr.Button,
) -> None:
    """Bind what a person does to what happens."""
    line = Line()

    async def answered(
        asked: str, before: list[Message], chosen: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        def count() -> None:
            rate.take(client_of(request.request.scope if request.request else {}))

        async with aclosing(
            converse(engine, answers, asked, before, choices=chosen, engines=engines, line=line, count=count)
        ) as updates:
            async for update in updates:
                yield update

    async def ask(asked: str, shown: list[Message], chosen: str, request: gr.Request) -> AsyncGenerator[Update, None]:
        async with aclosing(answered(asked, shown, chosen, request)) as updates:
            async for update in updates:
                yield update

    async def retry(
        shown: list[Message], chosen: str, retried: gr.RetryData, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        before, asked = cut_at(shown, retried.index)
        async with aclosing(answered(asked, before, chosen, request)) as updates:
            async for update in updates:
                yield update

    async def edit(
        shown: list[Message], chosen: str, edited: gr.EditData, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        before, _ = cut_at(shown, edited.index)
        async with aclosing(answered(plain_message(str(edited.value)), before, chosen, request)) as updates:
            async for update in updates:
                yield update

    def undo(shown: list[Message], undone: gr.UndoData) -> Update:
        before, asked = cut_at(shown, undone.index)
        return before, gr.Textbox(value=asked)

    asking: dict[str, Any] = {
        "outputs": [chat, question],
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_limit": MAX_ANSWERING + MAX_WAITING,  # the line has its own limit, and says how long it is
        "concurrency_id": "asking",
    }
    at_once: dict[str, Any] = {
        "outputs": [chat, question],
        "api_visibility": "private",
        "show_progress": "hidden",
        "queue": False,
    }
    answering: list[Any] = [
        question.submit(ask, [question, chat, choices], **asking),
        chat.retry(retry, [chat, choices], **asking),
        chat.edit(edit, [chat, choices], **asking),
    ]
    # Only once nothing more is written: an update on its way would take the place of what is said here.
    end: dict[str, Any] = {"cancels": answering, "queue": False, "api_visibility": "private"}
    question.stop(None, **end).then(stopped, [chat], **at_once)
    new_chat.click(None, **end).then(lambda: ([], _box(value="")), None, **at_once)
    chat.clear(None, **end).then(lambda: ([], _box()), None, **at_once)
    chat.undo(undo, [chat], **at_once)


async def converse(
    engine: Engine,
    answers: RecentAnswers,
    asked: str,
    shown: Sequence[Message],
    *,
    choices: str = "",
    engines: Mapping[str, Engine] | None = None,
    line: Line | None = None,
    count: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Update, None]:
    """Ask a question in a conversation: the whole conversation again at each step of the answer.

    Args:
        engine: what answers where no model is chosen.
        answers: where the answer is kept, to be rated.
        asked: the question, as typed.
        shown: the messages before it, as the browser sends them.
        choices: which articles to search and which model answers, as the browser sends it.
        engines: what answers, by the name of its model.
        line: of those who ask at the same time.
        count: counts the question; raises where the client has asked too much.
    """
    asked = asked.strip()[:MAX_QUESTION_CHARACTERS]
    before = [safe_again(message) for message in shown][-(MAX_MESSAGES - 2) :]
    if not asked:
        yield before, _box()
        return
    messages = [*before, {"role": "user", "content": escape_text(asked)}]
    first = True
    content = ""
    history = turns_of(shown, answers)
    try:
        count()
        chosen = read_choices(choices)
        answering = (engines or {}).get(chosen.model, engine)
        contents = _in_line(line or Line(), contents_of(answering, answers, asked, history, among=chosen.among))
        async with aclosing(contents):
            async for content in contents:
                box = _box(value="", answering=True) if first else gr.skip()
                first = False
                yield [*messages, said(content)], box
    except BylineError as exc:
        content = problem(str(exc))
    yield [*messages, said(content)], _box(value="") if first else _box()


async def _in_line(line: Line, contents: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """The same contents when it is their turn; until then, how many are before.

    Raises:
        CrowdedError: too many are waiting.
    """
    async with aclosing(contents):
        with line.place() as place:
            told = 0
            while True:
                moved, before = place.moved, place.before
                if not before:
                    break
                if before != told:
                    told = before
                    yield waiting_step(before)
                await moved.wait()
            async for content in contents:
                yield content


def restore(answers: RecentAnswers, kept: str) -> list[Message]:
    """The messages of a conversation that the browser kept, drawn anew from its parts.

    An answer that is still known here is drawn as it was given, and can be rated.
    """
    try:
        conversation = read_conversation(kept)
    except BylineError as exc:
        return [said(problem(str(exc)))]
    messages: list[Message] = []
    for turn in conversation.turns:
        messages.append({"role": "user", "content": escape_text(turn.question)})
        given = answers.find(turn.answer_id)
        if turn.answer is None:
            messages.append(said(stopped_text(escape_text(turn.text))))
            continue
        try:
            answer = given or from_kept(turn.answer)
            messages.append(said(answer_markdown(answer, answer_id=turn.answer_id, rated=given is not None)))
        except BylineError as exc:
            messages.append(said(problem(str(exc))))
    return messages


def stopped(shown: Sequence[Message]) -> Update:
    """The conversation after Stop."""
    return stopped_messages(shown), _box()


def _box(*, value: str | None = None, answering: bool = False) -> Any:
    """The question box, with Stop while an answer is being written and Send otherwise."""
    changes: dict[str, Any] = {"submit_btn": not answering, "stop_btn": answering}
    if value is not None:
        changes["value"] = value
    return gr.update(**changes)
