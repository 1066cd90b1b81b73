from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.queries.rows import Defect, Problem, Row, as_text, parse_level, read_row


@pytest.mark.parametrize(
    ("value", "level"),
    [(5, 5), (5.0, 5), ("5", 5), ("Level 5", 5), (" level 2 ", 2), (None, None), ("", None), (float("nan"), None)],
)
def test_levels_are_read_as_people_write_them(value: object, level: int | None) -> None:
    assert parse_level(value) == level


@pytest.mark.parametrize(
    "value", [0, -1, "0", 2.5, "hard", "Level ?", True, [5], float("inf"), 10**400, 1e300, "5" * 5000]
)
def test_other_levels_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match='expected a whole number from 1, alone or as "Level 5", got'):
        parse_level(value)


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (42, "42"), (1.5, "1.5"), (True, "True"), (None, ""), (float("nan"), "")]
)
def test_numbers_become_text(value: object, text: str) -> None:
    assert as_text(value) == text


def row_or_defect(**values: Any) -> Row | Defect:
    return read_row(7, Problem(**{"text": "1+1?", "ref_answer": "2", **values}))


def test_white_space_around_a_text_is_no_part_of_it() -> None:
    assert row_or_defect(text=" 1+1?\n", ref_answer="\t2 ", level="Level 3", domain=" Algebra") == Row(
        number=7, text="1+1?", ref_answer="2", level=3, domain="Algebra"
    )


@pytest.mark.parametrize(
    ("values", "field", "kind", "message"),
    [
        ({"text": None}, "text", "empty", "expected text, got nothing"),
        ({"ref_answer": " \n"}, "ref_answer", "empty", "expected text, got nothing"),
        ({"ref_answer": ["2"]}, "ref_answer", "malformed", 'expected text or a number, got ["2"]'),
        ({"text": "\ud800"}, "text", "malformed", r'expected valid Unicode, got "\ud800"'),
        ({"domain": {}}, "domain", "malformed", "expected text or a number, got {}"),
        ({"level": "x"}, "level", "malformed", 'expected a whole number from 1, alone or as "Level 5", got "x"'),
    ],
)
def test_a_defect_says_field_expected_and_got(values: dict[str, Any], field: str, kind: str, message: str) -> None:
    defect = row_or_defect(**values)
    assert isinstance(defect, Defect)
    assert (defect.number, defect.field, defect.kind, defect.message) == (7, field, kind, message)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@given(anything, anything, anything, anything)
def test_any_values_give_a_row_or_a_defect(text: Any, ref_answer: Any, level: Any, domain: Any) -> None:
    row = read_row(1, Problem(text=text, ref_answer=ref_answer, level=level, domain=domain))
    if isinstance(row, Row):
        assert row.text
        assert row.ref_answer
        assert row.level is None or row.level >= 1
    else:
        assert "\n" not in row.message
