"""Windows: the stretches of an article that the reader is trained on and reads, each under the article's title."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

# Of the sentences of a window; with its title and a question it is hardly ever longer than MAX_TOKENS.
WINDOW_TOKENS = 96
MAX_TOKENS = 160
_MOST_TITLE_WORDS = 16


@dataclass(frozen=True, slots=True)
class Window:
    """Whole sentences of one article, at most `WINDOW_TOKENS` together where one alone is not longer.

    Attributes:
        title: the article's title, shortened.
        sentences: its sentences, which a blank joins.
    """

    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its title and its sentences."""
        return " ".join((f"{self.title}.", *self.sentences))

    @property
    def places(self) -> list[tuple[int, str]]:
        """Where each sentence begins in the text, and the sentence."""
        places, at = [], len(self.title) + 2
        for sentence in self.sentences:
            places.append((at, sentence))
            at += len(sentence) + 1
        return places


def make_window(title: str, sentences: Sequence[str]) -> Window:
    """Sentences under a title of some 16 words at most."""
    return Window(" ".join(title.replace("_", " ").split()[:_MOST_TITLE_WORDS]).rstrip("."), tuple(sentences))


def cut_windows(title: str, sentences: Sequence[str], tokenizer: Tokenizer) -> tuple[Window, ...]:
    """The sentences of a text in windows that follow each other."""
    lengths = [count_tokens(sentence, tokenizer) for sentence in sentences]
    return tuple(make_window(title, [sentences[place] for place in places]) for places in pack(lengths))


def pack(lengths: Sequence[int]) -> list[range]:
    """Places of sentences of these lengths, in tokens, put together as long as they fit into a window."""
    packed: list[range] = []
    length = 0
    for place, tokens in enumerate(lengths):
        if not packed or length + tokens > WINDOW_TOKENS:
            packed.append(range(place, place))
            length = 0
        packed[-1] = range(packed[-1].start, place + 1)
        length += tokens
    return packed


def count_tokens(text: str, tokenizer: Tokenizer) -> int:
    """How many tokens a text is, the marks at its ends not counted."""
    return len(tokenizer.encode(text, add_special_tokens=False).ids)
