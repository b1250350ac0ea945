"""/s/<study>/withdraw/: taking one's answers back, and what is left afterwards."""

import json

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.utils import timezone

from studyserver.errors import TrialNotFound
from studyserver.models import (
    Exclusion,
    Invitation,
    Participant,
    Session,
    Study,
    Trial,
    Vote,
    Withdrawal,
)
from studyserver.selectors import session_current_trial, study_has_places, vote_reasons
from studyserver.services import (
    invitations_create,
    places_ensure,
    session_end,
    session_start,
    session_withdraw,
    study_close,
    study_set_design,
    vote_record,
)
from tests.studyserver.conftest import SHORT
from tests.studyserver.test_processes import postgresql, run_python, variables  # noqa: F401

WITHDRAW = "/s/cats/withdraw/"


def everything() -> str:
    """The whole database as text."""
    return json.dumps(
        [
            json.loads(serializers.serialize("json", model._base_manager.all()))
            for model in apps.get_models()
            if model._meta.managed
        ]
    )


def withdraw(visitor, code, **data):
    return visitor.client.post(WITHDRAW, {"code": code, "sure": "on", **data})


@pytest.fixture
def finished(visitor, study):
    """A session over one test pair and one with an obvious answer, after one of practice."""
    study_set_design(study=study, pairs_per_session=1)
    session = visitor.begin("?PROLIFIC_PID=5f3a&SESSION_ID=sub-77")
    visitor.finish(session)
    session.refresh_from_db()
    return session


@pytest.fixture
def anonymising(study):
    return study_set_design(study=study, withdrawal=Study.Withdrawal.ANONYMISE)


@pytest.mark.slow
def test_the_page_asks_for_the_code_and_knows_it_in_ones_own_browser(visitor, stranger, finished):
    assert f'value="{finished.withdrawal_code}"' in visitor.client.get(WITHDRAW).text
    page = stranger.client.get(WITHDRAW)
    assert page.status_code == 200
    assert finished.withdrawal_code not in page.text


@pytest.mark.slow
def test_deleting_leaves_nothing_of_the_person(visitor, study, finished):
    Exclusion.objects.create(participant=finished.participant, reason="a test")
    traces = (finished.participant.code, finished.key, "sub-77", finished.withdrawal_code)
    assert all(trace in everything() for trace in traces)
    reply = withdraw(visitor, finished.withdrawal_code)
    assert "Your answers are deleted" in reply.text
    assert reply.cookies[f"visit_{study.pk}"].value == ""
    assert not any(trace in everything() for trace in traces)
    for model in (Vote, Session, Participant, Exclusion):
        assert not model.objects.exists()
    assert not Trial.objects.exclude(state="free").exists()
    row = Withdrawal.objects.get()
    assert (row.study, row.done, row.votes) == (study, "delete", 3)


@pytest.mark.slow
def test_deleted_places_are_free_again_with_their_sides(visitor, study, finished):
    before = sorted(Trial.objects.filter(number__isnull=False).values_list("pair", "number", "mirrored"))
    withdraw(visitor, finished.withdrawal_code)
    places = Trial.objects.filter(state="free", session=None)
    assert sorted(places.values_list("pair", "number", "mirrored")) == before
    assert places_ensure(study=study, origin="real") == 0


@pytest.mark.slow
def test_a_study_that_was_full_has_room_again(visitor, stranger, study):
    study_set_design(study=study, votes_per_pair=1)
    session = visitor.begin()
    visitor.finish(session)
    assert not study_has_places(study)
    withdraw(visitor, session.withdrawal_code)
    stranger.finish(stranger.begin())
    assert Vote.objects.filter(trial__kind="test").count() == 6


@pytest.mark.slow
def test_only_that_persons_answers_go(visitor, stranger, finished):
    other = stranger.begin()
    stranger.finish(other)
    withdraw(stranger, finished.withdrawal_code)
    assert Session.objects.get() == other
    assert Vote.objects.count() == 3
    # It was not the session of this browser, which keeps its cookie.
    assert stranger.get("done").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "disguise", [str.lower, lambda code: code.replace("-", " "), lambda code: code.replace("-", "")]
)
def test_the_code_is_read_as_people_type_it(stranger, finished, disguise):
    assert "are deleted" in withdraw(stranger, f"  {disguise(finished.withdrawal_code)} ").text
    assert not Session.objects.exists()


@pytest.mark.slow
def test_without_the_tick_nothing_happens(visitor, finished):
    page = visitor.client.post(WITHDRAW, {"code": finished.withdrawal_code})
    assert page.status_code == 400
    assert "tick the box" in page.text
    assert Session.objects.exists()


@pytest.mark.slow
def test_every_wrong_code_gets_the_same_answer(stranger, study, finished):
    elsewhere = Study.objects.create(slug="birds", title="Birds", salt="s")
    participant = Participant.objects.create(study=elsewhere, code="bird")
    foreign = Session.objects.create(
        participant=participant,
        seed=1,
        consent_version=1,
        consented_at=finished.consented_at,
        lease_until=finished.consented_at,
    )
    used = finished.withdrawal_code
    withdraw(stranger, used)
    pages = []
    for code in (used, foreign.withdrawal_code, "AAAA-AAAA-AAAA-AAAA", "nonsense", "ß" * 90):
        page = withdraw(stranger, code)
        assert page.status_code == 400
        pages.append(page.content.replace(page.context["csrf_token"].encode(), b"").replace(code.encode(), b""))
    assert all(page == pages[0] for page in pages)
    assert "Nothing is stored under this code" in page.text
    assert Withdrawal.objects.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("code", ["", "\x00", "x" * 101])
def test_what_is_no_code_is_no_error_of_the_server(visitor, study, code):
    assert withdraw(visitor, code).status_code == 400


@pytest.mark.slow
def test_twice_is_once(finished):
    again = Session.objects.get(pk=finished.pk)
    assert session_withdraw(session=finished) is True
    assert session_withdraw(session=again) is False
    assert Withdrawal.objects.count() == 1


@pytest.mark.slow
def test_it_works_after_the_study_was_closed(visitor, study, finished):
    study_close(study=study)
    assert "are deleted" in withdraw(visitor, finished.withdrawal_code).text


@pytest.mark.slow
def test_it_works_in_the_middle_of_a_session(visitor, study):
    session = visitor.begin()
    visitor.answer(session)
    visitor.answer(session)
    assert "are deleted" in withdraw(visitor, session.withdrawal_code).text
    assert not Trial.objects.exclude(state="free").exists()
    assert visitor.get("trial").url == "/s/cats/"


@pytest.mark.slow
def test_an_early_end_can_be_withdrawn(visitor, study):
    session = session_end(session=visitor.begin(), state=Session.State.SCREENED_OUT, reason="practice")
    assert "are deleted" in withdraw(visitor, session.withdrawal_code).text


@pytest.mark.slow
def test_a_preview_is_not_recorded_as_a_withdrawal(study):
    session_withdraw(session=session_start(study=study, code="look", origin="preview"))
    assert not Session.objects.exists()
    assert not Withdrawal.objects.exists()


@pytest.mark.slow
def test_the_link_of_a_withdrawn_person_stays_used_and_says_no_more(visitor, stranger, study):
    query = f"?invitation={invitations_create(study=study, count=1, label='Anna')[0].token}"
    session = visitor.begin(query)
    withdraw(visitor, session.withdrawal_code)
    invitation = Invitation.objects.get()
    assert invitation.participant is None
    assert invitation.used_at == invitation.created_at
    assert "has been used" in stranger.client.get("/s/cats/" + query).text


@pytest.mark.slow
def test_anonymising_keeps_the_votes_and_cuts_every_tie(visitor, stranger, anonymising):
    session = visitor.begin("?PROLIFIC_PID=5f3a&SESSION_ID=sub-77")
    visitor.finish(session)
    Session.objects.filter(pk=session.pk).update(
        environment={"browser": "Unusual 1.0"}, calibration={"px_per_cm": 38.123}, answers={"comment": "I am Anna"}
    )
    Exclusion.objects.create(participant=session.participant, reason="wrote to us as Anna")
    ada = get_user_model().objects.create_user("ada")
    kind = ContentType.objects.get_for_model(Participant)
    LogEntry.objects.create(
        user=ada, content_type=kind, object_id=session.participant.pk, object_repr=str(session), action_flag=CHANGE
    )
    session.refresh_from_db()
    votes = list(Vote.objects.order_by("pk").values_list("pk", "choice", "playback"))
    reasons = vote_reasons(anonymising)
    lasted = session.completed_at - session.started_at
    traces = [session.participant.code, session.key, "sub-77", session.withdrawal_code, str(session.seed)]
    traces += ["Unusual 1.0", "38.123", "Anna", f"{session.consented_at:%H:%M:%S.%f}"[:-3]]
    assert all(trace in everything() for trace in traces)
    assert "Your answers are anonymous" in withdraw(visitor, session.withdrawal_code).text
    assert not [trace for trace in traces if trace in everything()]
    after = Session.objects.get()
    assert f"{after.consented_at:%H:%M:%S}" == "00:00:00"
    assert after.completed_at - after.started_at == lasted
    assert list(Vote.objects.order_by("pk").values_list("pk", "choice", "playback")) == votes
    # Excluded they were, excluded they stay.
    assert vote_reasons(anonymising).keys() == reasons.keys()
    assert all(vote_reasons(anonymising).values())
    assert Withdrawal.objects.get().done == "anonymise"
    # Neither the cookie nor the identifier leads there any more.
    assert visitor.get("done").url == "/s/cats/"
    assert stranger.client.get("/s/cats/?PROLIFIC_PID=5f3a").status_code == 200


@pytest.mark.slow
def test_anonymising_gives_back_the_places_of_a_session_under_way(visitor, anonymising):
    session = visitor.begin()
    visitor.answer(session)
    visitor.answer(session)
    withdraw(visitor, session.withdrawal_code)
    assert not Trial.objects.filter(state="claimed").exists()
    assert Vote.objects.count() == 2
    assert places_ensure(study=anonymising, origin="real") == 0
    session.refresh_from_db()
    assert session.lease_until < timezone.now()


@pytest.mark.slow
@pytest.mark.slow
def test_an_answer_on_its_way_does_not_reach_an_anonymised_session(visitor, anonymising):
    session = visitor.begin()
    visitor.answer(session)
    on_its_way = Session.objects.select_related("participant__study").get()
    trial = session_current_trial(on_its_way)
    session_withdraw(session=session)
    with pytest.raises(TrialNotFound):
        vote_record(session=on_its_way, token=trial.token, choice=trial.expected or "left")
    assert Vote.objects.count() == 1


def test_other_methods_are_refused(visitor):
    assert visitor.client.put(WITHDRAW).status_code == 405


@pytest.mark.slow
def test_an_unknown_study_is_not_found(db, client):
    assert client.get("/s/none/withdraw/").status_code == 404


AT_ONCE = """
import threading
from django.db import connection
from studyserver.errors import TrialNotFound
from studyserver.selectors import session_current_trial
from studyserver.services import session_withdraw, vote_record
session = Session.objects.select_related("participant__study").get()
trial = session_current_trial(session)
start, happened = threading.Barrier(8), []
def act(number):
    mine = Session.objects.select_related("participant__study").get()
    start.wait()
    try:
        if number % 2:
            happened.append(session_withdraw(session=mine))
        else:
            vote_record(session=mine, token=trial.token, choice=trial.expected or "left")
    except (TrialNotFound, Session.DoesNotExist):
        pass
    connection.close()
threads = [threading.Thread(target=act, args=[number]) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
free = Trial.objects.filter(state="free").count()
print(json.dumps([sum(happened), len(happened), Session.objects.count(), Trial.objects.count() - free, free,
                  Withdrawal.objects.count()]))
"""


@pytest.mark.slow
def test_withdrawing_and_voting_at_once_leaves_nothing_and_every_place_free(variables, tiny_set):  # noqa: F811
    run_python(
        variables,
        "from django.core.management import call_command\n"
        "from studyserver.services import *\n"
        "call_command('migrate', verbosity=0)\n"
        "call_command('flush', interactive=False, verbosity=0)\n"
        f"study = import_stimulus_set(slug='cats', folder={str(tiny_set)!r}, interval_width=0).study\n"
        f"study_set_design(study=study, votes_per_pair=4, **{SHORT!r})\n"
        "study_open(study=study)\n"
        "session_advance(session=session_start(study=study, code='anna'))",
    )
    done, answers, sessions, trials, free, rows = run_python(variables, AT_ONCE)
    assert (done, answers, rows) == (1, 4, 1)
    assert (sessions, trials, free) == (0, 0, 24)
