import asyncio
import json
from pathlib import Path

import pytest

from dartune.config import FakeEngineConfig, ReplayEngineConfig
from dartune.engines.base import Engine
from dartune.engines.factory import build_engine
from dartune.engines.fake import FakeEngine
from dartune.errors import DataError, EngineError
from dartune.grading import grade
from dartune.types import Key, Query, Request, Response, SamplingParams, request_seed

QUERIES = [Query.of("What is 1 + 1?", "2", level=1), Query.of("What is x?", "\\frac{1}{2}", level=5)]


def ask(engine: Engine, query: Query, trial: int, max_new_tokens: int = 2048) -> Response:
    key = Key(query.id, trial)
    params = SamplingParams(max_new_tokens=max_new_tokens)
    request = Request(key=key, prompt=query.text, seed=request_seed(key, 0), params=params)
    return asyncio.run(engine.generate(request))


def test_the_fake_engine_gives_the_same_request_the_same_response() -> None:
    first, second = (FakeEngine(FakeEngineConfig(), QUERIES) for _ in range(2))
    assert [ask(first, QUERIES[0], t) for t in range(5)] == [ask(second, QUERIES[0], t) for t in range(5)]


@pytest.mark.parametrize("query", QUERIES)
def test_the_fake_engine_is_right_as_often_as_its_script_says(query: Query) -> None:
    engine = FakeEngine(FakeEngineConfig(pass_rates=(0.7,)), QUERIES)
    texts = [ask(engine, query, trial).text for trial in range(400)]
    n_right = sum(grade(ref_answer=query.ref_answer, response=text).verdict == "correct" for text in texts)
    assert 0.62 < n_right / 400 < 0.78


def test_the_fake_engine_fails_and_is_cut_off_as_scripted() -> None:
    engine = FakeEngine(FakeEngineConfig(failure_rate=1.0), QUERIES)
    with pytest.raises(EngineError) as caught:
        ask(engine, QUERIES[0], 0)
    assert caught.value.cause == "scripted"
    response = ask(FakeEngine(FakeEngineConfig(), QUERIES), QUERIES[0], 0, max_new_tokens=1)
    assert (response.finish_reason, response.n_tokens) == ("length", 1)


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_replay_gives_recorded_responses_in_file_order(tmp_path: Path) -> None:
    text = QUERIES[0].text
    path = write(
        tmp_path / "r.jsonl",
        [
            {"query": text, "response": "two words", "finish_reason": "length"},
            {"query": "another one", "response": "?"},
            {"query": f" {text} ", "response": "2", "n_tokens": 9},
        ],
    )
    engine = build_engine(ReplayEngineConfig(path=path), QUERIES)
    first, second = ask(engine, QUERIES[0], 0), ask(engine, QUERIES[0], 1)
    assert (first.text, first.finish_reason, first.n_tokens) == ("two words", "length", 2)
    assert (second.text, second.finish_reason, second.n_tokens) == ("2", "stop", 9)
    for query, trial in ((QUERIES[0], 2), (QUERIES[1], 0)):
        with pytest.raises(EngineError) as caught:
            ask(engine, query, trial)
        assert caught.value.cause == "exhausted"


def test_another_file_or_other_columns_are_another_model(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"query": QUERIES[0].text, "response": "2", "r": "3"}]
    path = write(tmp_path / "r.jsonl", rows)
    first = build_engine(ReplayEngineConfig(path=path), QUERIES).model
    other = build_engine(ReplayEngineConfig(path=path, columns={"response": "r"}), QUERIES).model
    write(path, rows * 2)
    assert len({first, other, build_engine(ReplayEngineConfig(path=path), QUERIES).model}) == 3


def test_replay_reads_columns_of_other_names(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [{"q": QUERIES[0].text, "r": "2"}])
    config = ReplayEngineConfig(path=path, columns={"query": "q", "response": "r"})
    assert ask(build_engine(config, QUERIES), QUERIES[0], 0).text == "2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"query": "a"}\n', r"r\.jsonl: line 1: column 'response' is missing, found query; .*--set engine\.columns"),
        ('{"query": "a", "response": "b"}\n', "no row's 'query' is the text of a query in this run"),
        ('{"query": "a", "response"\n', r"r\.jsonl: line 1: expected a JSON object"),
    ],
)
def test_replay_names_what_is_wrong_with_its_file(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        build_engine(ReplayEngineConfig(path=path), QUERIES)
