"""What curation reads of a pool is what its rows say, whatever the order in which they were written."""

import tempfile
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dartune.curation.choose import Examples
from dartune.curation.histories import read_histories, read_texts
from dartune.pool import PoolWriter, Provenance
from dartune.types import Grade, Key, Response, Sample, SamplingParams

PROVENANCE = Provenance(model="m", template="plain", params=SamplingParams(), run_seed=3)
IDS = ["a", "b", "c", "d"]

Try = tuple[bool | None, str, int]
"""Outcome, text, tokens."""
tries_of_a_pool = st.dictionaries(
    st.tuples(st.sampled_from(IDS), st.integers(0, 12)),
    st.tuples(
        st.sampled_from([True, True, False, None]),
        st.sampled_from(["u v", " u\nv", "u  w", "é", ""]),
        st.integers(0, 9),
    ),
    min_size=1,
)


def sample(key: Key, one: Try) -> Sample:
    is_correct, text, n_tokens = one
    if is_correct is None:
        return Sample(key=key, seed=0, response=None, grade=None, failure="timeout")
    response = Response(text=text, finish_reason="stop", n_prompt_tokens=key.trial, n_tokens=n_tokens)
    return Sample(
        key=key,
        seed=0,
        response=response,
        grade=Grade(verdict="correct" if is_correct else "incorrect", answer=None, rule="boxed/string"),
    )


def write(pool: Path, tries: dict[tuple[str, int], Try], order: Random, n_shards: int) -> None:
    samples = [sample(Key(*key), one) for key, one in tries.items()]
    order.shuffle(samples)
    with PoolWriter(pool, PROVENANCE) as writer:
        for i in range(n_shards):
            for one in samples[i::n_shards]:
                writer.append(one)
            writer.flush()


@settings(max_examples=50, deadline=None)
@given(tries_of_a_pool, st.randoms(use_true_random=False), st.integers(1, 3))
def test_histories_are_those_of_the_rows(tries: dict[tuple[str, int], Try], order: Random, n_shards: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), tries, order, n_shards)
        histories = read_histories(Path(folder))
    for query_id in IDS:
        run = [tries[query_id, t] for t in range(next(t for t in range(14) if (query_id, t) not in tries))]
        history = histories.of(query_id)
        words = [text.split() if is_correct else None for is_correct, text, _ in run]
        assert history.outcomes == [is_correct for is_correct, *_ in run]
        assert history.n_tokens.tolist() == [0 if right is None else n_tokens for right, _, n_tokens in run]
        assert history.is_repeat.tolist() == [w is not None and w in words[:t] for t, w in enumerate(words)]


@settings(max_examples=30, deadline=None)
@given(tries_of_a_pool, st.randoms(use_true_random=False), st.data())
def test_the_hash_changes_with_what_is_there_and_not_with_the_order(
    tries: dict[tuple[str, int], Try], order: Random, data: st.DataObject
) -> None:
    changed = data.draw(st.sampled_from(sorted(tries)))
    outcome, text, n_tokens = tries[changed]
    other: Try = (True, f"{text}.", n_tokens) if outcome else (False if outcome is None else None, text, n_tokens)
    hashes = []
    for content, n_shards in ((tries, 1), (tries, 2), (tries | {changed: other}, 1)):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), content, order, n_shards)
            hashes.append(read_histories(Path(folder)).pool_hash)
    assert hashes[0] == hashes[1] != hashes[2]


@settings(max_examples=30, deadline=None)
@given(tries_of_a_pool, st.randoms(use_true_random=False), st.integers(1, 3))
def test_texts_come_in_the_order_of_the_examples(
    tries: dict[tuple[str, int], Try], order: Random, n_shards: int
) -> None:
    wanted = [key for key, (is_correct, *_) in tries.items() if is_correct]
    assume(wanted)
    order.shuffle(wanted)
    examples = Examples(
        queries=np.array([IDS.index(query_id) for query_id, _ in wanted], np.int32),
        trials=np.array([trial for _, trial in wanted], np.int32),
        n_tokens=np.zeros(len(wanted), np.int32),
    )
    with tempfile.TemporaryDirectory() as folder:
        pool = Path(folder)
        write(pool, tries, order, n_shards)
        texts = read_texts(pool, read_histories(pool).outcomes, IDS, examples)
    is_answered = [tries[key][0] is not None for key in wanted]
    assert texts.responses.to_pylist() == [
        tries[key][1] if a else None for key, a in zip(wanted, is_answered, strict=True)
    ]
    assert texts.n_prompt_tokens.tolist() == [t if a else 0 for (_, t), a in zip(wanted, is_answered, strict=True)]
