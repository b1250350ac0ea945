"""Checks of what a study is planned from."""

import math
from collections.abc import Mapping

from analysis.errors import InvalidOption
from analysis.options import check_choice, check_level
from analysis.planning.plan_design import SessionCosts

__all__ = ["UNITS", "check_plan"]

UNITS = ("logit", "jod")
_AT_LEAST_ONE = ("clips", "participants", "votes_each")
_POSITIVE = ("half_width", "difference")
_NOT_NEGATIVE = ("clip_effect", "spread")


def check_plan(given: Mapping[str, object]) -> None:
    """Raise InvalidOption unless a study can be planned from these arguments of `plan_study`."""
    check_level(given["level"])
    if not _is_count(given["conditions"], least=2):
        raise InvalidOption(f"conditions is {given['conditions']}; a ranking needs a whole number of at least 2")
    check_choice("unit", given["unit"], UNITS)
    for name in _AT_LEAST_ONE:
        if given[name] is not None and not _is_count(given[name], least=1):
            raise InvalidOption(f"{name} is {given[name]}; expected a whole number of at least 1")
    for name in _POSITIVE:
        if given[name] is not None and not 0 < given[name] < math.inf:
            raise InvalidOption(f"{name} is {given[name]!r}; expected a finite number above 0")
    for name in _NOT_NEGATIVE:
        if not 0 <= given[name] < math.inf:
            raise InvalidOption(f"{name} is {given[name]!r}; expected a finite number of at least 0")
    if not 1 <= given["design_effect"] < math.inf:
        raise InvalidOption(f"design_effect is {given['design_effect']!r}; expected a finite number of at least 1")
    if not 0 <= given["lost"] < 1:
        raise InvalidOption(f"lost is {given['lost']!r}; expected a share of at least 0 and below 1, such as 0.1")
    if not 0.5 <= given["power"] < 1:
        raise InvalidOption(f"power is {given['power']!r}; expected a probability from 0.5 to below 1, such as 0.8")
    _check_costs(given["costs"] or SessionCosts())


def _is_count(value: float, *, least: int) -> bool:
    return least <= value < math.inf and value % 1 == 0


def _check_costs(costs: SessionCosts) -> None:
    for name in ("clip_seconds", "answer_seconds", "extra_pairs", "extra_minutes", "pay", "pay_per_hour", "fee"):
        value = getattr(costs, name)
        if value is not None and not 0 <= value < math.inf:
            raise InvalidOption(f"{name} is {value!r}; expected a finite number of at least 0")
    if costs.plays not in (1, 2):
        raise InvalidOption(f"plays is {costs.plays!r}; expected 1 (side by side) or 2 (one after the other)")
    if costs.pay is not None and costs.pay_per_hour is not None:
        raise InvalidOption("pay and pay_per_hour are both given; expected one of them")
