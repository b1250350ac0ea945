"""Model participants: who they are, what they do, and what a cohort of them leaves behind."""

import json
from collections import Counter
from datetime import UTC, datetime

import pandas
import pytest
from django.core.management import CommandError, call_command

from studyserver.errors import StudyError
from studyserver.models import Participant, Session, Study, Trial, Vote
from studyserver.selectors import vote_reasons, vote_table
from studyserver.services import places_reclaim, study_set_design
from studyserver.simulation import leaving_points, simulate_votes
from studyserver.simulation_personas import PERSONAS, Person, assign_personas, read_personas
from studyserver.simulation_result import SimulationResult
from studyserver.simulation_truth import true_scores
from tests.studyserver.synthetic_study import make_materials

EVERY_STEP = {
    "training_pairs": 2,
    "quiz_questions": 3,
    "verification_pairs": 2,
    "repeat_pairs": 1,
    "null_pairs": 1,
    "questionnaire": True,
    "check_environment": True,
    "calibration": "optional",
}


def test_shares_are_exact_and_the_rest_is_honest():
    people = assign_personas({"drop-out": 0.3, "lazy": 0.1, "bot": 0.005}, 500, 25, seed=1)
    counts = Counter(people)
    assert len(people) == 500 and counts["spammer"] == 25
    assert people == assign_personas({"drop-out": 0.3, "lazy": 0.1, "bot": 0.005}, 500, 25, seed=1)
    assert people != assign_personas({"drop-out": 0.3, "lazy": 0.1, "bot": 0.005}, 500, 25, seed=2)
    without = Counter(assign_personas({"drop-out": 0.3, "lazy": 0.1, "bot": 0.005}, 500, 0, seed=1))
    assert without["drop-out"] == 150 and without["lazy"] == 50 and without["bot"] in (2, 3)
    assert without["honest"] == 500 - 150 - 50 - without["bot"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("honst=0.5", "no persona 'honst'; there are: honest, lazy"),
        ("lazy", "must be a number from 0 to 1"),
        ("lazy=2", "must be a number from 0 to 1"),
        ("lazy=nan", "must be a number from 0 to 1"),
        ("lazy=0.7,bot=0.7", "add up to 1.4"),
        ("lazy=0.1,lazy=0.2", "named twice"),
    ],
)
def test_shares_that_make_no_sense_are_one_sentence(text, words):
    with pytest.raises(StudyError, match=words):
        read_personas(text)
    assert read_personas(" honest=0.8, lazy=0.1,") == {"honest": 0.8, "lazy": 0.1}


def answers(name, difference=2.0, tie=True, count=400):
    return Counter(Person(name, 1, index).choice("active 1 1", difference, tie) for index in range(count))


def test_each_persona_answers_in_its_own_way():
    assert answers("honest")["left"] > 300 and answers("honest", -2.0)["right"] > 300
    assert 150 < answers("lazy")["tie"] < 250
    assert answers("left-clicker", -5.0) == {"left": 400}
    assert min(answers("bot").values()) > 100 and answers("bot", 5.0, tie=False)["tie"] == 0
    quick = [Person("bot", 1, index).response_ms("active 1 1") for index in range(100)]
    slow = [Person("honest", 1, index).response_ms("active 1 1") for index in range(100)]
    assert max(quick) < min(slow)


def test_drop_outs_leave_at_any_moment_and_some_come_back(study):
    assert leaving_points(study) == ["instructions", "training", *(f"pair {number}" for number in range(1, 8))]
    points = leaving_points(study_set_design(study=study, **EVERY_STEP))
    assert {"setup", "calibration", "training", "quiz", "pair 9", "questionnaire"} < set(points)
    people = [Person("drop-out", 1, index) for index in range(400)]
    left = Counter(person.leaving_point(points) for person in people)
    assert set(left) == set(points)
    assert 60 < sum(person.seconds_away() is not None for person in people) < 140
    assert all(Person(name, 1, 1).leaving_point(points) is None for name in PERSONAS if name != "drop-out")


def test_a_playback_is_what_a_player_sends():
    from studyserver.playback import clean_playback

    size = {"width": 640, "height": 360, "frames": 125, "fps": 25.0}
    person = Person("honest", 1, 1)
    for presentation in ("side-by-side", "sequential", "toggle"):
        record = person.playback("active 1 1", presentation=presentation, **size)
        assert clean_playback(json.loads(json.dumps(record))) == record
        assert record["play_ms"] == (10_000 if presentation == "sequential" else 5000)
        assert ("offsets" in record) == (presentation != "sequential")
    assert Person("bot", 1, 1).playback("active 1 1", presentation="toggle", **size)["play_ms"] < 1000


@pytest.mark.slow
def test_simulated_people_go_the_way_of_real_ones(study):
    study_set_design(study=study, **EVERY_STEP)
    result = simulate_votes(study=study, participants=1, seed=1)
    session = Session.objects.get()
    assert (session.participant.origin, session.state) == ("simulated", "completed")
    assert session.environment["problems"] == [] and session.calibration["px_per_cm"] > 0
    assert session.quiz[-1]["passed"] and session.answers["screen"]
    assert result.votes == Vote.objects.count() and result.personas["honest"].finished == 1
    kinds = Counter(session.trials.filter(vote__isnull=False).values_list("kind", flat=True))
    assert set(kinds) == {"training", "test", "verification", "repeat", "null"}
    assert session.consented_at < session.started_at < session.first_pair_at < session.completed_at


def test_nobody_is_simulated_in_a_study_without_pairs(db):
    Study.objects.create(slug="empty", title="Empty")
    with pytest.raises(CommandError, match="'empty' has no pairs to show"):
        call_command("simulate_votes", "empty", participants=1, seed=1)
    assert not Participant.objects.exists()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_votes_and_runs_once(study, tiny_set):
    from studyserver.services import import_stimulus_set
    from tests.studyserver.conftest import SHORT

    personas = {"lazy": 0.25, "drop-out": 0.25}
    simulate_votes(study=study, participants=4, seed=1, personas=personas)
    assert simulate_votes(study=study, participants=4, seed=1, personas=personas).votes == 0
    other = import_stimulus_set(slug="birds", folder=tiny_set, interval_width=0).study
    study_set_design(study=other, pairs_per_session=18, votes_per_pair=4, **SHORT)
    simulate_votes(study=other, participants=4, seed=1, personas=personas)
    columns = ["participant", "source", "left", "right", "choice", "kind", "position", "response_ms"]
    pandas.testing.assert_frame_equal(vote_table("cats")[columns], vote_table("birds")[columns])


@pytest.mark.slow
def test_worse_quality_loses_and_the_truth_is_recovered(study):
    from analysis import fit_bradley_terry

    study_set_design(study=study, pairs_per_session=6, votes_per_pair=60)
    truth = true_scores(study, seed=3)
    assert truth["reference"] > truth["ioi"] > truth["fgsm"]
    assert sum(truth.values()) == pytest.approx(0, abs=1e-9)
    simulate_votes(study=study, participants=60, seed=3)
    table = vote_table("cats")
    scores = fit_bradley_terry(table[table["kind"] == "test"]).scores
    assert list(scores.sort_values().index) == sorted(truth, key=truth.get)


@pytest.mark.slow
def test_the_rules_catch_careless_people_and_the_record_says_which(study):
    study_set_design(study=study, pairs_per_session=6, votes_per_pair=60, verification_pairs=2, training_pairs=0)
    shares = {"lazy": 0.2, "left-clicker": 0.2, "bot": 0.2}
    result = simulate_votes(study=study, participants=30, seed=4, personas=shares, spammers=6)
    assert sum(record.people for record in result.personas.values()) == 30
    honest, bots = result.personas["honest"], result.personas["bot"]
    assert honest.finished == honest.entered and sum(honest.votes_dropped.values()) < 0.2 * honest.votes
    assert bots.votes and sum(bots.votes_dropped.values()) == bots.votes
    reasons = Counter(reason for reason in vote_reasons(study).values() if reason)
    told = sum((Counter(record.votes_dropped) for record in result.personas.values()), Counter())
    assert reasons == told
    table = vote_table("cats").query("kind == 'verification'")
    spammers = {f"sim-4-{index}" for index, name in enumerate(assign_personas(shares, 30, 6, 4)) if name == "spammer"}
    own = table[table["participant"].isin(spammers)]
    assert 0 < (own["choice"] == own["expected"]).mean() < 0.9


@pytest.mark.slow
def test_a_cohort_larger_than_the_quota_is_turned_away_like_people(study):
    result = simulate_votes(study=study, participants=6, seed=1)
    assert (result.participants, result.turned_away) == (4, 2)
    assert places_reclaim(study=study) == 0


@pytest.mark.slow
def test_250_people_of_whom_many_leave_fill_every_quota_exactly(db):
    study = make_materials(Study.objects.create(slug="large", title="Large"), sources=4, conditions=4)
    quota, pairs = 12, 24
    study_set_design(
        study=study,
        pairs_per_session=3,
        votes_per_pair=quota,
        verification_pairs=1,
        repeat_pairs=1,
        null_pairs=0,
        training_pairs=0,
        quiz_questions=0,
        questionnaire=False,
        check_environment=False,
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    result = simulate_votes(study=study, participants=250, seed=7, personas={"drop-out": 0.3}, spammers=13, start=start)
    assert Session.objects.earliest("consented_at").consented_at == start
    left = result.personas["drop-out"]
    assert left.people > 65 and left.left > 25 and left.finished > 0 and result.turned_away > 25
    reasons = vote_reasons(study)
    votes = Vote.objects.select_related("trial").filter(trial__kind=Trial.Kind.TEST)
    counted = [vote.trial for vote in votes if not reasons[vote.pk]]
    # Every pair is at its quota, by different people, on both sides equally often.
    assert Counter(trial.pair_id for trial in counted) == {
        pair: quota for pair in study.pairs.filter(kind="test").values_list("pk", flat=True)
    }
    assert len(counted) == len({(trial.pair_id, trial.participant_id) for trial in counted}) == pairs * quota
    for showing, votes_of_side in Counter((trial.pair_id, trial.mirrored) for trial in counted).items():
        assert abs(2 * votes_of_side - quota) <= 1, showing
    # Numbers of places are held once, and what does not count is kept beside them.
    held = [(trial.pair_id, trial.number) for trial in counted]
    assert len(set(held)) == len(held)
    surplus = [vote for vote in votes if reasons[vote.pk]]
    assert len(surplus) > 50 and {vote.trial.state for vote in surplus} <= {"surplus", "expired", "answered"}
    assert not Trial.objects.filter(state=Trial.State.FREE).exists()
    # Nobody saw a pair twice but those marked as repeats.
    shown = Counter(
        Trial.objects.exclude(session=None).exclude(kind=Trial.Kind.REPEAT).values_list("participant", "pair")
    )
    assert set(shown.values()) == {1}


@pytest.mark.parametrize(("given", "people"), [("2", 2), ("0.5", 2), ("50%", 2), ("1.0", 4), ("9", 4)])
def test_spammers_are_a_number_of_people_or_a_share(study, monkeypatch, given, people):
    asked = []

    def record(*, participants, spammers, **_):
        asked.append(spammers)
        return SimulationResult(participants, spammers, turned_away=0, votes=0, truth={}, personas={})

    monkeypatch.setattr("studyserver.management.commands.simulate_votes.simulate_votes", record)
    call_command("simulate_votes", "cats", "--participants=4", "--seed=1", f"--spammers={given}", "--json")
    assert asked == [people]


@pytest.mark.slow
def test_the_command_simulates(study, capsys):
    arguments = ("--participants=2", "--seed=1", "--spammers=1", "--personas=lazy=0.5")
    call_command("simulate_votes", "cats", *arguments, "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["participants"], said["spammers"]) == (2, 1) and said["votes"] == Vote.objects.count() > 0
    assert sum(record["people"] for record in said["personas"].values()) == 2
    call_command("simulate_votes", "cats", *arguments)
    printed = capsys.readouterr().out
    assert "0 new votes" in printed and "spammer" in printed


def test_spammers_that_are_neither_are_refused(study):
    with pytest.raises(CommandError, match="must be a number of people"):
        call_command("simulate_votes", "cats", "--participants=4", "--seed=1", "--spammers=1.5")


def test_an_unknown_persona_is_refused(study):
    with pytest.raises(CommandError, match="there is no persona 'lasy'"):
        call_command("simulate_votes", "cats", "--participants=4", "--seed=1", "--personas=lasy=0.1")
