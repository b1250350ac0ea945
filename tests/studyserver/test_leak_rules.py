"""What the leak check calls a leak, on made-up observations."""

import random

import pytest

from studyserver.leak_rules import Subject, differences_within_clip, telltales


def pairs(visits=4, per_visit=20, hidden=2, **observables):
    """Subjects of a fair study: hidden pairs at random places; observables are functions of (kind, place, random)."""
    rng = random.Random(1)
    subjects = []
    for _ in range(visits):
        places = rng.sample(range(1, per_visit + 1), hidden)
        for place in range(1, per_visit + 1):
            kind = "verification" if place in places else "test"
            values = {name: tell(kind, place, rng) for name, tell in observables.items()}
            subjects.append(Subject({"kind": kind}, f"clip{rng.randrange(3)}", place, values))
    return subjects


@pytest.mark.parametrize(
    "tell",
    [
        lambda kind, place, rng: "same for all",
        lambda kind, place, rng: place,
        lambda kind, place, rng: rng.random(),
        lambda kind, place, rng: f"{rng.getrandbits(128):032x}",
        lambda kind, place, rng: rng.choice((True, False)),
    ],
    ids=["constant", "place", "noise", "random text", "coin"],
)
def test_what_says_nothing_is_no_leak(tell):
    assert telltales(pairs(seen=tell), "kind") == []


@pytest.mark.parametrize(
    ("tell", "words"),
    [
        (lambda kind, place, rng: kind == "test", "is "),
        (lambda kind, place, rng: rng.random() + 2 * (kind != "test"), "at least"),
        (lambda kind, place, rng: ("v" if kind != "test" else "t") + f"{rng.getrandbits(64):x}", "character 1 is"),
        (lambda kind, place, rng: f"{rng.getrandbits(64):016x}" * (1 + (kind != "test")), "length of 32 or more"),
    ],
    ids=["flag", "amount", "prefix", "length"],
)
def test_what_separates_the_hidden_pairs_is_named_with_its_rule(tell, words):
    (line,) = telltales(pairs(seen=tell), "kind")
    assert line.startswith("seen tells kind") and words in line


def test_a_key_that_only_hidden_pairs_have_is_found():
    subjects = pairs(other=lambda kind, place, rng: 1)
    for subject in subjects:
        if subject.groups["kind"] == "verification":
            subject.values["gold"] = True
    (line,) = telltales(subjects, "kind")
    assert line.startswith("gold tells kind")


def test_a_fixed_place_of_the_hidden_pairs_is_found():
    subjects = [
        Subject({"kind": "verification" if place in (7, 12) else "test"}, f"clip{place % 3}", place, {})
        for _ in range(4)
        for place in range(1, 21)
    ]
    lines = telltales(subjects, "kind")
    assert any(line.startswith("the place in the session tells kind") for line in lines)


def test_a_clip_that_only_hidden_pairs_use_is_found():
    subjects = pairs()
    marked = [
        Subject(s.groups, "extra" if s.groups["kind"] == "verification" else s.clip, s.place, s.values)
        for s in subjects
    ]
    assert any(line.startswith("the clip tells kind") for line in telltales(marked, "kind"))


def test_files_of_a_clip_must_be_alike_and_may_differ_between_clips():
    files = [
        Subject({"condition": condition}, clip, None, {"bytes": size})
        for clip, size in (("cat", 1000), ("dog", 2000))
        for condition in ("original", "noise", "blur")
    ]
    assert differences_within_clip(files, "condition") == []
    files[2].values["bytes"] = 1008
    (line,) = differences_within_clip(files, "condition")
    assert line == "bytes tells the condition of clip cat: 1000 for noise, original; 1008 for blur"
    assert differences_within_clip(files, "condition", but=("bytes",)) == []
