"""Warming: what the first question would wait for is loaded before anybody asks it."""

import logging
import sys
import threading
from importlib import import_module

from rag.asking import answer_messages
from rag.coverage import find_coverage
from rag.engine import NewsQueryEngine
from rag.extractive import quote_answer

log = logging.getLogger(__name__)


def warm_up_behind(engine: NewsQueryEngine) -> threading.Thread:
    """Warm up in a thread that ends with the program; what fails there will say so where it is needed."""
    thread = threading.Thread(target=_try, args=(engine,), name="warming", daemon=True)
    thread.start()
    return thread


def _try(engine: NewsQueryEngine) -> None:
    try:
        warm_up(engine)
    except Exception:
        log.debug("Warming up failed", exc_info=True)


def warm_up(engine: NewsQueryEngine) -> None:
    """Take every step of an answer once, except asking the model, which may cost money."""
    if engine.llm is not None and "openai" in sys.modules:
        # The package loads half of itself, half a second, when it is first asked for a chat.
        import_module("openai.resources.chat.completions")
    articles = engine.store.articles()
    if not articles:
        return
    question = f"What is said about {articles[0].title}?"
    passages = engine.retriever.search(question)
    if engine.llm is not None and passages:
        answer_messages(question, passages, settings=engine.settings)
    extract = quote_answer(question, passages, store=engine.store)
    find_coverage(extract.citations, engine.store)
