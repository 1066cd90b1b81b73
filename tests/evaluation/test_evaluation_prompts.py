import json
from pathlib import Path

import pytest

from dartune.config import FakeEngineConfig, OpenAIEngineConfig, TransformersEngineConfig, VllmEngineConfig
from dartune.errors import ConfigError, ModelError
from dartune.evaluation.prompts import FEW_SHOT, choose_prompt, few_shot_prompts, load_prompt
from dartune.evaluation.sets import GROUPS, TITLES, choose_benchmarks
from dartune.grading import grade


@pytest.mark.parametrize(
    ("model", "prompt"),
    [
        ("world:base-a", "world"),
        ("hkust-nlp/dart-math-mistral-7b-prop2diff", "alpaca"),
        ("deepseek-ai/deepseek-math-7b-rl", "deepseekmath"),
        ("deepseek-ai/deepseek-math-7b-base", FEW_SHOT),
        ("Qwen/Qwen2.5-Math-7B-Instruct", "chat"),
        ("google/gemma-2-27b-it", "chat"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "chat"),
        ("Qwen/Qwen3-8B", "chat"),
        ("Qwen/Qwen3-8B-Base", FEW_SHOT),
        ("mistralai/Mistral-7B-v0.1", FEW_SHOT),
        ("Qwen/Qwen2.5-Math-7B", FEW_SHOT),
    ],
)
def test_a_models_name_says_how_it_is_asked(model: str, prompt: str) -> None:
    assert choose_prompt(model, TransformersEngineConfig(model=model)) == prompt
    assert choose_prompt(model, VllmEngineConfig(model=model)) == prompt


def folder(path: Path, **files: object) -> Path:
    path.mkdir()
    for name in ("config.json", "model.safetensors"):
        (path / name).write_text("{}")
    for name, content in files.items():
        (path / f"{name}.json").write_text(json.dumps(content))
    return path


def test_a_folder_says_how_it_is_asked(tmp_path: Path) -> None:
    tuned = folder(tmp_path / "tuned-instruct", training={}, manifest={"template": "alpaca"})
    chat = folder(tmp_path / "c", tokenizer_config={"chat_template": "{{ messages }}"})
    other = folder(tmp_path / "o", manifest={"template": "alpaca"}, tokenizer_config={})
    broken = folder(tmp_path / "b", training={}, manifest=["x"])
    chosen = [
        choose_prompt(str(path), TransformersEngineConfig(model=str(path))) for path in (tuned, chat, other, broken)
    ]
    assert chosen == ["alpaca", "chat", FEW_SHOT, FEW_SHOT]


def test_a_server_that_has_a_chat_template_gets_the_question_alone() -> None:
    chat = OpenAIEngineConfig(model="any-base", base_urls=("http://x/v1",), api="chat")
    plain = OpenAIEngineConfig(model="owner/any-instruct", base_urls=("http://x/v1",))
    assert choose_prompt("any-base", chat) == "boxed"
    assert choose_prompt("owner/any-instruct", plain) == FEW_SHOT
    assert choose_prompt("fake", FakeEngineConfig()) == FEW_SHOT


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no weights"):
        choose_prompt(str(tmp_path), TransformersEngineConfig(model=str(tmp_path)))


@pytest.mark.parametrize(("name", "n_shots", "mark"), [("minerva-4-shot", 4, "Problem:\n"), ("cot-8-shot", 8, "Q: ")])
def test_few_shot_prompts_hold_their_examples_and_end_where_the_model_goes_on(
    name: str, n_shots: int, mark: str
) -> None:
    asked = load_prompt(name)
    prompt = asked.template.render("What is 1+1?")
    assert prompt.count(mark) == n_shots + 1
    assert prompt.endswith((f"{mark}What is 1+1?\n\nSolution:", f"{mark}What is 1+1?\nA:"))
    assert asked.template.name == name
    assert any(stop.strip() == mark.strip() for stop in asked.stop)
    assert "arXiv" in few_shot_prompts()[name].source


def test_a_base_model_is_asked_each_benchmark_in_the_usual_way() -> None:
    asked = load_prompt(FEW_SHOT, ["math/test", "gsm8k/test", "gsm8k-platinum", "own.jsonl"])
    assert {name: template.name for name, template in asked.by_benchmark.items()} == {
        "math/test": "minerva-4-shot",
        "gsm8k/test": "cot-8-shot",
        "gsm8k-platinum": "cot-8-shot",
        "own.jsonl": "minerva-4-shot",
    }
    assert (asked.template.name, asked.by_benchmark["gsm8k/test"].render("1+1?")) == (
        FEW_SHOT,
        load_prompt("cot-8-shot").template.render("1+1?"),
    )
    # The same whatever is asked: a pool is for one set of stop strings.
    assert asked.stop == load_prompt(FEW_SHOT, ["math/test"]).stop
    assert set(asked.stop) == {stop for prompt in few_shot_prompts().values() for stop in prompt.stop}
    assert load_prompt("cot-8-shot", ["math/test"]).by_benchmark == {}


def test_an_answer_in_the_style_of_the_examples_is_graded() -> None:
    # The stop string has ended it.
    text = " We have $1+1=2$, so $\\boxed{2}$.\nFinal Answer: The final answer is $2$. "
    assert grade(ref_answer="2", response=text, judge="math").verdict == "correct"
    assert (
        grade(ref_answer="6", response=" There were 21 - 15 = 6. The answer is 6.", judge="gsm8k").verdict == "correct"
    )


def test_an_unknown_prompt_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"expected one of alpaca, .*minerva-4-shot.* got 'nosuch'"):
        load_prompt("nosuch")


def test_groups_stand_for_their_benchmarks() -> None:
    assert list(choose_benchmarks(["six"])) == list(TITLES)
    assert sorted(GROUPS["in-domain"] + GROUPS["out-of-domain"]) == sorted(TITLES)
    chosen = choose_benchmarks(["math/500", "in-domain"], limit=3)
    assert list(chosen) == ["math/500", "math/test", "gsm8k/test"]
    assert {queries.limit for queries in chosen.values()} == {3}


def test_an_unknown_benchmark_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='got "theoremqq"; nearest is "theoremqa"'):
        choose_benchmarks(["six", "theoremqq"])
    own = tmp_path / "mine"
    own.write_text("")
    chosen = choose_benchmarks([str(own), "p.jsonl", "hf:owner/set"])
    assert list(chosen) == [str(own), "p.jsonl", "hf:owner/set"]
    assert chosen["p.jsonl"].source == str(Path("p.jsonl").resolve())
    assert chosen["hf:owner/set"].source == "hf:owner/set"
    with pytest.raises(ConfigError, match='got "MATH"; nearest is "math/test"'):
        choose_benchmarks(["MATH"])
    with pytest.raises(ConfigError, match="expected at least one name, got none"):
        choose_benchmarks([])
