"""The engines of a recipe: what turns a prompt into a response."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, JsonValue, Tag, field_validator, model_validator

from dartune.config.sections import Count, Section
from dartune.errors import ConfigError

Seconds = Annotated[float, Field(gt=0)]
Price = Annotated[float, Field(ge=0)]
_MODULE_ATTRIBUTE = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"


class Prices(Section):
    """What tokens cost, in one currency, for a million of them."""

    prompt: Price = 0.0
    completion: Price = 0.0


NO_PRICES = Prices()
"""What the tokens of a model of one's own cost."""


class FakeEngineConfig(Section):
    """Scripted responses for trying out logic and schedules; no model."""

    name: Literal["fake"] = "fake"
    pass_rates: tuple[float, ...] = (0.95, 0.8, 0.6, 0.35, 0.1)
    """Probability that a try is right, for query levels 1, 2, ...; a query of no level gets the first."""
    mean_tokens: float = 200.0
    latency_s: float = 0.0
    """Mean seconds a response takes (exponential)."""
    failure_rate: float = 0.0
    n_places: Count = 256


class ReplayEngineConfig(Section):
    """Recorded responses from a JSONL or Parquet file, given out in file order for each query."""

    name: Literal["replay"] = "replay"
    path: Path
    columns: dict[str, str] = Field(default_factory=dict)
    """Field (query, response) -> column of the file, where they differ."""
    n_places: Count = 256


class TransformersEngineConfig(Section):
    """A local model, sampled with the transformers library on CPU or GPU."""

    name: Literal["transformers"] = "transformers"
    model: str
    """A model folder, a hub id, or "world:<name>" for a packaged model of the embedded world."""
    n_places: Count = 512
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    n_threads: Count | None = None
    """CPU threads of one process; None leaves torch's default."""


_SENT_ANYWAY = frozenset({
    "best_of", "echo", "max_tokens", "messages", "model", "n", "prompt", "seed", "stop", "stream", "stream_options",
    "temperature", "top_p",
})  # fmt: skip


class OpenAIEngineConfig(Section):
    """One model behind any number of OpenAI-compatible servers: vLLM, SGLang, llama.cpp, or a commercial endpoint."""

    name: Literal["openai_http"] = "openai_http"
    model: str
    """The name by which the servers know the model."""
    base_urls: tuple[str, ...] = ()
    """Where the servers are, up to and including /v1. One must answer at the start; the others may join later."""
    urls_file: Path | None = None
    """A file with more of them, one a line, read again every few seconds: servers may come and go during a run."""
    api: Literal["completions", "chat"] = "completions"
    """chat: the prompt is sent as the user's message, and the server puts the model's chat template around it."""
    system: str | None = None
    """System message, for chat."""
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    """Further fields of every request's body, such as top_k or chat_template_kwargs. With max_completion_tokens, which
    some models want, max_tokens is not sent."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable with the key; no key is sent where it is not set."""
    logprobs: bool = False
    """Ask for log-probabilities and keep their sum; not every server gives them, and they make replies longer."""
    max_in_flight: Count | None = None
    """Requests in flight at each server; None finds each server's best by itself."""
    max_attempts: Count = 6
    """Times that one request is sent before it is recorded as failed."""
    connect_timeout_s: Seconds = 10.0
    first_token_timeout_s: Seconds | None = None
    """Longest wait for the first token; makes replies come as streams, which costs time here and there."""
    timeout_s: Seconds = 1800.0
    """Longest wait for a whole response."""
    prices: Prices = NO_PRICES

    @field_validator("base_urls")
    @classmethod
    def _are_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_url(url) for url in urls)

    @model_validator(mode="after")
    def _has_servers(self) -> Self:
        if not self.base_urls and self.urls_file is None:
            raise ValueError("expected base_urls or urls_file, got neither")
        if self.system is not None and self.api != "chat":
            raise ValueError('system needs api = "chat"')
        taken = sorted(_SENT_ANYWAY & self.extra_body.keys())
        if taken:
            raise ValueError(f"extra_body.{taken[0]}: dartune sets this field itself; take it out")
        return self


def check_url(url: str) -> str:
    """A server's base URL without its last slash. Raises ValueError where it is none, or holds a secret."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected a URL such as http://localhost:8000/v1, got {url!r}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("a URL must not hold a user, a password or a query; keys come from api_key_env")
    return url.strip().rstrip("/")


class VllmEngineConfig(Section):
    """A local model on vLLM in this process: all local GPUs, or CPU."""

    name: Literal["vllm"] = "vllm"
    model: str
    """A model folder, a hub id, or "world:<name>" for a packaged model of the embedded world."""
    n_places: Count = 1024
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    tensor_parallel_size: Count = 1
    """GPUs that share one copy of the model."""
    data_parallel_size: Count = 1
    """Copies of the model."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """Further arguments of vLLM's AsyncEngineArgs, such as max_model_len or gpu_memory_utilization."""


class CustomEngineConfig(Section):
    """A user's own engine: any callable that takes this configuration and returns a `dartune.engines.base.Engine`."""

    name: Annotated[str, Field(pattern=_MODULE_ATTRIBUTE)]
    """Where it is: "module:attribute"."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """Whatever it wants to know."""


CUSTOM_TAG = "module:attribute"
"""What stands for the name of a user's own engine where an error is found."""


def _tag(value: object) -> str:
    """The tag of an engine: its name, or "module:attr" for one of the user's."""
    name = value.get("name", "") if isinstance(value, dict) else getattr(value, "name", "")
    return CUSTOM_TAG if isinstance(name, str) and ":" in name else str(name)


_REPLICABLE = (
    Annotated[FakeEngineConfig, Tag("fake")]
    | Annotated[ReplayEngineConfig, Tag("replay")]
    | Annotated[TransformersEngineConfig, Tag("transformers")]
    | Annotated[OpenAIEngineConfig, Tag("openai_http")]
    | Annotated[VllmEngineConfig, Tag("vllm")]
    | Annotated[CustomEngineConfig, Tag(CUSTOM_TAG)]
)
ReplicaConfig = Annotated[_REPLICABLE, Discriminator(_tag)]
"""Any engine that can be one of several."""


class RayEngineConfig(Section):
    """Replicas of another engine on a Ray cluster; those that die are replaced, and their requests asked again."""

    name: Literal["ray"] = "ray"
    engine: ReplicaConfig
    """What each replica runs."""
    n_replicas: Count = 1
    n_cpus: Annotated[float, Field(ge=0)] = 1.0
    """CPU cores that each replica reserves."""
    n_gpus: Annotated[float, Field(ge=0)] = 0.0
    """GPUs that each replica reserves."""
    address: str | None = None
    """The cluster's address ("auto": the one that this machine belongs to); None starts one on this machine."""
    n_graders: Annotated[int, Field(ge=0)] = 0
    """Graders on the cluster, a core each; 0 grades in this process."""
    max_attempts: Count = 3
    """Replicas that one request is given to before it is recorded as failed."""


EngineConfig = Annotated[_REPLICABLE | Annotated[RayEngineConfig, Tag("ray")], Discriminator(_tag)]
"""Any engine."""

FREE_FIELDS = frozenset({
    "address", "api_key_env", "base_urls", "connect_timeout_s", "data_parallel_size", "first_token_timeout_s",
    "latency_s", "logprobs", "max_attempts", "max_in_flight", "n_cpus", "n_gpus", "n_graders", "n_places", "n_replicas",
    "n_threads", "prices", "tensor_parallel_size", "timeout_s", "urls_file",
})  # fmt: skip
"""Fields of an engine that decide how fast, where or for how much it answers, and not what."""


def prices_of(config: EngineConfig) -> Prices:
    """What an engine's tokens cost; nothing where the model is one's own."""
    engine = config.engine if isinstance(config, RayEngineConfig) else config
    return engine.prices if isinstance(engine, OpenAIEngineConfig) else NO_PRICES


def local_model(config: EngineConfig) -> str | None:
    """The model whose weights an engine loads; None where it loads none."""
    engine = config.engine if isinstance(config, RayEngineConfig) else config
    return engine.model if isinstance(engine, TransformersEngineConfig | VllmEngineConfig) else None


def with_model(config: EngineConfig, model: str) -> EngineConfig:
    """The same engine with another model's weights. Raises ConfigError where it loads none."""
    if isinstance(config, RayEngineConfig):
        return config.model_copy(update={"engine": with_model(config.engine, model)})
    if not isinstance(config, TransformersEngineConfig | VllmEngineConfig):
        raise ConfigError(
            f"engine.name: {config.name!r} cannot load the models of a run; expected 'transformers' or 'vllm'"
        )
    return config.model_copy(update={"model": model})
