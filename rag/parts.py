"""Parts of a question: what it asks for one by one, where it names several things; with a model and without."""

import logging
import re

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms import LLM

from index.errors import ModelError
from index.lexical import words_of
from rag.models import ModelStream
from rag.prompts import FENCE, fill_prompt, new_fence

log = logging.getLogger(__name__)

MAX_PARTS = 4
# Words, stop words left out, that a part needs to find something by itself.
_PART_WORDS = 4
_MAX_PART_CHARACTERS = 400
_BETWEEN = re.compile(
    r"[,;:]\s+(?:(?:and|but|while|whereas|or)\s+)?"
    r"|\s+(?:and|while|whereas|but|as well as|versus|compared (?:to|with))\s+",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^\W*(?:\(?\d{1,2}[.):]\s*|parts?\s*\d*\s*:\s*)?", re.IGNORECASE)


def split_question(question: str) -> tuple[str, ...]:
    """The clauses of a question, short ones joined to the one before; none where it has fewer than two.

    It is cut at commas, colons and semicolons, and at `and`, `but`, `while` and the like.
    """
    clauses: list[str] = []
    for clause in _BETWEEN.split(question.rstrip("?!. ")):
        if not clause.strip():
            continue
        if clauses and len(words_of(clauses[-1])) < _PART_WORDS:
            clauses[-1] = f"{clauses[-1]}, {clause.strip()}"
        else:
            clauses.append(clause.strip())
    if len(clauses) > 1 and len(words_of(clauses[-1])) < _PART_WORDS:
        last = clauses.pop()
        clauses[-1] = f"{clauses[-1]}, {last}"
    if len(clauses) > MAX_PARTS:
        clauses = [*clauses[: MAX_PARTS - 1], ", ".join(clauses[MAX_PARTS - 1 :])]
    return tuple(clauses) if len(clauses) > 1 else ()


async def decompose_question(
    question: str, llm: LLM, *, silence_seconds: float = 60.0
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The parts of a question as a model writes them, and the tokens that took.

    Where the model fails or writes something else, the clauses are used; a question too short to have parts is not
    sent.

    Args:
        question: as it stands alone.
        llm: the model that takes it apart.
        silence_seconds: longest wait for it to begin and to go on.
    """
    if len(words_of(question)) < 2 * _PART_WORDS:
        return (), {}
    prompt = fill_prompt("decompose_question", fence=new_fence(), question=" ".join(question.split()))
    message = ChatMessage(role=MessageRole.USER, content=prompt)
    stream = ModelStream(llm, [message], silence_seconds=silence_seconds)
    try:
        parts = _read_parts("".join([piece async for piece in stream.pieces()]))
    except ModelError as exc:
        log.warning("The question was not taken apart by the model: %s", exc)
        return split_question(question), stream.usage()
    if not all(_is_part(part, question) for part in parts) or not 1 <= len(parts) <= MAX_PARTS:
        log.info("The parts that the model made of the question were not used.")
        return split_question(question), stream.usage()
    return tuple(parts) if len(parts) > 1 else (), stream.usage()


def _read_parts(reply: str) -> list[str]:
    """The lines of a reply that say something, without numbers, dashes and quotation marks, each once."""
    lines = (_LABEL.sub("", line).strip().strip('*_`"“”').strip() for line in reply.splitlines())
    return list(dict.fromkeys(line for line in lines if line and not line.startswith(("<<", "```"))))


def _is_part(part: str, question: str) -> bool:
    """Whether a line asks for something that the question asks for: at least half of its words are the question's."""
    if len(part) > _MAX_PART_CHARACTERS or FENCE.search(part) or re.search(r"https?://", part):
        return False
    words, asked = words_of(part), set(words_of(question))
    return bool(words) and sum(word in asked for word in words) >= len(words) / 2
