"""A score table carried over into the domain of a reference metric, and words for what was done."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.errors import InvalidOption, InvalidTransport
from analysis.robustness.domain import PUBLISHED_NAMES, QuantileMap
from analysis.robustness.transport_file import read_transports

__all__ = ["DOMAINS", "Domain", "transformed"]

DOMAINS = ("raw", "quantile", "neural")
_PUBLISHED_REFERENCE = "mdtvsfa"


@dataclass(frozen=True)
class Domain:
    """What the scores of a report are. name: one of DOMAINS; reference_metric: whose domain; sentence: for captions."""

    name: str
    reference_metric: str | None
    sentence: str


def transformed(
    scores: pd.DataFrame, domain: str, *, reference_metric: str | None = None, transport: str | Path | None = None
) -> tuple[pd.DataFrame, Domain]:
    """A validated score table with its clear and attacked scores in `domain`, and what that is.

    raw: as they are. quantile: by the closed-form optimal transport between the clear scores of each metric and those
    of `reference_metric`, all in the table; `lower_better` becomes the reference's. neural: by the benchmark's
    published maps to MDTVSFA in the file `transport`. Raises InvalidOption, InvalidTransport, InvalidScores.
    """
    if domain not in DOMAINS:
        raise InvalidOption(f"domain is {domain!r}; expected {', '.join(DOMAINS[:-1])} or {DOMAINS[-1]}")
    if reference_metric is not None and domain != "quantile":
        raise InvalidOption(f"a reference metric is for the domain quantile, not for {domain}; leave it out")
    if (transport is not None) != (domain == "neural"):
        raise InvalidOption(
            "the domain neural needs the benchmark's file of maps, models_to_mdtvsfa_1d.pth"
            if domain == "neural"
            else f"a file of maps is for the domain neural, not for {domain}; leave it out"
        )
    if domain == "quantile":
        return _by_quantiles(scores, reference_metric)
    if domain == "neural":
        return _by_networks(scores, transport)
    return scores, Domain("raw", None, "Domain: raw (each metric's own scores).")


def _by_quantiles(scores: pd.DataFrame, reference_metric: str | None) -> tuple[pd.DataFrame, Domain]:
    metrics = sorted(scores["metric"].unique())
    if reference_metric not in metrics:
        asked = "needs a reference metric" if reference_metric is None else f"has no metric {reference_metric!r}"
        raise InvalidOption(f"the domain quantile {asked}; choose one of the scores': {', '.join(metrics)}")
    reference = _clear(scores, reference_metric)
    reference_lower_better = _lower_better(scores, reference_metric)

    def fitted(metric: str) -> QuantileMap:
        return QuantileMap.fit(
            _clear(scores, metric),
            reference,
            lower_better=_lower_better(scores, metric),
            reference_lower_better=reference_lower_better,
        )

    mapped = _mapped(scores, {metric: fitted(metric) for metric in metrics if metric != reference_metric})
    mapped["lower_better"] = reference_lower_better
    return mapped, Domain(
        "quantile",
        reference_metric,
        f"Domain: that of {reference_metric} (optimal transport by quantiles of the clear scores).",
    )


def _by_networks(scores: pd.DataFrame, transport: str | Path) -> tuple[pd.DataFrame, Domain]:
    published = read_transports(transport)
    metrics = sorted(scores["metric"].unique())
    available = {ours: published[theirs] for ours, theirs in PUBLISHED_NAMES.items() if theirs in published}
    without = [metric for metric in metrics if metric not in available]
    if without:
        raise InvalidTransport(
            f"{Path(transport).name} has no map for {', '.join(without)}, only for {', '.join(available)}; "
            "use the domain quantile, or score other metrics"
        )
    maps = {metric: available[metric] for metric in metrics}
    for metric, neural in maps.items():
        neural.require_range(_clear(scores, metric), metric)
    return _mapped(scores, maps), Domain(
        "neural",
        _PUBLISHED_REFERENCE,
        f"Domain: that of {_PUBLISHED_REFERENCE} (the benchmark's published neural optimal transport).",
    )


def _clear(scores: pd.DataFrame, metric: str) -> pd.Series:
    """The metric's clear scores, each frame once."""
    rows = scores[(scores["metric"] == metric).to_numpy()]
    return rows.drop_duplicates(["dataset", "source", "frame"])["clear"]


def _lower_better(scores: pd.DataFrame, metric: str) -> bool:
    return bool(scores["lower_better"].to_numpy()[(scores["metric"] == metric).to_numpy().argmax()])


def _mapped(scores: pd.DataFrame, maps: dict) -> pd.DataFrame:
    mapped = scores.copy()
    for metric, carry in maps.items():
        rows = (scores["metric"] == metric).to_numpy()
        for column in ("clear", "attacked"):
            mapped.loc[rows, column] = carry(scores.loc[rows, column].to_numpy())
    return mapped
