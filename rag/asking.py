"""Asking a model: the messages that ask for an answer, fitted into its context window, and how it says it has none."""

import re
from collections.abc import Callable, Sequence
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
    rules = fill_prompt("answer", fence=mark, refusal=REFUSAL)

    def user_message(sources: str, told: str) -> str:
        return fill_prompt(
            "answer_sources", fence=mark, history=told, sources=sources, question=question, refusal=REFUSAL
        )

    room = _room(rules, settings)
    told = _history(history, mark, limit=int(room * _HISTORY_SHARE), model=model)
    if told and passages:
        first = user_message(_sources(passages[:1], mark), told)
        told = told if count_tokens(first, model=model) <= room else ""
    return _fit(rules, passages, lambda sources: user_message(sources, told), fence=mark, settings=settings)


def repair_messages(
    question: str,
    passages: Sequence[ScoredPassage],
    *,
    answer: str,
    faults: Sequence[tuple[str, str]],
    settings: Settings,
) -> AnswerPrompt:
    """The messages that ask a model to mend its own answer, under the same rules and within the same window.

    Args:
        question: as it was answered.
        passages: what the answer was written from.
        answer: its text.
        faults: the sentences that no source carries, each with the reason.
        settings: as for the answer.

    Raises:
        SettingsError: not even one passage fits.
    """
    mark = new_fence()
    listed = "\n".join(f"{number}. {sentence}\n   Fault: {why}" for number, (sentence, why) in enumerate(faults, 1))

    def user_message(sources: str) -> str:
        return fill_prompt(
            "repair", fence=mark, sources=sources, question=question, answer=answer, faults=listed, refusal=REFUSAL
        )

    rules = fill_prompt("answer", fence=mark, refusal=REFUSAL)
    return _fit(rules, passages, user_message, fence=mark, settings=settings)


def plain_messages(question: str, passages: Sequence[ScoredPassage], *, settings: Settings) -> AnswerPrompt:
    """Like `answer_messages`, with fewer rules and asking for no markers: for a model that cannot follow the others.

    Args:
        question: as it is to be answered.
        passages: what was retrieved, best first.
        settings: the context window, the length of an answer, and the model whose tokens are counted.

    Raises:
        SettingsError: not even one passage fits.
    """
    mark = new_fence()

    def user_message(sources: str) -> str:
        return fill_prompt("answer_sources_plain", fence=mark, sources=sources, question=question, refusal=REFUSAL)

    rules = fill_prompt("answer_plain", fence=mark, refusal=REFUSAL)
    return _fit(rules, passages, user_message, fence=mark, settings=settings)


def _room(rules: str, settings: Settings) -> int:
    """Tokens left for the user's message."""
    model = settings.llm_name
    room = settings.llm_context_tokens - settings.llm_answer_tokens - 2 * _MESSAGE_TOKENS
    # Another model's tokens are only estimated with this vocabulary.
    room -= settings.llm_context_tokens // 10 if is_estimate(model) else 32
    return room - count_tokens(rules, model=model)


def _fit(
    rules: str,
    passages: Sequence[ScoredPassage],
    user_message: Callable[[str], str],
    *,
    fence: str,
    settings: Settings,
) -> AnswerPrompt:
    """The messages with as many of the passages, from the first on, as the window holds."""
    room, count = _room(rules, settings), 0
    while count < len(passages):
        message = user_message(_sources(passages[: count + 1], fence))
        if count_tokens(message, model=settings.llm_name) > room:
            break
        count += 1
    if passages and not count:
        raise SettingsError(
            f"BYLINE_LLM_CONTEXT_TOKENS={settings.llm_context_tokens} leaves no room for a single passage beside the"
            f" question and an answer of {settings.llm_answer_tokens} tokens: raise it to what the model can read,"
            " lower BYLINE_LLM_ANSWER_TOKENS, or ask a shorter question."
        )
    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=rules),
        ChatMessage(role=MessageRole.USER, content=user_message(_sources(passages[:count], fence))),
    ]
    return AnswerPrompt(messages, tuple(passages[:count]))


def _sources(passages: Sequence[ScoredPassage], fence: str) -> str:
    """The passages as numbered sources of a prompt."""
    return "\n\n".join(_source(scored, fence) for scored in passages)


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
    r"|cover|tell|reveal|have|hold|clarify|name|identify|describe|list|refer)s?"
)
_SAID = (
    r"(?:answered|said|mentioned|contained|provided|stated|specified|given|included|addressed|reported|found|available)"
)
_NOT = r"(?:not|n['’]t)"
_TEXTS = r"(?:\w+ ){0,2}(?:articles?|sources?|passages?|texts?)(?: \w+){0,2}?"
_LEAD = re.compile(
    r"(?:answer|response)\s*:\s*|(?:(?:i['’]m|i am|we are) (?:very )?)?sorry,? (?:but )?|unfortunately,? |no, "
    rf"|(?:based on|according to|from|in|judging by) (?:the |these )?{_TEXTS}, ",
    re.IGNORECASE,
)
_NOTHING_SAID = re.compile(
    rf"(?:(?:the|these|those|your) )?{_TEXTS} (?:say nothing|contain no|provide no|give no"
    rf"|(?:do(?:es)?|did) ?{_NOT} (?:\w+ly )?{_SAYS})\b"
    rf"|(?:none|neither) of (?:the|these) {_TEXTS} {_SAYS}\b|(?:no|neither) (?:article|source|passage) {_SAYS}\b"
    rf"|(?:i|we) (?:cannot|can['’]t|can not|could not|am unable to) (?:answer|find)\b"
    rf"|(?:i|we) (?:do not|don['’]t) have (?:\w+ )?information\b"
    rf"|there (?:is|was) (?:no|{_NOT} (?:enough|sufficient)) (?:\w+ )?(?:information|mention|answer)\b"
    rf"|(?:it|this|that|(?:the|this|that) (?:answer|information|question)) (?:is ?{_NOT}|cannot be|can['’]t be) "
    rf"(?:\w+ly )?(?:{_SAID}|in (?:the|these) {_TEXTS})\b",
    re.IGNORECASE,
)
# The line in the asker's language, which some models take care to write.
_NOTHING_SAID_ELSEWHERE = re.compile(
    r"(?:die|diese) (?:\w+ ){0,2}(?:artikel|quellen|texte)\b.*\b(?:nicht|nichts|keine?\w?)\b"
    r"|(?:les|ces) (?:\w+ ){0,1}(?:articles|sources|textes)\b.*\bn(?:e |['’]).*\b(?:pas|rien|aucune?)\b"
    r"|(?:los|las|est[oa]s) (?:artículos|fuentes|textos)\b.{0,20}\bno\b|(?:gli|le|i) (?:articoli|fonti|testi) non\b"
    r"|[oa]s (?:artigos|fontes|textos) não\b|de (?:artikelen|bronnen|teksten)\b.*\b(?:niet|niets|geen)\b",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"[;:]|\b(?:but|however|though|while|instead|aber|jedoch|sondern|mais|pero|sino|però|mas|maar|wel)\b", re.IGNORECASE
)
# What models add to the refusal line: what the sources are about instead, an excuse, an offer.
_CHATTER = re.compile(
    r"(?:(?:however|instead|but|while|also|in fact|rather|note that|note|explanation|reason)\b[,: ]*)*"
    rf"(?:(?:(?:(?:the|these|those|all) )?{_TEXTS}|they) (?:all )?"
    r"(?:discuss|focus|cover|deal with|concern|relate|revolve|cent(?:er|re)|(?:are|is) (?:\w+ )?(?:about|limited)"
    r"|(?:only|mainly|mostly|merely|primarily|just) \w+)"
    r"|please\b|if you\b|let me\b|you (?:may|might|could|would|can|should)\b"
    r"|i['’]m\b|i (?:can|could|would|am|hope|need|have)\b"
    r"|for (?:more|further) \w+|(?:more|additional|further) (?:information|context|details?)\b"
    r"|(?:sources?|references?|citations?)\W*$)",
    re.IGNORECASE,
)
_MARKERS = re.compile(r"\s*\[\d{1,2}\]")
_LONGEST_REFUSAL = 400  # characters, in words of the model's own


def is_refusal(text: str) -> bool:
    """Whether a model's whole answer says no more than that the articles do not answer the question.

    The exact line counts with whatever markers, excuse or offer stands beside it; an answer that goes on to report
    something is none. Other words for the line count where they are all there is.
    """
    sentences = _plain_sentences(text)
    exact = [sentence for sentence in sentences if is_refusal_line(sentence)]
    if exact:
        return all(
            sentence in exact or _CHATTER.match(sentence) or _NOTHING_SAID.match(sentence) for sentence in sentences
        )
    bare = " ".join(sentences)
    if not sentences or len(bare) > _LONGEST_REFUSAL or _TURNS.search(bare):
        return False
    if re.search(r"\[\d{1,2}\] *[^\s\[.!?]", text):
        return False  # a marker within a sentence belongs to what it reports
    first, *rest = sentences
    if not rest and _NOTHING_SAID_ELSEWHERE.match(first):
        return True
    # A second sentence goes on with the excuse, or the answer is a partial one.
    return bool(_NOTHING_SAID.match(first)) and all(
        _NOTHING_SAID.search(sentence) or _CHATTER.match(sentence) for sentence in rest
    )


def is_refusal_line(sentence: str) -> bool:
    """Whether a sentence is the refusal line, with no more than a reason behind it that nothing is said."""
    line = REFUSAL.lower().rstrip(".")
    said = sentence.lower()
    if said.rstrip(".!") == line:
        return True
    return bool(re.match(rf"{re.escape(line)}[,:;]? (?:because|as|since)\b.*\b(?:no|not|never|only|nothing)\b", said))


def _plain_sentences(text: str) -> list[str]:
    """The sentences of a short text without markers, emphasis and quotation marks around them, nor words of excuse."""
    found = []
    whole = _MARKERS.sub("", text).strip("*_> \n")
    if re.fullmatch(r"[“\"].*[”\"]", whole, re.DOTALL):
        whole = whole[1:-1]
    for sentence in re.split(r"(?<=[.!?])[\s*_]+|\n+", whole):
        bare = sentence.strip("*_>- \t")
        while (lead := _LEAD.match(bare)) and lead.end() < len(bare):
            bare = bare[lead.end() :].strip("*_ ")
        if re.search(r"\w", bare):
            found.append(bare)
    return found
