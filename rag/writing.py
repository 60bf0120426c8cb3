"""The model's way to an answer: a first draft that streams, others where they are wanted, and one round of repair.

Only the first draft is shown as it grows. Where all of it is verified nothing more is asked; else further drafts are
drawn (Gao et al., "Enabling large language models to generate text with citations", EMNLP 2023, keep of several the
one whose citations verify best), and where a sentence of the best is still carried by no source, the model is told
which and why, once.
"""

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import LLM

from index.errors import ModelContextError, ModelError, SettingsError
from index.settings import Settings
from rag.afterwards import afterwards
from rag.asking import AnswerPrompt, answer_messages, is_refusal, is_refusal_line, plain_messages, repair_messages
from rag.citations import MarkerStream, cite
from rag.drafts import Draft, check_draft, without_own_markers
from rag.echoes import EchoGuard
from rag.events import TextSoFar
from rag.models import Ending, ModelStream
from rag.retrieval import ScoredPassage

log = logging.getLogger(__name__)

_ECHO_CHARACTERS = 600  # of a growing text's end, which is looked at each time it grows
_FEED_SECONDS = 0.05  # between two looks at a growing text: each reads all of it, and nobody sees more of them
_WARMTH = 0.7  # temperature of further drafts: at 0 all would be the same
# What the reader may wait for a better text: at least so many seconds, at most as long as the first draft took.
_LEAST_SECONDS = 10.0
# A better text is no longer than this many times the first, and so many characters.
_LONGER, _LONGER_CHARACTERS = 2, 400
# Another language is one whose short words are this rarely found in the sources.
_SAME_LANGUAGE_FROM = 0.4


@dataclass(frozen=True, slots=True)
class Written:
    """What a model's writing came to.

    Attributes:
        draft: the answer; None where the model wrote nothing that can be used.
        refused: it says that the articles do not answer; the draft is of no use then.
        ending: how the shown text came to its end.
        failure: what went wrong, in words; text that came before may be in the draft.
        usage: tokens of all calls together.
    """

    draft: Draft | None
    refused: bool
    ending: Ending
    failure: str
    usage: dict[str, int]


class Writer:
    """Has a model answer one question from passages; `write` may be read once."""

    def __init__(self, question: str, *, llm: LLM, label: str, settings: Settings, embedding: BaseEmbedding) -> None:
        """Prepare; nothing is sent yet.

        Args:
            question: one that stands alone.
            llm: the model.
            label: its name in messages, `provider/model`.
            settings: what bounds the prompt and the calls.
            embedding: compares sentences with sources.
        """
        self._question = question
        self._llm = llm
        self._label = label
        self._settings = settings
        self._embedding = embedding
        self._calls: list[_Call] = []

    async def write(self, passages: Sequence[ScoredPassage]) -> AsyncGenerator[TextSoFar | Written, None]:
        """The text as it grows, and what it came to at the end.

        Args:
            passages: what was retrieved, best first.

        Raises:
            SettingsError: not even one passage fits into the model's window.
        """
        began = time.perf_counter()
        call = self._call(self._prompt(passages))
        so_far = TextSoFar("", ())
        while True:
            try:
                async with aclosing(call.texts()) as texts:
                    async for text in texts:
                        so_far = _follow(so_far, text, call.shown)
                        yield so_far
                break
            except ModelContextError as exc:
                if len(self._calls) > 1 or len(call.shown) < 2:
                    call.failure = str(exc)
                    break
                # Its window is smaller than the settings say; half of the passages may fit.
                log.warning("The model cannot read %d passages; it is asked with half of them.", len(call.shown))
                fewer = call.shown[: len(call.shown) // 2]
                call = self._call(self._prompt(fewer))
        if not call.text or is_refusal(call.text):
            yield self._written(None, call, refused=bool(call.text))
            return
        if call.text != so_far.text:  # a stream holds back its last words
            so_far = _follow(so_far, call.text, call.shown)
            yield so_far
        first = await self._check(call)
        limits = max(_LEAST_SECONDS, time.perf_counter() - began), _LONGER * len(call.text) + _LONGER_CHARACTERS
        best: Draft | None = first
        if call.ending == "whole" and not call.failure:
            best = await self._mend(await self._best_of(first, call.prompt, limits), call.shown, limits)
        if best is None or (_refuses(best) and not best.verified_words):
            yield self._written(None, call, refused=True)
            return
        if best.text != so_far.text:
            yield TextSoFar(best.text, best.citations)
        yield self._written(best, call)

    @property
    def _matches(self) -> bool:
        """Whether the model is asked for no markers and its sentences are matched to the passages."""
        return self._settings.llm_citing == "matching"

    def _prompt(self, passages: Sequence[ScoredPassage]) -> AnswerPrompt:
        write = plain_messages if self._matches else answer_messages
        return write(self._question, passages, settings=self._settings)

    def _call(self, prompt: AnswerPrompt, *, known: Sequence[str] = (), llm: LLM | None = None) -> "_Call":
        """A call of the model, which is counted."""
        stream = ModelStream(
            llm or self._llm,
            prompt.messages,
            label=self._label,
            base_url=self._settings.llm_base_url,
            silence_seconds=self._settings.llm_read_seconds,
        )
        self._calls.append(_Call(prompt, stream, known=[self._question, *known]))
        return self._calls[-1]

    def _written(self, draft: Draft | None, call: "_Call", *, refused: bool = False) -> Written:
        usage: Counter[str] = Counter()
        for one in self._calls:
            usage.update(one.usage())
        return Written(draft, refused, call.ending, call.failure, dict(usage))

    async def _check(self, call: "_Call") -> Draft:
        return await afterwards(
            check_draft,
            without_own_markers(call.text) if self._matches else call.text,
            call.shown,
            question=self._question,
            unresolved=() if self._matches else call.unresolved,
            embedding=self._embedding,
        )

    async def _best_of(self, first: Draft, prompt: AnswerPrompt, limits: tuple[float, int]) -> Draft:
        """Of as many drafts as the settings ask for the one that verifies best; the first where it does wholly."""
        more = self._settings.answer_samples - 1
        if not more or not first.faulty:
            return first
        warm = _warmer(self._llm)
        calls = [self._call(prompt, llm=warm) for _ in range(more)]
        whole = await asyncio.gather(*(call.finish(*limits) for call in calls))
        best = first
        for call, finished in zip(calls, whole, strict=True):
            if finished and not is_refusal(call.text):
                draft = await self._check(call)
                best = draft if draft.verifies_better_than(best) else best
        return best

    async def _mend(self, draft: Draft, shown: Sequence[ScoredPassage], limits: tuple[float, int]) -> Draft | None:
        """The draft after the model was told which of its sentences no source carries; None where nothing is left.

        It stays as it is where the new text does not verify better, comes too late or not at all.
        """
        if self._matches or not self._settings.repair or not draft.faulty or not _same_language(draft.text, shown):
            return draft
        faults = [(draft.text[one.start : one.end], one.reason) for one in draft.faulty]
        try:
            prompt = repair_messages(self._question, shown, answer=draft.text, faults=faults, settings=self._settings)
        except SettingsError:
            return draft
        if any(cited.marker > len(prompt.passages) for cited in draft.citations):
            return draft  # the sources of what is right did not fit beside the answer
        call = self._call(prompt, known=[draft.text, *(reason for _, reason in faults)])
        if not await call.finish(*limits):
            log.info("The answer was not repaired: %s", call.failure or "the model took too long")
            return draft
        if is_refusal(call.text):
            return draft if draft.verified_words else None
        mended = await self._check(call)
        return mended if mended.verifies_better_than(draft) else draft


class _Call:
    """One call of the model; `texts` or `finish` may be used once, the rest is known afterwards.

    Attributes:
        prompt: what was sent.
        shown: its passages.
        text: what came, normalised; "" where nothing did or the model recited its instructions.
        unresolved: the numbers that name no source.
        failure: what went wrong, in words.
    """

    def __init__(self, prompt: AnswerPrompt, stream: ModelStream, *, known: Sequence[str]) -> None:
        self.prompt = prompt
        self.shown = prompt.passages
        self.text = ""
        self.failure = ""
        self._stream = stream
        self._markers = MarkerStream(len(prompt.passages))
        data = [text for found in prompt.passages for text in (found.passage.title, found.passage.text)]
        self._echoes = EchoGuard(prompt.messages, known=[*known, *data])

    @property
    def ending(self) -> Ending:
        """How it came to its end."""
        return self._stream.ending

    @property
    def unresolved(self) -> tuple[int, ...]:
        """The numbers that name no source, in order, with repeats."""
        return tuple(self._markers.unresolved)

    def usage(self) -> dict[str, int]:
        """Tokens read and written."""
        return self._stream.usage()

    async def texts(self) -> AsyncGenerator[str, None]:
        """The normalised text each time it has grown.

        Raises:
            ModelContextError: the prompt is longer than the model can read; nothing came.
        """
        text = held = ""
        fed = 0.0
        try:
            async with aclosing(self._stream.pieces()) as pieces:
                async for piece in pieces:
                    held += piece
                    if text and time.monotonic() - fed < _FEED_SECONDS:
                        continue
                    before, text = text, self._markers.feed(held)
                    held, fed = "", time.monotonic()
                    if self._echoes.hears(text[-_ECHO_CHARACTERS:]):
                        break
                    if text != before:
                        yield text
        except ModelContextError:
            if not text:
                raise
            self.failure = "The language model cannot read as much as it was sent."
        except ModelError as exc:
            log.warning("The model failed: %s", exc)
            self.failure = str(exc)
        self._markers.feed(held)
        self.text = self._markers.finish()
        if self._echoes.hears(self.text):
            log.warning("The model recited its instructions.")
            self.text, self.failure = "", "The language model recited its instructions instead of answering."

    async def finish(self, seconds: float, characters: int) -> bool:
        """Read it to its end, unseen; False where it takes longer, is longer, breaks off or says nothing."""
        try:
            async with asyncio.timeout(seconds), aclosing(self.texts()) as texts:
                async for text in texts:
                    if len(text) > characters:
                        return False
        except (TimeoutError, ModelContextError):
            return False
        return bool(self.text) and not self.failure and self.ending == "whole"


def _follow(before: TextSoFar, text: str, shown: Sequence[ScoredPassage]) -> TextSoFar:
    """The event for a longer text; citations are looked for only where a marker was added."""
    if text.count("[") == before.text.count("["):
        return TextSoFar(text, before.citations)
    return TextSoFar(text, tuple(cite(text, shown)))


def _refuses(draft: Draft) -> bool:
    """Whether one of its sentences is the refusal line."""
    return any(is_refusal_line(draft.text[sentence.start : sentence.end]) for sentence in draft.sentences)


def _warmer(llm: LLM) -> LLM:
    """The model at a temperature at which its drafts differ, where it has one to set."""
    temperature = getattr(llm, "temperature", None)
    return llm.model_copy(update={"temperature": _WARMTH}) if temperature == 0 else llm


def _same_language(text: str, shown: Sequence[ScoredPassage]) -> bool:
    """Whether a text seems to be in the language of its sources, without which a comparison finds faults everywhere."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    there = set(re.findall(r"[^\W\d_]+", " ".join(found.passage.text for found in shown).lower()))
    # Short words tell a language; longer ones may be what the sources do not say.
    telling = [word for word in words if len(word) <= 4] or words
    return sum(word in there for word in telling) >= _SAME_LANGUAGE_FROM * len(telling)
