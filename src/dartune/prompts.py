"""Prompt templates: from a query to the text that a model is asked with, and that it is fine-tuned on.

The same template renders the sampling prompt, the training prompt and the evaluation prompt. A template is text before
and after the query; "chat" is the model's own chat template, which needs its tokenizer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dartune.errors import ConfigError, MissingExtra, ModelError

_ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n",
    "\n\n### Response: Let's think step by step.\n",
)
_DEEPSEEKMATH = (
    "User: ",
    "\nPlease reason step by step, and put your final answer within \\boxed{}.\n\nAssistant:",
)

AFFIXES = {
    "alpaca": _ALPACA,
    "deepseekmath": _DEEPSEEKMATH,
    "boxed": ("", "\n\nPlease reason step by step, and put your final answer within \\boxed{}."),
    "plain": ("", "\n"),
    "world": ("", " =>"),
}
"""Template name -> text before and after the query.

alpaca: the paper's prompt for its own models (appendix B); boxed: what chat models are usually asked, for servers that
add their own chat template; deepseekmath: the model card's chain-of-thought prompt for DeepSeekMath-RL; world: the
embedded world's."""

SEPARATORS = {"alpaca": "", "boxed": "\n\n", "deepseekmath": " ", "plain": "", "world": " ", "chat": ""}
"""What joins a prompt and its completion, so that the two read as the model would write them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A named way to ask."""

    name: str
    render: Callable[[str], str]
    """Query text -> prompt."""
    separator: str
    """Joins prompt and completion."""

    def completion(self, response: str) -> str:
        """The training completion for a response to the prompt."""
        return self.separator + response.strip()


def load_template(name: str, *, model: str | None = None) -> Template:
    """The template called `name`; "chat" reads the chat template of `model`.

    Raises ConfigError for an unknown name or a chat template without a model, ModelError if the model has none.
    """
    if name == "chat":
        return Template(name=name, render=_chat_renderer(model), separator=SEPARATORS[name])
    if name not in AFFIXES:
        raise ConfigError(f"prompt.template: expected one of {', '.join([*AFFIXES, 'chat'])}, got {name!r}")
    before, after = AFFIXES[name]
    return Template(name=name, render=lambda text: f"{before}{text}{after}", separator=SEPARATORS[name])


def _chat_renderer(model: str | None) -> Callable[[str], str]:
    if model is None:
        raise ConfigError(
            "prompt.template: 'chat' needs an engine that loads a model; for a server take 'boxed' and set "
            'engine.api = "chat", so that it puts its own chat template around the prompt'
        )
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise MissingExtra("transformers", "hf") from None
    from dartune.models import resolve_model

    try:
        tokenizer = AutoTokenizer.from_pretrained(resolve_model(model))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"model {model}: its tokenizer cannot be loaded ({reason})") from error
    if not tokenizer.chat_template:
        raise ModelError(f"{model}: its tokenizer has no chat template; set prompt.template to another, e.g. 'alpaca'")
    # Where the engine's tokenizer puts the first token itself, the template must not put it twice.
    bos = str(tokenizer.bos_token or "") if tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id] else ""

    def render(text: str) -> str:
        messages = [{"role": "user", "content": text}]
        prompt = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        return prompt.removeprefix(bos)

    return render
