"""A file imports only from files above it: the packages in their order, and within `index` and `rag` this order."""

import ast
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["index", "rag", "eval", "app"]
ORDER = {
    "index": """
        errors classes characters sessions settings model_errors sentences tokens commands languages headlines articles
        reading.document reading.decoding reading.naming reading.plain reading.page_facts reading.page reading.pdf
        reading.zipped reading.docx reading.dump reading.feed reading.archive reading.kinds reading.robots
        reading.addresses reading.fetching reading.web reading.places reading passages
        bundled looped embeddings bulk days lexical duplicates copies ownership chroma records catalogue rows earlier
        agreement following neighbours store opening status writing seen updating build handing watching rebuilding
        moving
    """,
    "rag": """
        afterwards model_stream model_server local_models models findings prompts echoes conversation filters
        reranking relative_days parts retrieval
        asking marker_forms markers citations thesaurus words numbers dates names facts premises reckoning presence
        roles claims denials slots extent certainty order comparison contrasts deeds exchange languages foreign
        alignment meaning support disagreement coverage answers spending feedback
        question antecedents reader.windows reader.data reader.spans reader evidence extractive events pacing
        drafts writing tracing engine interface markup standing rendering
        limits waiting api.engine api.desk api.bodies api.errors api.replies api.articles api.ask api.openai_protocol
        api.mcp_door api.description api passwords proxies access shield gateway suggestions choices corpus
        followups kept export changes messages page_routes handed page
        warming batch remote agents probes window doctor embedding_check doctor_report
    """,
}
# Programs of their own, run by hand; nothing imports them.
PROGRAMS = {"index.minilm.export", "rag.wordnet.export", "rag.reader.train"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def modules() -> dict[str, Path]:
    files = [path for package in PACKAGES[:-1] for path in sorted((ROOT / package).rglob("*.py"))]
    return {module_name(path): path for path in [*files, ROOT / "app.py"] if module_name(path) not in PROGRAMS}


def imports_of(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & known) or {str(node.module)}
    return found & known


MODULES = modules()
IMPORTS = {name: imports_of(path, set(MODULES)) for name, path in MODULES.items()}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_file_imports_only_from_packages_above(name: str) -> None:
    place = PACKAGES.index(name.partition(".")[0])
    below = {other for other in IMPORTS[name] if PACKAGES.index(other.partition(".")[0]) > place}
    assert not below


@pytest.mark.parametrize("package", sorted(ORDER))
def test_every_file_has_its_place(package: str) -> None:
    listed = ORDER[package].split()
    there = {
        name.removeprefix(f"{package}.")
        for name in MODULES
        if name.startswith(f"{package}.") and not name.endswith("__main__")
    }
    assert sorted(listed) == sorted(there), "say in ORDER where a new file stands"


@pytest.mark.parametrize(
    "name", sorted(name for name in MODULES if name.partition(".")[0] in ORDER and not name.endswith("__main__"))
)
def test_a_file_imports_only_from_files_above(name: str) -> None:
    package, _, file = name.partition(".")
    above = ORDER[package].split()
    above = above[: above.index(file)] if file else above
    own = {other for other in IMPORTS[name] if other.startswith(f"{package}.")}
    assert own <= {f"{package}.{other}" for other in above}


def test_nothing_imports_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as exc:
        circle = exc.args[1]
        pytest.fail(" -> ".join(one for one, _ in pairwise(circle)) + f" -> {circle[-1]}")


def test_nothing_imports_a_command_line() -> None:
    assert not {name for name, imported in IMPORTS.items() if any(one.endswith("__main__") for one in imported)}
