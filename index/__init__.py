"""Articles -> passages -> Chroma: reading, cutting, embedding and storing.

The names below are what other packages and programs use; each is loaded from its module when first asked for, so
that `import index` alone is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.articles import Article as Article
    from index.articles import ArticlesRead as ArticlesRead
    from index.articles import Skipped as Skipped
    from index.build import add_articles as add_articles
    from index.build import ensure_seeds as ensure_seeds
    from index.build import remove_articles as remove_articles
    from index.embeddings import load_embedding as load_embedding
    from index.errors import BylineError as BylineError
    from index.opening import open_store as open_store
    from index.passages import Passage as Passage
    from index.passages import cut_passages as cut_passages
    from index.reading.places import read_articles as read_articles
    from index.rebuilding import rebuild as rebuild
    from index.records import IndexedArticle as IndexedArticle
    from index.settings import Settings as Settings
    from index.settings import load_settings as load_settings
    from index.store import PassageStore as PassageStore
    from index.updating import BuildReport as BuildReport

_HOME_OF = {
    "Article": "articles",
    "ArticlesRead": "articles",
    "BuildReport": "updating",
    "BylineError": "errors",
    "IndexedArticle": "records",
    "Passage": "passages",
    "PassageStore": "store",
    "Settings": "settings",
    "Skipped": "articles",
    "add_articles": "build",
    "cut_passages": "passages",
    "ensure_seeds": "build",
    "load_embedding": "embeddings",
    "load_settings": "settings",
    "open_store": "opening",
    "read_articles": "reading.places",
    "rebuild": "rebuilding",
    "remove_articles": "build",
}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'index' has no attribute {name!r}")
    return getattr(import_module(f"index.{_HOME_OF[name]}"), name)
