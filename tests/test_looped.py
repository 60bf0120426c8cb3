"""The bundled model with a loop around it: little larger than before, and it reads texts of any length in one run."""

import numpy as np

from index.bundled import open_session
from index.embeddings import BUNDLED_FILES, BUNDLED_FOLDER, MODEL_FILE, load_model
from index.looped import ALL, MANY, over_many


def test_a_loop_gives_what_single_runs_give_bit_for_bit() -> None:
    model = BUNDLED_FILES.read(MODEL_FILE)[MODEL_FILE]
    looped = over_many(model)
    assert 0 < len(looped) - len(model) < 1000, "the weights are there once"
    session = open_session(looped)
    tokens = [np.arange(1000, 1000 + length, dtype=np.int64)[None] for length in (1, 256, 2, 77)]
    masks = [np.ones_like(one) for one in tokens]
    (found,) = session.run([ALL], {f"{MANY}input_ids": tokens, f"{MANY}attention_mask": masks})
    single = load_model(BUNDLED_FOLDER).session
    alone = [
        single.run(["embedding"], {"input_ids": one, "attention_mask": mask})[0]
        for one, mask in zip(tokens, masks, strict=True)
    ]
    assert found.tobytes() == np.stack(alone).tobytes()
