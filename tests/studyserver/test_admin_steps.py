"""A study from a stimulus set in the admin: import, check, open; and who may."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from studyserver.models import Stimulus, Study

pytestmark = pytest.mark.django_db
IMPORT = "/admin/studyserver/study/import/"


def page_of(study, name="check"):
    return reverse(f"admin:studyserver_study_{name}", args=[study.pk])


def form(folder, **fields):
    return {"folder": str(folder), "title": "Cats and dogs", "slug": "", "interval_width": "0", **fields}


@pytest.fixture
def staff():
    """A browser of somebody with these permissions on studies."""

    def log_in(*actions):
        user = User.objects.create_user("+".join(("staff", *actions)), is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=[f"{action}_study" for action in actions]))
        client = Client()
        client.force_login(user)
        return client

    return log_in


def test_the_three_steps(admin_client, tiny_set):
    assert IMPORT in admin_client.get(reverse("admin:studyserver_study_changelist")).text
    assert "Import and check" in admin_client.get(IMPORT).text
    checked = admin_client.post(IMPORT, form(tiny_set), follow=True)
    study = Study.objects.get()
    assert study.slug == "cats-and-dogs"
    assert checked.redirect_chain[-1][0] == page_of(study)
    assert "Ready to open" in checked.text and "imported: 8 stimuli of 2 sources" in checked.text
    opened = admin_client.post(page_of(study, "move"), {"to": "open", "check": "1"}, follow=True)
    assert opened.redirect_chain[-1][0] == page_of(study)
    study.refresh_from_db()
    assert study.status == Study.Status.OPEN
    assert study.history.latest().history_user.username == "admin"


def test_adding_is_importing(admin_client):
    assert admin_client.get(reverse("admin:studyserver_study_add")).url == IMPORT


@pytest.mark.parametrize(
    ("folder", "fields", "words"),
    [
        ("/nowhere/at/all", {}, "There is no /nowhere/at/all"),
        ("sets/pilot", {}, "Write the whole path"),
        (None, {"slug": "two words"}, "Enter a valid"),
        (None, {"title": "…"}, "No short name can be made"),
        (None, {"interval_width": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_imported_is_a_sentence(admin_client, tiny_set, folder, fields, words):
    page = admin_client.post(IMPORT, form(folder or tiny_set, **fields))
    assert page.status_code == 200
    assert words in page.text and "Nothing was imported" in page.text
    assert not Study.objects.exists()


@pytest.mark.slow
def test_the_same_set_again_leads_to_its_check(admin_client, draft, tiny_set):
    page = admin_client.post(IMPORT, form(tiny_set, slug="cats"), follow=True)
    assert page.redirect_chain[-1][0] == page_of(draft)
    assert "was here already" in page.text
    assert Study.objects.count() == 1


def test_a_study_that_is_not_ready_stays_shut(admin_client, draft):
    Stimulus.objects.filter(condition__label="fgsm").update(gain_delivered=0.3)
    page = admin_client.get(page_of(draft))
    assert "Not ready" in page.text and "clip0 / fgsm +30.00%" in page.text
    assert 'value="open" disabled' in page.text
    page = admin_client.post(page_of(draft, "move"), {"to": "open"}, follow=True)
    assert "cannot open. Strength:" in page.text
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


@pytest.mark.slow
def test_the_contents_are_read_on_demand(admin_client, draft):
    assert "contents were not read" in admin_client.get(page_of(draft)).text
    assert "sizes and contents of the manifest" in admin_client.get(page_of(draft), {"contents": "1"}).text


@pytest.mark.slow
def test_moves_follow_the_status(admin_client, draft):
    for move, status in [
        ("pilot", "pilot"),
        ("pause", "paused"),
        ("open", "open"),
        ("close", "closed"),
        ("open", "open"),
    ]:
        assert f'name="to" value="{move}"' in admin_client.get(page_of(draft, "change")).text
        admin_client.post(page_of(draft, "move"), {"to": move})
        draft.refresh_from_db()
        assert draft.status == status
    assert admin_client.post(page_of(draft, "move"), {"to": "delete"}).status_code == 404
    assert admin_client.get(page_of(draft, "move")).status_code == 405


def test_who_may_only_look_cannot_import_or_open(draft, staff, tiny_set):
    client = staff("view")
    page = client.get(page_of(draft))
    assert page.status_code == 200 and "You may look at this study" in page.text and "<button" in page.text
    assert 'name="to"' not in page.text + client.get(page_of(draft, "change")).text
    assert "New study" not in client.get(reverse("admin:studyserver_study_changelist")).text
    assert client.get(IMPORT).status_code == client.post(IMPORT, form(tiny_set)).status_code == 403
    assert client.post(page_of(draft, "move"), {"to": "open"}).status_code == 403
    action = {"action": "open_studies", "_selected_action": draft.pk}
    client.post(reverse("admin:studyserver_study_changelist"), action)
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


@pytest.mark.slow
def test_who_may_add_cannot_import_over_the_study_of_others(draft, staff, tiny_set):
    page = staff("add").post(IMPORT, form(tiny_set, slug="cats"))
    assert "you may not change it" in page.text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["check", "move"])
def test_staff_without_permissions_see_nothing(draft, staff, name):
    client = staff()
    send = client.post if name == "move" else client.get
    assert send(page_of(draft, name)).status_code == 403
    assert client.get(IMPORT).status_code == 403


@pytest.mark.parametrize("address", [IMPORT, "/admin/studyserver/study/1/check/", "/admin/studyserver/study/1/move/"])
def test_strangers_are_sent_to_the_login(client, address):
    assert "/admin/login/" in client.get(address).url


@pytest.mark.slow
def test_no_such_study(admin_client):
    assert admin_client.get("/admin/studyserver/study/999/check/").status_code == 404
