"""OpenAI's protocol over the engine: `/v1/chat/completions` and `/v1/models`, for any chat client.

The last user message is the question, those before it the conversation; system messages are not obeyed, for the
articles answer and nobody else. The text ends with the list of its sources; the whole answer's JSON is under `byline`.
"""

import json
import re
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from index.errors import UserError
from rag.answers import Answer, to_json
from rag.api.ask import EVENTS, STREAM_HEADERS
from rag.api.bodies import MAX_QUESTION_CHARACTERS, MAX_TURN_CHARACTERS, MAX_TURNS
from rag.api.desk import Desk, while_connected
from rag.api.errors import JsonErrors, explain
from rag.conversation import Turn
from rag.events import Answered, Event, TextSoFar
from rag.limits import client_of
from rag.markup import one_line, web_address
from rag.pacing import UPDATE_SECONDS, paced, with_signs_of_life

MODEL: Final = "byline"
_SOURCES: Final = "\n\nSources:\n"
_REPLACED: Final = "\n\nAfter checking, this answer replaces the one above:\n\n"
# What a chat client may render of an article's words: images, links and tags; each is held apart by a look-alike of the
# same length, so that places in the text stay what they are.
_MARKUP: Final = re.compile(r"(?<=!)\[|(?<=\])\(|<(?![\s\d=])")
_LOOK_ALIKE: Final = {"[": "［", "(": "（", "<": "‹"}
_KINDS: Final = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class ChatPart(BaseModel):
    """A part of a message; only `text` is read."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message; of other roles than `user` and `assistant` nothing is read."""

    model_config = ConfigDict(extra="ignore")

    role: str = Field(max_length=40)
    content: str | list[ChatPart] | None = None

    def text(self) -> str:
        """Its text."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or () if part.type == "text")


class StreamOptions(BaseModel):
    """What a stream should hold."""

    model_config = ConfigDict(extra="ignore")

    include_usage: StrictBool | None = False


class ChatAsk(BaseModel):
    """The body of a chat completion; parameters that steer a model's writing are accepted and do nothing."""

    model_config = ConfigDict(extra="ignore")

    messages: list[ChatMessage] = Field(min_length=1)
    model: str = Field(default=MODEL, max_length=400, description="any name; Byline answers")
    stream: StrictBool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=1, description="1; there is one checked answer")


class _OpenAIErrors(JsonErrors):
    """Routes whose errors have OpenAI's form."""

    def response(self, status: int, message: str) -> Response:
        return JSONResponse(openai_error(status, message), status_code=status)


def openai_error(status: int, message: str) -> dict[str, Any]:
    """An error in OpenAI's form."""
    kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def openai_router(desk: Desk) -> APIRouter:
    """The routes over one desk."""
    router = APIRouter(route_class=_OpenAIErrors, tags=["OpenAI's protocol"])

    @router.post("/v1/chat/completions")
    async def complete(body: ChatAsk, request: Request) -> Any:
        """Answer the last user message; `n` other than 1 is refused, other parameters are accepted and do nothing."""
        question, turns = read_messages(body.messages)
        if body.n not in (None, 1):
            raise UserError(f"n={body.n} cannot be had: there is one checked answer. Leave n out or set it to 1.")
        desk.admit(client_of(request.scope))
        if body.stream:
            usage = bool(body.stream_options and body.stream_options.include_usage)
            chunks = _chunks(desk.stream(question, turns), usage=usage)
            return StreamingResponse(chunks, media_type=EVENTS, headers=STREAM_HEADERS)
        answer = await while_connected(request, desk.answer(question, turns))
        message = {
            "role": "assistant",
            "content": text_of(answer),
            "refusal": None,
            "annotations": _annotations(answer),
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        head = _head("chat.completion")
        return head | {"choices": [choice], "usage": _usage(answer), "byline": to_json(answer)}

    @router.get("/v1/models")
    def models() -> dict[str, Any]:
        """The one model there is."""
        return {"object": "list", "data": [_model()]}

    @router.get("/v1/models/{model}", responses={404: {}})
    def model(model: Annotated[str, Path(max_length=400)]) -> Any:
        """The model by its name."""
        if model != MODEL:
            error = openai_error(404, f"There is no model {model!r} here; it is called {MODEL!r}.")
            return JSONResponse(error, status_code=404)
        return _model()

    return router


def read_messages(messages: Sequence[ChatMessage]) -> tuple[str, list[Turn]]:
    """The question and the turns before it, the last ones, each cut to a bearable length.

    Raises:
        UserError: there is no question, or it is too long.
    """
    places = [place for place, message in enumerate(messages) if message.role == "user" and message.text().strip()]
    if not places:
        raise UserError("No message of the role 'user' has a text; the last one is the question.")
    question = messages[places[-1]].text().strip()
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise UserError(f"The question has {len(question)} characters; at most {MAX_QUESTION_CHARACTERS} are read.")
    turns = []
    for message in messages[: places[-1]]:
        # The list of sources that an answer of ours ended with is no part of what was said.
        text = message.text().partition(_SOURCES)[0] if message.role == "assistant" else message.text()
        if text.strip() and (message.role == "user" or message.role == "assistant"):
            turns.append(Turn("user" if message.role == "user" else "assistant", text[:MAX_TURN_CHARACTERS]))
    return question, turns[-MAX_TURNS:]


def text_of(answer: Answer) -> str:
    """The answer as a chat client shows it: its text, what must be known of it, and the list of its sources."""
    return _plain(answer.text) + _end_of(answer)


def _plain(text: str) -> str:
    """A text of which a chat client that renders markdown or HTML loads and links nothing."""
    return _MARKUP.sub(lambda match: _LOOK_ALIKE[match.group()], text)


def _end_of(answer: Answer) -> str:
    notice = f"\n\n{_plain(one_line(answer.notice))}" if answer.notice else ""
    sources = {citation.marker: citation.passage for citation in answer.citations}
    lines = []
    for marker, passage in sorted(sources.items()):
        known = (passage.title, passage.source, passage.published, web_address(passage.url))
        lines.append(f"[{marker}] " + _plain(", ".join(one_line(part) for part in known if part)))
    return notice + (_SOURCES + "\n".join(lines) if lines else "")


def _annotations(answer: Answer) -> list[dict[str, Any]]:
    """Citations in OpenAI's form, which has room for those with an address."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": citation.answer_start,
                "end_index": citation.answer_end,
                "title": citation.passage.title,
                "url": address,
            },
        }
        for citation in answer.citations
        if (address := web_address(citation.passage.url))
    ]


async def _chunks(events: AsyncGenerator[Event, None], *, usage: bool) -> AsyncGenerator[str, None]:
    """The stream of an answer; an error is its last piece."""
    head = _head("chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: Literal["stop"] | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data(head | {"choices": [choice]} | ({"usage": None} if usage else {}) | more)

    yield chunk({"role": "assistant", "content": ""})
    sent = ""
    try:
        async with aclosing(with_signs_of_life(paced(events, seconds=UPDATE_SECONDS))) as coming:
            async for event in coming:
                match event:
                    case None:
                        yield ": still there\n\n"
                    case TextSoFar(so_far, _):
                        text = _plain(so_far)
                        if text.startswith(sent) and text != sent:
                            yield chunk({"content": text[len(sent) :]})
                            sent = text
                    case Answered(answer):
                        if rest := _rest(sent, answer):
                            yield chunk({"content": rest})
                        yield chunk({"annotations": _annotations(answer)}, "stop", byline=to_json(answer))
                        if usage:
                            yield _data(head | {"choices": [], "usage": _usage(answer)})
                        yield "data: [DONE]\n\n"
    except Exception as exc:
        yield _data(openai_error(*explain(exc)))


def _rest(sent: str, answer: Answer) -> str:
    """What is left to send; what was sent cannot be taken back, so another text says that it replaces it."""
    text = text_of(answer)
    return text[len(sent) :] if text.startswith(sent) else _REPLACED + text


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": MODEL}


def _usage(answer: Answer) -> dict[str, int]:
    read, written = answer.usage.get("prompt_tokens", 0), answer.usage.get("completion_tokens", 0)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}


def _data(data: object) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
