"""The researchers' pages."""

import pytest
from django.apps import apps
from django.urls import reverse

from studyserver.models import Session, Study, Trial, Vote

MODELS = ("study", "source", "condition", "stimulus", "pair", "participant", "session", "trial", "vote")


@pytest.fixture
def voted(visitor):
    visitor.finish(visitor.begin())
    return visitor


def address(model, page="changelist", *args):
    return reverse(f"admin:studyserver_{model}_{page}", args=args)


def test_every_list_and_record_opens(voted, admin_client):
    for model in MODELS:
        assert admin_client.get(address(model), {"q": "a"}).status_code == 200, model
        assert admin_client.get(address(model)).status_code == 200, model
        record = apps.get_model("studyserver", model).objects.first()
        page = admin_client.get(address(model, "change", record.pk))
        assert page.status_code == 200, model
        assert "Video attack laboratory" in page.text, model


def test_lists_after_a_visit(voted, admin_client, study):
    page = admin_client.get(address("study"))
    assert "1 finished of 1" in page.text
    assert "6 of 24" in page.text
    # The quota of a pair.
    assert "1 of 4" in admin_client.get(address("pair")).text
    # A study with data stays.
    assert admin_client.post(address("study", "delete", study.pk), {"post": "yes"}).status_code == 403
    assert Vote.objects.count() == 8


def test_moments_are_short(voted, admin_client):
    """Django's own spelling pushes the last column of a list out of a window 1440 pixels wide."""
    vote = Vote.objects.latest("voted_at")
    assert f"{vote.voted_at:%Y-%m-%d %H:%M}</td>" in admin_client.get(address("vote")).text
    session = voted.session
    assert f"{session.consented_at:%Y-%m-%d %H:%M}</td>" in admin_client.get(address("session")).text


@pytest.mark.parametrize("model", ["condition", "stimulus"])
def test_attacks_have_the_title_and_the_paper_of_their_row(draft, admin_client, model):
    from attacks import list_attacks

    info = next(info for info in list_attacks() if info.name == "ioi")
    condition = draft.conditions.get(label="ioi")
    record = condition if model == "condition" else condition.stimuli.first()
    page = admin_client.get(address(model, "change", record.pk)).text
    assert info.title in page and info.citation in page
    condition.attack = {"name": "of tomorrow", "options": {}}
    condition.save()
    page = admin_client.get(address(model, "change", record.pk)).text
    assert "of tomorrow" in page and info.title not in page


def test_the_list_of_conditions_has_the_titles(draft, admin_client):
    page = admin_client.get(address("condition")).text
    assert "IOI: Invisible One-Iteration attack" in page and "FGSM: one step" in page
    assert page.count('<td class="field-attack_title">–</td>') == 2  # reference and verification


@pytest.mark.parametrize("model", MODELS)
def test_strangers_are_sent_to_the_login(study, client, model):
    assert "/admin/login/" in client.get(address(model)).url


def test_records_are_not_changed_by_hand(voted, admin_client):
    for model in sorted(set(MODELS) - {"study"}):
        table = apps.get_model("studyserver", model).objects
        record, count = table.first(), table.count()
        assert admin_client.post(address(model, "add"), {}).status_code == 403, model
        assert admin_client.post(address(model, "change", record.pk), {}).status_code == 403, model
        assert admin_client.post(address(model, "delete", record.pk), {"post": "yes"}).status_code == 403, model
        assert table.count() == count, model


@pytest.mark.parametrize(("action", "status"), [("pause_studies", "paused"), ("close_studies", "closed")])
def test_actions_change_the_status(study, admin_client, action, status):
    admin_client.post(address("study"), {"action": action, "_selected_action": study.pk})
    study.refresh_from_db()
    assert study.status == status


def test_opening_makes_the_places(draft, admin_client):
    admin_client.post(address("study"), {"action": "open_studies", "_selected_action": draft.pk})
    draft.refresh_from_db()
    assert draft.status == Study.Status.OPEN
    assert Trial.objects.filter(state="free").count() == 60


def test_opening_an_empty_study_is_a_message(db, admin_client):
    empty = Study.objects.create(slug="empty", title="Empty")
    page = admin_client.post(address("study"), {"action": "open_studies", "_selected_action": empty.pk}, follow=True)
    assert "has no pairs to show" in page.text
    empty.refresh_from_db()
    assert empty.status == Study.Status.DRAFT


def test_open_as_participant_is_a_preview(draft, admin_client):
    import re

    page = admin_client.get(address("study"))
    link = re.search(r'href="(/s/cats/\?preview=[^"]+)"', page.text)[1]
    assert "Preview" in admin_client.get(link).text


def test_a_changed_consent_text_is_the_next_version(study, admin_client):
    page = admin_client.get(address("study", "change", study.pk))
    fields = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}
    fields = {name: value for name, value in fields.items() if value is not False}
    admin_client.post(address("study", "change", study.pk), {**fields, "consent_text": "Other words."})
    study.refresh_from_db()
    assert study.consent_text == "Other words."
    assert study.consent_version == 2
    assert not Session.objects.exists()
