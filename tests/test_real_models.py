"""The contract of the providers with llama.cpp and transformers themselves: a server of its own, and in this process.

llama.cpp's server comes with the tests; transformers weighs a gigabyte and is tried where .ci/peers can install it.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms import LLM

from index.embeddings import load_embedding
from index.errors import ModelContextError, ModelError, ModelRefusedError, SettingsError
from index.settings import Settings
from index.store import PassageStore
from rag.doctor import examine_model
from rag.engine import NewsQueryEngine
from rag.model_server import ask_server, find_server
from rag.models import ModelStream, load_llm
from rag.retrieval import NewsRetriever
from tests.fakes import HashingEmbedding
from tests.tiny_models import WINDOW, save_gguf, save_transformers

ROOT = Path(__file__).parent.parent
KEY = "sk-test-0123456789abcdef"
SAYS = ("Five", " hours", " [1", "].")
RULES, QUESTION = "Answer from the sources.", "How long did they talk?"


def _there(*packages: str) -> bool:
    try:
        return all(find_spec(package) for package in packages)
    except ModuleNotFoundError:  # of a package's parent
        return False


needs_transformers = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        not _there("torch", "transformers", "accelerate"), reason="the extra huggingface is not installed"
    ),
]
llama_cpp_routes = ["openai-like", "llama-cpp"]
routes = [*llama_cpp_routes, pytest.param("huggingface", marks=needs_transformers)]


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", SAYS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_transformers(tmp_path_factory.mktemp("transformers") / "tiny", SAYS)


@pytest.fixture(scope="module")
def server(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of llama.cpp's server in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "tests.llama_server", str(gguf), "tiny", KEY, str(WINDOW)]
    with (
        log.open("wb") as err,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, cwd=ROOT, text=True
        ) as run,
    ):
        assert run.stdout is not None
        address = run.stdout.readline().strip()
        assert address, log.read_text()
        yield f"{address}/v1"
        run.communicate()  # ends its input


@pytest.fixture(params=routes)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "huggingface":
        return _settings(tmp_path, llm=f"huggingface/{request.getfixturevalue('folder')}")
    # In this process only after one of its own, so that what it cannot run does not end the tests.
    address = request.getfixturevalue("server")
    if request.param == "openai-like":
        return _at(address, tmp_path)
    return _in_process(request.getfixturevalue("gguf"), tmp_path)


def _settings(home: Path, **values: Any) -> Settings:
    shared: dict[str, Any] = {"home": home / "home", "llm_context_tokens": WINDOW, "llm_answer_tokens": 50}
    return Settings(**(shared | {"lock_seconds": 0, "llm_read_seconds": 300.0} | values))


def _at(address: str, home: Path, **values: Any) -> Settings:
    return _settings(home, **({"llm": "openai-like/tiny", "llm_base_url": address, "llm_api_key": KEY} | values))


def _in_process(gguf: Path, home: Path, **values: Any) -> Settings:
    return _settings(home, **({"llm": f"llama-cpp/{gguf}", "llm_options": {"cpuparams.n_threads": 1}} | values))


def stream_of(settings: Settings, question: str = QUESTION, *, llm: LLM | None = None) -> ModelStream:
    llm = llm or load_llm(settings)
    assert llm is not None
    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=RULES),
        ChatMessage(role=MessageRole.USER, content=question),
    ]
    return ModelStream(llm, messages, label=settings.llm_name, base_url=settings.llm_base_url)


async def said(settings: Settings, question: str = QUESTION, *, llm: LLM | None = None) -> str:
    return "".join([piece async for piece in stream_of(settings, question, llm=llm).pieces()])


async def test_the_answer_arrives_in_pieces_and_whole(settings: Settings) -> None:
    stream = stream_of(settings)
    pieces = [piece async for piece in stream.pieces()]
    assert "".join(pieces) == "".join(SAYS)
    assert len(pieces) > 1
    assert stream.ending == "whole"
    assert stream.usage()["completion_tokens"] > 0
    assert stream.usage()["prompt_tokens"] > 0


async def test_a_prompt_longer_than_the_window_is_known_as_that(settings: Settings) -> None:
    llm = load_llm(settings)
    with pytest.raises(ModelContextError) as refused:
        await said(settings, "x" * 9000, llm=llm)
    assert "\n" not in str(refused.value)
    assert KEY not in str(refused.value)
    assert await said(settings, llm=llm) == "".join(SAYS), "it answers after it refused"


async def test_a_reader_who_leaves_does_not_hold_up_the_next(settings: Settings) -> None:
    llm = load_llm(settings)
    pieces = stream_of(settings, llm=llm).pieces()
    assert (await anext(pieces)).startswith("Five")
    await pieces.aclose()
    assert await said(settings, llm=llm) == "".join(SAYS)


async def test_an_answer_cut_by_its_limit_says_so(settings: Settings) -> None:
    stream = stream_of(settings.model_copy(update={"llm_answer_tokens": 2}))
    assert "".join([piece async for piece in stream.pieces()]) == "Five hours"
    assert stream.ending == "too long"


@pytest.mark.parametrize("settings", llama_cpp_routes, indirect=True)
async def test_an_answer_is_written_and_its_marker_bound_to_the_passage(
    settings: Settings, seed_store: PassageStore
) -> None:
    retriever = NewsRetriever(seed_store, top_k=1)  # what it reads is cut into bytes, thousands of them
    set_so = settings.model_copy(update={"repair": False})
    engine = NewsQueryEngine(settings=set_so, store=seed_store, retriever=retriever, llm=load_llm(settings))
    answer = await engine.answer("How long did the talks on Sunday last?")
    assert (answer.mode, answer.text, answer.notice) == ("llm", "Five hours [1].", "")
    assert answer.citations[0].passage == answer.passages[0].passage
    assert answer.usage["prompt_tokens"] > 100


@pytest.mark.parametrize("settings", routes[1:], indirect=True)
async def test_doctor_says_that_it_is_not_good_enough(settings: Settings) -> None:
    report = await examine_model(settings, embedding=HashingEmbedding())
    assert report.verdict == "not good enough"
    assert "questions rightly" in report.reason
    assert report.findings is not None
    assert report.findings.citing == "quoting"


# --- its server's own ---


def test_its_server_names_its_model_and_its_window(server: str, tmp_path: Path) -> None:
    found = find_server(_at(server, tmp_path))
    assert found is not None
    facts = ask_server(found, connect_seconds=5, read_seconds=60)
    assert (facts.models, facts.context_tokens) == (("tiny",), WINDOW)


async def test_a_wrong_key_is_one_line_without_the_key(server: str, tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="BYLINE_LLM_API_KEY") as refused:
        await said(_at(server, tmp_path, llm_api_key="sk-wrong-0123456789"))
    assert "sk-wrong" not in str(refused.value)


async def test_an_address_without_v1_is_refused_in_words(server: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="BYLINE_LLM_BASE_URL"):
        await said(_at(server.removesuffix("/v1") + "/v2", tmp_path))


# --- in this process ---


async def test_rules_and_question_are_read_by_the_template_of_the_file(server: str, gguf: Path, tmp_path: Path) -> None:
    settings = _in_process(gguf, tmp_path, llm_context_tokens=1024)
    room = 1024 - len(f"<system>{RULES}</system><user></user><assistant>") - 20
    assert await said(settings, "x" * room)
    with pytest.raises(ModelContextError):
        await said(settings, "x" * (room + 30))


def test_a_file_that_cannot_be_loaded_is_named(server: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF, and no model")
    with pytest.raises(SettingsError, match=r"cannot be loaded: llama\.cpp does not read .*broken\.gguf"):
        load_llm(_in_process(broken, tmp_path))
    with pytest.raises(SettingsError, match=r"there is no file .*nowhere\.gguf"):
        load_llm(_in_process(tmp_path / "nowhere.gguf", tmp_path))


@pytest.mark.parametrize("options", [{"n_gpu": 1}, {"n_batch": "many"}, {"cpu.n_threads": 1}])
def test_an_option_that_llama_cpp_does_not_have_is_named(gguf: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"BYLINE_LLM_OPTIONS: llama.cpp takes no {next(iter(options))}=") as raised:
        load_llm(_in_process(gguf, tmp_path, llm_options=options))
    assert "\n" not in str(raised.value)


def test_its_address_is_of_this_machine_and_wants_the_key_made_for_it(server: str, gguf: Path, tmp_path: Path) -> None:
    from rag.local_models import serve_gguf

    found, running = serve_gguf(_in_process(gguf, tmp_path))
    assert running
    assert found.is_this_machine
    assert found.key not in repr(found)
    llm = load_llm(_in_process(gguf, tmp_path))
    assert "api_key='held by the clients'" in repr(llm)


# --- transformers ---


@pytest.mark.parametrize("settings", [pytest.param("huggingface", marks=needs_transformers)], indirect=True)
async def test_a_transformers_model_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="cannot be loaded"):
        load_llm(settings.model_copy(update={"llm": f"{settings.llm}/nowhere"}))


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(
    not _there("torch", "sentence_transformers", "llama_index.embeddings.huggingface"),
    reason="the extra huggingface is not installed",
)
async def test_an_embedding_model_of_a_folder_gives_vectors_of_length_one(folder: Path, tmp_path: Path) -> None:
    models = import_module("sentence_transformers.models")
    word = models.Transformer(str(folder))
    saved = import_module("sentence_transformers").SentenceTransformer(
        modules=[word, models.Pooling(word.get_word_embedding_dimension())]
    )
    saved.save(str(tmp_path / "e5-tiny"))
    settings = Settings(embedding=f"huggingface/{tmp_path / 'e5-tiny'}")
    embedding = load_embedding(settings)
    vectors = [*embedding.get_text_embedding_batch(["Five hours.", "Six days."]), embedding.get_query_embedding("Six")]
    assert [round(sum(value * value for value in vector), 3) for vector in vectors] == [1.0] * 3
    assert vectors[0] != vectors[1]
