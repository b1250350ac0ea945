"""The two rules: their settings, the reasons they give, their versions, and what a change of rule does."""

import pathlib

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.html import escape

from studyserver.errors import InvalidRule
from studyserver.models import Rule, Trial, Vote
from studyserver.rules import PayRule, UseRule, default_rules, read_rule, rule_document, rule_settings
from studyserver.selectors import rule_compare, rule_in_force, rule_version, vote_reasons, vote_table
from studyserver.services import rule_set
from studyserver.verdicts import Answer, judge_payment, judge_playback, judge_session, judge_vote
from tests.studyserver.conftest import SMOOTH
from tests.studyserver.people import miss_verification, take_part

RULE = UseRule()
ROOT = pathlib.Path(__file__).resolve().parents[2]


def side(**changes):
    return {**SMOOTH["left"], **changes}


def judged(presentation="side-by-side", rule=RULE, **changes):
    return judge_playback({**SMOOTH, **changes}, rule, presentation, 1.0)


def answer(choice="left", kind="test", **changes):
    expected = "left" if kind == "verification" else None
    return Answer(
        **{
            "kind": kind,
            "choice": choice,
            "expected": expected,
            "response_ms": 900,
            "presentation": "side-by-side",
            "playback": SMOOTH,
            "clip_seconds": 1.0,
            **changes,
        }
    )


def answers(text, kind="test"):
    """One answer per letter: l, r or t."""
    return [answer({"l": "left", "r": "right", "t": "tie"}[letter], kind) for letter in text]


# Settings


def test_the_settings_of_a_rule_survive_being_stored():
    for purpose, settings in default_rules().items():
        assert rule_document(read_rule(purpose, settings)) == settings
    assert read_rule("pay", {"partial_outcomes": ["full", "technical"]}).partial_outcomes == ("technical", "full")
    assert read_rule("use", {}) == UseRule()


@pytest.mark.parametrize(
    ("purpose", "values", "message"),
    [
        ("use", {"max_stall": 1}, "no setting 'max_stall'; did you mean max_stalls?"),
        ("use", {"colour": 1}, "no setting 'colour'; there are: require_completed"),
        ("use", {"max_stalls": -1}, "max_stalls must be a whole number from 0 to 1000, got '-1'"),
        ("use", {"max_stalls": 1.5}, "max_stalls must be a whole number"),
        ("use", {"max_side_share": 1.1}, "max_side_share must be a number from 0 to 1, got '1.1'"),
        ("use", {"max_side_share": float("nan")}, "max_side_share must be a number from 0 to 1, got 'nan'"),
        ("use", {"use_surplus": 1}, "use_surplus must be true or false, got '1'"),
        ("use", {"max_answer_seconds": "60"}, "max_answer_seconds must be a number of seconds"),
        ("use", {"max_stalls": True}, "max_stalls must be a whole number"),
        ("pay", {"partial_outcomes": ["completed"]}, "partial_outcomes must be a list of any of screened-out"),
        ("pay", {"partial_outcomes": "full"}, "partial_outcomes must be a list"),
        ("pay", [], "an object of names and values, got list"),
    ],
)
def test_settings_that_cannot_be_are_refused(purpose, values, message):
    with pytest.raises(InvalidRule) as refused:
        read_rule(purpose, values)
    assert message in str(refused.value)


def test_every_setting_has_a_help_text():
    assert all(setting.help.endswith(".") for purpose in ("use", "pay") for setting in rule_settings(purpose))


# One vote


def test_smooth_playback_is_good():
    assert judged() == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"left": None}, "no frames counted on the left"),
        ({"left": side(shown=0)}, "no frames counted on the left"),
        ({"right": side(stalls=2)}, "2 stalls on the right"),
        ({"left": side(dropped=2)}, "2 frames dropped on the left"),
        ({"offsets": {"0": 20, "2": 5}}, "more than 1 frame apart in 5 of 25 frames"),
        ({"offsets": {"0": 20, "-3": 5}}, "more than 1 frame apart in 5 of 25 frames"),
        ({"offsets": {"0": 20, "-3": 5}, "presentation": "toggle"}, "more than 1 frame apart in 5 of 25 frames"),
        ({"offsets": {}}, "not measured how far apart the videos were"),
        ({"scale": 0.657}, "shown at 0.66 of its size"),
        ({"play_ms": 850}, "watched 0.8 s of 1.0 s"),
        ({"play_ms": 1200, "presentation": "sequential"}, "watched 1.2 s of 2.0 s"),
    ],
)
def test_what_spoils_a_playback_is_named(changes, reason):
    assert judged(**changes) == reason


@pytest.mark.parametrize("name", ["left", "right", "scale", "offsets", "play_ms"])
def test_a_certificate_that_lacks_what_every_player_measures_is_not_good(name):
    assert judge_playback({key: value for key, value in SMOOTH.items() if key != name}, RULE, "side-by-side", 1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"right": side(stalls=1)},
        {"left": side(dropped=1)},
        {"offsets": {"0": 10, "1": 13, "2": 2}},
        {"offsets": {"9": 25}, "play_ms": 2010, "presentation": "sequential"},
        {"play_ms": 950},
        {"play_ms": 1900, "presentation": "sequential"},
        {"right": side(stalls=7), "rule": UseRule(max_stalls=7)},
        {"left": side(dropped=25), "rule": UseRule(max_dropped_share=0.5)},
        {"offsets": {"2": 25}, "rule": UseRule(max_offset_frames=2)},
        {"offsets": {}, "rule": UseRule(min_share_in_step=0)},
        {"scale": 0.5, "rule": UseRule(min_scale=0.5)},
        {"offsets": {"0": 1, "9": 1}, "rule": UseRule(min_share_in_step=0.5)},
        {"play_ms": 850, "rule": UseRule(min_watch_share=0.8)},
    ],
)
def test_what_is_within_bounds_does_not(changes):
    assert judged(**changes) == ""


def test_no_record_is_not_good():
    assert judge_playback({}, RULE, "toggle", 1.0) == "no frames counted on the left"


def test_a_slow_answer_is_named_after_the_playback():
    slow = {"response_ms": 61_000}
    assert judge_vote(answer(**slow), RULE) == "answered after 61 s, later than 60 s"
    assert judge_vote(answer(**slow, playback={}), RULE) == "playback: no frames counted on the left"
    assert judge_vote(answer(**slow), UseRule(max_answer_seconds=0)) == ""
    assert judge_vote(answer(response_ms=None), RULE) == ""


# One session


@pytest.mark.parametrize(("state", "counts"), [("active", False), ("screened-out", False), ("questionnaire", True)])
def test_a_session_that_was_not_finished(state, counts):
    assert judge_session(state, answers("l"), RULE) == ("" if counts else f"session not finished ({state})")
    assert judge_session(state, answers("l"), UseRule(require_completed=False)) == ""


def test_verification_pairs_must_be_right():
    shown = answers("lr", "verification")
    assert judge_session("completed", shown, RULE) == "participant answered 1 of 2 verification pairs rightly"
    assert judge_session("completed", shown, UseRule(min_verification_right=0.5)) == ""
    assert judge_session("completed", [], RULE) == ""


def test_one_sided_answers():
    assert judge_session("completed", answers("l" * 8 + "rr" + "t"), RULE) == ""
    one_sided = answers("r" * 9 + "l" + "t")
    assert judge_session("completed", one_sided, RULE) == "participant chose the right side in 9 of 10 preferences"
    assert judge_session("completed", one_sided, UseRule(min_votes_for_shares=11)) == ""
    assert judge_session("completed", answers("l" * 9), RULE) == ""


def test_too_many_ties():
    assert judge_session("completed", answers("t" * 7 + "lrl"), RULE) == ""
    tied = answers("t" * 8 + "lr")
    assert judge_session("completed", tied, RULE) == "participant saw no difference in 8 of 10 pairs"
    assert judge_session("completed", tied, UseRule(max_tie_share=0.8)) == ""


def test_only_test_and_repeated_pairs_tell_about_sides_and_ties():
    other = answers("t" * 20, "null") + answers("l" * 20, "training")
    assert judge_session("completed", other, RULE) == ""
    assert judge_session("completed", answers("r" * 5) + answers("r" * 5, "repeat"), RULE)


def test_the_first_reason_is_given_in_the_documented_order():
    bad = answers("r", "verification") + answers("l" * 10)
    assert judge_session("technical", bad, RULE).startswith("session not finished")
    assert "verification" in judge_session("completed", bad, RULE)
    assert "left side" in judge_session("completed", bad[1:], RULE)


# Payment


@pytest.mark.parametrize(
    ("state", "began", "rule", "pay"),
    [
        ("completed", True, PayRule(), "full"),
        ("questionnaire", True, PayRule(), "full"),
        ("active", True, PayRule(), "none"),
        ("active", True, PayRule(require_completed=False), "full"),
        ("quiz", False, PayRule(require_completed=False), "none"),
        ("screened-out", False, PayRule(), "partial"),
        ("full", False, PayRule(partial_outcomes=("technical",)), "none"),
    ],
)
def test_who_is_paid(state, began, rule, pay):
    assert judge_payment(state, began, "", rule).pay == pay


def test_a_payment_names_its_reason():
    assert judge_payment("technical", True, "no smooth playback", PayRule()).reason == "technical: no smooth playback"


# Versions


def held(study):
    """Places of the quota that a vote holds."""
    return Trial.objects.filter(pair__study=study, kind="test", state="answered").count()


LENIENT = {"min_verification_right": 0}


@pytest.mark.slow
def test_a_change_makes_a_new_version_and_keeps_the_old_one(study):
    first = rule_in_force(study, "use")
    second = rule_set(study=study, purpose="use", settings=LENIENT, note=" too strict ", author="ada")
    assert (first.version, second.version, second.note, second.author) == (1, 2, "too strict", "ada")
    assert second.settings == {**default_rules()["use"], "min_verification_right": 0.0}
    assert rule_in_force(study, "use") == second
    first.refresh_from_db()
    assert first.settings == default_rules()["use"]
    assert rule_in_force(study, "pay").version == 1


@pytest.mark.slow
def test_the_same_settings_again_are_no_new_version(study):
    rule_set(study=study, purpose="pay", settings={"require_completed": False})
    rule_set(study=study, purpose="pay", settings={"require_completed": False})
    assert study.rules.filter(purpose="pay").count() == 2


@pytest.mark.slow
def test_a_wrong_setting_changes_nothing(study):
    with pytest.raises(InvalidRule):
        rule_set(study=study, purpose="use", settings={"max_side_share": 2})
    assert study.rules.count() == 2


@pytest.mark.slow
def test_a_version_that_does_not_exist_names_those_that_do(study):
    with pytest.raises(InvalidRule, match="'cats' has no version 7 of its use rule; there are: 1"):
        rule_version(study, "use", 7)


def test_a_change_of_rule_gives_places_again_and_takes_them_back_and_loses_no_vote(study):
    session = take_part(study, choose=miss_verification)
    votes = list(Vote.objects.order_by("id").values("pk", "choice", "playback"))
    assert held(study) == 0
    rule_set(study=study, purpose="use", settings=LENIENT)
    assert held(study) == 6
    assert set(vote_reasons(study).values()) == {""}
    rule_set(study=study, purpose="use", settings={})
    assert held(study) == 0
    assert not session.trials.filter(kind="test").exclude(state="surplus").exists()
    assert list(Vote.objects.order_by("id").values("pk", "choice", "playback")) == votes
    free = Trial.objects.filter(pair__study=study, kind="test", state="free", origin="real")
    assert free.count() == 6 * study.votes_per_pair


@pytest.mark.slow
def test_votes_of_somebody_under_way_keep_their_places(study):
    take_part(study, pairs=2)
    before = held(study)
    rule_set(study=study, purpose="use", settings=LENIENT)
    assert held(study) == before > 0


@pytest.mark.slow
def test_the_table_can_be_made_under_an_older_version(study, tmp_path, capsys):
    take_part(study, choose=miss_verification)
    rule_set(study=study, purpose="use", settings=LENIENT)
    assert vote_table("cats")["use"].all()
    old = vote_table("cats", 1)
    assert not old["use"].any()
    assert set(old["use_rule"]) == {1}
    call_command("export_votes", "cats", "--out", str(tmp_path / "old.csv"), "--use-rule", "1", "--json")
    assert "verification pairs rightly" in (tmp_path / "old.csv").read_text()
    with pytest.raises(CommandError, match="has no version 9 of its use rule; there are: 1, 2"):
        call_command("export_votes", "cats", "--out", str(tmp_path / "old.csv"), "--use-rule", "9")


def answered(trial, number):
    """Two people who miss the verification pair, and no two who agree about everything."""
    if trial.kind == "verification" and number < 2:
        return "tie"
    return trial.expected or ("left", "right", "tie")[(trial.pair_id * (number + 1)) % 3]


@pytest.mark.slow
def test_the_ranking_can_be_made_under_an_older_version(study, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.report.write.report_figures", lambda *_: {})
    for number in range(4):
        take_part(study, f"P{number}", choose=lambda trial, number=number: answered(trial, number))
    rule_set(study=study, purpose="use", settings=LENIENT)
    call_command("analyze_study", "cats", "--out", str(tmp_path / "new"))
    with pytest.raises(CommandError, match="--use-rule is for a study"):
        call_command("analyze_study", "votes.csv", "--out", str(tmp_path / "file"), "--use-rule", "1")
    call_command("analyze_study", "cats", "--out", str(tmp_path / "old"), "--use-rule", "1")
    new, old = ((tmp_path / name / "results.json").read_text() for name in ("new", "old"))
    assert new != old


@pytest.mark.slow
def test_an_older_version_makes_of_the_votes_what_it_made_then(study):
    take_part(study, "P1", choose=miss_verification)
    take_part(study, "P2")
    then = vote_table("cats")
    assert then["use"].any() and not then["use"].all()
    rule_set(study=study, purpose="use", settings={"max_side_share": 0.5, "min_votes_for_shares": 1})
    assert not vote_table("cats")["use"].any() and held(study) == 0
    assert vote_table("cats", 1).equals(then)


@pytest.mark.slow
def test_surplus_counts_where_the_rule_says_so(study):
    session = take_part(study)
    session.trials.filter(kind="test").update(state="expired")
    assert set(vote_reasons(study).values()) == {"", "surplus: the place had gone to somebody else"}
    assert set(vote_reasons(study, rule=UseRule(use_surplus=True)).values()) == {""}
    assert set(vote_reasons(study, surplus=False).values()) == {""}


@pytest.mark.slow
def test_reasons_of_some_sessions_only(study):
    first, second = take_part(study, "P1"), take_part(study, "P2")
    reasons = vote_reasons(study, sessions=[second])
    assert set(reasons) == set(Vote.objects.filter(trial__session=second).values_list("pk", flat=True))
    assert len(vote_reasons(study)) == 2 * len(reasons)
    assert vote_reasons(study, sessions=[]) == {}
    assert first != second


@pytest.mark.slow
def test_reasons_take_as_few_queries_for_many_sessions_as_for_one(study, django_assert_num_queries):
    for number in range(2):
        take_part(study, f"P{number}", pairs=1)
    with django_assert_num_queries(5):
        vote_reasons(study)


@pytest.mark.slow
def test_two_versions_are_compared_by_what_they_drop(study):
    take_part(study, "P1", choose=miss_verification)
    take_part(study, "P2")
    new = rule_set(study=study, purpose="use", settings=LENIENT)
    found = rule_compare(study, rule_version(study, "use", 1), new)
    assert (found.votes, found.counted, found.gained, found.lost) == (12, (6, 12), 6, 0)
    assert found.reasons == (("participant answered … of … verification pairs rightly", 6, 0),)


# The researchers' pages


@pytest.fixture
def form(study):
    return reverse("admin:studyserver_study_rule", args=[study.pk, "use"])


def fields(**changes):
    """A form as a browser sends it: a switch that is off is not there."""
    values = {name: value for name, value in default_rules()["use"].items() if value is not False}
    return {**values, "note": "piloted", **changes}


@pytest.mark.slow
def test_the_form_shows_every_setting_with_what_is_in_force(admin_client, form):
    page = admin_client.get(form)
    text = page.content.decode()
    for setting in rule_settings("use"):
        assert escape(setting.help) in text
    assert page.context["form"].initial["max_stalls"] == 1


@pytest.mark.slow
def test_the_form_makes_a_new_version_and_shows_what_it_drops(admin_client, admin_user, form, study):
    page = admin_client.post(form, fields(max_stalls=3), follow=True)
    rule = rule_in_force(study, "use")
    assert (rule.version, rule.settings["max_stalls"], rule.note) == (2, 3, "piloted")
    assert rule.author == admin_user.username
    assert "max_stalls" in page.content.decode()
    history = admin_client.get(reverse("admin:studyserver_rule_history", args=[rule.pk])).content.decode()
    assert "New version 2: piloted" in history
    admin_client.post(form, fields(max_stalls=3))
    assert rule_in_force(study, "use") == rule


@pytest.mark.slow
def test_the_form_of_the_pay_rule(admin_client, study):
    address = reverse("admin:studyserver_study_rule", args=[study.pk, "pay"])
    admin_client.post(address, {"partial_outcomes": ["full"], "note": "as agreed"})
    assert rule_in_force(study, "pay").settings == {"require_completed": False, "partial_outcomes": ["full"]}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"max_side_share": 1.5}, {"max_stalls": "many"}, {"note": ""}])
def test_a_form_filled_in_wrongly_changes_nothing(admin_client, form, study, changes):
    page = admin_client.post(form, fields(**changes))
    assert page.status_code == 200 and "Please correct" in page.content.decode()
    assert rule_in_force(study, "use").version == 1


@pytest.mark.slow
def test_the_list_names_what_differs_from_the_defaults(admin_client, study):
    rule_set(study=study, purpose="use", settings=LENIENT, note="piloted", author="ada")
    text = admin_client.get(reverse("admin:studyserver_rule_changelist")).content.decode()
    assert "min_verification_right 0" in text and "ada" in text
    assert admin_client.get(reverse("admin:studyserver_rule_change", args=[Rule.objects.latest("id").pk]))


@pytest.mark.slow
def test_strangers_see_no_rules(client, form):
    assert client.get(form).status_code == 302


@pytest.mark.slow
def test_a_colleague_without_the_right_changes_no_rule(client, django_user_model, form, study):
    client.force_login(django_user_model.objects.create_user("eve", is_staff=True))
    assert client.post(form, fields(max_stalls=3)).status_code == 403
    assert rule_in_force(study, "use").version == 1


@pytest.mark.parametrize("purpose", ["use", "pay"])
def test_the_documentation_has_every_setting(purpose):
    text = (ROOT / "docs" / "rules.md").read_text()
    for setting in rule_settings(purpose):
        assert f"| `{setting.name}` | {setting.default_text} | {setting.help} |" in text
