"""Which prompt asks which query, where the benchmarks of one evaluation have prompts of their own. Pure.

A query that stands in two benchmarks is asked once, so that both have to ask it in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dartune.errors import ConfigError
from dartune.evaluation.record import BenchmarkRecord
from dartune.evaluation.rows import BenchmarkRow
from dartune.prompts import Template
from dartune.queries import QuerySet


def template_of_all(
    benchmarks: Mapping[str, QuerySet], template: Template, by_benchmark: Mapping[str, Template]
) -> Template:
    """`template`, that renders the problems of a benchmark in `by_benchmark` as the one that is given there.

    Raises ConfigError where a problem stands in two benchmarks that ask in different ways.
    """
    if not by_benchmark:
        return template
    own: dict[str, tuple[str, Template]] = {}
    for name, queries in benchmarks.items():
        asked = by_benchmark.get(name, template)
        for query in queries.queries:
            other, known = own.setdefault(query.text, (name, asked))
            if known.name != asked.name:
                raise _two_ways((other, known.name), (name, asked.name))
    return replace(template, render=lambda text: own[text][1].render(text) if text in own else template.render(text))


def refuse_other_prompts(
    benchmarks: Mapping[str, QuerySet],
    template: Template,
    by_benchmark: Mapping[str, Template],
    before: Sequence[BenchmarkRecord],
    rows: Mapping[str, Sequence[BenchmarkRow]],
) -> None:
    """Raise ConfigError where a query was asked in another way for a benchmark of `before`, with its `rows`."""
    asked = {
        row.query_id: (part.name, part.template or template.name) for part in before for row in rows.get(part.name, ())
    }
    for name, queries in benchmarks.items():
        way = by_benchmark.get(name, template).name
        for query in queries.queries:
            known = asked.get(query.id)
            if known is not None and known[1] != way:
                raise _two_ways(known, (name, way))


def _two_ways(first: tuple[str, str], second: tuple[str, str]) -> ConfigError:
    (one, way), (other, other_way) = first, second
    return ConfigError(
        f"--template: {one} is asked with {way} and {other} with {other_way}, but they share problems, which are asked "
        "once; evaluate the two into different folders, or name one template"
    )
