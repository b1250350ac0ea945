"""A researcher withdraws for people who ask for it, in the list of participants."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from studyserver.models import Participant, Session, Trial, Vote, Withdrawal
from tests.studyserver.people import take_part

pytestmark = pytest.mark.slow

PEOPLE = reverse("admin:studyserver_participant_changelist")


@pytest.fixture
def participant(study):
    return take_part(study).participant


def withdraw(client, *participants, **fields):
    chosen = [participant.pk for participant in participants]
    fields |= {"action": "withdraw_people", "_selected_action": chosen}
    return client.post(PEOPLE, fields, follow=True).content.decode()


def test_it_asks_first_and_says_what_is_done(admin_client, study, participant):
    page = withdraw(admin_client, participant)
    assert "cannot be taken back" in page and f"{participant.code} ({study}): delete the answers" in page
    assert Vote.objects.exists() and not Withdrawal.objects.exists()


def test_confirmed_it_does_what_the_study_says(admin_client, study, participant):
    other = take_part(study, "other").participant
    page = withdraw(admin_client, participant, confirmed="yes")
    assert "1 withdrawn" in page
    assert list(Participant.objects.all()) == [other]
    assert not Trial.objects.filter(participant=participant.pk, vote__isnull=False).exists()
    assert Withdrawal.objects.get().done == "delete"
    assert "delete the answers" in admin_client.get(reverse("admin:studyserver_withdrawal_changelist")).content.decode()


def test_the_log_says_who_did_it_and_not_for_whom(admin_client, admin_user, study, participant):
    code = participant.code
    withdraw(admin_client, participant, confirmed="yes")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(study.pk))
    assert code not in f"{entry.object_repr}{entry.change_message}"


def test_sent_twice_it_is_done_once(admin_client, participant):
    withdraw(admin_client, participant, confirmed="yes")
    withdraw(admin_client, participant, confirmed="yes")
    assert Withdrawal.objects.count() == 1


def test_a_person_is_found_by_the_number_of_their_submission(admin_client, study, participant):
    other = take_part(study, "other").participant
    Session.objects.filter(participant=participant).update(submission="abc123")
    page = admin_client.get(PEOPLE, {"q": "abc123"}).content.decode()
    assert participant.code in page and f">{other.code}<" not in page


def test_a_colleague_who_may_only_exclude_withdraws_nobody(client, django_user_model, participant):
    eve = django_user_model.objects.create_user("eve", is_staff=True)
    eve.user_permissions.set(
        Permission.objects.filter(codename__in=["view_participant", "change_participant", "view_study"])
    )
    client.force_login(eve)
    assert "withdraw_people" not in client.get(PEOPLE).content.decode()
    withdraw(client, participant, confirmed="yes")
    assert Vote.objects.exists()
