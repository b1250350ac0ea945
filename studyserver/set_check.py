"""Rules about a study's stimulus set: whether its files are what the manifest says, and fit to be compared."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from studyserver.findings import PASSED, REFUSED, WARNING, Finding, listed
from studyserver.study_facts import COLOUR_TAGS, StimulusFacts, StudyFacts

__all__ = ["SET_RULES"]

_AGAIN = "Import the same set again from a whole copy: missing and changed files are put back."
_REMAKE = "Make the set again with this version of generate_stimuli."
# A low share is no fault of a set that asked for no floor, but little of the attack is left to be seen.
_LITTLE = 0.5


def files_are_whole(facts: StudyFacts) -> Finding:
    """Every file is there, as long as the manifest says, and the same where its contents were read."""
    faults = [f"{item.name} ({fault})" for item in facts.stimuli if (fault := _file_fault(item))]
    if faults:
        return Finding("Files", REFUSED, f"{len(faults)} of {len(facts.stimuli)}: {listed(faults)}.", _AGAIN)
    whole = " and contents" if facts.sha256_read else ""
    unread = "" if facts.sha256_read else "; their contents were not read this time"
    return Finding("Files", PASSED, f"All {len(facts.stimuli)} files have the sizes{whole} of the manifest{unread}.")


def _file_fault(item: StimulusFacts) -> str:
    if item.file.bytes is None:
        return "missing"
    if item.file.bytes != item.bytes:
        return f"{item.file.bytes:,} instead of {item.bytes:,} bytes"
    if item.file.sha256 not in (None, item.sha256):
        return "other contents, the sha256 differs"
    return item.file.fault


def pictures_are_as_recorded(facts: StudyFacts) -> Finding:
    """The files themselves have the size and the length of the manifest."""
    faults = []
    for item in _readable(facts):
        if (item.file.width, item.file.height) != (item.width, item.height):
            faults.append(f"{item.name} is {item.file.width} × {item.file.height}, not {item.width} × {item.height}")
        elif item.frames and abs(item.file.seconds - item.seconds) > item.seconds / item.frames:
            faults.append(f"{item.name} lasts {item.file.seconds:.2f} s, not {item.seconds:.2f} s")
    if faults:
        return Finding("Size and length", REFUSED, f"{listed(faults)}.", _REMAKE)
    return Finding("Size and length", PASSED, "As recorded, measured in the files.")


def colours_are_tagged(facts: StudyFacts) -> Finding:
    """All four colour tags stand in the manifest and, the same, in every file; players guess what is not said."""
    recorded = {source.name: source.colour for source in facts.sources}
    faults = [
        f"{name} has no {tag} in the manifest"
        for name, colour in recorded.items()
        for tag in COLOUR_TAGS
        if not colour.get(tag)
    ]
    faults += [f"{name} is not of limited range" for name, colour in recorded.items() if colour.get("range") == "full"]
    for item in _readable(facts):
        for tag in COLOUR_TAGS:
            said, wanted = (item.file.colour or {}).get(tag), recorded.get(item.source, {}).get(tag)
            if said is None:
                faults.append(f"the file of {item.name} has no {tag} tag")
            elif wanted and said != wanted:
                faults.append(f"the file of {item.name} says {tag} {said}, its manifest {wanted}")
    if faults:
        return Finding(
            "Colour tags",
            REFUSED,
            f"{len(faults)} faults: {listed(faults)}.",
            f"Two players may show such files in different colours. {_REMAKE}",
        )
    names = sorted({" / ".join(colour[tag] for tag in COLOUR_TAGS) for colour in recorded.values()})
    return Finding("Colour tags", PASSED, f"{listed(names)} (matrix / range / primaries / transfer), in every file.")


def strengths_are_matched(facts: StudyFacts) -> Finding:
    """Every attack has the target gain (or largest change) on the delivered files, within the set's tolerance."""
    plan, attacks = facts.plan, [item for item in facts.stimuli if item.kind == "attack"]
    tolerance = plan.gain_tolerance
    if plan.target_linf is not None:
        target, show, what = plan.target_linf, "{:.2f}".format, "largest changes, in 8-bit levels,"
        values = {item.name: item.linf for item in attacks}
    elif plan.target_gain is not None:
        target, show = plan.target_gain, "{:+.2%}".format
        by_condition = plan.strength_match == "dataset"
        what = "mean gains of the attacks" if by_condition else "gains of the delivered files"
        values = _means(attacks) if by_condition else {item.name: item.gain for item in attacks}
    else:
        return Finding(
            "Strength", WARNING, "The set names no target that its attacks were matched to.", f"To compare: {_REMAKE}"
        )
    slack = (tolerance or 0) * target
    missed = [
        f"{name} {'was not measured' if value is None else show(value)}"
        for name, value in values.items()
        if value is None or abs(value - target) > slack + 1e-9
    ]
    aim = f"{show(target)} ± {tolerance or 0:.1%} of it"
    if missed:
        advice = "Make the set again with another --gain or --tolerance, or without these attacks."
        return Finding("Strength", REFUSED, f"{len(missed)} outside of {aim}: {listed(missed)}.", advice)
    return Finding("Strength", PASSED, f"All {len(values)} {what} lie within {aim}.")


def _means(attacks: Iterable[StimulusFacts]) -> dict[str, float | None]:
    gains = defaultdict(list)
    for item in attacks:
        gains[item.condition].append(item.gain)
    return {name: None if None in values else sum(values) / len(values) for name, values in gains.items()}


def attacks_are_kept(facts: StudyFacts) -> Finding:
    """The files keep the share of each perturbation that the set asked for."""
    floor = facts.plan.retention_floor
    kept = {item.name: item.retention for item in facts.stimuli if item.kind == "attack"}
    known = [share for share in kept.values() if share is not None]
    lost = {f"{source.name} / {condition}" for source in facts.sources for condition in source.below_floor}
    if floor is not None:
        lost |= {name for name, share in kept.items() if share is not None and share < floor}
    if lost:
        named = [f"{name} ({kept[name]:.0%})" if kept.get(name) is not None else name for name in sorted(lost)]
        floor_text = "the floor" if floor is None else f"the floor of {floor:.0%}"
        advice = "Make the set again with a stronger target, --rounding dither, a lower --retention-floor, or without."
        return Finding("Retention", REFUSED, f"{len(lost)} below {floor_text}: {listed(named)}.", advice)
    if not known:
        return Finding("Retention", WARNING, "It was not measured.", _REMAKE)
    if floor is None and min(known) < _LITTLE:
        weak = sorted(name for name, share in kept.items() if share is not None and share < _LITTLE)
        advice = "The encoder removed most of these; --delivery auto keeps what a floor asks for."
        return Finding("Retention", WARNING, f"No floor was asked, and {listed(weak)} keep less than half.", advice)
    asked = "no floor was asked" if floor is None else f"the floor is {floor:.0%}"
    return Finding("Retention", PASSED, f"Every file keeps {min(known):.0%} of its attack's luma or more; {asked}.")


def files_of_a_source_are_alike(facts: StudyFacts) -> Finding:
    """No condition can be told from the bytes, the length or the size of its file."""
    sources = defaultdict(list)
    for item in facts.stimuli:
        sources[item.source].append(item)
    subjects: dict[str, Callable[[StimulusFacts], object]] = {
        "bytes": lambda item: item.bytes,
        "lengths": lambda item: (item.frames, item.seconds),
        "picture sizes": lambda item: (item.width, item.height),
    }
    faults = [
        f"{source} ({subject})"
        for source, items in sources.items()
        for subject, value in subjects.items()
        if len({value(item) for item in items}) > 1
    ]
    if faults:
        return Finding("Alike in size", REFUSED, f"Unequal files of one source: {listed(faults)}.", _REMAKE)
    return Finding("Alike in size", PASSED, "All files of a source have the same bytes, length and picture size.")


def every_source_has_every_condition(facts: StudyFacts) -> Finding:
    """The design is balanced: each attack is there on each source."""
    there = {(item.source, item.condition) for item in facts.stimuli if item.kind != "verification"}
    conditions = sorted({condition for _, condition in there})
    gaps = [
        f"{source.name} / {name}" for source in facts.sources for name in conditions if (source.name, name) not in there
    ]
    if gaps:
        advice = "Attacks that could not reach the target are left out of a set; these pairs get no votes."
        return Finding("Conditions", WARNING, f"{len(gaps)} missing: {listed(gaps)}.", advice)
    return Finding("Conditions", PASSED, f"{len(conditions)} conditions on each of {len(facts.sources)} sources.")


def _readable(facts: StudyFacts) -> list[StimulusFacts]:
    return [item for item in facts.stimuli if item.file.bytes is not None and not item.file.fault]


SET_RULES = (
    files_are_whole,
    pictures_are_as_recorded,
    colours_are_tagged,
    strengths_are_matched,
    attacks_are_kept,
    files_of_a_source_are_alike,
    every_source_has_every_condition,
)
