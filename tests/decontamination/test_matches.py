import pytest

from dartune.decontamination import find_matches, normal_words
from dartune.types import Query

BIRDS = (
    "A flock of 12 birds sits on a long wire above the quiet street, and after a loud noise 5 of them fly away "
    "to the old oak tree behind the house. How many birds are left on the wire?"
)


def match(trained: str, asked: str, **settings: float) -> list[tuple[str, float]]:
    options = {"n": 8, "min_overlap": 0.5, "same_numbers": True} | settings
    found = find_matches(
        [Query.of("Unrelated, with words of its own.", "0"), Query.of(trained, "1")],
        {"empty": [], "test": [Query.of("Something else", "3"), Query.of(asked, "2")]},
        n=int(options["n"]),
        min_overlap=options["min_overlap"],
        same_numbers=bool(options["same_numbers"]),
    )
    assert all((pair.query.text, pair.asked.text, pair.benchmark) == (trained, asked, "test") for pair in found)
    return [(pair.kind, pair.overlap) for pair in found]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"Find  $\dfrac{1}{x} \cdot y$.", r"find \frac 1x * y"),
        (r"Is \left( x+1 \right) \le 3 ?", "Is (x + 1) leq 3"),
        ("x² − 1", "X2 - 1"),
    ],
)
def test_ways_of_typing_a_problem_read_the_same(one: str, other: str) -> None:
    assert normal_words(one) == normal_words(other)
    assert match(one, other) == [("exact", 1.0)]


def test_numbers_and_operators_tell_problems_apart() -> None:
    assert normal_words("2+3") != normal_words("2-3")
    assert match("What is 2 + 3?", "What is 2 - 3?") == []


def test_the_share_is_of_the_words_asked() -> None:
    longer = f"Read this with care before you begin to write anything down at all. {BIRDS}"
    ((kind, overlap),) = match(longer, BIRDS)
    assert (kind, overlap) == ("ngram", 1.0)
    n_words = len(normal_words(BIRDS))
    start = " ".join(BIRDS.split()[: n_words * 6 // 10])
    ((_, overlap),) = match(f"{start} and so on", BIRDS)
    assert overlap == n_words * 6 // 10 / n_words
    assert match(f"{' '.join(BIRDS.split()[:15])} and so on", BIRDS) == []


def test_overlapping_and_distant_runs_are_counted_once() -> None:
    words = [f"word{chr(97 + i)}" for i in range(20)]
    asked = " ".join(words)
    apart = " ".join([*words[:4], "x", *words[8:13], "y", *words[14:18]])
    assert match(apart, asked, n=4, min_overlap=0.1) == [("ngram", 13 / 20)]
    assert match(f"{asked} z {asked}", asked, n=4) == [("ngram", 1.0)]


def test_other_numbers_are_another_problem_unless_told() -> None:
    other = BIRDS.replace("12", "90")
    assert match(other, BIRDS) == []
    ((kind, overlap),) = match(other, BIRDS, same_numbers=0)
    assert kind == "ngram"
    assert overlap > 0.8


def test_short_problems_match_exactly_or_not_at_all() -> None:
    assert match("Solve x = 4 now please", "Solve x = 4") == []
    assert match("Solve x = 4.", "solve x=4") == [("exact", 1.0)]


def test_runs_do_not_cross_from_one_problem_to_the_next() -> None:
    words = BIRDS.split()
    parts = [" ".join(words[start : start + 9]) for start in (0, 9, 18, 27)]
    queries = [Query.of(part, "1") for part in parts]
    assert find_matches(queries, {"test": [Query.of(BIRDS, "3")]}, n=10, min_overlap=0, same_numbers=False) == []
    found = find_matches(queries, {"test": [Query.of(BIRDS, "3")]}, n=6, min_overlap=0, same_numbers=False)
    assert all(pair.overlap < 0.3 for pair in found)
    assert {pair.query.text for pair in found} == set(parts)


def test_nothing_to_compare_with_is_no_match() -> None:
    queries = [Query.of(BIRDS, "7")]
    assert find_matches(queries, {}, n=8, min_overlap=0.5) == []
    assert find_matches([], {"test": queries}, n=8, min_overlap=0.5) == []
    assert find_matches([Query.of("", "7")], {"test": [Query.of("", "8")]}, n=8, min_overlap=0.5) == []
