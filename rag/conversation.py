"""Turn: one message of a conversation; a follow-up becomes a question that stands alone."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms import LLM

from index.characters import visible
from index.errors import ModelError
from index.lexical import STOP_WORDS, words_of
from rag.models import ModelStream
from rag.prompts import FENCE, fill_prompt, new_fence

log = logging.getLogger(__name__)

MAX_TURNS = 6
MAX_TURN_CHARACTERS = 1_000
_MAX_SPOKEN_CHARACTERS = 12_000
_MAX_QUESTION_CHARACTERS = 400
_MAX_ADDED_WORDS = 12


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. It may come from the browser: untrusted, data in a prompt, never instructions."""

    role: Literal["user", "assistant"]
    content: str
    usage: Mapping[str, int] = field(default_factory=dict, hash=False)  # tokens an answer took, where that is known


def recent_turns(history: Sequence[Turn]) -> list[Turn]:
    """The last turns that say something, each cut to a bearable length; roles other than the two are left out."""
    turns = [
        Turn(turn.role, visible(turn.content).strip()[:MAX_TURN_CHARACTERS])
        for turn in history
        if turn.role in ("user", "assistant") and visible(turn.content).strip()
    ]
    return turns[-MAX_TURNS:]


def spoken_of(history: Sequence[Turn]) -> str:
    """What the turns say, the last ones where they are long: its words tell which articles a conversation is about."""
    said = "\n".join(visible(turn.content).strip() for turn in history if turn.role in ("user", "assistant"))
    return said[-_MAX_SPOKEN_CHARACTERS:]


def write_turns(turns: Sequence[Turn]) -> str:
    """Turns as lines of a prompt; a turn cannot pass for another by a line break."""
    names = {"user": "Reader", "assistant": "Byline"}
    return "\n".join(f"{names[turn.role]}: {_one_line(turn.content)}" for turn in turns)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- with a model -------------------------------------------------------------------------------------------------


async def standalone_question(
    question: str, history: Sequence[Turn], llm: LLM, *, silence_seconds: float = 60.0
) -> tuple[str, dict[str, int]]:
    """The question as it reads without the turns before it, rewritten by a model, and the tokens that took.

    Where the model fails, or writes what is no rewriting of the question, the words of the turns are used instead.

    Args:
        question: as the reader wrote it.
        history: the turns before it, oldest first.
        llm: the model that rewrites.
        silence_seconds: longest wait for it to begin and to go on.
    """
    turns = recent_turns(history)
    if not turns:
        return question, {}
    prompt = fill_prompt("condense_question", fence=new_fence(), turns=write_turns(turns), question=_one_line(question))
    message = ChatMessage(role=MessageRole.USER, content=prompt)
    stream = ModelStream(llm, [message], silence_seconds=silence_seconds)
    try:
        rewritten = _read_reply("".join([piece async for piece in stream.pieces()]))
    except ModelError as exc:
        log.warning("The follow-up was not rewritten by the model: %s", exc)
        return words_of_turns(question, history), stream.usage()
    if not _rewrites(rewritten, question, turns):
        log.info("The model's rewriting of the follow-up was not used.")
        return words_of_turns(question, history), stream.usage()
    return rewritten, stream.usage()


def _read_reply(reply: str) -> str:
    """The rewritten question in what the model wrote: its first line that is no label, without quotation marks."""
    for line in reply.splitlines():
        bare = re.sub(
            r"^\W*(?:rewritten|standalone|stand-alone|new)?\s*question\s*:[\s*_]*", "", line, flags=re.IGNORECASE
        )
        bare = bare.strip().strip("*_`\"“”'").strip()
        if bare and not bare.startswith(("<<", "```")) and not bare.endswith(">>"):
            return bare
    return ""


def _rewrites(rewritten: str, question: str, turns: Sequence[Turn]) -> bool:
    """Whether a reply asks the question in other words, rather than answering it or saying something else."""
    if not rewritten or len(rewritten) > max(_MAX_QUESTION_CHARACTERS, 2 * len(question)):
        return False
    if FENCE.search(rewritten) or re.search(r"https?://", rewritten):
        return False
    if question.rstrip().endswith("?") and not (rewritten.endswith("?") or _ASKS.match(rewritten)):
        return False
    asked = set(words_of(question))
    if asked and asked.isdisjoint(words_of(rewritten)):
        return False  # another question, which an earlier turn may have planted
    said = asked | {word for turn in turns for word in words_of(turn.content)}
    words = words_of(rewritten)
    return bool(words) and sum(word in said for word in words) >= len(words) / 2


# --- without one --------------------------------------------------------------------------------------------------

_ASKS = re.compile(
    r"\W*(?:who|whom|whose|what|when|where|why|which|how|did|does|do|is|are|was|were|has|have|had|can|could|will|would"
    r"|should|may|might)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\W*(?:and|but|so|then|also|or|ok|okay|und|et|y|e)\b[,\s]*|\W*(?:what|how) about\b\s*", re.IGNORECASE
)
_POINTS_BACK = re.compile(
    r"\b(?:he|she|they|it|him|her|hers|them|his|its|their|theirs|these|those|this|there(?!\s+(?:is|are|was|were|any|a|been)\b)"
    r"|else|latter|former|same|(?:about|of|after|before|since|was|is|did|does|why|how|in|at|by|with|for|to|on)\s+that"
    r"|that(?=\s*[?.!]?$))\b",
    re.IGNORECASE,
)
_THERE_IS = re.compile(r"\b(?:is|are|was|were|been)\s+there\b", re.IGNORECASE)
_ASKS_FOR_MORE = re.compile(
    r"\W*(?:tell me more|go on|more|continue|really|since when|why not)\b[\w\s]{0,12}\W*$", re.IGNORECASE
)
_PREPOSITION = re.compile(r"(?:on|in|at|by|from|for|after|before|since|with)\b", re.IGNORECASE)
_HOW_MUCH = re.compile(r"\bhow (?:long|many|much|often|far|big|old)\b", re.IGNORECASE)
_DAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|today|tomorrow"
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-ÞА-Я][\w’'.-]*\w")


def words_of_turns(question: str, history: Sequence[Turn]) -> str:
    """The question with the words of the turns before it that it needs, found without a model.

    A question that stands alone stays as it is. `And on Monday?` takes over the question before it; `How long did they
    talk?` gets the words and names of that question and of its answer, in brackets.

    Args:
        question: as the reader wrote it.
        history: the turns before it, oldest first.
    """
    question = question.strip()
    turns = recent_turns(history)
    asked = [place for place, turn in enumerate(turns) if turn.role == "user"]
    if not asked or not depends_on_turns(question):
        return question
    last = asked[-1]
    # An earlier follow-up leans on the turns before it in its turn.
    before = words_of_turns(turns[last].content, turns[:last])
    if _is_fragment(question):
        return _take_over(before, question)
    answers = [turn.content for turn in turns[last + 1 :]]
    added = _useful_words(before, answers, known=words_of(question))
    return f"{question} ({', '.join(added)})" if added else question


def depends_on_turns(question: str) -> bool:
    """Whether a question can only be understood after the turns before it."""
    if _ASKS_FOR_MORE.match(question) or _is_fragment(question):
        return True
    for match in _POINTS_BACK.finditer(question):
        is_adverb = match[0].lower() == "there" and _THERE_IS.search(question)
        # "What did Merz say about his party?" points at a name of its own.
        own_name = any(name not in STOP_WORDS for name in _names(question[: match.start()]))
        if not (is_adverb or (own_name and match[0].lower() not in _BACK_EVEN_SO)):
            return True
    words = re.findall(r"\w+", question)
    return len(words) <= 3 and not words_of(question)


_BACK_EVEN_SO = {"else", "there", "these", "those", "latter", "former", "same"}


def _is_fragment(question: str) -> bool:
    """`And on Monday?`, `What about Kyiv?`: it names what is new and leaves the rest to the question before."""
    lead = _GOES_ON.match(question)
    rest = question[lead.end() :] if lead else question
    if re.match(r"\W*(?:what|how) about\b", question, re.IGNORECASE):
        return True
    short = len(re.findall(r"\w+", rest)) <= 4 and not _ASKS.match(rest) and bool(words_of(rest))
    starts = lead is not None or bool(
        re.match(r"(?:on|in|at|by|from|for|after|before|since|with)\b", rest, re.IGNORECASE)
    )
    return short and starts and question.rstrip().endswith("?")


def _take_over(before: str, fragment: str) -> str:
    """The question before with what is new in place of what it was: the day, else added at its end."""
    lead = _GOES_ON.match(fragment)
    rest = (fragment[lead.end() :] if lead else fragment).strip()
    if about := re.match(r"\W*(?:what|how) about\s+", rest, re.IGNORECASE):
        rest = rest[about.end() :]
    base = before.rstrip("?!. ")
    if re.search(_DAYS, rest, re.IGNORECASE):
        base = re.sub(rf"\s*\b(?:on\s+)?(?:(?:last|next|this)\s+)?(?:{_DAYS})\b", "", base, flags=re.IGNORECASE)
    return f"{base} {rest[:1].lower()}{rest[1:]}" if _PREPOSITION.match(rest) else f"{base}, {rest}"


def _useful_words(before: str, answers: Sequence[str], *, known: Sequence[str]) -> list[str]:
    """Words of the question before and names of its answer, those of `known` left out, in order, a bounded number."""
    candidates = re.findall(r"\w[\w’'.-]*\w|\d+", _ASKS.sub("", _HOW_MUCH.sub("", before)))
    for answer in answers:
        candidates += _names(answer)
    found: list[str] = []
    seen = set(known)
    for candidate in candidates:
        words = words_of(candidate)
        if words and not seen.issuperset(words):
            seen.update(words)
            found.append(candidate)
    return found[:_MAX_ADDED_WORDS]


def _names(text: str) -> list[str]:
    """Capitalised words; at the start of a sentence only those that no sentence starts with for grammar's sake."""
    names = []
    for match in _NAME.finditer(text):
        first = not text[: match.start()].strip() or text[: match.start()].rstrip()[-1] in '.!?:“"'
        if not (first and (match[0].lower() in STOP_WORDS or _ASKS.match(match[0]) or _GOES_ON.match(match[0]))):
            names.append(match[0])
    return names
