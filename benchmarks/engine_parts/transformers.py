"""The transformers engine beside `model.generate`, on responses as long as real ones.

A random Llama of 3.4 M parameters in bfloat16 answers requests whose lengths are those of recorded solutions of MATH,
level 5 (characters / 4, at most `MAX_TOKENS`). Nothing ends a response but its length, so both do the same useful work:
`generate` gets batches of `n_places` in the order of the requests and runs each to its longest.
"""

import asyncio
import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dartune.config import TransformersEngineConfig
from dartune.types import Key, Request, SamplingParams, request_seed

LENGTHS_FILE = "outputs/math_l5_zeroeval_8models.jsonl.gz"
MAX_TOKENS = 1024
PROMPT_WORDS = 48
N_WORDS = 2_000


def real_lengths(n: int) -> list[int]:
    """Lengths in tokens of `n` recorded responses, evenly spread over the file."""
    data = Path(os.environ.get("DARTUNE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    with gzip.open(data / LENGTHS_FILE, "rt", encoding="utf-8") as file:
        lengths = [max(1, min(MAX_TOKENS, len(json.loads(line)["response"]) // 4)) for line in file]
    step = len(lengths) / n
    return [lengths[int(i * step) % len(lengths)] for i in range(n)]


def llama(folder: Path, *, hidden: int = 256, layers: int = 4, n_words: int = N_WORDS) -> None:
    """Save a Llama with random weights and a tokenizer of whole words, no token of which ends a response."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate(("<pad>", "<eos>", *(f"w{i}" for i in range(n_words))))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer: Any = PreTrainedTokenizerFast  # its constructor is not annotated
    tokenizer(tokenizer_object=backend, eos_token="<eos>", pad_token="<pad>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=hidden, intermediate_size=hidden * 3, num_hidden_layers=layers,
        num_attention_heads=hidden // 64, num_key_value_heads=hidden // 64, max_position_embeddings=2048,
        tie_word_embeddings=True, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config)
    model.to(torch.bfloat16)
    with torch.no_grad():
        model.get_input_embeddings().weight[1] = 0.0
    model.generation_config.suppress_tokens = [1]
    model.save_pretrained(folder)


def requests(lengths: Sequence[int]) -> list[Request]:
    """One request for each length, each with its own prompt."""
    made = []
    for index, length in enumerate(lengths):
        key = Key(query_id=str(index), trial=0)
        prompt = " ".join(f"w{(index * 7919 + i * 104729) % N_WORDS}" for i in range(PROMPT_WORDS))
        params = SamplingParams(temperature=1.0, top_p=1.0, max_new_tokens=length)
        made.append(Request(key=key, prompt=prompt, seed=request_seed(key, 0), params=params))
    return made


def over_generate(
    *, quick: bool, n_places: int | None = None, device: str = "cpu", hidden: int = 256, layers: int = 4
) -> dict[str, object]:
    """Useful tokens per second of engine and `generate`, in turn, and the median of their ratios."""
    from dartune.engines.transformers import TransformersEngine

    n_places = n_places or (64 if quick else 128)
    work = requests(real_lengths(2 * n_places if quick else 4 * n_places))
    with tempfile.TemporaryDirectory() as folder:
        llama(Path(folder), hidden=hidden, layers=layers)
        config = TransformersEngineConfig(model=folder, n_places=n_places, dtype="bfloat16", device=device)
        engine = TransformersEngine(config)
        generate = _generate(folder, work, n_places, device)
        rates: list[tuple[float, float]] = []
        try:
            for _ in range(1 if quick else 2):
                rates.append((asyncio.run(_ask(engine, work, n_places)), generate()))
        finally:
            asyncio.run(engine.aclose())
    return {
        "over_generate": round(statistics.median(ours / theirs for ours, theirs in rates), 2),
        "tokens_per_s": round(statistics.median(ours for ours, _ in rates)),
        "generate_tokens_per_s": round(statistics.median(theirs for _, theirs in rates)),
        "n_requests": len(work),
        "n_places": n_places,
        "mean_tokens": round(statistics.mean(request.params.max_new_tokens for request in work)),
    }


async def _ask(engine: Any, work: Sequence[Request], n_places: int) -> float:
    places = asyncio.Semaphore(n_places)

    async def one(request: Request) -> int:
        async with places:
            return int((await engine.generate(request)).n_tokens)

    start = time.perf_counter()
    n_tokens = sum(await asyncio.gather(*map(one, work)))
    return n_tokens / (time.perf_counter() - start)


def _generate(folder: str, work: Sequence[Request], n_places: int, device: str) -> Callable[[], float]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="bfloat16")
    model.to(device)

    def run() -> float:
        start, n_tokens = time.perf_counter(), 0
        for first in range(0, len(work), n_places):
            batch = work[first : first + n_places]
            texts = [request.prompt for request in batch]
            inputs = tokenizer(texts, return_tensors="pt", padding=True, return_token_type_ids=False).to(device)
            longest = max(request.params.max_new_tokens for request in batch)
            with torch.inference_mode():
                model.generate(**inputs, do_sample=True, top_k=0, max_new_tokens=longest)
            n_tokens += sum(request.params.max_new_tokens for request in batch)
        return n_tokens / (time.perf_counter() - start)

    return run
