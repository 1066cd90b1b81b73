import json
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import get_args

import pytest

from dartune.errors import ConfigError, ModelError, WriteError
from dartune.world import PACKAGED_MODELS, PROMPT_SUFFIX, packaged_model, world_queries, world_tokenizer
from dartune.world.corpus import CorpusConfig, documents, packed_batches
from dartune.world.measuring import rates_by_level, sample_solutions
from dartune.world.pretrain import PACKAGED_RECIPES, LogLine, PretrainConfig, pretrain, rate_factor
from dartune.world.problems import STEPS_OF_LEVEL, Family, random_problem
from dartune.world.tokenizer import EOS, PAD, TOKENS, UNKNOWN
from dartune.world.wording import word_query, word_solution

SHORT = PretrainConfig(
    pair="x",
    seed=3,
    n_schedule_tokens=9_000,
    base_tokens=5_000,
    teacher_tokens=8_000,
    n_rows=2,
    watch_every_tokens=4_000,
    n_watched_queries=5,
)


def test_tokenizer_round_trips_every_world_text() -> None:
    tokenizer, rng = world_tokenizer(), Random(11)
    for level in STEPS_OF_LEVEL:
        for family in get_args(Family):
            for _ in range(20):
                problem = random_problem(rng, level, "train")
                prompt, completion = word_query(problem, family, rng) + PROMPT_SUFFIX, word_solution(problem, rng)
                ids = tokenizer.encode(prompt + completion)
                assert tokenizer.unk_token_id not in ids
                assert tokenizer.decode(ids) == prompt + completion
                assert tokenizer.encode(prompt) + tokenizer.encode(completion) == ids


def test_tokenizer_survives_saving(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    world_tokenizer().save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.get_vocab() == {token: i for i, token in enumerate(TOKENS)}
    assert (loaded.pad_token, loaded.eos_token, loaded.unk_token) == (PAD, EOS, UNKNOWN)
    assert loaded.decode(loaded.encode("48 + 11 = 59 . \\boxed{ 59 }")) == "48 + 11 = 59 . \\boxed{ 59 }"
    assert loaded.encode("100 =>") == [loaded.unk_token_id, TOKENS.index("=>")]


def test_packed_rows_hold_whole_documents_once() -> None:
    stream = documents(CorpusConfig(), Random(2))
    batch = next(packed_batches(stream, 4, 256))
    again = documents(CorpusConfig(), Random(2))
    packed = []
    for ids, labels, positions in zip(batch.input_ids, batch.labels, batch.position_ids, strict=True):
        assert len(ids) == len(labels) == len(positions) == 256
        starts = [i for i, position in enumerate(positions) if position == 0]
        for start, end in zip(starts, [*starts[1:], 256], strict=True):
            if ids[start] == TOKENS.index(PAD):
                assert set(labels[start:end]) == {-100}
                continue
            packed.append(ids[start:end])
            learnt = [token for token, label in zip(ids[start:end], labels[start:end], strict=True) if label != -100]
            assert learnt == ids[end - len(learnt) : end]
            assert learnt[-1] == TOKENS.index(EOS)
    assert sum(map(len, packed)) == batch.n_tokens
    drawn = [next(again) for _ in packed]
    assert sorted(packed) == sorted(drawn)


def test_a_document_longer_than_a_row_is_refused() -> None:
    with pytest.raises(ConfigError, match="row_length must hold a document of 9 tokens, got 8"):
        next(packed_batches(iter([[5] * 9]), 2, 8))


def test_learning_rate_warms_up_holds_and_decays_to_zero() -> None:
    config = PretrainConfig(pair="x", seed=0, n_schedule_tokens=1000, base_tokens=500, teacher_tokens=900)
    assert rate_factor(config, 0, 0) == pytest.approx(0.01)
    assert rate_factor(config, 200, 740) == 1
    assert rate_factor(config, 200, 875) == pytest.approx(0.5)
    assert rate_factor(config, 200, 1001) == 0


@pytest.mark.parametrize("tokens", [(0, 5, 9), (6, 5, 9), (5, 10, 9)])
def test_a_base_after_its_teacher_is_refused(tokens: tuple[int, int, int]) -> None:
    base, teacher, schedule = tokens
    with pytest.raises(ConfigError, match="base_tokens <= teacher_tokens <= n_schedule_tokens"):
        PretrainConfig(pair="x", seed=0, base_tokens=base, teacher_tokens=teacher, n_schedule_tokens=schedule)


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_a_short_pretraining_makes_a_pair_again_and_again(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    lines: list[LogLine] = []
    for run in ("one", "two"):
        pretrain(SHORT, tmp_path / run, report=lines.append)
    for name in ("teacher-x", "base-x"):
        weights = [(tmp_path / run / name / "model.safetensors").read_bytes() for run in ("one", "two")]
        assert weights[0] == weights[1]
    assert weights[0] != (tmp_path / "one" / "teacher-x" / "model.safetensors").read_bytes()
    recipe = json.loads((tmp_path / "one" / "recipe-x.json").read_text())
    assert recipe["config"]["seed"] == 3
    assert "torch" in recipe["versions"]
    log = [json.loads(line) for line in (tmp_path / "one" / "training-log-x.jsonl").read_text().splitlines()]
    assert [line["n_tokens"] for line in log] == [line.n_tokens for line in lines[: len(log)]]
    assert log[-1]["n_tokens"] >= SHORT.teacher_tokens
    assert log[-1]["loss"] < log[0]["loss"]
    AutoModelForCausalLM.from_pretrained(tmp_path / "one" / "teacher-x")


def test_pretraining_into_a_file_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(WriteError, match="taken"):
        pretrain(SHORT, tmp_path / "taken")


def test_unknown_packaged_model_names_the_known() -> None:
    with pytest.raises(ModelError, match="expected one of teacher-a, base-a, teacher-b, base-b, got 'teacher-c'"):
        packaged_model("teacher-c")


@pytest.mark.integration
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", PACKAGED_MODELS)
def test_packaged_models_are_small_and_complete(name: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = packaged_model(name)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.get_vocab() == world_tokenizer().get_vocab()
    assert (model.config.eos_token_id, model.config.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)
    (solution,) = sample_solutions(model, world_queries("world/train", n=1, seed=5), temperature=0)
    assert "\\boxed{" in solution


@pytest.mark.parametrize("pair", PACKAGED_RECIPES)
def test_packaged_recipes_are_those_that_made_the_models(pair: str) -> None:
    recipe = json.loads((packaged_model(f"teacher-{pair}").parent / f"recipe-{pair}.json").read_text())
    assert recipe["config"] == json.loads(json.dumps(asdict(PACKAGED_RECIPES[pair])))


@pytest.mark.integration
@pytest.mark.timeout(120)
@pytest.mark.parametrize("pair", PACKAGED_RECIPES)
def test_teachers_know_more_than_their_bases_and_not_all(pair: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    queries = world_queries("world/train", n=50, seed=77)
    teacher, base = (
        rates_by_level(
            AutoModelForCausalLM.from_pretrained(packaged_model(f"{role}-{pair}")), queries, n_tries=8, temperature=1.0
        )
        for role in ("teacher", "base")
    )
    assert all(teacher[level].pass_rate > base[level].pass_rate for level in (1, 2, 3, 4))
    assert teacher[1].pass_rate > 0.85
    assert teacher[5].pass_rate < 0.4
