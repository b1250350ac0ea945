"""Single-use invitation links: one person each, used up by consent and by nothing else."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from studyserver.errors import InvitationRefused
from studyserver.models import Invitation, Participant, Study
from studyserver.services import invitations_create, session_start, study_pause
from studyserver.views.visit import preview_address
from tests.studyserver.conftest import SHORT, Visitor
from tests.studyserver.test_processes import postgresql, run_python, variables  # noqa: F401

LANDING = "/s/cats/"
FORM = {"agree": "on", "visit": "x", "version": 1}


@pytest.fixture
def invited(study):
    """A study that only invitations open, and the tail of the address of one of them."""
    Study.objects.filter(pk=study.pk).update(invitation_only=True)
    study.refresh_from_db()
    return f"?invitation={invitations_create(study=study, count=1)[0].token}"


@pytest.mark.slow
def test_the_link_lets_one_person_in(visitor, invited):
    assert visitor.begin(invited).state == "training"
    invitation = Invitation.objects.get()
    assert invitation.participant == visitor.session.participant
    assert invitation.used_at is not None


@pytest.mark.slow
def test_looking_at_the_link_does_not_use_it(client, stranger, invited):
    for method in (client.get, client.head):
        assert method(LANDING + invited).status_code == 200
    client.post(LANDING + invited, {"decline": "1"})
    client.post(LANDING + invited, {"visit": "x", "version": 1})
    client.post(LANDING + invited, FORM, headers={"Sec-CH-UA-Mobile": "?1"})
    assert Invitation.objects.get().used_at is None
    assert stranger.consent(invited).url == "/s/cats/instructions/"


def test_a_used_link_brings_its_own_person_back_and_nobody_else(visitor, stranger, invited):
    visitor.begin(invited)
    assert visitor.client.get(LANDING + invited).url == "/s/cats/trial/"
    page = stranger.client.get(LANDING + invited)
    assert "has been used" in page.text
    assert "<form" not in page.text
    stranger.client.post(LANDING + invited, {**FORM, "visit": "another"})
    assert Participant.objects.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "words"),
    [("", "needs an invitation"), ("?invitation=none", "does not exist"), ("?participant=a", "needs")],
)
def test_without_a_valid_link_nobody_enters(client, study, invited, query, words):
    page = client.get(LANDING + query)
    assert words in page.text
    assert study.paused_code not in page.text
    client.post(LANDING + query, FORM)
    assert not Participant.objects.exists()


@pytest.mark.slow
def test_a_link_of_another_study_is_none_of_this_one(client, study, invited):
    other = Study.objects.create(slug="birds", title="Birds")
    token = invitations_create(study=other, count=1)[0].token
    assert "does not exist" in client.get(f"{LANDING}?invitation={token}").text


@pytest.mark.slow
def test_the_same_page_sent_twice_is_one_participant(client, invited):
    assert client.post(LANDING + invited, FORM).url == "/s/cats/instructions/"
    assert Client().post(LANDING + invited, FORM).status_code == 200
    assert client.post(LANDING + invited, FORM).url == "/s/cats/instructions/"
    assert Participant.objects.count() == 1


@pytest.mark.slow
def test_who_comes_too_late_leaves_no_trace(study, invited):
    token = invited.split("=")[1]
    session_start(study=study, code="first", invitation=token)
    with pytest.raises(InvitationRefused):
        session_start(study=study, code="second", invitation=token)
    assert Participant.objects.get().code == "first"


@pytest.mark.slow
def test_it_was_used_while_the_other_was_reading(visitor, stranger, invited):
    stranger.client.get(LANDING + invited)
    visitor.consent(invited)
    reply = stranger.client.post(LANDING + invited, {**FORM, "visit": "another"}, follow=True)
    assert "has been used" in reply.text


@pytest.mark.slow
def test_two_people_at_one_computer_have_a_link_each(visitor, study, invited):
    visitor.begin(invited)
    second = f"?invitation={invitations_create(study=study, count=1)[0].token}"
    assert "<form" in visitor.client.get(LANDING + second).text
    visitor.begin(second)
    assert Participant.objects.count() == 2


@pytest.mark.slow
def test_an_identifier_brings_back_from_another_device(visitor, stranger, invited):
    visitor.begin(invited + "&participant=anna")
    assert stranger.client.get(LANDING + "?participant=anna").url == "/s/cats/trial/"


@pytest.mark.slow
def test_links_work_in_a_study_that_is_open_to_all_as_well(visitor, stranger, study):
    query = f"?invitation={invitations_create(study=study, count=1)[0].token}"
    visitor.consent(query)
    assert "has been used" in stranger.client.get(LANDING + query).text
    assert stranger.consent().url == "/s/cats/instructions/"


@pytest.mark.slow
def test_previews_need_none(client, study, invited):
    reply = Visitor(client, study).consent("?" + preview_address(study).split("?")[1])
    assert reply.url == "/s/cats/instructions/"


@pytest.mark.slow
def test_a_paused_study_does_not_use_the_link_up(client, study, invited):
    study_pause(study=study)
    assert "is paused" in client.get(LANDING + invited).text
    client.post(LANDING + invited, FORM)
    assert Invitation.objects.get().used_at is None


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_impossible_numbers_of_links_are_refused(study, count):
    with pytest.raises(InvitationRefused, match=r"expected 1 to 10000"):
        invitations_create(study=study, count=count)


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ada", password="x"))
    return client


ADMIN = "/admin/studyserver/invitation/"


@pytest.mark.slow
def test_researchers_make_links_and_see_which_are_used(staff, visitor, study):
    assert "Make invitation links" in staff.get(f"{ADMIN}add/").text
    reply = staff.post(f"{ADMIN}add/", {"study": study.pk, "count": 3, "label": "pupils"})
    assert reply.url == f"{ADMIN}?study__id__exact={study.pk}"
    assert list(Invitation.objects.values_list("label", flat=True)) == ["pupils"] * 3
    first = Invitation.objects.first()
    visitor.consent(f"?invitation={first.token}")
    page = staff.get(ADMIN)
    assert f"http://testserver/s/cats/?invitation={first.token}" in page.text
    assert page.text.count("unused</td>") == 2
    assert visitor.session.participant.code in page.text
    used, unused = staff.get(f"{ADMIN}?state=used").text, staff.get(f"{ADMIN}?state=unused").text
    assert first.token in used
    assert first.token not in unused


@pytest.mark.slow
def test_wrong_numbers_are_shown_and_make_nothing(staff, study):
    page = staff.post(f"{ADMIN}add/", {"study": study.pk, "count": 0})
    assert "greater than or equal to 1" in page.text
    assert not Invitation.objects.exists()


@pytest.mark.slow
def test_links_are_downloaded_as_a_table(staff, study):
    made = invitations_create(study=study, count=2, label="=1+1")
    chosen = {"action": "download_links", "_selected_action": [row.pk for row in made]}
    reply = staff.post(ADMIN, chosen)
    assert reply.headers["Content-Type"].startswith("text/csv")
    lines = reply.text.splitlines()
    assert lines[0] == "study,link,label,state"
    assert lines[1:] == [f"cats,http://testserver/s/cats/?invitation={row.token},'=1+1,unused" for row in made]


@pytest.mark.slow
def test_who_may_not_add_makes_no_links(study, client):
    assert client.get(f"{ADMIN}add/").status_code == 302
    client.force_login(get_user_model().objects.create_user("eve", is_staff=True))
    assert client.post(f"{ADMIN}add/", {"study": study.pk, "count": 1}).status_code == 403
    assert not Invitation.objects.exists()


AT_ONCE = """
import threading
from django.db import connection
from studyserver.errors import InvitationRefused
from studyserver.services import session_start
study, token = Study.objects.get(), Invitation.objects.get().token
start, happened = threading.Barrier(8), []
def enter(code):
    start.wait()
    try:
        happened.append(session_start(study=study, code=code, invitation=token).participant.code)
    except InvitationRefused:
        pass
    connection.close()
threads = [threading.Thread(target=enter, args=[f"person-{n}"]) for n in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps([happened, list(Participant.objects.values_list("code", flat=True))]))
"""


@pytest.mark.slow
def test_of_eight_people_at_once_one_gets_in(variables, tiny_set):  # noqa: F811
    run_python(
        variables,
        "from django.core.management import call_command\n"
        "from studyserver.services import import_stimulus_set, invitations_create, study_open, study_set_design\n"
        "call_command('migrate', verbosity=0)\n"
        "call_command('flush', interactive=False, verbosity=0)\n"
        f"study = import_stimulus_set(slug='cats', folder={str(tiny_set)!r}, interval_width=0).study\n"
        f"study_set_design(study=study, invitation_only=True, **{SHORT!r})\n"
        "study_open(study=study); invitations_create(study=study, count=1)",
    )
    happened, there = run_python(variables, AT_ONCE)
    assert len(happened) == 1
    assert happened == there
