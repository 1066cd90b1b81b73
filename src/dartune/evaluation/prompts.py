"""How a model is asked in an evaluation: as it was trained to be asked, or with worked examples where it was not.

Few-shot prompts stand in the data file beside this one, each with its source.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from dartune.config import EngineConfig, OpenAIEngineConfig, local_model
from dartune.errors import ConfigError
from dartune.models import WORLD_PREFIX, resolve_model
from dartune.prompts import AFFIXES, Template, load_template

_FILE = Path(__file__).with_name("few_shot.json")

FEW_SHOT: Final = "few-shot"
"""How a base model is asked: each benchmark with the few-shot prompt that is usual for it."""

_USUAL: Final = "minerva-4-shot"
_USUAL_FOR: Final = dict.fromkeys(("gsm8k/train", "gsm8k/test", "gsm8k-platinum"), "cot-8-shot")
"""Benchmark -> its few-shot prompt, where that is not the usual one."""

_BY_NAME: Final = (
    (r"^world:", "world"),
    (r"dart-math", "alpaca"),
    (r"deepseek-?math.*(rl|instruct)", "deepseekmath"),
    (r"(^|[^a-z])(instruct|chat|it|rlhf|dpo)([^a-z]|$)", "chat"),
    (r"r1-distill|qwq|zephyr|numinamath|^phi-[34]|^qwen3(?!.*base)", "chat"),
)
"""What a model's name, without its folder or owner, says of how it was tuned, in lower case -> template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShot:
    """A published few-shot prompt."""

    source: str
    before: str
    after: str
    separator: str
    stop: tuple[str, ...]
    """What follows an answer where a base model goes on with a problem of its own."""


class Asked(NamedTuple):
    """How a model is asked."""

    template: Template
    stop: tuple[str, ...]
    """Strings that end a response, to whichever prompt."""
    by_benchmark: Mapping[str, Template]
    """Benchmark -> its own template in place of `template`."""


@cache
def few_shot_prompts() -> Mapping[str, FewShot]:
    """Name -> prompt."""
    document = json.loads(_FILE.read_text(encoding="utf-8"))
    return {name: FewShot(**{**row, "stop": tuple(row["stop"])}) for name, row in document.items()}


def load_prompt(name: str, benchmarks: Iterable[str] = (), *, model: str | None = None) -> Asked:
    """The few-shot prompt or template called `name`; "chat" reads the chat template of `model`.

    `FEW_SHOT` asks each of `benchmarks` with its own prompt. Its stop strings are those of all few-shot prompts,
    whichever are needed, so that other benchmarks can be asked into the same pool later.

    Raises ConfigError for an unknown name, and what `load_template` raises.
    """
    prompts = few_shot_prompts()
    if name == FEW_SHOT:
        own = {benchmark: _template(_USUAL_FOR.get(benchmark, _USUAL)) for benchmark in benchmarks}
        stops = dict.fromkeys(stop for prompt in prompts.values() for stop in prompt.stop)
        return Asked(replace(_template(_USUAL), name=FEW_SHOT), tuple(stops), own)
    if name in prompts:
        return Asked(_template(name), prompts[name].stop, {})
    known = [*AFFIXES, "chat", FEW_SHOT, *prompts]
    if name not in known:
        raise ConfigError(f"--template: expected one of {', '.join(known)}, got {name!r}")
    return Asked(load_template(name, model=model), (), {})


def _template(few_shot: str) -> Template:
    prompt = few_shot_prompts()[few_shot]
    return Template(
        name=few_shot, render=lambda text: f"{prompt.before}{text}{prompt.after}", separator=prompt.separator
    )


def choose_prompt(model: str, engine: EngineConfig) -> str:
    """The name of the prompt for `model`, from its training record, its name or its tokenizer; `FEW_SHOT` else.

    A model behind a server that puts its own chat template around a prompt is asked for a boxed answer.
    """
    if isinstance(engine, OpenAIEngineConfig) and engine.api == "chat":
        return "boxed"
    name = model.lower() if model.startswith(WORLD_PREFIX) else Path(model).name.lower()
    named = next((template for pattern, template in _BY_NAME if re.search(pattern, name)), FEW_SHOT)
    loaded = local_model(engine)
    if loaded is None:
        return named if named != "chat" else FEW_SHOT
    folder = Path(resolve_model(loaded))
    if not folder.is_dir():
        return named
    usual = "chat" if _has_chat_template(folder) else FEW_SHOT
    return _trained_with(folder) or (usual if named in ("chat", FEW_SHOT) else named)


def _trained_with(folder: Path) -> str | None:
    """The template of the set that a model was tuned on, where dartune tuned it."""
    with suppress(OSError, ValueError, AttributeError):
        if (folder / "training.json").is_file():
            template = json.loads((folder / "manifest.json").read_bytes()).get("template")
            return template if isinstance(template, str) else None
    return None


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    with suppress(OSError, ValueError, AttributeError):
        return bool(json.loads((folder / "tokenizer_config.json").read_bytes()).get("chat_template"))
    return False
