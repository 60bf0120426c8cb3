"""Models of under two megabytes that say one sentence, whatever they are asked: real files, nothing learned.

Every token is a direction of its own, the one block adds nothing to it, and the output weights make of each direction
the token that comes next: so llama.cpp and transformers compute, and what they say is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import numpy.typing as npt

TEMPLATE = (
    "{% for message in messages %}{{ '<' + message['role'] + '>' + message['content'] + '</' + message['role'] + '>' }}"
    "{% endfor %}<assistant>"
)
WINDOW = 8192
_SPECIAL = ("<unk>", "<s>", "</s>")
_WIDTH, _NARROW = 320, 32

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Tiny:
    """The vocabulary, words last, and both ends of the model."""

    tokens: list[str]
    directions: Weights
    following: Weights


def _saying(words: Sequence[str], letters: Sequence[str]) -> _Tiny:
    """A model that reads `letters` and says `words`, a token each and each another."""
    tokens = [*_SPECIAL, *letters, *words]
    assert len(set(tokens)) == len(tokens) <= _WIDTH
    directions = np.eye(len(tokens), _WIDTH, dtype=np.float32)
    following = np.zeros_like(directions)
    first = len(tokens) - len(words)
    following[first] = directions[:first].sum(axis=0)  # after anything read the first word
    following[first + 1 :] = directions[first:-1]
    following[_SPECIAL.index("</s>")] = directions[-1]
    return _Tiny(tokens, directions, following)


def save_gguf(path: Path, says: Sequence[str]) -> Path:
    """Write a GGUF file.

    Args:
        path: a file that does not exist.
        says: its reply in pieces; a space stands where one is wanted.
    """
    gguf = import_module("gguf")
    letters = [f"<0x{byte:02X}>" for byte in range(256)]  # what it reads is cut into bytes
    tiny = _saying([piece.replace(" ", "▁") for piece in says], letters)
    kinds = gguf.TokenType

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(WINDOW)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_NARROW)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(_NARROW)
    writer.add_value_length(_NARROW)
    writer.add_rope_dimension_count(_NARROW)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tiny.tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tiny.tokens)
    writer.add_token_scores([0.0] * len(_SPECIAL) + [-1e4] * len(letters) + [-1e5] * len(says))
    writer.add_token_types(
        [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL] + [kinds.BYTE] * len(letters) + [kinds.NORMAL] * len(says)
    )
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    ones = np.ones(_WIDTH, dtype=np.float32)
    narrowing = np.zeros((_NARROW, _WIDTH), dtype=np.float32)
    widening = np.zeros((_WIDTH, _NARROW), dtype=np.float32)
    for name, weights in {
        "token_embd": tiny.directions,
        "output": tiny.following,
        "output_norm": ones,
        "blk.0.attn_norm": ones,
        "blk.0.ffn_norm": ones,
        **{f"blk.0.attn_{part}": narrowing for part in ("q", "k", "v")},
        "blk.0.attn_output": widening,
        "blk.0.ffn_gate": narrowing,
        "blk.0.ffn_up": narrowing,
        "blk.0.ffn_down": widening,
    }.items():
        writer.add_tensor(f"{name}.weight", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def save_transformers(folder: Path, says: Sequence[str]) -> Path:
    """Write a folder as transformers saves a model and its tokenizer."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    torch, transformers = import_module("torch"), import_module("transformers")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tiny = _saying([piece.replace(" ", "Ġ") for piece in says], letters)
    bytewise = tokenizers.Tokenizer(models.BPE({token: at for at, token in enumerate(tiny.tokens)}, []))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    unknown, begins, ends = _SPECIAL
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bytewise, unk_token=unknown, bos_token=begins, eos_token=ends, pad_token=ends
    )
    tokenizer.chat_template = TEMPLATE
    config = transformers.LlamaConfig(
        vocab_size=len(tiny.tokens),
        hidden_size=_WIDTH,
        intermediate_size=_NARROW,
        num_hidden_layers=1,
        num_attention_heads=1,
        head_dim=_NARROW,
        max_position_embeddings=WINDOW,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            weights.fill_(1.0 if "norm" in name else 0.0)
        model.model.embed_tokens.weight.copy_(torch.from_numpy(tiny.directions))
        model.lm_head.weight.copy_(torch.from_numpy(tiny.following))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
