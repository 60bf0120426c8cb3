"""Provenance: what decides the figures of a run, so that two runs can be told apart and one can be made again."""

import hashlib
import platform
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from eval.dataset import Question
from index.articles import Article
from index.settings import Settings, public_settings

ROOT = Path(__file__).parent.parent

_PACKAGES = ("llama-index-core", "chromadb", "onnxruntime", "tokenizers", "tiktoken", "nltk", "numpy", "openai",
             "ir-measures", "rouge-score")  # fmt: skip


def provenance(settings: Settings, questions: Sequence[Question], articles: Sequence[Article]) -> dict[str, Any]:
    """What decides the answers of a run (`settings`, `sha256`), and what it was made with."""
    return {
        "settings": public_settings(settings),
        "sha256": {
            "questions": _sha256("\n".join(repr(question) for question in questions)),
            "articles": _sha256("\n".join(f"{article.id} {article.content_hash}" for article in articles)),
            "prompts": _hash_files(ROOT / "prompts", "*.md"),
            "code": _sha256(_hash_files(ROOT / "index", "*.py") + _hash_files(ROOT / "rag", "*.py")),
        },
        "versions": _versions(),
        "git": _git(),
        "machine": f"{platform.machine()}, {platform.system()}",
    }


def _versions() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {"byline": str(project["version"]), "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git() -> dict[str, Any] | None:
    """The revision of the code and whether files differ from it; None where it is not a git checkout."""
    program = shutil.which("git")
    if program is None or not (ROOT / ".git").exists():
        return None
    said = []
    for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]):
        done = subprocess.run(  # noqa: S603 - fixed arguments, program found by its name
            [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return None
        said.append(done.stdout.strip())
    return {"revision": said[0], "changed_files": len(said[1].splitlines())}


def _hash_files(folder: Path, pattern: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob(pattern)):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def now() -> str:
    """The time, UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
