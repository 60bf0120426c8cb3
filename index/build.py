"""Bringing the index in line with files, folders, pages and feeds.

Adding a folder again drops the articles that came from it and whose files are gone; a file that is there and cannot be
read is reported, and what was indexed of it before stays. Two folders may hold files of the same name: the second one's
id then begins with its folder's name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from index.articles import Skipped
from index.errors import ArticleError
from index.reading.places import Item, Place, find_place
from index.seen import Seen, Stamp, stamp_of
from index.settings import Settings
from index.store import PassageStore
from index.updating import BuildReport, Updating
from index.writing import ArticleWriter

OnProgress = Callable[[int, int], None]
"""`on_progress(done, total)`, counted in items: files, pages, feeds."""

SEEDS = Path(__file__).parent.parent / "seeds"


def add_articles(
    store: PassageStore,
    paths: Iterable[Path | str | Place],
    *,
    settings: Settings,
    fields: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> BuildReport:
    """Index files, folders, pages and feeds.

    Args:
        store: the open index.
        paths: files, folders and addresses, or places found already.
        settings: the length of passages, the home where it is remembered what files looked like, what may be fetched.
        fields: for dumps, our name of a part -> theirs.
        on_progress: told how many items are done.

    Raises:
        ArticleError: a path does not exist or holds nothing that can be read; then nothing is changed.
    """
    places = [path if isinstance(path, Place) else find_place(path, settings=settings, fields=fields) for path in paths]
    total = sum(len(place.items) for place in places)
    done = 0
    with closing(Seen(settings.home / "files.sqlite")) as seen, ArticleWriter(store, settings.passage_tokens) as writer:
        updating = Updating(store, writer, seen)
        for place in places:
            updating.begin(place.origin, named=(item.article_id for item in place.items))
            for item in place.items:
                # Other names may find other parts in a file that looks as it did.
                _add_item(updating, item, stamp=stamp_of(item.path) if item.path and not fields else None)
                done += 1
                if on_progress:
                    on_progress(done, total)
            updating.end(whole=place.whole)
    return updating.report


def _add_item(updating: Updating, item: Item, *, stamp: Stamp | None) -> None:
    name = str(item.path.resolve()) if item.path else item.name
    if updating.looks_unchanged(name, stamp):
        return
    taken = skipped = False
    for one in item.read():
        try:
            if isinstance(one, Skipped):
                updating.skip(one, [item.article_id])
                skipped = True
            else:
                updating.take(one)
                taken = True
        except ArticleError as exc:
            updating.skip(Skipped(item.name, str(exc)), [item.article_id])
            skipped = True
    if taken:
        updating.read(name, None if skipped else stamp)


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
