import torch

from dartune.engines.transformers.sampler import Kind, Sampling, draw, uniform

N_DRAWS = 20_000


def frequencies(logits: list[float], temperature: float, top_p: float) -> torch.Tensor:
    sampling = Sampling(
        seed=torch.full((N_DRAWS,), 12345),
        step=torch.arange(N_DRAWS),
        temperature=torch.full((N_DRAWS,), temperature),
        top_p=torch.full((N_DRAWS,), top_p),
    )
    kinds: dict[Kind, int] = {"greedy": 0, "nucleus": N_DRAWS if top_p < 1 else 0, "whole": 0}
    token = draw(torch.tensor(logits).expand(N_DRAWS, -1), sampling, kinds).token
    return torch.bincount(token, minlength=len(logits)) / N_DRAWS


def chi_square(observed: torch.Tensor, expected: torch.Tensor) -> float:
    live = expected > 0
    return float((N_DRAWS * (observed - expected)[live] ** 2 / expected[live]).sum())


def test_uniform_is_splitmix64() -> None:
    # The reference implementation's first outputs for seed 1234567, by https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
    first = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    numbers = uniform(torch.full((5,), 1234567), torch.arange(5))
    assert numbers.tolist() == [(value >> 11) * 2.0**-53 for value in first]


def test_uniform_numbers_spread_over_the_unit_interval_for_seeds_and_for_steps() -> None:
    steps = uniform(torch.full((50_000,), 7), torch.arange(50_000))
    seeds = uniform(torch.arange(50_000), torch.full((50_000,), 3))
    for numbers in (steps, seeds):
        counts = torch.histc(numbers.float(), bins=50, min=0, max=1)
        assert float(((counts - 1000) ** 2 / 1000).sum()) < 100  # 49 degrees of freedom: p is about 2e-5
        assert float(numbers.min()) >= 0
        assert float(numbers.max()) < 1


def test_whole_distribution_is_the_softmax_at_the_temperature() -> None:
    logits = [2.0, 1.0, 0.5, 0.0, -1.0, float("-inf")]
    for temperature in (0.7, 1.0, 1.6):
        observed = frequencies(logits, temperature, top_p=1.0)
        expected = (torch.tensor(logits) / temperature).softmax(-1)
        assert chi_square(observed, expected) < 23.5  # 4 degrees of freedom: p = 1e-4
        assert observed[-1] == 0


def test_nucleus_is_the_smallest_set_that_holds_top_p() -> None:
    probabilities = torch.tensor([0.05, 0.4, 0.15, 0.3, 0.1])
    for top_p, inside in ((0.3, [1]), (0.65, [1, 3]), (0.8, [1, 2, 3]), (0.9, [1, 2, 3, 4])):
        expected = torch.zeros(5)
        expected[inside] = probabilities[inside] / probabilities[inside].sum()
        observed = frequencies(probabilities.log().tolist(), 1.0, top_p)
        assert observed[expected == 0].sum() == 0
        assert chi_square(observed, expected) < 23.5


def test_tied_tokens_are_inside_or_outside_the_nucleus_together() -> None:
    assert (frequencies([0.0] * 8, 1.0, 0.2) > 0).all()


def test_rows_of_every_kind_share_a_batch() -> None:
    logits = torch.randn(300, 30, generator=torch.Generator().manual_seed(0)) * 2
    temperature = torch.tensor([0.0, 1.0, 1.5]).repeat(100)
    top_p = torch.tensor([1.0, 1.0, 0.7]).repeat(100)
    seed, step = torch.arange(300) * 77, torch.arange(300) % 9
    sampling = Sampling(seed=seed, step=step, temperature=temperature, top_p=top_p)
    together = draw(logits, sampling, {"greedy": 100, "whole": 100, "nucleus": 100})
    kinds: tuple[Kind, ...] = ("greedy", "whole", "nucleus")
    for offset, kind in enumerate(kinds):
        rows = slice(offset, None, 3)
        own = Sampling(*(field[rows] for field in sampling))
        counts: dict[Kind, int] = {"greedy": 0, "whole": 0, "nucleus": 0, kind: 100}
        assert torch.equal(draw(logits[rows], own, counts).token, together.token[rows])
    assert torch.equal(together.token[::3], logits[::3].argmax(-1))
    expected = logits.log_softmax(-1).gather(1, together.token[:, None])[:, 0]
    assert torch.allclose(together.logprob, expected, atol=1e-5)
