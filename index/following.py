"""Follower: what other processes do to a server's collection, noticed at the cost of a count and a short reading.

Each version is a time in microseconds, so what is new since the last look is what has a larger one. Rows that vanish
show in their number alone; then the list of articles is read again.
"""

import time

from index.catalogue import Catalogue
from index.records import newest_articles
from index.rows import Rows

LOOK_SECONDS = 1.0
"""Shortest time between two looks."""

_RELIST_SECONDS = 10.0
# Processes that write at the same time may give versions out of order, by their clocks or by a long write.
_SKEW_SECONDS = 60


class Follower:
    """Keeps a catalogue up with a collection that others write to as well."""

    def __init__(self, rows: Rows) -> None:
        """Follow `rows`."""
        self._rows = rows
        self._looked = self._listed = self._newest_since = time.monotonic()
        self._newest = 0
        self._unexplained = 0

    def relist(self) -> Catalogue:
        """Read the whole list of articles."""
        self._looked = self._listed = time.monotonic()
        count = self._rows.count()
        catalogue = Catalogue(newest_articles(self._rows.get(documents=False, where={"place": 0})))
        self._unexplained = count - catalogue.passages
        return catalogue

    def look(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue as it is now; the same one where nothing has changed, or where the last look was just now."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return catalogue
        self._looked = time.monotonic()
        count = self._rows.count()
        newer = self._rows.get(documents=False, where={"version": {"$gt": self._since(catalogue)}})
        put = [
            listed
            for listed in newest_articles(row for row in newer if row.metadata["place"] == 0).values()
            if listed.id not in catalogue.articles or catalogue.articles[listed.id].version < listed.version
        ]
        followed = catalogue.changed(put=put) if put else catalogue
        unfinished = sum(row.metadata["version"] != _version(followed, row.metadata["article_id"]) for row in newer)
        unexplained = count - followed.passages - unfinished
        if unexplained != self._unexplained and time.monotonic() - self._listed >= _RELIST_SECONDS:
            return self.relist()
        return followed

    def _since(self, catalogue: Catalogue) -> int:
        if catalogue.newest_version != self._newest:
            self._newest, self._newest_since = catalogue.newest_version, time.monotonic()
        settled = time.monotonic() - self._newest_since > _SKEW_SECONDS
        return self._newest if settled else self._newest - _SKEW_SECONDS * 1_000_000


def _version(catalogue: Catalogue, article_id: str) -> int:
    listed = catalogue.articles.get(article_id)
    return listed.version if listed else 0
