"""Which methods a plan compares: the recipe's own first, then what else could be done with the same queries (pure)."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dartune.config import GiveUpConfig, MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod

Family = Literal["recipe", "tries", "exponent", "giving up", "cap", "target"]
"""What sets a variant apart: the recipe's own methods, VRT's tries, alpha, when queries are given up, cap, k."""

_ALPHAS = (0.0, 0.5, 1.0, 2.0)
_RULES = {
    "give up": GiveUpConfig(),
    "give up early": GiveUpConfig(below=0.5, min_yield=1.0),
    "give up nobody": None,
}
_CAP_FACTORS = (1 / 16, 1 / 4, 4.0)
_TARGET_FACTORS = (1 / 4, 1 / 2, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One method to be compared."""

    name: str
    family: Family
    method: MethodConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """The methods from which variants are derived: the recipe's first of each policy, or the paper's."""

    vanilla: VanillaMethod
    uniform: UniformMethod
    prop2diff: Prop2DiffMethod


def bases(methods: Mapping[str, MethodConfig]) -> Bases:
    """The base of each policy; where a recipe lacks one, the paper's with the cap of the recipe's largest."""
    own = list(methods.values())
    cap = max((m.max_trials for m in own if not isinstance(m, VanillaMethod)), default=2048)
    return Bases(
        vanilla=next(
            (m for m in own if isinstance(m, VanillaMethod)), VanillaMethod(policy="vanilla", n_trials=min(64, cap))
        ),
        uniform=next(
            (m for m in own if isinstance(m, UniformMethod)),
            UniformMethod(policy="uniform", k=min(40, cap), max_trials=cap, n_pilot=min(16, cap)),
        ),
        prop2diff=next(
            (m for m in own if isinstance(m, Prop2DiffMethod)),
            Prop2DiffMethod(policy="prop2diff", k=min(192, cap), max_trials=cap, n_pilot=min(52, cap)),
        ),
    )


def variants(methods: Mapping[str, MethodConfig]) -> list[Variant]:
    """The recipe's own methods, then every other that differs from them and from those before it."""
    found = [Variant(name=name, family="recipe", method=method) for name, method in methods.items()]
    seen = {_key(method) for method in methods.values()}
    for variant in _derived(bases(methods)):
        if _key(variant.method) not in seen:
            seen.add(_key(variant.method))
            found.append(variant)
    return found


def with_cap(method: UniformMethod | Prop2DiffMethod, max_trials: int) -> UniformMethod | Prop2DiffMethod | None:
    """The method with another cap; None where its target or pilot would not fit."""
    if max_trials < max(method.k, method.n_pilot if _has_pilot(method) else 1, getattr(method, "cover", 1)):
        return None
    changes = {"max_trials": max_trials, "n_pilot": min(method.n_pilot, max_trials)}
    return method.model_copy(update=changes)


def with_target(method: UniformMethod | Prop2DiffMethod, k: int) -> UniformMethod | Prop2DiffMethod | None:
    """The method with another k; None where its cap is below it."""
    return method.model_copy(update={"k": k}) if 1 <= k <= method.max_trials else None


def _derived(base: Bases) -> Iterator[Variant]:
    tries = base.vanilla.n_trials
    for n in (max(1, tries // 4), tries, 4 * tries):
        yield Variant(name=f"vrt {n:,} tries", family="tries", method=VanillaMethod(policy="vanilla", n_trials=n))
    for alpha in _ALPHAS:
        other = base.prop2diff.model_copy(update={"alpha": alpha, "give_up": None})
        yield Variant(name=f"prop2diff alpha {alpha:g}", family="exponent", method=other)
    both: tuple[UniformMethod | Prop2DiffMethod, ...] = (base.uniform, base.prop2diff)
    for method in both:
        for words, rule in _RULES.items():
            # A pilot beyond the target would cost more than giving up saves.
            changes = {"give_up": rule, "n_pilot": min(method.n_pilot, math.ceil(method.k))}
            changed = method.model_copy(update=changes if isinstance(method, UniformMethod) else {"give_up": rule})
            yield Variant(name=f"{method.policy} {words}", family="giving up", method=changed)
    for method in both:
        for factor in _CAP_FACTORS:
            cap = round(method.max_trials * factor)
            if (capped := with_cap(method, cap)) is not None:
                yield Variant(name=f"{method.policy} cap {cap:,}", family="cap", method=capped)
    for method in both:
        for factor in _TARGET_FACTORS:
            k = max(1, round(method.k * factor))
            if (aimed := with_target(method, k)) is not None:
                yield Variant(name=f"{method.policy} k {k:,}", family="target", method=aimed)


def describe(method: UniformMethod | Prop2DiffMethod) -> str:
    """A method in a few words, e.g. "uniform k 40 cap 2,048"."""
    return f"{method.policy} k {method.k:g} cap {method.max_trials:,}"


def _has_pilot(method: UniformMethod | Prop2DiffMethod) -> bool:
    return isinstance(method, Prop2DiffMethod) or method.give_up is not None


def _key(method: MethodConfig) -> str:
    unused = {"equal_tokens_with"} if isinstance(method, Prop2DiffMethod) else {"equal_tokens_with", "n_pilot"}
    return method.model_dump_json(exclude=unused)
