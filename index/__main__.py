"""Command line of the index: `python -m index add PATH_OR_URL... | status | list | remove ID... | rebuild` and more."""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from llama_index.core.embeddings import BaseEmbedding

from index.build import OnProgress, add_articles, remove_articles
from index.chroma import embedded_folder, place_of
from index.commands import progress_bar, run, write_json
from index.embeddings import load_embedding
from index.errors import IndexBusyError, IndexMissingError
from index.handing import find_owner
from index.moving import export_index, import_index
from index.opening import open_store
from index.reading.naming import PARTS
from index.reading.places import Place, find_place, is_address, read_ahead
from index.rebuilding import rebuild as rebuild_index
from index.settings import Settings, load_settings
from index.status import index_facts, list_facts
from index.store import PassageStore
from index.updating import BuildReport
from index.watching import Following

app = typer.Typer(add_completion=False, help="What Byline's answers are drawn from: the index of articles.")
# Feeds change by the hour, and their servers count who asks.
_SHORTEST_EVERY_SECONDS = 60
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]


@app.command()
def add(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH_OR_URL...", help="Files, folders, zip files, pages and feeds.")
    ],
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="PART=NAME,...", help="What parts are called in a dump: title=headline,text=body."
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and follow what changes in folders.")] = False,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Go on, and read again after each such time: 15m, 2h.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Index files, folders, pages and feeds; again for what has changed. What left a folder is dropped."""
    settings = load_settings()
    fields = _read_map(names or [])
    if watch or every:
        _follow(paths, settings, fields, watch=watch, every=every, as_json=as_json)
        return
    # A wrong path is told, and the web is read, before an index or a model is opened.
    places = [find_place(path, settings=settings, fields=fields) for path in paths]
    with progress_bar("Fetching") as on_progress:
        places = [read_ahead(place, on_progress) if is_address(place.name) else place for place in places]
    with progress_bar("Indexing") as on_progress:
        report = _add(places, settings, fields, on_progress=on_progress)
    _tell(report, as_json=as_json)


def _add(
    places: Sequence[Place],
    settings: Settings,
    fields: dict[str, str],
    *,
    embedding: BaseEmbedding | None = None,
    on_progress: OnProgress | None = None,
) -> BuildReport:
    """Index places here, or have the page do it that owns the index."""
    if page := find_owner(settings):
        return page.add(places, fields=fields, on_progress=on_progress)
    with open_store(settings, embedding or load_embedding(settings), owner="python -m index add") as store:
        return add_articles(store, places, settings=settings, fields=fields, on_progress=on_progress)


def _follow(
    paths: list[str], settings: Settings, fields: dict[str, str], *, watch: bool, every: str | None, as_json: bool
) -> None:
    """Follow folders and feeds until the user stops it; the index is held only while something is written."""
    seconds = _read_time(every) if every else None
    following = Following(paths, settings=settings, fields=fields, watch=watch, every_seconds=seconds)
    embedding = load_embedding(settings)
    told: set[str] = set()
    sys.stderr.write("Following; Ctrl-C stops it.\n")
    while True:
        places, problems = following.due()
        try:
            if places:
                report = _add(places, settings, fields, embedding=embedding)
                following.done(places)
                report.skipped = [one for one in report.skipped if str(one) not in told]
                told |= {str(one) for one in report.skipped}
                if report.added or report.changed or report.removed or report.skipped:
                    with suppress(typer.Exit):  # its code is for a run that ends
                        _tell(report, as_json=as_json)
                    sys.stdout.flush()
        except IndexBusyError as exc:  # tried again at the next look
            problems = [*problems, str(exc)]
        for problem in problems:
            if problem not in told:
                sys.stderr.write(f"{problem}\n")
        told |= set(problems)
        try:
            time.sleep(following.pause_seconds)
        except KeyboardInterrupt:
            sys.stderr.write("Stopped.\n")
            return


def _read_map(given: list[str]) -> dict[str, str]:
    """`title=headline,text=body` as a dictionary."""
    fields = {}
    for pair in ",".join(given).split(",") if given else []:
        part, _, name = pair.partition("=")
        if part.strip() not in PARTS or not name.strip():
            raise typer.BadParameter(f"--map: {pair!r} is not PART=NAME with a part of {', '.join(PARTS)}")
        fields[part.strip()] = name.strip()
    return fields


def _read_time(given: str) -> float:
    """`15m` in seconds."""
    match = re.fullmatch(r"(\d{1,4})\s*([smhd])", given.strip().lower())
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] if match else 0
    if seconds < _SHORTEST_EVERY_SECONDS:
        raise typer.BadParameter(f"--every: {given!r} is no time of at least a minute, such as 15m or 2h")
    return float(seconds)


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `list` shows them.")], as_json: AsJson = False
) -> None:
    """Take articles out of the index; their files stay."""
    settings = load_settings()
    if page := find_owner(settings):
        report = page.remove(ids)
    else:
        with _existing(settings, "python -m index remove") as store:
            report = remove_articles(store, ids)
    _tell(report, as_json=as_json)


@app.command()
def rebuild(as_json: AsJson = False) -> None:
    """Cut and embed every article again from its stored text, with the settings of now."""
    settings = load_settings()
    _require_index(settings)
    with progress_bar("Embedding") as on_progress:
        owner = "python -m index rebuild"
        report = rebuild_index(settings, load_embedding(settings), owner=owner, on_progress=on_progress)
    _tell(report, as_json=as_json)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write, JSON lines; compressed where it ends in .gz.")],
    as_json: AsJson = False,
) -> None:
    """Write the whole index to a file, vectors and earlier versions too."""
    settings = load_settings()
    with _existing(settings, "python -m index export") as store, progress_bar("Writing") as on_progress:
        count = export_index(store, file, on_progress=on_progress)
    if as_json:
        write_json({"file": str(file), "articles": count, "bytes": file.stat().st_size})
    else:
        print(f"{count} articles in {file}, {file.stat().st_size / 1e6:.1f} MB")


@app.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A file that `export` wrote.")], as_json: AsJson = False
) -> None:
    """Put what `export` wrote into the index; nothing is embedded, articles of other ids stay."""
    settings = load_settings()
    with (
        open_store(settings, load_embedding(settings), owner="python -m index import") as store,
        progress_bar("Reading") as on_progress,
    ):
        report = import_index(store, file, on_progress=on_progress)
    _tell(report, as_json=as_json)


@app.command()
def forget(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Articles; all if none.")] = None,
    as_json: AsJson = False,
) -> None:
    """Drop what articles said before they changed; citations of then no longer open."""
    settings = load_settings()
    if page := find_owner(settings):
        dropped = page.forget(ids or None)
    else:
        with _existing(settings, "python -m index forget") as store:
            dropped = store.forget_earlier(ids or None)
    if as_json:
        write_json({"passages": dropped})
    else:
        print(f"{dropped} passages of earlier versions dropped")


@app.command(name="list")
def list_articles(as_json: AsJson = False) -> None:
    """Show the articles, by id."""
    settings = load_settings()
    if page := find_owner(settings):
        listed = page.articles()
    else:
        with _existing(settings, "python -m index list") as store:
            listed = list_facts(store)
    if as_json:
        write_json({"articles": listed})
        return
    width = max((len(one["id"]) for one in listed), default=0)
    for one in listed:
        about = ", ".join(filter(None, (one["source"], one["published"])))
        copy = f", near copy of {one['copy_of']}" if one["copy_of"] else ""
        print(f"{one['id']:{width}}  {one['title']}{f'  ({about})' if about else ''}{copy}")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show how much is indexed, with which model, and where."""
    settings = load_settings()
    if page := find_owner(settings):
        facts = page.facts()
    else:
        with _existing(settings, "python -m index status") as store:
            facts = index_facts(store, settings)
    if as_json:
        write_json(facts)
        return
    earlier = f", and {facts['earlier_passages']} of earlier versions" if facts["earlier_passages"] else ""
    print(f"{facts['articles']} articles in {facts['passages']} passages{earlier}")
    if facts["near_copies"]:
        print(f"near copies of others among them: {facts['near_copies']}")
    print(f"embedded by {facts['embedding']}")
    print(f"{place_of(settings)}, {facts['bytes_on_disk'] / 1e6:.1f} MB on this disk")
    print("\n".join(f"NOT IN ORDER: {problem}" for problem in facts["problems"]) or "in order")
    if facts["problems"]:
        raise typer.Exit(1)


def _require_index(settings: Settings) -> None:
    """Refuse before anything is made where nothing is indexed."""
    if settings.chroma is None and not embedded_folder(settings).exists():
        raise IndexMissingError(f"Nothing is indexed yet in {settings.home}; `python -m index add PATH` does it.")


@contextmanager
def _existing(settings: Settings, owner: str) -> Iterator[PassageStore]:
    _require_index(settings)
    with open_store(settings, load_embedding(settings), owner=owner) as store:
        yield store


def _tell(report: BuildReport, *, as_json: bool) -> None:
    """Say what was done; a file that gave no article makes the exit code 2, though the rest is indexed."""
    for path, reason in report.skipped:
        sys.stderr.write(f"{path}: {reason}\n")
    if as_json:
        write_json(report.to_json())
    else:
        counts = {what: len(ids) for what, ids in report.to_json().items()}
        counts["the same as another"] = counts.pop("same")
        print(", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing to do")
    if report.skipped:
        raise typer.Exit(2)


if __name__ == "__main__":
    run(app)
