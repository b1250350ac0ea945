"""The metrics of a benchmark: what tells each from another, and a process's small cache of built ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from attacks.metrics import TargetMetric, create_metric
from stimuli.errors import StimuliError
from stimuli.metric_identity import metric_identity

__all__ = ["MetricCache", "MetricSpec"]


@dataclass(frozen=True)
class MetricSpec:
    """How to build a metric, and which one must come out; a JSON document by `dataclasses.asdict`.

    registry_name: as given to create_metric; name: what tables call it. weights: a local file, None for the usual
    one. window: as asked for, None for the metric's own. identity: of stimuli.metric_identity.
    """

    registry_name: str
    name: str
    lower_better: bool
    weights: str | None
    window: int | None
    identity: dict


class MetricCache:
    """Builds metrics on `device`, and keeps those that were asked for last.

    build: as create_metric, for one's own metrics.
    """

    def __init__(self, device: str = "auto", build: Callable[..., TargetMetric] = create_metric) -> None:
        self._device, self._build = device, build
        self._built: dict[tuple, tuple[TargetMetric, dict]] = {}

    def describe(self, registry_name: str, weights: str | None, window: int | None) -> MetricSpec:
        """Build a metric to see what it is. Raises what create_metric does."""
        ((metric, identity),) = self._made([(registry_name, weights, window)])
        return MetricSpec(registry_name, metric.name, metric.lower_better, weights, window, identity)

    def get(self, specs: Sequence[MetricSpec]) -> list[TargetMetric]:
        """The metrics of `specs`; others are let go. Raises StimuliError where another one than described comes out."""
        made = self._made([(spec.registry_name, spec.weights, spec.window) for spec in specs])
        for spec, (_, found) in zip(specs, made, strict=True):
            if found != spec.identity:
                changed = ", ".join(key for key in found if found[key] != spec.identity.get(key))
                raise StimuliError(
                    f"The metric {spec.name!r} built here is not the one of the plan ({changed}); use the same files."
                )
        return [metric for metric, _ in made]

    def _made(self, keys: Sequence[tuple]) -> list[tuple[TargetMetric, dict]]:
        self._built = {key: made for key, made in self._built.items() if key in keys}
        for key in keys:
            if key not in self._built:
                name, weights, window = key
                options = {} if window is None else {"window": window}
                metric = self._build(name, device=self._device, weights=weights, **options)
                self._built[key] = metric, metric_identity(metric)
        return [self._built[key] for key in keys]
