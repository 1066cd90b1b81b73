"""The model and what the transformers engine answers with it, which vLLM's answers are held against."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from asking import ask, requests, world_prompts
from dartune.config import TransformersEngineConfig
from dartune.engines.factory import build_engine
from dartune.types import Request, Response
from engine_parts.vllm_server import vllm_server
from engine_parts.wide_heads import save_wide_teacher

N_PROMPTS = 200


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of the packaged teacher, in a form that vLLM runs on CPU."""
    return save_wide_teacher(tmp_path_factory.mktemp("models") / "teacher")


@pytest.fixture(scope="session")
def prompts() -> list[str]:
    return world_prompts(N_PROMPTS)


@pytest.fixture(scope="session")
def server(teacher: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a vLLM server that knows the teacher as "teacher"."""
    folder = tmp_path_factory.mktemp("server")
    template = folder / "chat.jinja"
    # Of a question alone the same tokens as without the template.
    template.write_text("{% for message in messages %}{{ message['content'] }} {% endfor %}")
    more = ["--chat-template", str(template)]
    log = folder / "server.log"
    with vllm_server(sys.executable, teacher, log, served_as="teacher", dtype="float32", more=more) as url:
        yield url


class Reference:
    """The transformers engine with the packaged teacher, in float32."""

    def answer(self, asked: list[Request]) -> list[Response]:
        return asyncio.run(self._answer(asked))

    async def _answer(self, asked: list[Request]) -> list[Response]:
        engine = build_engine(TransformersEngineConfig(model="world:teacher-a", dtype="float32", n_threads=1), [])
        await engine.start()
        try:
            return await ask(engine, asked)
        finally:
            await engine.aclose()


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference()


@pytest.fixture(scope="session")
def greedy(reference: Reference, prompts: list[str]) -> list[Response]:
    """Its answers to the prompts at temperature 0."""
    return reference.answer(requests(prompts, temperature=0.0))


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """The event loop that the engine of a module lives in."""
    with asyncio.Runner() as runner:
        yield runner
