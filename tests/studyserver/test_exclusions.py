"""Leaving participants out with a reason, and taking them in again."""

import pytest
from django.urls import reverse

from studyserver.errors import InvalidExclusion
from studyserver.models import Exclusion, Trial, Vote
from studyserver.selectors import payment_rows, vote_reasons, vote_table
from studyserver.services import exclusion_lift, participant_exclude, session_end
from tests.studyserver.people import take_part


def held():
    return Trial.objects.filter(kind="test", state="answered").count()


@pytest.fixture
def participant(study):
    return take_part(study).participant


def test_no_vote_of_somebody_excluded_counts_and_none_is_lost(study, participant):
    votes = Vote.objects.count()
    exclusion = participant_exclude(participant=participant, reason=" says to have guessed ", author="ada")
    assert (exclusion.reason, exclusion.author) == ("says to have guessed", "ada")
    assert set(vote_reasons(study).values()) == {"excluded: says to have guessed"}
    assert Vote.objects.count() == votes
    assert held() == 0


def test_lifting_it_counts_the_votes_again_and_keeps_the_record(study, participant):
    participant_exclude(participant=participant, reason="guessed", author="ada")
    assert exclusion_lift(participant=participant, author="eve")
    assert set(vote_reasons(study).values()) == {""}
    assert held() == 6
    record = Exclusion.objects.get()
    assert (record.author, record.lifted_by) == ("ada", "eve") and record.lifted_at
    assert not exclusion_lift(participant=participant, author="eve")
    participant_exclude(participant=participant, reason="guessed after all")
    assert participant.exclusions.count() == 2


@pytest.mark.slow
def test_a_place_that_somebody_else_took_meanwhile_stays_theirs(study, participant):
    participant_exclude(participant=participant, reason="guessed")
    for number in range(study.votes_per_pair):
        take_part(study, f"other {number}")
    exclusion_lift(participant=participant)
    assert held() == 6 * study.votes_per_pair
    assert {vote_reasons(study)[vote.pk] for vote in Vote.objects.filter(trial__participant=participant)} == {
        "",
        "surplus: the place had gone to somebody else",
    }


@pytest.mark.slow
def test_excluding_twice_is_once(participant):
    first = participant_exclude(participant=participant, reason="guessed")
    assert participant_exclude(participant=participant, reason="other") == first
    assert Exclusion.objects.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_without_a_reason_nobody_is_excluded(participant, reason):
    with pytest.raises(InvalidExclusion, match="needs a reason of 1 to 300 characters"):
        participant_exclude(participant=participant, reason=reason)
    assert not Exclusion.objects.exists()


@pytest.mark.slow
def test_somebody_under_way_keeps_their_places_until_the_end(study):
    session = take_part(study, pairs=2)
    before = held()
    participant_exclude(participant=session.participant, reason="guessed")
    assert held() == before > 0
    session_end(session=session, state="technical")
    assert held() == 0


@pytest.mark.slow
def test_payment_stays_as_it_is(study, participant):
    before = payment_rows(study)
    participant_exclude(participant=participant, reason="guessed")
    assert payment_rows(study) == before


@pytest.mark.slow
def test_the_table_marks_them(study, participant):
    participant_exclude(participant=participant, reason="guessed")
    table = vote_table("cats")
    assert table["excluded"].all() and not table["use"].any()


# The researchers' pages


@pytest.fixture
def people():
    return reverse("admin:studyserver_participant_changelist")


def act(client, people, action, *participants, **fields):
    return client.post(
        people, {"action": action, "_selected_action": [who.pk for who in participants], **fields}, follow=True
    )


@pytest.mark.slow
def test_the_action_asks_for_the_reason_first(admin_client, people, participant):
    page = act(admin_client, people, "exclude_people", participant)
    assert 'name="reason"' in page.content.decode()
    assert not Exclusion.objects.exists()


@pytest.mark.slow
def test_the_action_excludes_and_lifts(admin_client, admin_user, people, participant):
    page = act(admin_client, people, "exclude_people", participant, reason="guessed")
    assert "1 excluded" in page.content.decode()
    assert Exclusion.objects.get().author == admin_user.username
    shown = admin_client.get(reverse("admin:studyserver_participant_change", args=[participant.pk])).content.decode()
    assert "guessed" in shown
    page = act(admin_client, people, "lift_exclusions", participant)
    assert "1 exclusion lifted" in page.content.decode()
    assert Exclusion.objects.get().lifted_by == admin_user.username
    assert "guessed" in admin_client.get(reverse("admin:studyserver_exclusion_changelist")).content.decode()
    history = admin_client.get(reverse("admin:studyserver_participant_history", args=[participant.pk])).content.decode()
    assert "Excluded: guessed" in history and "Exclusion lifted" in history


@pytest.mark.slow
def test_an_empty_reason_is_asked_for_again(admin_client, people, participant):
    page = act(admin_client, people, "exclude_people", participant, reason=" ")
    assert "needs a reason" in page.content.decode()
    assert not Exclusion.objects.exists()


@pytest.mark.slow
def test_a_colleague_who_may_only_look_excludes_nobody(client, django_user_model, people, participant):
    from django.contrib.auth.models import Permission

    eve = django_user_model.objects.create_user("eve", is_staff=True)
    eve.user_permissions.add(Permission.objects.get(codename="view_participant"))
    client.force_login(eve)
    act(client, people, "exclude_people", participant, reason="guessed")
    assert not Exclusion.objects.exists()
