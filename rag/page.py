"""The page: a conversation on the left, its sources on the right (drawn by `static/panel.js`), mounted in FastAPI.

What the browser sends back, the conversation so far included, is untrusted: `rag/messages.py` makes plain text of it
before anything reads it.
"""

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, Protocol

import gradio as gr
from fastapi import FastAPI, Response

from index.articles import Article
from index.records import IndexedArticle
from rag.api import MAX_QUESTION_CHARACTERS, Answering, ArticleSource, api_router
from rag.feedback import RecentAnswers
from rag.gateway import asking_rate, guard
from rag.markup import escape_text
from rag.messages import Message, Streaming, contents_of, cut_at, safe_again, said, stopped_messages, turns_of
from rag.rendering import plain_message
from rag.suggestions import suggest_questions

Update = tuple[Any, Any]
"""New values of the conversation and of the question box."""

MAX_MESSAGES: Final = 40
"""Longest conversation kept on the page; older messages leave it."""
MAX_ANSWERING: Final = 16
"""Most questions answered at the same time; others wait in the queue."""
MAX_WAITING: Final = 64

_STATIC: Final = Path(__file__).parent / "static"
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


class Engine(Answering, Streaming, Protocol):
    """What the page needs of a `NewsQueryEngine`."""

    @property
    def model(self) -> str:
        """`provider/model`, or `none` where it answers by quoting."""


def mount_page(app: FastAPI, engine: Engine, *, local_only: bool, evaluation: str = "") -> FastAPI:
    """Put the page, its files, the HTTP routes and the shield around them on `app`.

    Args:
        app: what is served.
        engine: what answers.
        local_only: the server listens on a loopback address.
        evaluation: address, relative to the page, of a page about how good the answers are.
    """
    answers = RecentAnswers()
    app.include_router(api_router(engine, answers, rate=asking_rate(engine.settings, local_only=local_only)))
    head = _serve_static(app)
    guard(app, engine.settings, local_only=local_only)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_page(engine, answers, evaluation=evaluation),
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
    version = hashlib.sha256(b"".join(files.values())).hexdigest()[:12]
    for name, content in files.items():
        app.get(f"/byline/{version}/{name}")(_file_route(content, _MEDIA_TYPES[Path(name).suffix]))
    return (
        f'<link rel="stylesheet" href="byline/{version}/page.css">'
        f'<script type="module" src="byline/{version}/chat.js"></script>'
    )


def _file_route(content: bytes, media_type: str) -> Callable[[], Response]:
    def serve() -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=31536000"})

    return serve


def build_page(engine: Engine, answers: RecentAnswers, *, evaluation: str = "") -> gr.Blocks:
    """The page's components and what they do; `answers` keeps those it gives, for readers to rate."""
    suggestions = suggest_questions(_sample(engine.store))
    page: gr.Blocks
    with gr.Blocks(title="Byline", fill_width=True, analytics_enabled=False) as page:
        with gr.Row(elem_id="byline-header"):
            gr.Markdown(lambda: f"# Byline\n\n{describe(engine)}", elem_id="byline-about")
            new_chat = gr.Button("New chat", size="sm", elem_id="byline-new")
        with gr.Column(elem_id="byline-conversation"):
            chat = gr.Chatbot(
                elem_id="byline-chat",
                label="Conversation",
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
                gr.Markdown("## What do you want to know?")
                suggested = [gr.Button(question, elem_classes="byline-suggestion") for question in suggestions]
            question = gr.Textbox(
                elem_id="byline-question",
                label="Your question",
                show_label=False,
                container=False,
                placeholder="Ask a question…",
                lines=1,
                max_lines=6,
                max_length=MAX_QUESTION_CHARACTERS,
                submit_btn=True,
                autofocus=True,
            )
            gr.Markdown(_caution(engine, evaluation), elem_id="byline-caution")
        _connect(engine, answers, chat, question, new_chat=new_chat, suggested=suggested)
    page.queue(max_size=MAX_WAITING, api_open=False)
    return page


def describe(engine: Engine) -> str:
    """One line: what the articles are and who answers."""
    listed = engine.store.articles()
    line = f"Answers from {len(listed):,} article{'' if len(listed) == 1 else 's'}{_period(listed)}"
    if engine.model == "none":
        return (
            f"{line}, in their own words. For answers written by a model set "
            "<code>OPENAI_API_KEY</code> or <code>BYLINE_LLM</code>."
        )
    return f"{line}, written by {escape_text(engine.model)}."


def _period(listed: Sequence[IndexedArticle]) -> str:
    """The time the articles span; nothing where many have no date, for then it would mislead."""
    dates = sorted(article.published[:10] for article in listed if article.published)
    if not dates or len(dates) < 0.9 * len(listed):
        return ""
    return f" ({dates[0]})" if dates[0] == dates[-1] else f" ({dates[0]} to {dates[-1]})"


def _caution(engine: Engine, evaluation: str) -> str:
    """What to keep in mind, and the way to the figures."""
    line = "Answers are written by a language model and can be wrong. A number opens the words a sentence rests on."
    if engine.model == "none":
        line = "Quotes are word for word. A number opens the article they come from."
    return f"{line} [Evaluation]({evaluation})" if evaluation else line


def _sample(store: ArticleSource, most: int = 60) -> list[Article]:
    """Some articles from across the whole, always the same ones."""
    listed = store.articles()
    return [store.article(entry.id) for entry in listed[:: max(1, len(listed) // most)][:most]]


def _connect(
    engine: Engine,
    answers: RecentAnswers,
    chat: gr.Chatbot,
    question: gr.Textbox,
    *,
    new_chat: gr.Button,
    suggested: Sequence[gr.Button],
) -> None:
    """Bind what a person does to what happens."""

    async def ask(asked: str, shown: list[Message]) -> AsyncGenerator[Update, None]:
        async with aclosing(converse(engine, answers, asked, shown)) as updates:
            async for update in updates:
                yield update

    async def retry(shown: list[Message], retried: gr.RetryData) -> AsyncGenerator[Update, None]:
        before, asked = cut_at(shown, retried.index)
        async with aclosing(converse(engine, answers, asked, before)) as updates:
            async for update in updates:
                yield update

    async def edit(shown: list[Message], edited: gr.EditData) -> AsyncGenerator[Update, None]:
        before, _ = cut_at(shown, edited.index)
        async with aclosing(converse(engine, answers, plain_message(str(edited.value)), before)) as updates:
            async for update in updates:
                yield update

    def undo(shown: list[Message], undone: gr.UndoData) -> Update:
        before, asked = cut_at(shown, undone.index)
        return before, gr.Textbox(value=asked)

    asking: dict[str, Any] = {
        "outputs": [chat, question],
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_limit": MAX_ANSWERING,
        "concurrency_id": "asking",
    }
    at_once: dict[str, Any] = {
        "outputs": [chat, question],
        "api_visibility": "private",
        "show_progress": "hidden",
        "queue": False,
    }
    answering: list[Any] = [
        question.submit(ask, [question, chat], **asking),
        *(button.click(ask, [button, chat], **asking) for button in suggested),
        chat.retry(retry, [chat], **asking),
        chat.edit(edit, [chat], **asking),
    ]
    question.stop(stopped, [chat], cancels=answering, **at_once)
    new_chat.click(lambda: ([], _box(value="")), None, cancels=answering, **at_once)
    chat.clear(lambda: ([], _box()), None, cancels=answering, **at_once)
    chat.undo(undo, [chat], **at_once)


async def converse(
    engine: Engine, answers: RecentAnswers, asked: str, shown: Sequence[Message]
) -> AsyncGenerator[Update, None]:
    """Ask a question in a conversation: the whole conversation again at each step of the answer.

    Args:
        engine: what answers.
        answers: where the answer is kept, to be rated.
        asked: the question, as typed.
        shown: the messages before it, as the browser sends them.
    """
    asked = asked.strip()[:MAX_QUESTION_CHARACTERS]
    before = [safe_again(message) for message in shown][-MAX_MESSAGES:]
    if not asked:
        yield before, _box()
        return
    messages = [*before, {"role": "user", "content": escape_text(asked)}]
    first = True
    content = ""
    async with aclosing(contents_of(engine, answers, asked, turns_of(shown, answers))) as contents:
        async for content in contents:
            box = _box(value="", answering=True) if first else gr.skip()
            first = False
            yield [*messages, said(content)], box
    yield [*messages, said(content)], _box()


def stopped(shown: Sequence[Message]) -> Update:
    """The conversation after Stop."""
    return stopped_messages(shown), _box()


def _box(*, value: str | None = None, answering: bool = False) -> Any:
    """The question box, with Stop while an answer is being written and Send otherwise."""
    changes: dict[str, Any] = {"submit_btn": not answering, "stop_btn": answering}
    if value is not None:
        changes["value"] = value
    return gr.update(**changes)
