"""Report, question by question: the answer, its citations in their articles, what failed and why, as HTML."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from eval.dataset import Question
from eval.metrics import METRIC, Result
from eval.places import Place, meets
from eval.runs import Run
from eval.scoring import Gold
from index.articles import Article
from rag.answers import Answer

_MARKER = re.compile(r"\s?\[(\d+)\]")
_CONTEXT = 220  # characters of the article shown on each side of a quote
_STATES = {True: ("passed", "✓", "passed"), False: ("failed", "✗", "failed"), None: ("unjudged", "–", "not judged")}
_SHOWN = ("ndcg@10", "all_evidence@10", "token_f1", "rouge_l", "support_recall", "support_precision",
          "evidence_recall", "evidence_precision", "judged_correct", "judged_faithful")  # fmt: skip


def state_of(result: Result) -> tuple[str, str, str]:
    """How a question went: its class, its sign and its word."""
    if result.error:
        return "unscored", "!", "unscored"
    rightly = result.scores.get("correct_and_cited")
    return _STATES[None if rightly is None else rightly[0] > 0]


def question_html(run: Run, number: int, category: int) -> str:
    """One question as a block that opens.

    Args:
        run: the run.
        number: the question's place in it, from 0.
        category: the number of its category, for the filters.
    """
    question, result = run.questions[number], run.results[number]
    name, sign, word = state_of(result)
    refused = " refused" if result.refused else ""
    fault = result.error or (result.faults[0] if result.faults else "")
    answer = run.answers.get(question.id)
    parts = [
        f'<details class="q {name}{refused} c{category}" id="q{number}"><summary>'
        f'<span class="state" title="{word}">{sign}</span>'
        f'<span class="question">{escape(question.question)}</span>'
        f'<span class="tag">{escape(question.category)}</span>'
        + (f'<span class="fault">{escape(fault)}</span>' if fault else "")
        + '</summary><div class="body">',
        _history(question),
    ]
    if answer is None:
        parts.append(f'<p class="answer">Not scored: {escape(result.error)}</p>')
    else:
        parts += [
            f"<h3>{'Refused' if answer.refused else 'Answer'}</h3>",
            f'<div class="answer">{_answer(answer, number)}</div>',
        ]
    parts += [_expected(question), _notes(result)]
    if answer is not None:
        gold = run.gold.get(question.id, Gold())
        parts += [_citations(answer, gold, run.articles, number), _missed(answer, gold, run.articles)]
        parts.append(_facts(question, answer, gold, result))
    parts.append("</div></details>")
    return "".join(parts)


def in_context(text: str, start: int, end: int, marks: Sequence[tuple[int, int, str]]) -> str:
    """The words around `start` to `end` as HTML, with marks of the kinds `mark` (cited) and `u` (evidence)."""
    first, last = _at_word(text, max(0, start - _CONTEXT), back=True), _at_word(text, end + _CONTEXT, back=False)
    cuts = sorted({first, last, *(min(max(edge, first), last) for a, b, _ in marks for edge in (a, b))})
    parts = []
    for a, b in pairwise(cuts):
        piece = escape(text[a:b])
        for tag in ("u", "mark"):
            if any(tag == kind and begin <= a and b <= stop for begin, stop, kind in marks):
                piece = f"<{tag}>{piece}</{tag}>"
        parts.append(piece)
    return f"{'… ' if first else ''}{''.join(parts).strip()}{' …' if last < len(text) else ''}"


def _at_word(text: str, place: int, *, back: bool) -> int:
    """The edge of a word at or beyond `place`."""
    place = min(place, len(text))
    while 0 < place < len(text) and not text[place - 1 if back else place].isspace():
        place += -1 if back else 1
    return place


def _history(question: Question) -> str:
    if not question.history:
        return ""
    turns = "".join(
        f"<li>{'Reader' if turn.role == 'user' else 'Byline'}: {escape(turn.content)}</li>" for turn in question.history
    )
    return f'<h3>Before it</h3><ul class="faults">{turns}</ul>'


def _answer(answer: Answer, number: int) -> str:
    """The answer's text, sentences that lack support marked, markers as links to their citations."""
    known = {citation.marker for citation in answer.citations}

    def words(text: str) -> str:
        parts, at = [], 0
        for match in _MARKER.finditer(text):
            marker = int(match[1])
            parts.append(escape(text[at : match.start()]))
            link = f'<a class="marker" href="#q{number}m{marker}">{marker}</a>'
            parts.append(link if marker in known else escape(match[0]))
            at = match.end()
        return "".join([*parts, escape(text[at:])])

    parts, at = [], 0
    for sentence in answer.sentences:
        parts.append(words(answer.text[at : sentence.start]))
        inner = words(answer.text[sentence.start : sentence.end])
        title = escape(f"{sentence.support}: {sentence.reason}" if sentence.reason else sentence.support)
        plain = sentence.support == "supported"
        parts.append(inner if plain else f'<span class="{sentence.support}" title="{title}">{inner}</span>')
        at = sentence.end
    return "".join([*parts, words(answer.text[at:])])


def _expected(question: Question) -> str:
    wanted = question.answer or ("" if question.answerable else "The articles do not say; a refusal.")
    said = "; ".join(" or ".join(f"“{phrase}”" for phrase in group) for group in question.must_include)
    rows = [("Expected", wanted), ("Must say", said), ("Must not say", "; ".join(question.must_not_include))]
    listed = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    return f"<h3>Asked for</h3><dl>{listed}</dl>"


def _notes(result: Result) -> str:
    items = [f'<li class="bad">{escape(text)}</li>' for text in result.faults]
    items += [f"<li>{escape(text)}</li>" for text in result.remarks]
    return f'<h3>What to look at</h3><ul class="faults">{"".join(items)}</ul>' if items else ""


def _citations(answer: Answer, gold: Gold, articles: Mapping[str, Article], number: int) -> str:
    evidence = [place for piece in gold.places for place in piece]
    parts, anchored = [], set()
    for citation in answer.citations:
        article = articles.get(citation.passage.article_id)
        place = Place(citation.passage.article_id, citation.start, citation.end)
        on_evidence = any(meets(place, other) for other in evidence)
        anchor = "" if citation.marker in anchored else f' id="q{number}m{citation.marker}"'
        anchored.add(citation.marker)
        marks = [(citation.start, citation.end, "mark")]
        marks += [(other.start, other.end, "u") for other in evidence if other.article_id == place.article_id]
        text = in_context(article.text, citation.start, citation.end, marks) if article else escape(citation.quote)
        verdict = f"{citation.support}, {'on' if on_evidence else 'not on'} marked evidence"
        parts.append(
            f"<blockquote{anchor}><p>{text}</p>"
            f'<p class="source">[{citation.marker}] {_source(article, place.article_id)} · {verdict}</p></blockquote>'
        )
    return f"<h3>Cited</h3>{''.join(parts)}" if parts else ""


def _missed(answer: Answer, gold: Gold, articles: Mapping[str, Article]) -> str:
    """Evidence that no citation opens on."""
    cited = [Place(c.passage.article_id, c.start, c.end) for c in answer.citations]
    parts = []
    for piece, passages in zip(gold.places, gold.passages, strict=True):
        if not piece or any(meets(citation, place) for citation in cited for place in piece):
            continue
        place, article = piece[0], articles.get(piece[0].article_id)
        rank = next((found.rank for found in answer.passages if found.passage.id in passages), None)
        where = f"found at rank {rank}" if rank else "not found"
        if article:
            text = in_context(article.text, place.start, place.end, [(place.start, place.end, "u")])
            parts.append(
                f'<blockquote><p>{text}</p><p class="source">{_source(article, article.id)} · {where}</p></blockquote>'
            )
    return f"<h3>Evidence not cited</h3>{''.join(parts)}" if parts else ""


def _source(article: Article | None, article_id: str) -> str:
    if article is None:
        return escape(article_id)
    named = [article.title, article.source, article.published, article.id]
    return " · ".join(escape(text) for text in named if text)


def _facts(question: Question, answer: Answer, gold: Gold, result: Result) -> str:
    wanted = set(gold.passage_ids)
    found = ", ".join(
        f"{passage.rank}{'*' if passage.passage.id in wanted else ''} {passage.score:.3f}"
        for passage in answer.passages
    )
    measured = [(name, *result.scores[name]) for name in _SHOWN if name in result.scores]
    scores = ", ".join(f"{METRIC[name].title} {part / whole:.2f}" for name, part, whole in measured if whole)
    lines = [f"{question.id} · {answer.mode}, {answer.model} · {result.latency_ms} ms"]
    if answer.standalone_question != answer.question:
        lines.append(f"Searched for: {answer.standalone_question}")
    if found:
        lines.append(f"Passages found (rank, score; * holds evidence): {found}")
    if scores:
        lines.append(scores)
    return "".join(f'<p class="facts">{escape(line)}</p>' for line in lines)
