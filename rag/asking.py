"""Asking a model: the messages that ask for an answer, fitted into its context window, and how it says it has none."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from llama_index.core.base.llms.types import ChatMessage, MessageRole

from index.errors import SettingsError
from index.settings import Settings
from index.tokens import count_tokens, is_estimate
from rag.conversation import Turn, recent_turns, write_turns
from rag.prompts import fill_prompt, new_fence
from rag.retrieval import ScoredPassage

REFUSAL = "The articles do not answer this question."
"""What a model writes, word for word, when the sources do not hold the answer."""

_MESSAGE_TOKENS = 8  # what a chat template adds to a message, at most
_HISTORY_SHARE = 0.2  # of the room for passages


class AnswerPrompt(NamedTuple):
    """What is sent to the model, and the passages that fitted, best first."""

    messages: list[ChatMessage]
    passages: tuple[ScoredPassage, ...]


def answer_messages(
    question: str,
    passages: Sequence[ScoredPassage],
    *,
    settings: Settings,
    history: Sequence[Turn] = (),
    fence: str | None = None,
) -> AnswerPrompt:
    """The messages that ask for an answer from `passages`, within the model's context window.

    Passages that do not fit are left out whole, from the end. Earlier turns take a fifth of the room at most, the
    oldest left out first, and nothing where the first passage needs it.

    Args:
        question: as it is to be answered.
        passages: what was retrieved, best first; a source's number is its rank.
        settings: the context window, the length of an answer, and the model whose tokens are counted.
        history: earlier turns; data for the model, never instructions.
        fence: the mark around data; a new one where None.

    Raises:
        SettingsError: not even one passage fits.
    """
    mark = fence or new_fence()
    model = settings.llm_name
    sources = [_source(scored, mark) for scored in passages]

    def tokens(text: str) -> int:
        return count_tokens(text, model=model)

    def user_message(count: int, told: str) -> str:
        return fill_prompt(
            "answer_sources",
            fence=mark,
            history=told,
            sources="\n\n".join(sources[:count]),
            question=question,
            refusal=REFUSAL,
        )

    rules = fill_prompt("answer", fence=mark, refusal=REFUSAL)
    room = settings.llm_context_tokens - settings.llm_answer_tokens - 2 * _MESSAGE_TOKENS - tokens(rules)
    # Another model's tokens are only estimated with this vocabulary.
    room -= settings.llm_context_tokens // 10 if is_estimate(model) else 32
    told = _history(history, mark, limit=int(room * _HISTORY_SHARE), model=model)
    if told and passages and tokens(user_message(1, told)) > room:
        told = ""
    count = 0
    while count < len(sources) and tokens(user_message(count + 1, told)) <= room:
        count += 1
    if passages and not count:
        raise SettingsError(
            f"BYLINE_LLM_CONTEXT_TOKENS={settings.llm_context_tokens} leaves no room for a single passage beside the"
            f" question and an answer of {settings.llm_answer_tokens} tokens: raise it to what the model can read,"
            " lower BYLINE_LLM_ANSWER_TOKENS, or ask a shorter question."
        )
    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=rules),
        ChatMessage(role=MessageRole.USER, content=user_message(count, told)),
    ]
    return AnswerPrompt(messages, tuple(passages[:count]))


def _source(scored: ScoredPassage, fence: str) -> str:
    """A numbered source: outlet and date where known, title and text, all inside the fence."""
    passage = scored.passage
    about = {"Outlet": passage.source, "Date": _date_in_words(passage.published), "Title": passage.title}
    lines = [f"{name}: {' '.join(value.split())}" for name, value in about.items() if value]
    return "\n".join([f"Source [{scored.rank}]", f"<<{fence}", *lines, f"Text: {passage.text.strip()}", f"{fence}>>"])


def _date_in_words(published: str | None) -> str | None:
    """`Monday 15 December 2025` for an ISO date: articles speak of weekdays."""
    if not published:
        return None
    try:
        day = date.fromisoformat(published[:10])
    except ValueError:
        return published
    return f"{day:%A} {day.day} {day:%B %Y}"


def _history(history: Sequence[Turn], fence: str, *, limit: int, model: str) -> str:
    """The latest turns that fit into `limit` tokens, or ""."""
    turns = recent_turns(history)
    while turns:
        told = fill_prompt("history", fence=fence, turns=write_turns(turns))
        if count_tokens(told, model=model) <= limit:
            return told
        turns = turns[1:]
    return ""


_SAYS = (
    r"(?:answer|say|mention|contain|provide|state|specify|give|include|address|report|discuss|explain|indicate|offer"
    r"|cover|tell|reveal|have|hold)s?"
)
_TEXTS = r"(?:\w+ ){0,2}(?:articles?|sources?|passages?|texts?)(?: \w+){0,2}?"
_APOLOGY = re.compile(r"(?:(?:i['’]m|i am|we are) (?:very )?)?sorry,? (?:but )?|unfortunately,? |no, ", re.IGNORECASE)
_NOTHING_SAID = re.compile(
    rf"(?:(?:the|these|those|your) )?{_TEXTS} (?:say nothing|contain no|provide no|give no"
    rf"|do(?:es)?(?: not|n['’]t) (?:\w+ly )?{_SAYS})\b"
    rf"|(?:none|neither) of (?:the|these) {_TEXTS} {_SAYS}\b"
    r"|(?:i|we) (?:cannot|can['’]t|can not|could not|am unable to) (?:answer|find)\b"
    r"|there is no (?:information|mention)\b",
    re.IGNORECASE,
)
_MARKERS = re.compile(r"\s*\[\d{1,2}\]")


def is_refusal(text: str) -> bool:
    """Whether a model's whole answer says no more than that the articles do not answer the question.

    The exact line counts with whatever markers it carries; other words for it only without markers, since a sentence
    that cites something says something.
    """
    bare = _MARKERS.sub("", text).strip().strip('*_"“” \n')
    if bare.lower().rstrip(".") == REFUSAL.lower().rstrip("."):
        return True
    if bare != text.strip().strip('*_"“” \n') or "\n" in bare or len(bare) > 300:
        return False
    bare = _APOLOGY.sub("", bare, count=1) if _APOLOGY.match(bare) else bare
    if re.search(r"[;:]|\b(?:but|however|though|while|instead)\b", bare, re.IGNORECASE):
        return False
    # A second sentence goes on with the excuse, or the answer is a partial one.
    first, *rest = re.split(r"(?<=[.!?])\s+", bare)
    return bool(_NOTHING_SAID.match(first)) and all(_NOTHING_SAID.search(sentence) for sentence in rest)
