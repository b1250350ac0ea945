"""The check before a study opens: its rules one by one, what it reads, and the gate."""

import json
import shutil
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from studyserver.errors import StudyNotReady
from studyserver.findings import PASSED, REFUSED, WARNING
from studyserver.models import Condition, Stimulus, Study
from studyserver.selectors import plan_of, study_facts
from studyserver.services import import_stimulus_set, study_open, study_require_ready, study_set_design
from studyserver.study_check import check, planned_totals
from studyserver.study_facts import FileFacts, SourceFacts, StimulusFacts, StudyFacts

TAGS = {"matrix": "bt709", "range": "limited", "primaries": "bt709", "transfer": "bt709"}
KINDS = {"reference": "reference", "fgsm": "attack", "ioi": "attack", "verification": "verification"}


@pytest.fixture(scope="module")
def facts():
    """A sound study on two sources with two attacks each, with the settings of a new study."""
    fresh = Study(target_gain=0.1, gain_tolerance=0.02, strength_match="clip", interval_width=0, title="Cats")
    file = FileFacts(bytes=5000, sha256=None, width=64, height=48, seconds=1.0, colour=TAGS)
    stimuli = [
        StimulusFacts(
            source=source,
            condition=condition,
            kind=kind,
            bytes=5000,
            sha256="a" * 64,
            width=64,
            height=48,
            frames=25,
            seconds=1.0,
            gain=0.1 if kind == "attack" else 0.0,
            linf={"fgsm": 6.0, "ioi": 3.0}.get(condition),
            retention=1.0 if kind == "attack" else None,
            file=file,
        )
        for source in ("clip0", "clip1")
        for condition, kind in KINDS.items()
    ]
    return StudyFacts(
        plan=plan_of(fresh),
        sources=(SourceFacts("clip0", TAGS, ()), SourceFacts("clip1", TAGS, ())),
        stimuli=tuple(stimuli),
        test_pairs=6,
        verification_pairs=2,
        null_pairs=2,
        invitations=0,
        minutes=2,
    )


def levels(facts, **options):
    return {item.rule: item.level for item in check(facts, **options)}


def finding(facts, rule):
    return next(item for item in check(facts) if item.rule == rule)


def with_plan(facts, **settings):
    return replace(facts, plan=replace(facts.plan, **settings))


def with_stimulus(facts, number, **changes):
    stimuli = list(facts.stimuli)
    stimuli[number] = replace(stimuli[number], **changes)
    return replace(facts, stimuli=tuple(stimuli))


def with_file(facts, number, **changes):
    return with_stimulus(facts, number, file=replace(facts.stimuli[number].file, **changes))


def first(facts, kind):
    return next(index for index, item in enumerate(facts.stimuli) if item.kind == kind)


def test_a_sound_set_is_refused_nothing(facts):
    assert REFUSED not in levels(facts).values()
    assert all(item.advice for item in check(facts) if item.level != PASSED)


def test_a_study_without_pairs_says_only_that(facts):
    assert levels(replace(facts, test_pairs=0)) == {"Pairs": REFUSED}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bytes": None}, "missing"),
        ({"bytes": 7}, "7 instead of"),
        ({"sha256": "0" * 64}, "sha256 differs"),
        ({"fault": "it is damaged"}, "it is damaged"),
    ],
)
def test_spoilt_files(facts, changes, words):
    found = finding(with_file(facts, 0, **changes), "Files")
    assert found.level == REFUSED and words in found.found and facts.stimuli[0].name in found.found


@pytest.mark.parametrize("changes", [{"width": 32}, {"seconds": 2.0}])
def test_files_that_are_not_as_recorded(facts, changes):
    assert levels(with_file(facts, 1, **changes))["Size and length"] == REFUSED


@pytest.mark.parametrize("tag", ["matrix", "range", "primaries", "transfer"])
def test_colour_tags(facts, tag):
    colour = dict(facts.sources[0].colour)
    for said in (None, "other"):
        found = finding(with_file(facts, 0, colour={**colour, tag: said}), "Colour tags")
        assert found.level == REFUSED and tag in found.found
    source = replace(facts.sources[0], colour={**colour, tag: ""})
    assert levels(replace(facts, sources=(source, *facts.sources[1:])))["Colour tags"] == REFUSED


def test_strengths_of_every_match(facts):
    attack = first(facts, "attack")
    assert levels(with_stimulus(facts, attack, gain=0.1021))["Strength"] == REFUSED
    assert levels(with_stimulus(facts, attack, gain=0.1019))["Strength"] == PASSED
    assert levels(with_stimulus(facts, attack, gain=None))["Strength"] == REFUSED
    # Of a dataset the mean counts: one clip above and one below.
    label = facts.stimuli[attack].condition
    one, two = (index for index, item in enumerate(facts.stimuli) if item.condition == label)
    spread = with_stimulus(with_stimulus(facts, one, gain=0.05), two, gain=0.15)
    assert levels(with_plan(spread, strength_match="dataset"))["Strength"] == PASSED
    assert levels(with_plan(spread, strength_match="clip"))["Strength"] == REFUSED
    # Both tiny attacks have a largest change of their own.
    by_linf = with_plan(facts, target_gain=None, target_linf=6.0, strength_match="linf")
    assert levels(by_linf)["Strength"] == REFUSED
    assert levels(with_plan(facts, target_gain=None))["Strength"] == WARNING


def test_retention(facts):
    attack = first(facts, "attack")
    weak = with_stimulus(facts, attack, retention=0.4)
    assert levels(weak)["Retention"] == WARNING
    assert levels(with_plan(weak, retention_floor=0.5))["Retention"] == REFUSED
    assert levels(with_plan(weak, retention_floor=0.4))["Retention"] == PASSED
    source = replace(facts.sources[0], below_floor=("fgsm",))
    found = finding(replace(facts, sources=(source, *facts.sources[1:])), "Retention")
    assert found.level == REFUSED and "clip0 / fgsm" in found.found


@pytest.mark.parametrize("changes", [{"bytes": 1}, {"frames": 24}, {"seconds": 0.96}, {"width": 62}])
def test_files_that_tell_the_condition(facts, changes):
    assert levels(with_stimulus(facts, 2, **changes))["Alike in size"] == REFUSED


def test_a_condition_that_is_missing_on_a_source(facts):
    attack = first(facts, "attack")
    fewer = replace(facts, stimuli=facts.stimuli[:attack] + facts.stimuli[attack + 1 :])
    found = finding(fewer, "Conditions")
    assert found.level == WARNING and facts.stimuli[attack].name in found.found


def test_too_few_clips_for_the_wanted_width(facts):
    wanting = with_plan(facts, interval_width=0.3)
    found = finding(wanting, "Clips")
    assert found.level == REFUSED
    # 8 / (3 * 10) + 2 * 0.25 over 0.3 / 1.96 squared.
    assert "needs 33 clips" in found.found and "Add 31 clips" in found.advice
    assert levels(wanting, pilot=True)["Clips"] == WARNING
    assert levels(with_plan(wanting, demonstration=True))["Clips"] == WARNING
    assert levels(with_plan(facts, interval_width=1.5))["Clips"] == PASSED


def test_pairs_that_a_session_wants(facts):
    assert levels(replace(facts, verification_pairs=0))["Verification pairs"] == REFUSED
    assert levels(with_plan(facts, verification_pairs=3))["Verification pairs"] == REFUSED
    assert levels(with_plan(facts, training_pairs=0))["Verification pairs"] == PASSED
    assert levels(with_plan(facts, repeat_pairs=7))["Session"] == REFUSED
    assert levels(with_plan(facts, null_pairs=3))["Session"] == REFUSED
    assert levels(with_plan(facts, pairs_per_session=6))["Session"] == PASSED
    assert levels(replace(facts, minutes=26))["Session"] == WARNING


@pytest.mark.parametrize(
    ("rule", "chosen", "level"),
    [
        ("Sides", {"votes_per_pair": 9}, WARNING),
        ("Presentation", {"presentation": "side-by-side", "max_side_width": 60}, WARNING),
        ("Consent", {"consent_text": " \n"}, REFUSED),
        ("Codes", {"full_code": ""}, REFUSED),
        ("Codes", {"full_code": "SAME", "completion_code": "same"}, REFUSED),
        ("Codes", {"completion_url": "https://example.org/done"}, WARNING),
        ("Codes", {"completion_url": "https://example.org/done?cc={code}"}, PASSED),
        ("Payment", {"reward": 2}, PASSED),
        ("Entry", {"invitation_only": True}, WARNING),
        ("Entry", {"demonstration": True}, WARNING),
    ],
)
def test_settings(facts, rule, chosen, level):
    assert levels(with_plan(facts, **chosen))[rule] == level


def test_planned_totals(facts):
    from decimal import Decimal

    plan = with_plan(facts, pairs_per_session=4, votes_per_pair=10, reward=Decimal("1.50"), fee_percent=Decimal(40))
    totals = planned_totals(plan)
    # 6 pairs of 10 votes, 4 a session.
    assert (totals.votes, totals.participants, totals.cost) == (60, 15, Decimal("31.50"))
    trials = 3 + 4 + 2 + 1 + 1
    assert totals.megabytes == round(trials * 2 * 5000 / 1e6, 1)
    # However few pairs a session could be filled with, a pair needs ten people.
    assert planned_totals(with_plan(facts, pairs_per_session=18)).participants == 10


def test_the_gate_names_every_reason(draft):
    study_set_design(study=draft, verification_pairs=3, full_code=draft.technical_code)
    with pytest.raises(StudyNotReady) as refused:
        study_open(study=draft)
    assert "Verification pairs:" in str(refused.value) and "Codes:" in str(refused.value)
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


@pytest.mark.slow
def test_a_changed_file_is_seen_in_its_contents_only_when_they_are_read(draft, tiny_set):
    path = settings.MEDIA_ROOT / Stimulus.objects.first().media
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + b"x")
    assert levels(study_facts(draft))["Files"] == PASSED
    assert levels(study_facts(draft, read_contents=True))["Files"] == REFUSED
    with pytest.raises(StudyNotReady, match="other contents"):
        study_open(study=draft)
    path.write_bytes(b"no video" + content[8:])
    assert levels(study_facts(draft))["Files"] == REFUSED
    # The same set again puts it back.
    import_stimulus_set(slug="cats", folder=tiny_set)
    assert levels(study_facts(draft, read_contents=True))["Files"] == PASSED
    assert path.read_bytes() == content


def test_a_pilot_passes_where_the_clips_are_too_few(draft):
    study_set_design(study=draft, interval_width=0.3)
    with pytest.raises(StudyNotReady, match="needs 33 clips"):
        study_require_ready(study=draft)
    study_require_ready(study=draft, pilot=True)


def test_the_command_says_the_same(draft, capsys):
    call_command("check_study", "cats", json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["ready"] and document["totals"]["participants"] == 10
    assert {item["level"] for item in document["findings"]} == {PASSED, WARNING}
    Stimulus.objects.filter(condition__kind=Condition.Kind.ATTACK).update(gain_delivered=0.2)
    with pytest.raises(CommandError, match="does not open as it is: Strength") as error:
        call_command("check_study", "cats")
    assert error.value.returncode == 1
    assert "refused  Strength: 4 outside" in capsys.readouterr().out


@pytest.mark.slow
def test_import_and_open_prints_what_stands_in_the_way(db, tiny_set, tmp_path, capsys):
    with pytest.raises(CommandError, match="Clips: 2 clips with 10 votes"):
        call_command("import_stimuli", str(tiny_set), study="cats", open=True)
    assert Study.objects.get().status == Study.Status.DRAFT
    with pytest.raises(CommandError, match="from 0 to 5"):
        call_command("import_stimuli", str(tiny_set), study="dogs", interval_width=-1.0)
    copy = shutil.copytree(tiny_set, tmp_path / "copy")
    call_command("import_stimuli", str(copy), study="dogs", interval_width=0.0, open=True)
    assert Study.objects.get(slug="dogs").status == Study.Status.OPEN
