"""How fast the first text comes: beside the model's server alone, with many who ask at once, in long conversations.

The page runs as `python app.py` in a process of its own, over an index of its own, with a model's server of known speed
behind it (`eval/load_model.py`) and no others that ask. Directly, by `/api/ask` and by the page's own queue is asked
turn about, so that a machine that is busy with other work slows all alike.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import httpx

from eval.dataset import read_questions
from eval.load_clients import Asker, Seen, Turn, direct_asker, door_asker, page_asker
from eval.load_model import MODEL
from eval.provenance import ROOT
from eval.statistics import percentile
from index.errors import BylineError
from index.settings import Settings

FIRST_SECONDS = 0.3
TOKEN_SECONDS = 0.02
LONG_TURNS = 40


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds, of so many."""

    p50: float
    p95: float
    count: int


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What was measured; times are from a question to its first text unless they say otherwise.

    Attributes:
        people: how many ask at the same time.
        direct: one person at the model's server itself.
        door: one person at `/api/ask`.
        page: one person by the page's queue.
        door_before: of the door's, until the model's server was called.
        door_after: of the door's, from the moment that the model's first token left its server.
        page_before: of the page's.
        page_after: of the page's.
        door_at_once: everybody at the door in the same moment.
        page_at_once: everybody at the page in the same moment.
        door_talking: everybody at the door, each asking on once an answer is whole and read.
        page_talking: the same by the page.
        short_talk: one person by the page, two messages before the question.
        long_talk: one person by the page, forty messages before it.
        short_end: from the last piece of the model to the end of the answer, two messages before it.
        long_end: the same with forty.
        door_steps: between two states of a growing text.
        page_steps: the same by the page.
        cpu_ms: of the page's process for each question; 0 where the system does not tell.
    """

    people: int
    direct: Times
    door: Times
    page: Times
    door_before: Times
    door_after: Times
    page_before: Times
    page_after: Times
    door_at_once: Times
    page_at_once: Times
    door_talking: Times
    page_talking: Times
    short_talk: Times
    long_talk: Times
    short_end: Times
    long_end: Times
    door_steps: Times
    page_steps: Times
    cpu_ms: float


def measure_load(
    settings: Settings,
    *,
    people: int,
    rounds: int,
    pause_seconds: float = 5.0,
    token_seconds: float = TOKEN_SECONDS,
    on_progress: Callable[[int, int], None] | None = None,
) -> LoadFigures:
    """Start both servers and ask.

    Args:
        settings: the embedding model; all else is as it comes, in a temporary folder.
        people: how many ask at the same time.
        rounds: how often each is asked by one person; many ask a fifth as often.
        pause_seconds: how long a person reads an answer before asking on.
        token_seconds: between two tokens of the model.
        on_progress: told how many of the measurements are done.
    """
    with tempfile.TemporaryDirectory(prefix="byline-load-") as folder:
        model = [sys.executable, "-m", "eval.load_model", str(FIRST_SECONDS), str(token_seconds)]
        with _started(model, Path(folder), {}) as (model_url, _):
            of_model = {
                "BYLINE_LLM": f"openai-like/{MODEL}",
                "BYLINE_LLM_BASE_URL": f"{model_url}/v1",
                "BYLINE_EMBEDDING": settings.embedding,
                "BYLINE_HOME": str(Path(folder) / "home"),
            }
            with _started([sys.executable, str(ROOT / "app.py"), "--port", "0"], Path(folder), of_model) as page:
                measuring = Measuring(model_url, *page, people=people, rounds=rounds, pause_seconds=pause_seconds)
                return asyncio.run(measuring.all(on_progress or (lambda done, total: None)))


@contextmanager
def _started(command: Sequence[str], folder: Path, changed: dict[str, str]) -> Iterator[tuple[str, int]]:
    """A server's address and process id while it runs; nothing of this shell's settings reaches it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BYLINE_", "OPENAI_"))}
    log = folder / "log"
    with (
        log.open("a", encoding="utf-8") as errors,
        subprocess.Popen(  # noqa: S603 our own programs
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
            env=kept | {"PYTHONPATH": str(ROOT)} | changed,
        ) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "http://" not in line:
                said = log.read_text(encoding="utf-8")[-500:]
                raise BylineError(f"{' '.join(command[1:3])} did not start: {said or 'it gave no reason.'}")
            yield line[line.index("http://") :].strip(), process.pid
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


class Measuring:
    """All measurements over two running servers."""

    def __init__(
        self, model_url: str, page_url: str, page_process: int, *, people: int, rounds: int, pause_seconds: float
    ) -> None:
        """Ask `page_url`, which is served by a process of that id and has the model's server behind it."""
        self._model_url = model_url
        self._page_url = page_url
        self._page_process = page_process
        self._people = people
        self._rounds = rounds
        self._many = max(1, rounds // 5)
        self._pause_seconds = pause_seconds
        self._questions = cycle(
            [
                one.question
                for one in read_questions(ROOT / "eval/questions.jsonl")
                if one.answerable and not one.history
            ]
        )

    async def all(self, on_progress: Callable[[int, int], None]) -> LoadFigures:
        """Measure one after another."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=2 * self._people)
        async with httpx.AsyncClient(timeout=120, limits=limits, trust_env=False) as client:
            self._client = client
            direct = direct_asker(client, self._model_url)
            door = door_asker(client, self._page_url)
            page = await page_asker(client, self._page_url)
            for asker in (direct, door, page, door, page):  # what the first one waits for is no one's figure
                await asker(next(self._questions))
            spent = self._cpu_seconds()
            alone: dict[Asker, list[Seen]] = {direct: [], door: [], page: []}
            parts: dict[Asker, list[tuple[float, float]]] = {door: [], page: []}
            for done in range(self._rounds):
                for asker, seen in alone.items():
                    seen.append(await asker(next(self._questions)))
                    if asker in parts:
                        parts[asker].append(await self._around_model(seen[-1]))
                on_progress(done + 1, self._rounds + 6)
            cpu_ms = (self._cpu_seconds() - spent) * 1000 / (2 * self._rounds) if spent else 0.0
            many = []
            for number, (asker, crowd) in enumerate(
                [(door, self._at_once), (page, self._at_once), (door, self._talking), (page, self._talking)]
            ):
                many.append(await crowd(asker))
                on_progress(self._rounds + number + 1, self._rounds + 6)
            talks = [await self._talk(page, turns) for turns in (2, LONG_TURNS)]
            on_progress(self._rounds + 6, self._rounds + 6)
        return LoadFigures(
            people=self._people,
            direct=_first(alone[direct]),
            door=_first(alone[door]),
            page=_first(alone[page]),
            door_before=_times([before for before, _ in parts[door]]),
            door_after=_times([after for _, after in parts[door]]),
            page_before=_times([before for before, _ in parts[page]]),
            page_after=_times([after for _, after in parts[page]]),
            door_at_once=_first(many[0]),
            page_at_once=_first(many[1]),
            door_talking=_first(many[2]),
            page_talking=_first(many[3]),
            short_talk=_first(talks[0]),
            long_talk=_first(talks[1]),
            short_end=_times([(one.ended - one.updates[0]) * 1000 for one in talks[0]]),
            long_end=_times([(one.ended - one.updates[0]) * 1000 for one in talks[1]]),
            door_steps=_times([gap for one in alone[door] for gap in one.gaps_ms]),
            page_steps=_times([gap for one in alone[page] for gap in one.gaps_ms]),
            cpu_ms=cpu_ms,
        )

    async def _around_model(self, seen: Seen) -> tuple[float, float]:
        """Milliseconds until the model's server was called, and from its first token until text was seen."""
        called, sent = (await self._client.get(f"{self._model_url}/log")).json()[-1]
        return (called - seen.asked) * 1000, (seen.updates[0] - sent) * 1000

    async def _at_once(self, asker: Asker) -> list[Seen]:
        """Everybody asks in the same moment, several times."""
        seen: list[Seen] = []
        for _ in range(self._many):
            seen += await asyncio.gather(*(asker(next(self._questions)) for _ in range(self._people)))
        return seen

    async def _talking(self, asker: Asker) -> list[Seen]:
        """Everybody asks, reads, and asks on; they begin at different moments."""
        dice = Random(1)  # noqa: S311 no secret

        async def talk(wait: float) -> list[Seen]:
            await asyncio.sleep(wait)
            seen = []
            for _ in range(self._many):
                seen.append(await asker(next(self._questions)))
                await asyncio.sleep(self._pause_seconds * dice.uniform(0.5, 1.5))
            return seen

        whole = 2.5 + self._pause_seconds
        talks = await asyncio.gather(*(talk(dice.uniform(0, whole)) for _ in range(self._people)))
        return [one for talk_ in talks for one in talk_]

    async def _talk(self, asker: Asker, messages: int) -> list[Seen]:
        """One person asks in a conversation of so many messages."""
        history: list[Turn] = []
        for number in range(messages // 2):
            history.append({"role": "user", "content": f"What was said on day {number}?"})
            history.append({"role": "assistant", "content": "Nothing of it is in the articles. " * 20})
        return [await asker(next(self._questions), history) for _ in range(self._rounds)]

    def _cpu_seconds(self) -> float:
        """Processor time of the page's process so far; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self._page_process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _first(seen: Sequence[Seen]) -> Times:
    return _times([one.first_ms for one in seen])


def _times(values: Sequence[float]) -> Times:
    ordered = sorted(values)
    return Times(percentile(ordered, 50), percentile(ordered, 95), len(ordered))


def load_json(figures: LoadFigures) -> dict[str, Any]:
    """The figures as a JSON object."""
    return {
        name: {part: round(number, 1) for part, number in value.items()} if isinstance(value, dict) else value
        for name, value in (asdict(figures) | {"cpu_ms": round(figures.cpu_ms, 1)}).items()
    }


def load_lines(figures: LoadFigures) -> list[str]:
    """The figures in words."""
    rows = [
        ("one person, the model's server itself", figures.direct),
        ("one person, /api/ask", figures.door),
        ("  until the model is asked", figures.door_before),
        ("  from the model's first token on", figures.door_after),
        ("one person, the page", figures.page),
        ("  until the model is asked", figures.page_before),
        ("  from the model's first token on", figures.page_after),
        (f"{figures.people} in the same moment, /api/ask", figures.door_at_once),
        (f"{figures.people} in the same moment, the page", figures.page_at_once),
        (f"{figures.people} in conversation, /api/ask", figures.door_talking),
        (f"{figures.people} in conversation, the page", figures.page_talking),
        ("after 2 messages, the page", figures.short_talk),
        (f"after {LONG_TURNS} messages, the page", figures.long_talk),
        ("  its text from first to last, after 2", figures.short_end),
        (f"  its text from first to last, after {LONG_TURNS}", figures.long_end),
        ("between two updates, /api/ask", figures.door_steps),
        ("between two updates, the page", figures.page_steps),
    ]
    lines = [f"{'first text, ms':44} {'p50':>7} {'p95':>7} {'n':>5}"]
    lines += [f"{name:44} {times.p50:7.0f} {times.p95:7.0f} {times.count:5}" for name, times in rows]
    ratios = [
        ("/api/ask", figures.door_at_once.p95 / figures.door.p95, figures.door_talking.p95 / figures.door.p95),
        ("the page", figures.page_at_once.p95 / figures.page.p95, figures.page_talking.p95 / figures.page.p95),
    ]
    for name, at_once, talking in ratios:
        told = f"{at_once:.2f} in the same moment, {talking:.2f} in conversation"
        lines.append(f"p95 of {figures.people} to that of one, {name}: {told}")
    lines.append(f"processor time of a question: {figures.cpu_ms:.0f} ms")
    return lines
