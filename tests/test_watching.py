"""Following folders and feeds: what is due when, and that nothing fetched is lost while the index is in use."""

import os
import time
from pathlib import Path

import pytest

from index.articles import Article
from index.errors import ArticleError
from index.settings import Settings
from index.watching import Following
from tests.news_pages import PARAGRAPHS
from tests.news_server import Answer, news_server

BODY = "The council met on Monday to vote. It agreed on a new bridge."


def follow(*paths: str, every: float | None = None, watch: bool = True) -> Following:
    return Following(paths, settings=Settings(fetch_private=True), fields={}, watch=watch, every_seconds=every)


def due(following: Following) -> list[str]:
    """The names of what is due, which then has been read."""
    places, problems = following.due()
    assert not problems
    following.done(places)
    return [place.name for place in places]


def test_folder_is_due_when_it_changed_and_is_at_rest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BODY)
    following = follow(str(tmp_path))
    assert [due(following) for _ in range(3)] == [[], [str(tmp_path)], []]
    (tmp_path / "b.txt").write_text(BODY)
    assert due(following) == []
    (tmp_path / "b.txt").write_text(BODY * 2)  # still being written
    assert [due(following) for _ in range(3)] == [[], [str(tmp_path)], []]
    (tmp_path / "a.txt").unlink()
    assert [due(following) for _ in range(3)] == [[], [str(tmp_path)], []]


def test_change_that_keeps_the_size_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BODY)
    following = follow(str(tmp_path))
    due(following), due(following)
    os.utime(tmp_path / "a.txt", (time.time() + 5, time.time() + 5))
    assert [due(following), due(following)] == [[], [str(tmp_path)]]


def test_folder_stays_due_until_it_was_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BODY)
    following = follow(str(tmp_path))
    following.due()
    assert [len(following.due()[0]) for _ in range(3)] == [1, 1, 1]


def test_empty_folder_may_be_followed_and_one_that_goes_away_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    following = follow(str(folder))
    assert following.due()[1] != []
    (folder / "a.txt").write_text(BODY)
    assert [due(following), due(following)] == [[], [str(folder)]]
    (folder / "a.txt").unlink()
    folder.rmdir()
    places, problems = following.due()
    assert (places, len(problems)) == ([], 1)


def test_wrong_path_and_watched_address_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="no such file"):
        follow(str(tmp_path / "nowhere"))
    with pytest.raises(ArticleError, match="--every 15m follows a feed"):
        follow("https://bugle.example/feed")


def test_feed_is_due_at_its_time_with_what_is_new_and_keeps_it_until_it_is_stored() -> None:
    words = "".join(f"&lt;p&gt;{one}&lt;/p&gt;" for one in PARAGRAPHS * 3)

    def feed(*names: str) -> Answer:
        items = "".join(
            f"<item><title>{name}</title><link>/{name}</link><content:encoded>{words}</content:encoded></item>"
            for name in names
        )
        spaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        return Answer(f'<rss version="2.0" {spaces}><channel>{items}</channel></rss>', kind="text/xml")

    with news_server() as server:
        server.answers["/feed"] = feed("one")
        following = follow(f"{server.url}/feed", every=0.0, watch=False)
        following.due()
        server.answers["/feed"] = feed("two", "one")
        places, _ = following.due()
        read = [one for place in places for item in place.items for one in item.read()]
        assert [one.title for one in read if isinstance(one, Article)] == ["one", "two"]
        following.done(places)
        (again,) = following.due()[0]
        assert [one for item in again.items for one in item.read()] == []
        slow = follow(f"{server.url}/feed", every=900.0, watch=False)
        assert [len(due(slow)), len(due(slow))] == [1, 0]
