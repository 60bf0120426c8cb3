"""Killing the index at random moments: nothing is lost, nothing is doubled, and the next run completes what was begun.

Each round changes a folder of articles by chance, starts a process that does what `python -m index add` or `remove`
does, and kills it (SIGKILL, nothing is tidied up): half the times at a random moment of its work, half the times
shortly after it has begun to write. Then the index is opened, held against what each article may say, completed by one
more run, and held against what each article must say.
"""

import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from typing import Any

from index import bulk, writing
from index.build import add_articles
from index.embeddings import load_embedding
from index.opening import open_store
from index.reading.places import read_articles
from index.settings import Settings
from index.store import PassageStore

_ACTIONS = ("add", "change", "remove")
_ARTICLES = 40
_TOUCHED = 12
_PASSAGES_A_WRITE = 20
# Forks of a process that has imported what is needed and opened nothing: a start costs milliseconds.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["eval.crash"])
_SENTENCES = (
    "The council of {town} met on {day} and spoke for {number} hours about the bridge.",
    "Nobody in {town} had expected that {number} houses would have to go.",
    "On {day} the mayor said that the money would last for {number} more weeks.",
    "A spokesman for the builders of {town} called the figure of {number} wrong.",
    "The river rose by {number} centimetres on {day}, more than ever before in {town}.",
)


@dataclass(slots=True)
class CrashFigures:
    """What came of all rounds.

    Attributes:
        kills: how many processes were killed at work, by what they did.
        finished: how many were done before the kill came.
        faults: what was wrong after a kill, in words; empty where all is well.
        open_ms: how long the index took to open after each kill.
        cut_short: after how many kills an article stood in its old state beside others in their new one.
        mended: after how many kills opening found rows or words of a half-done write and put them right.
    """

    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    faults: list[str] = field(default_factory=list)
    open_ms: list[float] = field(default_factory=list)
    cut_short: int = 0
    mended: int = 0


def kill_at_random(
    settings: Settings, *, times: int, seed: int = 1, on_progress: Callable[[int, int], None] | None = None
) -> CrashFigures:
    """Kill a process of the index so many times.

    Args:
        settings: the embedding model and the length of passages; `home` is replaced by a temporary folder.
        times: how many kills.
        seed: decides what is changed and when a kill comes.
        on_progress: told how many kills there were.
    """
    dice = Random(seed)  # noqa: S311 no secret
    figures = CrashFigures()
    with tempfile.TemporaryDirectory(prefix="byline-crash-") as folder:
        home, news = Path(folder) / "home", Path(folder) / "news"
        own = settings.model_copy(update={"home": home, "chroma": None, "lock_seconds": 60.0})
        news.mkdir()
        for number in range(_ARTICLES):
            _write(news, f"a{number:03}", dice)
        texts = _complete(own, news, figures)
        seconds = dict.fromkeys(_ACTIONS, 1.0)
        while figures.kills.total() < times:
            # There are always some to take out, and some names that are free.
            action = dice.choice(_ACTIONS if len(texts) < _ARTICLES else _ACTIONS[1:])
            goal = _change(news, texts, action, dice)
            gone = sorted(set(texts) - set(goal))
            seconds[action], killed = _run_and_kill(own, news, action, gone, dice, seconds[action])
            if killed:
                figures.kills[action] += 1
            else:
                figures.finished += 1
            _hold_to_either(own, texts, goal, figures)
            texts = _complete(own, news, figures)
            if on_progress:
                on_progress(figures.kills.total(), times)
    return figures


def _write(news: Path, name: str, dice: Random) -> None:
    said = [
        dice.choice(_SENTENCES).format(
            town=dice.choice(["Tavlin", "Eastport", "Holm"]),
            day=dice.choice(["Monday", "Tuesday", "Friday"]),
            number=dice.randint(2, 10_000),
        )
        for _ in range(dice.randint(4, 40))
    ]
    (news / f"{name}.txt").write_text(f"Report {dice.randint(0, 10**9)} from the river\n\n" + " ".join(said))


def _change(news: Path, texts: dict[str, str], action: str, dice: Random) -> dict[str, str]:
    """Change the folder by chance; returns what the articles will say."""
    names = sorted(texts)
    if action == "add":
        free = [f"a{number:03}" for number in range(2 * _ARTICLES) if f"a{number:03}" not in names]
        for name in dice.sample(free, _TOUCHED):
            _write(news, name, dice)
        return _texts_of(news)
    touched = dice.sample(names, min(_TOUCHED, len(names) // 2))
    # Beside what is changed, something is gone now and then, as in a folder that people use.
    gone = touched if action == "remove" else touched[: dice.randint(0, 2)]
    for name in touched:
        if name in gone:
            (news / f"{name}.txt").unlink()
        else:
            _write(news, name, dice)
    return _texts_of(news)


def _texts_of(news: Path) -> dict[str, str]:
    return {article.id: article.text for article in read_articles(news).articles}


def _run_and_kill(
    settings: Settings, news: Path, action: str, gone: list[str], dice: Random, seconds: float
) -> tuple[float, bool]:
    """Start the work and kill it; returns how long it takes, as far as known, and whether it was killed."""
    opened = _PROCESSES.Event()
    process = _PROCESSES.Process(target=_work, args=(settings, news, action, gone, opened))
    process.start()
    try:
        _wait(process, opened.is_set)
        begun = time.perf_counter()
        if dice.random() < 0.5:
            pause = dice.uniform(0, 1.2 * seconds)
        else:
            database = settings.home / "chroma"
            before = _written(database)
            _wait(process, lambda: _written(database) != before)
            pause = dice.uniform(0, 0.15)
        process.join(timeout=pause)
        if not process.is_alive():
            return time.perf_counter() - begun, False
        return max(seconds, 0.9 * (time.perf_counter() - begun)), True
    finally:
        process.kill()
        process.join()


def _work(settings: Settings, news: Path, action: str, gone: list[str], opened: Event) -> None:
    """What `python -m index add` and `remove` do, in a process of its own, in many small writes."""
    writing.PASSAGES_A_WRITE = _PASSAGES_A_WRITE
    bulk.LOOPED_FROM = 1
    with open_store(settings, load_embedding(settings), owner="a crash test") as store:
        opened.set()
        if action == "remove":
            store.remove(gone)
        else:
            add_articles(store, [news], settings=settings)


def _written(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """How the files of a folder look, by which a write shows."""
    looks = []
    for path in sorted(folder.rglob("*")):
        try:
            found = path.stat()
        except OSError:
            continue
        looks.append((path.name, found.st_size, found.st_mtime_ns))
    return tuple(looks)


def _wait(process: BaseProcess, until: Callable[[], bool]) -> None:
    """Wait for something a process does, or for its end."""
    while process.is_alive() and not until():
        time.sleep(0.002)


def _hold_to_either(settings: Settings, old: dict[str, str], new: dict[str, str], figures: CrashFigures) -> None:
    """After a kill every article is as it was or as it shall be, whole; one that stays is there in any case."""
    started = time.perf_counter()
    with open_store(settings, load_embedding(settings), owner="a crash test") as store:
        figures.open_ms.append((time.perf_counter() - started) * 1000)
        figures.mended += store.mended > 0
        found = _read_all(store, figures)
        for name in sorted(old.keys() | new.keys()):
            may_say = {old.get(name), new.get(name)}
            if found.get(name) not in may_say:
                figures.faults.append(f"{name}: after a kill it is neither as it was nor as it shall be")
        if extra := sorted(found.keys() - old.keys() - new.keys()):
            figures.faults.append(f"{extra[0]}: after a kill it is there, and never was")
        changed = [name for name in old.keys() | new.keys() if old.get(name) != new.get(name)]
        figures.cut_short += 0 < sum(found.get(name) == new.get(name) for name in changed) < len(changed)


def _complete(settings: Settings, news: Path, figures: CrashFigures) -> dict[str, str]:
    """Run once more; the index then says exactly what the files say."""
    with open_store(settings, load_embedding(settings), owner="a crash test") as store:
        add_articles(store, [news], settings=settings)
        wanted = _texts_of(news)
        if (found := _read_all(store, figures)) != wanted:
            wrong = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
            figures.faults.append(f"{wrong[0]}: after the next run it is not what its file says")
    return wanted


def _read_all(store: PassageStore, figures: CrashFigures) -> dict[str, str]:
    """What every article says, with all that can be wrong noted: places, vectors, words, numbers."""
    figures.faults += store.problems()
    texts = {}
    for one in store.all_whole():
        texts[one.article.id] = one.article.text
        worded = store.word_scores("Report river", 10_000, article_ids=[one.article.id])
        if set(worded) != {passage.id for passage in one.passages}:
            figures.faults.append(f"{one.article.id}: the word index holds other passages of it than Chroma")
    return texts


def crash_json(figures: CrashFigures) -> dict[str, Any]:
    """The figures as a JSON object."""
    return {
        "kills": dict(sorted(figures.kills.items())),
        "finished": figures.finished,
        "cut_short": figures.cut_short,
        "mended": figures.mended,
        "slowest_open_ms": round(max(figures.open_ms, default=0.0)),
        "faults": figures.faults,
    }


def crash_lines(figures: CrashFigures) -> list[str]:
    """The figures in words."""
    kinds = ", ".join(f"{count} of {action}" for action, count in sorted(figures.kills.items()))
    return [
        f"{figures.kills.total()} kills ({kinds}); {figures.finished} runs were done before theirs came.",
        f"After {figures.cut_short} of them some articles were as before and some as they should become, each whole.",
        f"After {figures.mended} the opening found a half-done write in Chroma or the word index, and put it right.",
        f"The index opened each time, in {max(figures.open_ms, default=0.0):.0f} ms at most.",
        *(figures.faults or ["Nothing was lost or doubled, and the next run completed the work each time."]),
    ]
