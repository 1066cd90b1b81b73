from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from tiny_models import llama_config, save_model
from transformers import (
    GPT2Config,
    MistralConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

from dartune.engines.transformers import bands
from dartune.engines.transformers.decoder import Continuation, Decoder, Job
from dartune.types import SamplingParams

END = 2
SMALL = {
    "vocab_size": 44,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
    "eos_token_id": END,
}
ARCHITECTURES: dict[str, PreTrainedConfig] = {
    "llama": llama_config(),
    "qwen2": Qwen2Config(**SMALL),
    "qwen3": Qwen3Config(**SMALL, head_dim=8),
    "mistral": MistralConfig(**SMALL, sliding_window=64),
    "gpt2": GPT2Config(vocab_size=44, n_embd=32, n_layer=2, n_head=4, n_positions=128, eos_token_id=END),
}


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedModel:
    return save_model(tmp_path_factory.mktemp("llama"))


def jobs(n: int, temperature: float = 1.0, max_new_tokens: int = 24, n_prompts: int = 5) -> list[Job]:
    """Sequences over prompts of 1 to 20 tokens, each asked several times."""
    generator = torch.Generator().manual_seed(3)
    lengths = [1, 20, 7, 8, 13, 2, 17, 5, 11, 3][:n_prompts]
    prompts = [tuple(torch.randint(4, 44, (length,), generator=generator).tolist()) for length in lengths]
    params = SamplingParams(temperature=temperature, top_p=1.0, max_new_tokens=max_new_tokens)
    return [
        Job(prompt=prompts[i % n_prompts], max_new_tokens=max_new_tokens - i % 4, seed=1000 + i, params=params)
        for i in range(n)
    ]


def decode(model: PreTrainedModel, work: Sequence[Job], n_rows: int) -> dict[Job, Continuation]:
    decoder = Decoder(model, [END], n_rows)
    waiting, done = list(work), {}
    while waiting or decoder.jobs:
        admitted, waiting = waiting[: decoder.n_free], waiting[decoder.n_free :]
        decoder.admit(admitted)
        for continuation in decoder.step():
            assert continuation.job not in done
            done[continuation.job] = continuation
    assert set(done) == set(work)
    return done


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_greedy_tokens_are_those_of_generate(architecture: str, tmp_path: Path) -> None:
    model = save_model(tmp_path, ARCHITECTURES[architecture])
    for job, continuation in decode(model, jobs(20, temperature=0), n_rows=6).items():
        prompt = torch.tensor([job.prompt])
        expected = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            max_new_tokens=job.max_new_tokens,
            pad_token_id=0,
        )
        assert continuation.tokens == expected[0, len(job.prompt) :].tolist()


def test_logprobs_are_those_of_the_model_at_temperature_1(model: PreTrainedModel) -> None:
    for job, continuation in decode(model, jobs(9, temperature=1.4), n_rows=4).items():
        sequence = torch.tensor([[*job.prompt, *continuation.tokens]])
        table = model(sequence).logits.log_softmax(-1)[0, len(job.prompt) - 1 : -1]
        expected = table.gather(1, torch.tensor(continuation.tokens)[:, None])[:, 0]
        assert torch.allclose(torch.tensor(continuation.logprobs), expected, atol=1e-4)


def test_a_sequence_does_not_depend_on_its_company(model: PreTrainedModel) -> None:
    work = jobs(120, n_prompts=10)
    tokens = [
        [decoded[job].tokens for job in work]
        for decoded in (
            decode(model, work, n_rows=1),
            decode(model, work, n_rows=7),
            decode(model, work[::-1], n_rows=120),
        )
    ]
    n_changed = sum(not one == two == three for one, two, three in zip(*tokens, strict=True))
    assert n_changed <= 1  # a near-tie; some thousandths of a percent of tokens
    assert len({tuple(one) for one in tokens[0]}) > 100


def test_bands_give_the_tokens_of_one_band(model: PreTrainedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    work = jobs(60, n_prompts=10)
    whole = decode(model, work, n_rows=30)
    monkeypatch.setattr(bands, "_MIN_ROWS", 4)
    cut = decode(model, work, n_rows=30)
    assert sum(whole[job].tokens != cut[job].tokens for job in work) <= 1


def test_a_continuation_ends_with_an_end_token_or_at_its_limit(model: PreTrainedModel) -> None:
    ended = decode(model, jobs(100), n_rows=16).values()
    for continuation in ended:
        assert END not in continuation.tokens[:-1]
        assert len(continuation.logprobs) == len(continuation.tokens)
        if continuation.tokens[-1] != END:
            assert len(continuation.tokens) == continuation.job.max_new_tokens
    assert {continuation.tokens[-1] == END for continuation in ended} == {True, False}


def test_removed_sequences_leave_the_others_as_they_are(model: PreTrainedModel) -> None:
    work = jobs(20)
    undisturbed = decode(model, work, n_rows=20)
    decoder = Decoder(model, [], n_rows=20)
    decoder.admit(work)
    removed, kept = work[:5] + work[12:15], work[5:12] + work[15:]
    for _ in range(3):
        decoder.step()
    partial = decoder.remove(removed)
    assert {continuation.job for continuation in partial} == set(removed)
    assert all(len(continuation.tokens) == 3 for continuation in partial)
    assert set(decoder.jobs) == set(kept)
    for _ in range(2):
        decoder.step()
    for job, tail in zip(decoder.jobs, decoder.tails(8), strict=True):
        tokens = undisturbed[job].tokens[:5]
        assert tail[: len(tokens)] == tokens


def test_a_prompt_is_computed_once_while_it_is_remembered(model: PreTrainedModel) -> None:
    decoder = Decoder(model, [END], n_rows=40)
    passes: list[tuple[int, ...]] = []
    hook = model.base_model.register_forward_pre_hook(
        lambda _, __, kwargs: passes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    work = jobs(40)
    decoder.admit(work[:20])
    assert passes == [(4, 19)]  # five distinct prompts, one of them a single token, which has no prefix
    decoder.admit(work[20:])
    assert len(passes) == 1
    hook.remove()


def test_more_distinct_prompts_than_are_remembered(model: PreTrainedModel) -> None:
    work = jobs(30, n_prompts=10)
    few = decode(model, work, n_rows=4)  # remembers a single prompt
    many = decode(model, work, n_rows=40)
    assert sum(few[job].tokens != many[job].tokens for job in work) <= 1
