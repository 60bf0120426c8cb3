import asyncio
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponseGen, MessageRole

from index.errors import ModelContextError, ModelError, SettingsError
from index.settings import Settings
from rag.local_models import ThreadedLLM
from rag.models import ModelStream, load_llm
from tests.fakes import ScriptedLLM

MESSAGES = [
    ChatMessage(role=MessageRole.SYSTEM, content="Rules."),
    ChatMessage(role=MessageRole.USER, content="How long?"),
]


class Llama:
    """Stands in for llama_cpp.Llama, whose package takes minutes to build: the same call, the same chunks."""

    given: dict[str, Any]
    asked: list[dict[str, Any]]
    pieces: Sequence[str] = ("Five ", "hours.")
    finish_reason = "stop"

    def __init__(self, model_path: str, **given: Any) -> None:
        if not Path(model_path).read_bytes().startswith(b"GGUF"):
            raise ValueError(f"Failed to load model from file: {model_path}")
        Llama.given, Llama.asked = given, []

    def create_chat_completion(self, messages: list[dict[str, str]], **options: Any) -> Iterator[dict[str, Any]]:
        Llama.asked.append({"messages": messages, **options})
        if len(messages[-1]["content"]) > 1000:
            raise ValueError("Requested tokens (9000) exceed context window of 4096")
        yield {"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}
        for piece in self.pieces:
            yield {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
        yield {"choices": [{"index": 0, "delta": {}, "finish_reason": self.finish_reason}]}


@pytest.fixture
def gguf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    module = ModuleType("llama_cpp")
    module.__dict__["Llama"] = Llama
    monkeypatch.setitem(sys.modules, "llama_cpp", module)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF, and more")
    return path


async def ask(settings: Settings, messages: Sequence[ChatMessage] = MESSAGES) -> tuple[list[str], ModelStream]:
    llm = load_llm(settings)
    assert llm is not None
    stream = ModelStream(llm, messages, label=settings.llm_name)
    return [piece async for piece in stream.pieces()], stream


async def test_a_gguf_file_answers_in_pieces_by_its_own_template(gguf: Path) -> None:
    pieces, stream = await ask(Settings(llm=f"llama-cpp/{gguf}", llm_context_tokens=4096, llm_answer_tokens=99))
    assert pieces == ["Five ", "hours."]
    assert stream.ending == "whole"
    assert stream.usage()["completion_tokens"] > 0
    assert Llama.given["n_ctx"] == 4096
    [asked] = Llama.asked
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert (asked["max_tokens"], asked["temperature"], asked["stream"]) == (99, 0.0, True)


async def test_an_answer_cut_by_its_limit_says_so(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Llama, "finish_reason", "length")
    _, stream = await ask(Settings(llm=f"llama-cpp/{gguf}"))
    assert stream.ending == "too long"


async def test_a_prompt_longer_than_the_window_is_known_as_that(gguf: Path) -> None:
    with pytest.raises(ModelContextError):
        await ask(Settings(llm=f"llama-cpp/{gguf}"), [ChatMessage(role=MessageRole.USER, content="x" * 2000)])


def test_a_file_that_cannot_be_loaded_is_named(gguf: Path) -> None:
    gguf.write_bytes(b"no model")
    with pytest.raises(SettingsError, match=r"cannot be loaded: Failed to load model from file: .*tiny\.gguf"):
        load_llm(Settings(llm=f"llama-cpp/{gguf}"))
    with pytest.raises(SettingsError, match=r"there is no file .*nowhere\.gguf"):
        load_llm(Settings(llm=f"llama-cpp/{gguf.parent}/nowhere.gguf"))


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("llama-cpp/tiny.gguf", "llama_cpp", "llama-cpp-python"),
        ("huggingface/tiny", "llama_index.llms.huggingface", "llama-index-llms-huggingface"),
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


# --- transformers itself, where the extra is installed ---


def _has(*packages: str) -> bool:
    return all(find_spec(package) for package in packages)


def _save_tiny_model(folder: Path) -> None:
    """A llama of two layers with random weights, and a tokenizer with a chat template."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    transformers = import_module("transformers")
    bytewise = tokenizers.Tokenizer(models.BPE())
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    bytewise.train_from_iterator(["five hours"], trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bytewise, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=len(tokenizer), **shape))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(
    not _has("torch", "transformers", "llama_index.llms.huggingface"), reason="the extra huggingface is not installed"
)
async def test_a_transformers_model_of_a_folder_answers(tmp_path: Path) -> None:
    _save_tiny_model(tmp_path)
    pieces, stream = await ask(Settings(llm=f"huggingface/{tmp_path}", llm_answer_tokens=50, llm_context_tokens=2048))
    assert "".join(pieces)
    assert 0 < stream.usage()["completion_tokens"] <= 200
    with pytest.raises(SettingsError, match="cannot be loaded"):
        load_llm(Settings(llm=f"huggingface/{tmp_path}/nowhere"))
