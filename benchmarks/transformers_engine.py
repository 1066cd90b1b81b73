"""Useful tokens per second of the transformers engine, and of `model.generate` on the same requests.

    python benchmarks/transformers_engine.py [--json] [--quick] [--model MODEL] [--temperature T] [--top-p P]

Both answer the same prompts, several tries each, at most `n_places` at a time, in turn, so that what else runs on the
machine slows both; rates are of wall time, the ratio is the median over rounds, and `cpu_ratio` the same of CPU time,
for a busy machine. `generate` gets batches of `n_places`
requests, padded on the left. Useful tokens are those up to the end token. The model is a random tiny Llama whose
responses end by chance at every step, or a packaged model of the embedded world on its own problems.

Also counted: texts that differ between two runs of the engine with other batches (`n_changed` of `n_compared`).
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from dartune.config import TransformersEngineConfig
from dartune.engines.transformers import TransformersEngine
from dartune.types import Key, Request, Response, SamplingParams, request_seed

N_TRIES = 7
MAX_NEW_TOKENS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is measured."""

    model: str
    n_requests: int
    n_places: int
    n_rounds: int
    params: SamplingParams


class Timed(NamedTuple):
    """One run over all requests."""

    n_tokens: int
    wall_s: float
    cpu_s: float

    @property
    def tokens_per_s(self) -> float:
        """Useful tokens per second of wall time."""
        return self.n_tokens / self.wall_s


class Stopwatch:
    """Wall and CPU time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def timed(self, n_tokens: int) -> Timed:
        """The time taken so far for `n_tokens`."""
        return Timed(n_tokens, time.perf_counter() - self._wall, time.process_time() - self._cpu)


def random_llama(folder: Path) -> None:
    """A Llama of 0.2 M parameters over 165 words, three of which end a response: about 55 tokens on average."""
    vocabulary = {word: i for i, word in enumerate(("<pad>", "<bos>", "<eos>", *(f"w{i}" for i in range(162))))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer: Any = PreTrainedTokenizerFast  # its constructor is not annotated
    tokenizer(tokenizer_object=backend, eos_token="<eos>", pad_token="<pad>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=165, hidden_size=64, intermediate_size=176, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=1, max_position_embeddings=256, pad_token_id=0, bos_token_id=1, eos_token_id=[2, 3, 4],
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


def prompts(model: str, n: int) -> list[str]:
    """Problems of the embedded world for its models, 15 to 34 random words for any other."""
    if model.startswith("world:"):
        from dartune.world import PROMPT_SUFFIX, world_queries

        return [query.text + PROMPT_SUFFIX for query in world_queries("world/train", n=n, seed=0)]
    rng = random.Random(0)
    return [" ".join(f"w{rng.randrange(2, 162)}" for _ in range(rng.randrange(15, 35))) for _ in range(n)]


def requests(settings: Settings) -> list[Request]:
    """`N_TRIES` requests for each prompt, one prompt after the other."""
    found = []
    for index, prompt in enumerate(prompts(settings.model, -(-settings.n_requests // N_TRIES))):
        for trial in range(N_TRIES):
            key = Key(query_id=str(index), trial=trial)
            found.append(Request(key=key, prompt=prompt, seed=request_seed(key, 0), params=settings.params))
    return found[: settings.n_requests]


async def ask(engine: TransformersEngine, work: Sequence[Request], n_in_flight: int) -> list[Response]:
    """All responses, in the order of `work`, with at most `n_in_flight` requests out."""
    places = asyncio.Semaphore(n_in_flight)

    async def one(request: Request) -> Response:
        async with places:
            return await engine.generate(request)

    return await asyncio.gather(*map(one, work))


def time_generate(settings: Settings, folder: str, work: Sequence[Request]) -> Callable[[], Timed]:
    """A function that answers `work` by `model.generate`, batch after batch."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")  # generate() is annotated for a mixin
    ends = torch.tensor(model.generation_config.eos_token_id).reshape(-1)
    sampling: dict[str, Any] = (
        {"do_sample": True, "temperature": settings.params.temperature, "top_p": settings.params.top_p, "top_k": 0}
        if settings.params.temperature > 0
        else {"do_sample": False}
    )

    def run() -> Timed:
        watch, n_tokens = Stopwatch(), 0
        for first in range(0, len(work), settings.n_places):
            texts = [request.prompt for request in work[first : first + settings.n_places]]
            batch = tokenizer(texts, return_tensors="pt", padding=True, return_token_type_ids=False)
            output = model.generate(**batch, **sampling, max_new_tokens=MAX_NEW_TOKENS)
            ended = torch.isin(output[:, batch["input_ids"].shape[1] :], ends)
            n_tokens += int((ended.cumsum(-1) - ended.int() == 0).sum())
        return watch.timed(n_tokens)

    return run


def measure(settings: Settings, folder: str) -> dict[str, object]:
    """Run engine and `generate` in turn."""
    work = requests(settings)
    engine = TransformersEngine(TransformersEngineConfig(model=folder, n_places=settings.n_places))
    generate = time_generate(settings, folder, work)
    asyncio.run(ask(engine, work[:64], 64))
    of_engine: list[Timed] = []
    of_generate: list[Timed] = []
    texts: list[str] = []
    for _ in range(settings.n_rounds):
        watch = Stopwatch()
        responses = asyncio.run(ask(engine, work, settings.n_places))
        of_engine.append(watch.timed(sum(response.n_tokens for response in responses)))
        of_generate.append(generate())
        print(f"engine {of_engine[-1].tokens_per_s:,.0f}, generate {of_generate[-1].tokens_per_s:,.0f} tokens/s")
        texts = [response.text for response in responses]
    other = asyncio.run(ask(engine, work[::-1], settings.n_places // 2 + 1))[::-1]
    asyncio.run(engine.aclose())
    ratios = [ours.tokens_per_s / theirs.tokens_per_s for ours, theirs in zip(of_engine, of_generate, strict=True)]
    return {
        "tokens_per_s": round(statistics.median(run.tokens_per_s for run in of_engine)),
        "generate_tokens_per_s": round(statistics.median(run.tokens_per_s for run in of_generate)),
        "ratio": round(statistics.median(ratios), 2),
        "cpu_ratio": round(
            statistics.median(
                (ours.n_tokens / ours.cpu_s) / (theirs.n_tokens / theirs.cpu_s)
                for ours, theirs in zip(of_engine, of_generate, strict=True)
            ),
            2,
        ),
        "mean_tokens": round(of_engine[-1].n_tokens / len(work), 1),
        "n_requests": len(work),
        "n_places": settings.n_places,
        "n_changed": sum(text != response.text for text, response in zip(texts, other, strict=True)),
        "n_compared": len(work),
        "n_threads": torch.get_num_threads(),
        "n_cpus": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the last line is always JSON")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="", help="world:<name>; default: a random tiny Llama")
    parser.add_argument("--n-places", type=int, default=512)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--top-p", type=float, default=1.0)
    options = parser.parse_args()
    settings = Settings(
        model=options.model,
        n_requests=1000 if options.quick else 4000,
        n_places=options.n_places,
        n_rounds=1 if options.quick else 3,
        params=SamplingParams(temperature=options.temperature, top_p=options.top_p, max_new_tokens=MAX_NEW_TOKENS),
    )
    with tempfile.TemporaryDirectory() as folder:
        if settings.model.startswith("world:"):
            from dartune.models import resolve_model

            print(json.dumps(measure(settings, resolve_model(settings.model))))
        else:
            random_llama(Path(folder))
            print(json.dumps(measure(settings, folder)))


if __name__ == "__main__":
    main()
