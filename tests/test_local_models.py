import asyncio
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponseGen, MessageRole

from index.errors import ModelError, SettingsError
from index.settings import Settings
from rag.local_models import ThreadedLLM
from rag.models import ModelStream, load_llm
from tests.fakes import ScriptedLLM

MESSAGES = [
    ChatMessage(role=MessageRole.SYSTEM, content="Rules."),
    ChatMessage(role=MessageRole.USER, content="How long?"),
]


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("llama-cpp/tiny.gguf", "xllamacpp", "xllamacpp"),
        ("huggingface/tiny", "transformers", "transformers torch accelerate"),
    ],
)
def test_a_missing_package_is_named(name: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=f"pip install {package}"):
        load_llm(Settings(llm=name))


class Slow(ScriptedLLM):
    """Computes where it is called, as models in this process do."""

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        def slowly() -> ChatResponseGen:
            for response in replies:
                time.sleep(0.01)
                yield response

        replies = super().stream_chat(messages, **kwargs)
        return slowly()


async def test_a_model_that_computes_leaves_the_event_loop_free_and_stops_when_left() -> None:
    inner = Slow()
    inner.enqueue(["a"] * 300)
    pieces = ModelStream(ThreadedLLM(inner), MESSAGES).pieces()
    began = time.monotonic()
    assert await anext(pieces) == "a"
    await asyncio.sleep(0)
    await pieces.aclose()
    while any(thread.name == "language model" for thread in threading.enumerate()):
        assert time.monotonic() - began < 2, "it computes on although nobody reads"
        await asyncio.sleep(0.01)


async def test_an_error_in_the_thread_arrives_where_it_is_awaited() -> None:
    inner = ScriptedLLM()
    inner.enqueue(RuntimeError("out of memory"))
    with pytest.raises(ModelError, match="out of memory"):
        [piece async for piece in ModelStream(ThreadedLLM(inner), MESSAGES).pieces()]
