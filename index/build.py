"""Bringing the index in line with files and folders.

Adding a folder again drops the articles that came from it and whose files are gone; a file that is there and cannot be
read is reported, and what was indexed of it before stays. Two folders may hold files of the same name: the second one's
id then begins with its folder's name.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from index.articles import Skipped, find_files, read_article
from index.errors import ArticleError
from index.seen import Seen, stamp_of
from index.settings import Settings
from index.store import PassageStore
from index.updating import BuildReport, Updating
from index.writing import ArticleWriter

OnProgress = Callable[[int, int], None]
"""`on_progress(done, total)`, counted in articles."""

SEEDS = Path(__file__).parent.parent / "seeds"


def add_articles(
    store: PassageStore, paths: Iterable[Path], *, settings: Settings, on_progress: OnProgress | None = None
) -> BuildReport:
    """Index files and folders.

    Args:
        store: the open index.
        paths: text files, and folders of them.
        settings: the length of passages, and the home where it is remembered what files looked like.
        on_progress: told how many articles are done.

    Raises:
        ArticleError: a path does not exist or holds nothing that can be read; then nothing is changed.
    """
    places = [(path, _origin(path), find_files(path)) for path in paths]
    total = sum(len(files) for _, _, files in places)
    with closing(Seen(settings.home / "files.sqlite")) as seen, ArticleWriter(store, settings.passage_tokens) as writer:
        updating = Updating(store, writer, seen)
        for path, origin, files in places:
            updating.begin(origin, named=(file.article_id for file in files))
            for file in files:
                name, stamp = str(file.path.resolve()), stamp_of(file.path)
                if not updating.looks_unchanged(name, stamp):
                    try:
                        updating.take(read_article(file.path, file.article_id))
                    except ArticleError as exc:
                        updating.skip(Skipped(file.path, str(exc)), [file.article_id])
                    else:
                        updating.read(name, stamp)
                if on_progress:
                    on_progress(updating.report.done(), total)
            updating.end(whole=path.is_dir())
    return updating.report


def remove_articles(store: PassageStore, article_ids: Sequence[str]) -> BuildReport:
    """Take articles out of the index.

    Raises:
        ArticleError: one of them is not there; then nothing is removed.
    """
    store.remove(article_ids)
    return BuildReport(removed=list(dict.fromkeys(article_ids)))


def ensure_seeds(store: PassageStore, settings: Settings, *, seeds: Path = SEEDS) -> BuildReport:
    """Index the articles that ship with Byline where nothing is indexed yet."""
    if store.count():
        return BuildReport()
    return add_articles(store, [seeds], settings=settings)


def _origin(path: Path) -> str:
    """The folder that articles of `path` come from."""
    return str(path.resolve() if path.is_dir() else path.resolve().parent)
