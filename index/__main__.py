"""Command line of the index: `python -m index add PATH... | status | list | remove ID... | rebuild`, and to move it."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from index.articles import find_files
from index.build import add_articles, remove_articles
from index.chroma import embedded_folder, place_of
from index.commands import progress_bar, run, write_json
from index.embeddings import load_embedding
from index.errors import ArticleError, IndexMissingError
from index.moving import export_index, import_index
from index.rebuilding import rebuild as rebuild_index
from index.settings import Settings, load_settings
from index.store import PassageStore, open_store
from index.updating import BuildReport

app = typer.Typer(add_completion=False, help="What Byline's answers are drawn from: the index of articles.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]


@app.command()
def add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Text files (.txt, .md) and folders of them.")],
    as_json: AsJson = False,
) -> None:
    """Index files and folders; again for what has changed. Articles whose files left a folder are dropped."""
    for path in paths:
        if re.match(r"\w+://", path):
            raise ArticleError(f"{path}: web pages are not read yet; save the page's text as a .txt file and add that.")
        find_files(Path(path))  # a wrong path is told before an index or a model is opened
    settings = load_settings()
    with (
        open_store(settings, load_embedding(settings), owner="python -m index add") as store,
        progress_bar("Indexing") as on_progress,
    ):
        report = add_articles(store, [Path(path) for path in paths], settings=settings, on_progress=on_progress)
    _tell(report, as_json=as_json)


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `list` shows them.")], as_json: AsJson = False
) -> None:
    """Take articles out of the index; their files stay."""
    settings = load_settings()
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
    with _existing(settings, "python -m index list") as store:
        listed = store.articles()
    if as_json:
        write_json({"articles": [asdict(one) for one in listed]})
        return
    width = max((len(one.id) for one in listed), default=0)
    for one in listed:
        about = ", ".join(filter(None, (one.source, one.published)))
        print(f"{one.id:{width}}  {one.title}{f'  ({about})' if about else ''}")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show how much is indexed, with which model, and where."""
    settings = load_settings()
    with _existing(settings, "python -m index status") as store:
        facts: dict[str, Any] = {
            "articles": len(store.articles()),
            "passages": store.count(),
            "earlier_passages": store.count_earlier(),
            "embedding": store.embedding.model_name,
            "place": settings.chroma or str(embedded_folder(settings)),
            "bytes_on_disk": _size(settings.home),
            "problems": store.problems(),
        }
    if as_json:
        write_json(facts)
        return
    earlier = f", and {facts['earlier_passages']} of earlier versions" if facts["earlier_passages"] else ""
    print(f"{facts['articles']} articles in {facts['passages']} passages{earlier}")
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


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _tell(report: BuildReport, *, as_json: bool) -> None:
    """Say what was done; a file that gave no article makes the exit code 2, though the rest is indexed."""
    for path, reason in report.skipped:
        sys.stderr.write(f"{path}: {reason}\n")
    if as_json:
        skipped = [{"path": str(path), "reason": reason} for path, reason in report.skipped]
        write_json({**asdict(report), "skipped": skipped})
    else:
        counts = {what: len(ids) for what, ids in asdict(report).items()}
        counts["the same as another"] = counts.pop("same")
        print(", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing to do")
    if report.skipped:
        raise typer.Exit(2)


if __name__ == "__main__":
    run(app)
