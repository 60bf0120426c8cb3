"""The example of an agent, with a model that calls the tool once and then says what the tool said."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseAsyncGen, LLMMetadata, MessageRole
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.mock import MockLLM

from index.settings import Settings
from index.store import PassageStore
from rag.engine import NewsQueryEngine
from rag.retrieval import NewsRetriever

FILE = Path(__file__).parent.parent / "docs" / "example_llamaindex_agent.py"
QUESTION = "How long were the talks on Sunday?"


class CallingOnce(MockLLM, FunctionCallingLLM):
    """Calls the first tool with the question, then repeats what it answered."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_chat_model=True, is_function_calling_model=True)

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[Any],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        return {"messages": chat_history or []}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        if response.message.content:
            return []
        return [ToolSelection(tool_id="1", tool_name="ask_articles", tool_kwargs={"question": QUESTION})]

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        said = [message.content for message in messages if message.role == MessageRole.TOOL]

        async def stream() -> ChatResponseAsyncGen:
            message = ChatMessage(role=MessageRole.ASSISTANT, content=said[-1] if said else "")
            yield ChatResponse(message=message, delta=message.content)

        return stream()


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_llamaindex_agent", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# LlamaIndex's workflows look at every attribute of an agent, an outdated one of pydantic among them.
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211")
async def test_an_agent_of_llamaindex_asks_the_articles(
    example: ModuleType, seed_store: PassageStore, settings: Settings
) -> None:
    engine = NewsQueryEngine(settings=settings, store=seed_store, retriever=NewsRetriever(seed_store, top_k=8))
    said = await example.ask_agent(QUESTION, llm=CallingOnce(max_tokens=None), engine=engine)
    assert "five hours" in said
    assert re.search(r"\[\d\]", said)


def test_without_a_model_the_example_says_what_it_needs() -> None:
    done = subprocess.run([sys.executable, str(FILE), "Why?"], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert "BYLINE_LLM" in done.stderr
    assert done.stderr.count("\n") == 1
