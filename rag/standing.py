"""Standing: who stands behind an answer and who differs, in words for the page, the terminal and reports.

What is shown is a line, `Reported by 3 independent sources`, each article a link to its words, and for each difference
a small table of value by source in which every value opens the words it is taken from.
"""

from collections.abc import Sequence
from typing import Final

from rag.answers import Answer
from rag.citations import Citation
from rag.coverage import Difference, DifferingValue, Report
from rag.interface import phrase
from rag.markup import escape_html, escape_text, one_line, shortened

_LONGEST_NAME: Final = 70
_LONGEST_VALUE: Final = 200


def standing_markdown(answer: Answer) -> str:
    """Who reports the answer and who differs, as safe markdown; empty where there is nothing to tell."""
    blocks = []
    behind = _behind(answer)
    if behind:
        names = _names(behind)
        links = "; ".join(_link(names[words.article_id], words) for words in behind)
        blocks.append(f'<span class="byline-standing">{_how_many(answer)}: {links}</span>')
    for difference in answer.coverage.differences:
        differ = phrase("differ", subject=_cell(difference.subject))
        blocks.append(f'<span class="byline-standing">{differ}</span>')
        rows = [f"| {phrase('they say')} | {phrase('source column')} |", "| --- | --- |"]
        names = _names(difference.values)
        rows += [f"| {_link(_value(value), value)} | {_cell(names[value.article_id])} |" for value in difference.values]
        blocks.append("\n".join(rows))
    return "\n\n".join(blocks)


def standing_plain(answer: Answer) -> list[str]:
    """The same as blocks of plain text."""
    blocks = []
    behind = _behind(answer)
    if behind:
        blocks.append(f"{_how_many(answer)}: {'; '.join(_names(behind).values())}")
    for difference in answer.coverage.differences:
        names = _names(difference.values)
        lines = [phrase("differ", subject=one_line(difference.subject))]
        for value in difference.values:
            lines += [f"  {_value(value)}: {names[value.article_id]}", f"    “{one_line(value.quote).strip('“”')}”"]
        blocks.append("\n".join(lines))
    return blocks


def standing_html(answer: Answer) -> list[str]:
    """The same as blocks of HTML."""
    blocks = []
    behind = _behind(answer)
    if behind:
        cited = {citation.passage.article_id for citation in answer.citations}
        names = _names(behind)
        told = [
            escape_html(names[words.article_id])
            + ("" if words.article_id in cited or not words.quote else f" <q>{escape_html(one_line(words.quote))}</q>")
            for words in behind
        ]
        blocks.append(f'<p class="byline-standing">{_how_many(answer)}: {"; ".join(told)}</p>')
    return blocks + [_html_table(difference) for difference in answer.coverage.differences]


def _html_table(difference: Difference) -> str:
    names = _names(difference.values)
    rows = "\n".join(
        f"<tr><td>{escape_html(_value(value))}</td>"
        f"<td>{escape_html(names[value.article_id])} <q>{escape_html(one_line(value.quote))}</q></td></tr>"
        for value in difference.values
    )
    return (
        '<table class="byline-differences">\n'
        f"<caption>{phrase('differ', subject=escape_html(one_line(difference.subject)))}</caption>\n"
        f"<tr><th>{phrase('they say')}</th><th>{phrase('source column')}</th></tr>\n{rows}\n</table>"
    )


def _behind(answer: Answer) -> list[Report]:
    """The articles that report the answer, cited ones first, each with its first words; none where one stands alone."""
    if answer.coverage.origins < 2:
        return []
    found: dict[str, Report] = {}
    for citation in _carrying(answer):
        passage = citation.passage
        cited = Report(
            article_id=passage.article_id,
            title=passage.title,
            source=passage.source,
            passage_id=passage.id,
            start=citation.start,
            end=citation.end,
            quote=citation.quote,
        )
        found.setdefault(passage.article_id, cited)
    for report in answer.coverage.reports:
        found.setdefault(report.article_id, report)
    for article_id in answer.coverage.also_reported_by:
        # An answer that was read back from JSON says which articles, not where in them.
        found.setdefault(article_id, Report(article_id, "", None, "", 0, 0, ""))
    return list(found.values())


def _carrying(answer: Answer) -> list[Citation]:
    """The citations that count: those that carry their sentence at least in part."""
    return [citation for citation in answer.citations if citation.support != "unsupported"]


def _how_many(answer: Answer) -> str:
    """The line's beginning. What several sentences say need not all be said by each of the sources."""
    sentences = {citation.answer_start for citation in _carrying(answer)}
    sources = phrase("independent", count=answer.coverage.origins)
    line = phrase("reported" if len(sentences) == 1 else "reported in part", sources=sources)
    return line + (phrase("copies") if len(_behind(answer)) > answer.coverage.origins else "")


def _names(items: Sequence[Report | DifferingValue]) -> dict[str, str]:
    """What to call each article: its outlet where that tells it from the others, else its title."""
    sources = [one_line(item.source or "") for item in items]
    return {
        item.article_id: source if source and sources.count(source) == 1 else _title(item)
        for item, source in zip(items, sources, strict=True)
    }


def _title(item: Report | DifferingValue) -> str:
    return shortened(one_line(item.title) or one_line(item.article_id), _LONGEST_NAME)


def _value(value: DifferingValue) -> str:
    return shortened(one_line(value.value), _LONGEST_VALUE)


def _link(text: str, words: Report | DifferingValue) -> str:
    """A markdown link to words of an article, which the page's script opens; without known words just the text."""
    if not words.passage_id:
        return _cell(text)
    return f"[{_cell(text)}](#w-{words.passage_id}-{words.start}-{words.end})"


def _cell(text: str) -> str:
    """A text as one cell of a markdown table."""
    return escape_text(one_line(text))
