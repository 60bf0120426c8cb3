"""Question -> passages -> answer with citations that are checked.

The names below are what other packages and programs use; each is loaded from its module when first asked for, so
that `import rag` alone is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answers import Answer as Answer
    from rag.answers import from_json as from_json
    from rag.answers import to_json as to_json
    from rag.citations import Citation as Citation
    from rag.conversation import Turn as Turn
    from rag.engine import Answered as Answered
    from rag.engine import NewsQueryEngine as NewsQueryEngine
    from rag.engine import PassagesFound as PassagesFound
    from rag.engine import Searching as Searching
    from rag.engine import TextSoFar as TextSoFar
    from rag.engine import open_engine as open_engine
    from rag.retrieval import NewsRetriever as NewsRetriever
    from rag.retrieval import ScoredPassage as ScoredPassage

_HOME_OF = {
    "Answer": "answers",
    "Answered": "engine",
    "Citation": "citations",
    "NewsQueryEngine": "engine",
    "NewsRetriever": "retrieval",
    "PassagesFound": "engine",
    "ScoredPassage": "retrieval",
    "Searching": "engine",
    "TextSoFar": "engine",
    "Turn": "conversation",
    "from_json": "answers",
    "open_engine": "engine",
    "to_json": "answers",
}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(f"rag.{_HOME_OF[name]}"), name)
