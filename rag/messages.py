"""Messages: an answer as it grows into one, and what the browser sends back of a conversation.

Messages are markdown that `rag/rendering.py` has made safe. What comes back is untrusted: it is turned into plain text
before anything reads it.
"""

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final, Protocol

from index.errors import BylineError
from rag.api import MAX_TURN_CHARACTERS
from rag.choices import filter_in_words
from rag.conversation import Turn
from rag.engine import Answered, Event, PassagesFound, Searching, TextSoFar
from rag.feedback import RecentAnswers
from rag.filters import Filter
from rag.interface import phrase
from rag.markup import escape_text
from rag.pacing import UPDATE_SECONDS, paced
from rag.rendering import answer_markdown, found_link, plain_message, rated_id, to_markdown

log = logging.getLogger(__name__)

Message = dict[str, Any]
"""A message as Gradio's chatbot has it: `role` and `content`, a string or a list of parts."""

MAX_TURNS: Final = 20
"""Most earlier messages given to the engine."""

_CARET: Final = '<span class="byline-caret"></span>'
_PROBLEM: Final = '<span class="byline-problem">'
_STEP: Final = re.compile(r"\*[^*\n]+\*$")
"""What is said while there is no text yet; a text itself has no bare asterisk."""


class Streaming(Protocol):
    """What answers: the part of a `NewsQueryEngine` that tells what happens as it does."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None
    ) -> AsyncIterator[Event]:
        """The answer as it comes."""


async def contents_of(
    engine: Streaming,
    answers: RecentAnswers,
    asked: str,
    history: Sequence[Turn],
    *,
    among: Filter | None = None,
) -> AsyncGenerator[str, None]:
    """The message of an answer as it grows, as markdown; an error becomes its last form.

    Args:
        engine: what answers.
        answers: where the answer is kept, to be rated.
        asked: the question.
        history: the conversation before it.
        among: the articles to search; all where left out.
    """
    content = _step("searching")
    found = ""
    yield content
    try:
        events = engine.stream(asked, history, among=among)
        async with aclosing(paced(events, seconds=UPDATE_SECONDS)) as paced_events:
            async for event in paced_events:
                match event:
                    case Searching():
                        continue
                    case PassagesFound(passages):
                        found = f"{found_link(passages)}\n\n" if passages else ""
                        content = found + _step("reading")
                    case TextSoFar(text, citations):
                        content = found + to_markdown(text, citations, writing=True)
                    case Answered(answer):
                        content = answer_markdown(
                            answer,
                            answer_id=answers.keep(answer),
                            searched=filter_in_words(among),
                        )
                yield content
    except BylineError as exc:
        yield problem(str(exc))
    except Exception:
        log.exception("Answering failed")
        yield problem(phrase("sorry"))


def turns_of(shown: Sequence[Message], answers: RecentAnswers) -> list[Turn]:
    """The conversation as the engine reads it: plain text, the last messages, nothing of unknown kind.

    What it took so far is what the last answer in it says, as far as `answers` still has one.
    """
    turns: list[Turn] = []
    spent: Mapping[str, int] = {}
    for message in shown:
        if message.get("role") == "assistant" and (answer := answers.find(rated_id(content_of(message)))):
            spent = answer.conversation_usage
    for message in shown[-MAX_TURNS:]:
        text = plain_message(content_of(message)[: 4 * MAX_TURN_CHARACTERS])[:MAX_TURN_CHARACTERS]
        role = message.get("role")
        if not text or _PROBLEM in content_of(message):
            continue
        if role == "user" or role == "assistant":
            turns.append(Turn(role, text))
    if turns:
        turns[-1] = replace(turns[-1], usage=spent)
    return turns


def stopped_messages(shown: Sequence[Message]) -> list[Message]:
    """The conversation after Stop: what was written stays, and says that it was stopped."""
    messages = list(shown)
    if messages and messages[-1].get("role") == "assistant":
        content = content_of(messages[-1])
        if content.endswith(_CARET):
            text = _STEP.sub("", content.removesuffix(_CARET))
            messages[-1] = said(stopped_text(text.strip()))
    return messages


def cut_at(shown: Sequence[Message], index: int | tuple[int, int]) -> tuple[list[Message], str]:
    """The messages before a question, and the question as typed."""
    place = index if isinstance(index, int) else index[0]
    if not 0 <= place < len(shown):
        return list(shown), ""
    while place > 0 and shown[place].get("role") != "user":
        place -= 1
    return list(shown[:place]), plain_message(content_of(shown[place]))


def content_of(message: Message) -> str:
    """The text of a message, whose content may come as a string or as parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def safe_again(message: Message) -> Message:
    """A message as the browser sent it, with nothing in it but a role and a text."""
    return {"role": message.get("role"), "content": content_of(message)}


def said(content: str) -> Message:
    """A message of Byline's."""
    return {"role": "assistant", "content": content}


def stopped_text(markdown: str) -> str:
    """What was written of an answer until it was stopped."""
    notice = f'<span class="byline-notice">{phrase("stopped")}</span>'
    return f"{markdown}\n\n{notice}" if markdown else notice


def problem(text: str) -> str:
    """An error as a message."""
    return f"{_PROBLEM}{escape_text(text)}</span>"


def waiting_step(before: int) -> str:
    """What stands there until it is the question's turn."""
    return f"*{phrase('waiting', count=before)}*{_CARET}"


def _step(key: str) -> str:
    return f"*{phrase(key)}*{_CARET}"
