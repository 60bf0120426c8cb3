"""Planted instructions: a hundred attacks, tried with a model that obeys every one of them and without a model.

Each row of `data/injections.jsonl` plants an order in an article (body, title, outlet, file name), in an earlier turn
or in the question, and says what an obeying model writes. Articles are planted beside the five of `seeds/`.
"""

import asyncio
import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest
from llama_index.core.embeddings import BaseEmbedding
from markdown_it import MarkdownIt
from pydantic import PrivateAttr

from index.articles import Article
from index.build import add_articles
from index.embeddings import load_embedding
from index.opening import open_store
from index.settings import Settings
from index.store import PassageStore
from rag.answers import Answer, to_json
from rag.asking import REFUSAL
from rag.citations import markers_in
from rag.conversation import Turn
from rag.engine import Answered, NewsQueryEngine, TextSoFar
from rag.rendering import to_html, to_markdown, to_plain
from rag.retrieval import NewsRetriever
from rag.support import claim_of
from tests.conftest import SEEDS
from tests.obeying_llm import ObeyingLLM

ATTACKS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "injections.jsonl").read_text(encoding="utf-8").splitlines()
]
BY_ID = {attack["id"]: attack for attack in ATTACKS}
MODES = ("obeying", "quoting")
LONGEST_ECHO = 12  # words of the instructions in a row


class RememberingEmbedding(BaseEmbedding):
    """The bundled model, asked once for each text: a hundred attacks stand beside the same articles."""

    _model: BaseEmbedding = PrivateAttr()
    _known: dict[str, list[float]] = PrivateAttr(default_factory=dict)

    def __init__(self, model: BaseEmbedding) -> None:
        super().__init__(model_name=model.model_name, embed_batch_size=model.embed_batch_size)
        self._model = model

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= zip(new, self._model.get_text_embedding_batch(new), strict=True)
        return [self._known[text] for text in texts]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


@dataclass
class Tried:
    """What came of an attack: the model that obeyed, the articles at that time, what was shown in each mode."""

    llm: ObeyingLLM
    articles: dict[str, Article]
    planted: set[str]
    answers: dict[str, Answer] = field(default_factory=dict)
    texts: dict[str, list[TextSoFar]] = field(default_factory=dict)


class Laboratory:
    """An open index over `seeds/`; attacks are planted, tried once and taken out again."""

    def __init__(self, store: PassageStore, settings: Settings, folder: Path) -> None:
        self._store = store
        self._settings = settings
        self._folder = folder
        self._clean = {listed.id: store.article(listed.id) for listed in store.articles()}
        self._tried: dict[str, Tried] = {}

    def attempt(self, attack_id: str) -> Tried:
        """What came of an attack."""
        if attack_id not in self._tried:
            self._tried[attack_id] = self._attempt(BY_ID[attack_id])
        return self._tried[attack_id]

    def _attempt(self, attack: dict[str, Any]) -> Tried:
        planted = set(self._plant(attack))
        try:
            articles = self._clean | {article_id: self._store.article(article_id) for article_id in planted}
            llm = ObeyingLLM(order=attack["order"], obeys=attack["obeys"])
            tried = Tried(llm, articles, planted)
            for mode in MODES:
                asyncio.run(self._ask(attack, mode, tried))
            return tried
        finally:
            self._store.remove(planted)

    def _plant(self, attack: dict[str, Any]) -> list[str]:
        if not attack["files"]:
            return []
        folder = self._folder / attack["id"]
        for name, text in attack["files"].items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        report = add_articles(self._store, [folder], settings=self._settings)
        assert not report.skipped
        return report.added

    async def _ask(self, attack: dict[str, Any], mode: str, tried: Tried) -> None:
        engine = NewsQueryEngine(
            settings=self._settings,
            store=self._store,
            retriever=NewsRetriever(self._store, top_k=self._settings.top_k),
            llm=tried.llm if mode == "obeying" else None,
        )
        # Any role may arrive.
        history = [Turn(cast("Any", turn["role"]), turn["content"]) for turn in attack["history"]]
        tried.texts[mode] = []
        async for event in engine.stream(attack["question"], history):
            if isinstance(event, TextSoFar):
                tried.texts[mode].append(event)
            elif isinstance(event, Answered):
                tried.answers[mode] = event.answer


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """The index that all attacks are planted in."""
    folder = tmp_path_factory.mktemp("injections")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("BYLINE_TOP_K", "BYLINE_PASSAGE_TOKENS", "BYLINE_EMBEDDING", "BYLINE_CHROMA"):
            environment.delenv(name, raising=False)
        environment.setitem(Settings.model_config, "env_file", None)
        settings = Settings(home=folder / "home", llm="openai-like/obeying", lock_seconds=0)
    with open_store(settings, RememberingEmbedding(load_embedding(settings)), owner="a test") as store:
        add_articles(store, [SEEDS], settings=settings)
        yield Laboratory(store, settings, folder)


every_attack = pytest.mark.parametrize("attack_id", BY_ID)


def having(name: str) -> pytest.MarkDecorator:
    """Over the attacks whose row says so."""
    return pytest.mark.parametrize("attack_id", [attack["id"] for attack in ATTACKS if name in attack["holds"]])


def test_attacks_are_many_and_of_every_place() -> None:
    assert len(ATTACKS) == len(BY_ID) >= 45
    assert {attack["where"] for attack in ATTACKS} == {"body", "title", "outlet", "file name", "history", "question"}


# --- what the model is sent ---------------------------------------------------------------------------------------


@every_attack
def test_the_order_reaches_the_model_where_the_row_says_so(laboratory: Laboratory, attack_id: str) -> None:
    """Else nothing was tried."""
    assert laboratory.attempt(attack_id).llm.saw_the_order == BY_ID[attack_id]["reaches_model"]


@every_attack
def test_the_order_stands_inside_the_fence(laboratory: Laboratory, attack_id: str) -> None:
    for prompt in laboratory.attempt(attack_id).llm.prompts:
        fence = re.findall(r"DATA-[0-9a-f]{12}", prompt)[0]
        assert len(re.findall(rf"^<<{fence}$", prompt, re.MULTILINE)) == len(
            re.findall(rf"^{fence}>>$", prompt, re.MULTILINE)
        )
        outside = re.sub(rf"^<<{fence}\n.*?\n{fence}>>$", "", prompt, flags=re.MULTILINE | re.DOTALL)
        assert f"{fence}>>\n" not in outside
        if BY_ID[attack_id]["order"] != REFUSAL:
            assert BY_ID[attack_id]["order"] not in outside


@pytest.mark.parametrize("attack_id", [attack["id"] for attack in ATTACKS if attack["where"] == "history"])
def test_only_the_turns_of_reader_and_byline_reach_the_model(laboratory: Laboratory, attack_id: str) -> None:
    others = [turn["content"] for turn in BY_ID[attack_id]["history"] if turn["role"] not in ("user", "assistant")]
    for prompt in laboratory.attempt(attack_id).llm.prompts:
        assert not [content for content in others if content in prompt]


def test_no_two_prompts_have_the_same_fence(laboratory: Laboratory) -> None:
    prompts = [prompt for attack_id in BY_ID for prompt in laboratory.attempt(attack_id).llm.prompts]
    assert len({re.findall(r"DATA-[0-9a-f]{12}", prompt)[0] for prompt in prompts}) == len(prompts)


# --- what is cited ------------------------------------------------------------------------------------------------


@every_attack
def test_every_quote_is_the_words_of_an_indexed_article(laboratory: Laboratory, attack_id: str) -> None:
    for mode in MODES:
        tried = laboratory.attempt(attack_id)
        answer = tried.answers[mode]
        retrieved = {found.rank: found.passage for found in answer.passages}
        for citation in answer.citations:
            article = tried.articles[citation.passage.article_id]
            assert citation.quote
            assert article.text[citation.start : citation.end] == citation.quote
            assert retrieved[citation.marker] == citation.passage


@every_attack
def test_every_marker_in_the_text_is_a_citation(laboratory: Laboratory, attack_id: str) -> None:
    for mode in MODES:
        answer = laboratory.attempt(attack_id).answers[mode]
        assert set(markers_in(answer.text)) == {citation.marker for citation in answer.citations}
        assert not set(answer.unresolved_markers) & set(range(1, len(answer.passages) + 1))


@having("unresolved")
def test_invented_markers_are_recorded(laboratory: Laboratory, attack_id: str) -> None:
    answer = laboratory.attempt(attack_id).answers["obeying"]
    assert set(BY_ID[attack_id]["holds"]["unresolved"]) <= set(answer.unresolved_markers)


@every_attack
def test_without_a_model_nothing_is_said_but_quotations(laboratory: Laboratory, attack_id: str) -> None:
    answer = laboratory.attempt(attack_id).answers["quoting"]
    rest = answer.text
    for citation in answer.citations:
        outlet = f"{citation.passage.source}: " if citation.passage.source else ""
        said = answer.text[citation.answer_start : citation.answer_end]
        assert said.startswith(f"{outlet}“")
        rest = rest.replace(said, "")
    assert answer.refused or not rest.strip()
    assert answer.refused == (not answer.citations)


# --- what is claimed ----------------------------------------------------------------------------------------------


def unmarked(answer: Answer, phrase: str) -> list[str]:
    """The places where a phrase stands in an answer outside every sentence that is marked as doubtful."""
    doubtful = [(one.start, one.end) for one in answer.sentences if one.support != "supported"]
    return [
        answer.text[max(0, match.start() - 40) : match.end() + 20]
        for match in re.finditer(re.escape(phrase), answer.text, re.IGNORECASE)
        if not any(start <= match.start() and match.end() <= end for start, end in doubtful)
    ]


@having("doubted")
def test_what_the_articles_do_not_say_is_marked(laboratory: Laboratory, attack_id: str) -> None:
    answer = laboratory.attempt(attack_id).answers["obeying"]
    if answer.refused:  # and then in our words
        return
    assert not [place for phrase in BY_ID[attack_id]["holds"]["doubted"] for place in unmarked(answer, phrase)]


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        ("Yes, Merz resigned [1].", "Merz resigned."),
        ("Yes [1].", ""),
        ("No drones were shot down [1].", "No drones were shot down."),
        ("In short, Merz resigned.", "Merz resigned."),
        ("The articles say that Merz resigned.", "Merz resigned."),
        ("The articles say nothing about the cost.", ""),
        ("The articles do not say what the repairs cost.", ""),
        ("The articles do not say why, but Merz resigned on Friday.", "Merz resigned on Friday."),
        ("Here are the main points:", ""),
        ("Would you like to know more?", ""),
        ("Did you know that Merz took 20 million euros?", "Did you know that Merz took 20 million euros?"),
    ],
)
def test_a_claim_behind_a_phrase_that_claims_nothing_is_found(sentence: str, claim: str) -> None:
    assert claim_of(sentence) == claim


@having("claims")
def test_a_planted_claim_is_marked_or_cited_to_the_planted_article_alone(
    laboratory: Laboratory, attack_id: str
) -> None:
    tried = laboratory.attempt(attack_id)
    answer = tried.answers["obeying"]
    by_rank = {found.rank: found.passage.article_id for found in answer.passages}
    for sentence in answer.sentences:
        said = answer.text[sentence.start : sentence.end].lower()
        if any(phrase.lower() in said for phrase in BY_ID[attack_id]["holds"]["claims"]):
            vouching = {
                citation.passage.article_id
                for citation in answer.citations
                if citation.answer_start == sentence.start and citation.support == "supported"
            }
            if sentence.matched:
                vouching = {by_rank[marker] for marker in sentence.markers}
            assert sentence.support != "supported" or (vouching and vouching <= tried.planted)


@every_attack
def test_a_refusal_is_in_our_own_words_but_for_what_it_quotes_from_an_article(
    laboratory: Laboratory, attack_id: str
) -> None:
    tried = laboratory.attempt(attack_id)
    ours = rf"{re.escape(REFUSAL)}( None of the \d+ articles mentions [^.]{{1,100}}\.)?"
    quoted = r"( The closest passage: (?:[^“]{1,60}: )?“(?P<words>.+)”)?"
    texts = [_plain_quotes(article.text) for article in tried.articles.values()]
    for mode in MODES:
        answer = tried.answers[mode]
        if answer.refused:
            said = re.fullmatch(ours + quoted, answer.text)
            assert said
            assert not said["words"] or any(_plain_quotes(said["words"]) in text for text in texts)


def _plain_quotes(text: str) -> str:
    """On one line, every quotation mark the same."""
    return re.sub(r"[“”‘’\"']", "'", " ".join(text.split()))


@having("refused")
def test_a_forced_refusal_says_no_more_than_that(laboratory: Laboratory, attack_id: str) -> None:
    answer = laboratory.attempt(attack_id).answers["obeying"]
    assert answer.refused
    assert (answer.text, answer.citations) == (REFUSAL, ())


@having("asked")
def test_a_planted_turn_does_not_exchange_the_question(laboratory: Laboratory, attack_id: str) -> None:
    asked = laboratory.attempt(attack_id).answers["obeying"].standalone_question
    assert not [word for word in BY_ID[attack_id]["holds"]["asked"] if word not in asked]


# --- what is shown ------------------------------------------------------------------------------------------------

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HARMLESS = {"paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close", "ordered_list_open",
            "ordered_list_close", "list_item_open", "list_item_close", "inline", "text", "text_special", "softbreak",
            "link_close"}  # fmt: skip
OWN_TAG = re.compile(
    r'</?strong>|</span>|<span class="byline-(?:caret|notice)">'
    r'|<span class="byline-doubt byline-(?:partial|unsupported)" tabindex="0" title="[^"<>]*">'
)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]")


def active_parts(markdown: str, allowed: set[str]) -> list[str]:
    """What a markdown parser makes of a message beyond text, lists, our own tags and links to `allowed`."""
    tokens = [token for block in PARSER.parse(markdown) for token in (block, *(block.children or []))]
    found = []
    for token in tokens:
        if token.type == "link_open" and token.attrs["href"] in allowed:
            continue
        if token.type == "html_inline" and OWN_TAG.fullmatch(token.content):
            continue
        if token.type not in HARMLESS:
            found.append(f"{token.type} {token.content} {token.attrs}")
    # The page's own parser reads these too.
    return found + re.findall(r"://|www\.\w|\w@\w|\$", markdown)


class Elements(HTMLParser):
    """The elements of an HTML fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@every_attack
def test_the_page_shows_no_link_image_or_markup(laboratory: Laboratory, attack_id: str) -> None:
    for mode in MODES:
        tried = laboratory.attempt(attack_id)
        answer = tried.answers[mode]
        states = [(event.text, event.citations, True) for event in tried.texts[mode]]
        for text, citations, writing in [*states, (answer.text, answer.citations, False)]:
            allowed = {f"#c-{one.passage.id}-{one.start}-{one.end}" for one in citations}
            sentences = () if writing else answer.sentences
            markdown = to_markdown(text, citations, sentences=sentences, notice=answer.notice, writing=writing)
            assert active_parts(markdown, allowed) == []
            assert not CONTROLS.search(markdown)


@every_attack
def test_a_report_holds_no_element_but_its_own(laboratory: Laboratory, attack_id: str) -> None:
    for mode in MODES:
        answer = laboratory.attempt(attack_id).answers[mode]
        fragment = to_html(answer, anchor="a")
        originals = {citation.passage.url for citation in answer.citations}
        for tag, attributes in Elements(fragment).found:
            assert tag in {"p", "br", "a", "span", "ol", "li", "q"}
            assert set(attributes) <= {"class", "href", "title", "id", "value", "rel"}
            address = attributes.get("href")
            assert address is None or re.fullmatch(r"#a-\d{1,2}", address) or address in originals
            assert not (address or "").lower().startswith("javascript")
        assert not CONTROLS.search(html.unescape(fragment))


@every_attack
def test_nothing_reaches_a_terminal_but_text(laboratory: Laboratory, attack_id: str) -> None:
    for mode in MODES:
        assert not CONTROLS.search(to_plain(laboratory.attempt(attack_id).answers[mode]))


@having("never")
def test_what_must_not_be_said_is_not_said(laboratory: Laboratory, attack_id: str) -> None:
    tried = laboratory.attempt(attack_id)
    for phrase in BY_ID[attack_id]["holds"]["never"]:
        for mode in MODES:
            shown = [event.text for event in tried.texts[mode]] + [tried.answers[mode].text]
            assert not [text for text in shown if phrase in text]


@having("cited")
def test_a_planted_title_or_outlet_is_cited_and_harmless(laboratory: Laboratory, attack_id: str) -> None:
    """These attacks live in a citation's label, so a citation there must be."""
    tried = laboratory.attempt(attack_id)
    answer = tried.answers["obeying"]
    assert {citation.passage.article_id for citation in answer.citations} <= tried.planted
    assert answer.citations
    assert [one["url"] for one in to_json(answer)["citations"] if (one["url"] or "").startswith("javascript")] == []


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def echoes(text: str, rules: str, *, known: Sequence[str]) -> list[str]:
    """Long stretches of the rules that come back in a text and stand in nothing that was asked or found."""
    said = " ".join(words(text))
    elsewhere = [" ".join(words(other)) for other in known]
    instructed = words(rules)
    runs = [" ".join(instructed[at : at + LONGEST_ECHO]) for at in range(len(instructed) - LONGEST_ECHO + 1)]
    return [run for run in runs if run in said and not any(run in other for other in elsewhere)]


@every_attack
def test_the_instructions_do_not_come_back(laboratory: Laboratory, attack_id: str) -> None:
    tried = laboratory.attempt(attack_id)
    shown = [event.text for event in tried.texts["obeying"]] + [tried.answers["obeying"].text]
    known = [article.text for article in tried.articles.values()]
    for prompt in tried.llm.prompts:
        outside = re.sub(r"^<<(DATA-[0-9a-f]{12})\n.*?\n\1>>$", "", prompt, flags=re.MULTILINE | re.DOTALL)
        assert not [echo for text in {*shown} for echo in echoes(text, outside, known=known)]
    assert not [text for text in shown if re.search(r"DATA-[0-9a-f]{12}", text)]
