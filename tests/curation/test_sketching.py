import pytest

pytest.importorskip("rensa")

from dartune.curation.sketching import N_HASHES, Sketchbook


def words(start: int, stop: int) -> str:
    return " ".join(
        f"w{'abcdefghij'[i // 100 % 10]}{'abcdefghij'[i // 10 % 10]}{'abcdefghij'[i % 10]}" for i in range(start, stop)
    )


@pytest.mark.parametrize("shift", [0, 50, 100, 200, 400])
def test_signatures_estimate_the_share_of_common_runs(shift: int) -> None:
    book = Sketchbook(2)
    book.add(0, words(0, 404))
    book.add(1, words(shift, 404 + shift))
    first, second = book.of(slice(0, 2)).signatures
    true = (400 - shift) / (400 + shift)
    assert len(first) == N_HASHES
    assert (first == second).mean() == pytest.approx(true, abs=0.2)


def test_steps_are_lines_and_sentences_by_their_words() -> None:
    book = Sketchbook(3)
    book.add(0, "We add 2 and 3. That is 5.\n\nSo $5$")
    book.add(2, "so 5\nThat is  5 .\nWe add 2 and 3")
    sketches = book.of(slice(0, 3))
    assert list(sketches.rows) == [0, -1, 1]
    assert sketches.steps[0] == sketches.steps[1]
    assert len(sketches.steps[0]) == 3


def test_an_empty_response_has_no_steps() -> None:
    book = Sketchbook(1)
    book.add(0, " \n")
    assert book.of(slice(0, 1)).steps == [frozenset()]
