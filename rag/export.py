"""Export: a conversation with its sources, as Markdown and as a page to print or to save as PDF.

The page stands alone: no script, nothing loaded from anywhere, colours that print.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag.answers import Answer
from rag.citations import Citation
from rag.interface import phrase
from rag.markup import escape_html, escape_text, label, one_line, web_address
from rag.rendering import by_marker, to_html
from rag.standing import standing_plain

_STYLE: Final = (Path(__file__).parent / "export.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer; `text` where there is no whole answer."""

    question: str
    answer: Answer | None
    text: str = ""


def conversation_markdown(title: str, exchanges: Sequence[Exchange], *, day: str) -> str:
    """A conversation as Markdown, every answer with its numbered sources and their words."""
    blocks = [f"# {escape_text(one_line(title))}", f"*{phrase('exported on', day=day)}*"]
    for exchange in exchanges:
        blocks.append(f"## {escape_text(one_line(exchange.question))}")
        if exchange.answer is None:
            blocks.append(_plain_blocks(exchange.text))
            continue
        answer = exchange.answer
        blocks.append(_plain_blocks(answer.text))
        blocks += [f"*{escape_text(one_line(answer.notice))}*"] if answer.notice else []
        doubts = [f"- {phrase('doubtful')}: “{escape_text(one)}” ({escape_text(why)})" for one, why in _doubts(answer)]
        blocks.append("\n".join(doubts))
        blocks += [_plain_blocks(block) for block in standing_plain(answer)]
        if answer.citations:
            blocks.append(f"**{phrase('sources heading')}**")
            blocks += [_markdown_source(marker, group) for marker, group in by_marker(answer.citations).items()]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _plain_blocks(text: str) -> str:
    """A text as Markdown that shows it as it is; a line break stays one."""
    return "\n\n".join(
        "  \n".join(_with_markers(line) for line in block.splitlines()) for block in re.split(r"\n{2,}", text.strip())
    )


def _with_markers(line: str) -> str:
    """Escaped, but for the numbers of sources, which nobody reads as a link without its address."""
    return re.sub(r"&#91;(\d{1,3})&#93;", r"[\1]", escape_text(line))


def _markdown_source(marker: int, group: Sequence[Citation]) -> str:
    passage = group[0].passage
    address = web_address(passage.url)
    first = f"[{marker}] {escape_text(label(passage))}" + (f" <{address}>" if address else "")
    quotes = [f"> “{escape_text(one_line(citation.quote).strip('“”'))}”" for citation in group]
    return "\n\n".join([first, *quotes])


def _doubts(answer: Answer) -> list[tuple[str, str]]:
    """The sentences that their sources do not fully carry, each with the reason."""
    return [
        (one_line(answer.text[one.start : one.end]), one_line(one.reason) or phrase("not fully"))
        for one in answer.sentences
        if one.support != "supported"
    ]


def conversation_html(title: str, exchanges: Sequence[Exchange], *, day: str) -> str:
    """A conversation as a page of its own."""
    parts = []
    for number, exchange in enumerate(exchanges, 1):
        parts.append(f"<h2>{escape_html(one_line(exchange.question))}</h2>")
        if exchange.answer is None:
            parts += [f"<p>{escape_html(block)}</p>" for block in re.split(r"\n{2,}", exchange.text.strip()) if block]
        else:
            parts.append(to_html(exchange.answer, anchor=f"source-{number}"))
            parts += [
                f'<p class="byline-notice">{phrase("doubtful")}: “{escape_html(one)}” ({escape_html(why)})</p>'
                for one, why in _doubts(exchange.answer)
            ]
    heading = escape_html(one_line(title))
    return (
        f'<!doctype html>\n<html lang="{phrase("language")}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n"
        f'<p class="when">{phrase("exported on", day=day)}</p>\n' + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )
