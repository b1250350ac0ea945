"""From the manifests of stimulus sets to tables of objective quality: one per metric, target and delivery."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis import QualityTable, objective_quality
from analysis.errors import InvalidQuality
from stimuli import Manifest

__all__ = ["ObjectiveTable", "objective_tables"]


@dataclass(frozen=True)
class ObjectiveTable:
    """A table, the attacks that reached the target nowhere or not on every source, and why LPIPS is not in it."""

    quality: QualityTable
    unreachable: tuple[dict, ...]
    without_lpips: str | None

    def to_document(self) -> dict:
        """As `--json` prints it."""
        return {
            **self.quality.about,
            "caption": self.quality.table.caption,
            "conditions": [dataclasses.asdict(condition) for condition in self.quality.conditions],
            "unreachable": list(self.unreachable),
            "without_lpips": self.without_lpips,
        }


def objective_tables(manifests: Iterable[Manifest]) -> list[ObjectiveTable]:
    """Sets of the same metric, target, delivery and LPIPS weights share a table, in the order of the first of each.

    Raises InvalidQuality where a table has no attack, and for a stimulus that two of its sets hold.
    """
    groups: dict[tuple, list[Manifest]] = {}
    for manifest in manifests:
        files = sorted(manifest.lpips.files.items()) if manifest.lpips else ()
        groups.setdefault((*_about(manifest).values(), *files), []).append(manifest)
    return [_table(sets, label=f"tab:objective-{number}") for number, sets in enumerate(groups.values(), start=1)]


def _about(manifest: Manifest) -> dict[str, object]:
    """What stimuli must have in common to stand in one table."""
    metric, gain, delivery = manifest.target_metric, manifest.gain, manifest.delivery
    return {
        "target_metric": metric.name,
        "weights_sha256": metric.weights_sha256,
        "window": metric.window,
        "match": gain.match,
        "gain": gain.target,
        "gain_form": gain.form,
        "linf": gain.linf,
        "tolerance": gain.tolerance,
        "delivery": delivery.profile,
        "retention_floor": delivery.retention_floor,
        "rounding": manifest.rounding,
    }


def _table(sets: Sequence[Manifest], *, label: str) -> ObjectiveTable:
    rows = _rows(sets)
    unreachable = [item for manifest in sets for item in manifest.unreachable]
    if all(row["condition"] == "reference" for row in rows):
        why = f"none of its {len(unreachable)} reached the target" if unreachable else "it has only the reference"
        raise InvalidQuality(
            f"no attack is in the set against {sets[0].target_metric.name} at {_target(sets[0])}: {why}; leave it out, "
            "or make one with generate_stimuli"
        )
    caption = (
        f"Objective quality of attacks on {sets[0].target_metric.title.partition(':')[0]} at {_target(sets[0])}: "
        f"delivered files ({_delivery(sets[0])}) against their sources."
    )
    if unreachable:
        sources = len({row["source"] for row in rows})
        missed = Counter(item.condition for item in unreachable)
        counts = ", ".join(f"{condition} on {count} of {sources} sources" for condition, count in missed.items())
        caption += f" Not reached: {counts}."
    return ObjectiveTable(
        objective_quality(rows, caption=caption, label=label, about=_about(sets[0])),
        tuple({"source": item.source, "condition": item.condition, "reason": item.reason} for item in unreachable),
        _without_lpips(sets[0]),
    )


def _rows(sets: Sequence[Manifest]) -> list[dict]:
    """One per stimulus, as `objective_quality` takes them; sources are told apart by their content, not by name."""
    rows = {}
    for number, manifest in enumerate(sets):
        clips = {source.id: f"{source.id} ({source.sha256[:8]}, {source.frames} frames)" for source in manifest.sources}
        for stimulus in manifest.stimuli:
            # Sets with other attacks of the same source have the same reference; an attack must be there once.
            of_set = None if stimulus.attack is None else number
            row = {
                "source": clips[stimulus.source],
                "condition": stimulus.condition,
                "gain_delivered": stimulus.gain_delivered,
                "speed_matched": stimulus.speed_matched,
                **dataclasses.asdict(stimulus.quality),
            }
            rows.setdefault((of_set, row["source"], row["condition"]), row)
    return list(rows.values())


def _target(manifest: Manifest) -> str:
    gain = manifest.gain
    if gain.match == "linf":
        return f"a largest change of {gain.linf:g} levels"
    form = "relative gain" if gain.form == "relative" else "gain relative to the metric's range"
    of = "each file" if gain.match == "clip" else "the mean over files"
    return f"a {form} of +{100 * gain.target:g} % in {of} (within {100 * gain.tolerance:g} % of it)"


def _delivery(manifest: Manifest) -> str:
    profile, floor = manifest.delivery.profile, manifest.delivery.retention_floor
    return profile if floor is None else f"{profile}, retention floor {floor:g}"


def _without_lpips(manifest: Manifest) -> str | None:
    if manifest.lpips is None:
        return "the set is from before LPIPS was measured; run its generate_stimuli command again"
    if manifest.lpips.missing:
        return (
            f"the machine that measured the set lacked {', '.join(manifest.lpips.missing)}; run its generate_stimuli "
            "command again where they are: nothing else is made again"
        )
    return None
