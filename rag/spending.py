"""Spending: the tokens and the money that an answer took, and the conversation up to and with it.

Tokens are those of every call of the model: a follow-up that was rewritten, further drafts, a repair, an answer that
broke off. Prices come from the settings alone; without them nothing is said of money.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from index.settings import Settings
from rag.answers import USAGE, Answer, Cost


def add_usage(usages: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Tokens of several calls or answers together."""
    total: Counter[str] = Counter()
    for usage in usages:
        total.update({name: usage.get(name, 0) for name in USAGE})
    return dict(total)


def cost_of(answer: Answer, settings: Settings) -> Cost | None:
    """What an answer and its conversation cost; None where no prices are set or no model is asked."""
    read, written = settings.llm_price_read, settings.llm_price_written
    if read is None or written is None or answer.model == "none":
        return None

    def money(usage: Mapping[str, int]) -> float:
        return (usage.get("prompt_tokens", 0) * read + usage.get("completion_tokens", 0) * written) / 1e6

    return Cost(money(answer.usage), money(answer.conversation_usage))


def took_in_words(answer: Answer) -> str:
    """What an answer took, in one line for a page or a terminal.

    `2.4 s; 412 tokens read, 96 written; this conversation: 1,240 tokens read, 300 written`: tokens where a model was
    asked, the conversation where it took more than this answer, and what each cost where prices are set.
    """
    cost, conversation_cost = (answer.cost.answer, answer.cost.conversation) if answer.cost else (None, None)
    parts = [f"{answer.timings_ms['total'] / 1000:.1f} s"] if answer.timings_ms.get("total") else []
    if any(answer.usage.values()):
        parts.append(_tokens(answer.usage, cost))
    if any(answer.conversation_usage.get(name, 0) > answer.usage.get(name, 0) for name in USAGE):
        parts.append(f"this conversation: {_tokens(answer.conversation_usage, conversation_cost)}")
    return "; ".join(parts)


def spent_in_words(answers: Iterable[Answer]) -> str:
    """`3 answers: 1,240 tokens read, 300 written, cost 0.0004`; "" where no model was asked."""
    given = list(answers)
    usage = add_usage(answer.usage for answer in given)
    if not any(usage.values()):
        return ""
    costs = [answer.cost.answer for answer in given if answer.cost]
    named = f"{len(given):,} answer{'' if len(given) == 1 else 's'}"
    return f"{named}: {_tokens(usage, sum(costs) if costs else None)}"


def _tokens(usage: Mapping[str, int], cost: float | None) -> str:
    read, written = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    told = f"{read:,} tokens read, {written:,} written"
    return told if cost is None else f"{told}, cost {_money(cost)}"


def _money(cost: float) -> str:
    """To the millionth, without zeros at its end."""
    if 0 < cost < 1e-6:
        return "under 0.000001"
    return f"{cost:,.6f}".rstrip("0").rstrip(".")
