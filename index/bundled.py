"""Models that come with Byline: their files checked and loaded, to run on the CPU."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from pathlib import Path
from threading import Lock
from typing import TypeVar

import onnxruntime
from tokenizers import Tokenizer

from index.errors import ModelError

SUMS_FILE = "SHA256SUMS"
_MODELS_KEPT = 2

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder of files with the sha256 of each in `SHA256SUMS`.

    Attributes:
        name: what it is, in words for an error ("embedding model").
        folder: where it is.
        files: the names of the files.
        remedy: what to do where it is broken.
    """

    name: str
    folder: Path
    files: frozenset[str]
    remedy: str

    def read(self, *wanted: str) -> dict[str, bytes]:
        """Those files by name, or all, each compared with its recorded sum (20 ms for 24 MB).

        Raises:
            ModelError: a file is missing or not as recorded.
        """
        found = {}
        recorded_files = set()
        try:
            for line in (self.folder / SUMS_FILE).read_text(encoding="ascii").splitlines():
                recorded, name = line.split()
                recorded_files.add(name)
                if wanted and name not in wanted:
                    continue
                found[name] = (self.folder / name).read_bytes()
                if hashlib.sha256(found[name]).hexdigest() != recorded:
                    raise self._broken(self.folder / name, "is damaged")
        except OSError as exc:
            raise self._broken(Path(exc.filename or self.folder), "cannot be read") from exc
        except ValueError as exc:
            raise self._broken(self.folder / SUMS_FILE, "is damaged") from exc
        if recorded_files != self.files:
            raise self._broken(self.folder / SUMS_FILE, "is damaged")
        return found

    def _broken(self, path: Path, what: str) -> ModelError:
        return ModelError(f"The bundled {self.name} {what}: {path}. {self.remedy}")


def loaded_once(load: Callable[[Path], Model]) -> Callable[[Path], Model]:
    """What `load` makes of a folder, made once a process: a cache alone would let two first callers load it twice."""
    kept, loading = lru_cache(maxsize=_MODELS_KEPT)(load), Lock()

    @wraps(load)
    def once(folder: Path) -> Model:
        with loading:
            return kept(folder)

    return once


def encodable(text: str) -> str:
    """The text as it can be tokenised: half of a surrogate pair, as broken JSON brings it, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def with_output(model: bytes, node: str) -> bytes:
    """The model with one of its inner values as one more output.

    A serialised message may go on: what is appended to an ONNX file is merged into it. Appended are the graph (field
    7), in it an output (12), in that its name (1); an output that nobody asks for costs nothing.
    """
    field = node.encode("ascii")
    for number in (1, 12, 7):
        if len(field) > 127:  # the length would take two bytes
            raise ValueError(f"The name {node} is too long.")
        field = bytes((number << 3 | 2, len(field))) + field
    return model + field


def open_session(model: bytes) -> onnxruntime.InferenceSession:
    """A model ready to run, each run on one thread; threads of the caller may share it."""
    options = onnxruntime.SessionOptions()
    # More threads inside a run wait for each other in a loop, which doubles the time where a core is busy.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def open_tokenizer(file: bytes, *, max_tokens: int) -> Tokenizer:
    """A tokenizer that cuts at `max_tokens` and pads nothing, whatever its file asks for."""
    tokenizer = Tokenizer.from_buffer(file)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
