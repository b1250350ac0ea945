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


@pytest.mark.slow
def test_every_list_and_record_opens(voted, admin_client):
    for model in MODELS:
        assert admin_client.get(address(model), {"q": "a"}).status_code == 200, model
        assert admin_client.get(address(model)).status_code == 200, model
        record = apps.get_model("studyserver", model).objects.first()
        page = admin_client.get(address(model, "change", record.pk))
        assert page.status_code == 200, model
        assert "Video attack laboratory" in page.text, model


@pytest.mark.slow
def test_lists_after_a_visit(voted, admin_client, study):
    page = admin_client.get(address("study"))
    assert "1 finished of 1" in page.text
    assert "6 of 24" in page.text
    # The quota of a pair.
    assert "1 of 4" in admin_client.get(address("pair")).text
    # A study with data stays.
    assert admin_client.post(address("study", "delete", study.pk), {"post": "yes"}).status_code == 403
    assert Vote.objects.count() == 8


@pytest.mark.slow
def test_moments_are_short(voted, admin_client):
    """Django's own spelling pushes the last column of a list out of a window 1440 pixels wide."""
    vote = Vote.objects.latest("voted_at")
    assert f"{vote.voted_at:%Y-%m-%d %H:%M}</td>" in admin_client.get(address("vote")).text
    session = voted.session
    assert f"{session.consented_at:%Y-%m-%d %H:%M}</td>" in admin_client.get(address("session")).text


@pytest.mark.slow
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


@pytest.mark.slow
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


def settings_of(page):
    """What a browser would send back of a study's page."""
    values = page.context["adminform"].form.initial.items()
    return {name: value for name, value in values if value is not None and value is not False}


@pytest.mark.slow
def test_nothing_is_saved_over_what_somebody_else_changed_meanwhile(draft, admin_client):
    page = address("study", "change", draft.pk)
    first, second = (settings_of(admin_client.get(page)) for _ in range(2))
    assert admin_client.post(page, first | {"reward": "3"}).status_code == 302
    refused = admin_client.post(page, second | {"max_minutes": 33}).text
    assert "Nothing was saved: admin changed this study after you opened the page" in refused
    draft.refresh_from_db()
    assert (draft.reward, draft.max_minutes) == (3, 25)
    assert admin_client.post(page, settings_of(admin_client.get(page)) | {"max_minutes": 33}).status_code == 302
    draft.refresh_from_db()
    assert (draft.reward, draft.max_minutes) == (3, 33)


def test_a_changed_consent_text_is_the_next_version(study, admin_client):
    fields = settings_of(admin_client.get(address("study", "change", study.pk)))
    admin_client.post(address("study", "change", study.pk), {**fields, "consent_text": "Other words."})
    study.refresh_from_db()
    assert study.consent_text == "Other words."
    assert study.consent_version == 2
    assert not Session.objects.exists()


def test_every_setting_of_a_study_is_on_its_page(draft, admin_client):
    page = admin_client.get(address("study", "change", draft.pk)).context["adminform"]
    shown = {name for fieldset in page for line in fieldset for name in line.fields}
    kept_apart = {"id", "consent_version"}
    editable = {field.name for field in Study._meta.fields if field.editable}
    assert editable - shown - kept_apart == set()


@pytest.mark.slow
def test_settings_that_would_break_a_running_study_are_fixed(draft, visitor, admin_client, study):
    def fixed():
        return set(admin_client.get(address("study", "change", study.pk)).context["adminform"].readonly_fields)

    assert {"quiz_questions", "full_code"} <= fixed() and not {"slug", "allow_tie", "votes_per_pair"} & fixed()
    visitor.begin()
    assert {"slug", "seed", "allow_tie", "presentation", "quiz_questions"} <= fixed()
    admin_client.post(address("study"), {"action": "pause_studies", "_selected_action": study.pk})
    assert "quiz_questions" not in fixed() and {"slug", "allow_tie"} <= fixed()


def test_the_page_of_a_study_leads_everywhere(study, admin_client):
    page = admin_client.get(address("study", "change", study.pk)).text
    for words in (
        "Dashboard",
        "Preview as participant",
        "PROLIFIC_PID=",
        "workerId=",
        "Version 1, since",
        "Payment list",
    ):
        assert words in page
    assert "http://testserver/s/cats/" in page


def test_the_history_says_who_did_what_and_leads_nowhere_back(study, admin_client):
    admin_client.post(address("study"), {"action": "pause_studies", "_selected_action": study.pk})
    history = admin_client.get(address("study", "history", study.pk)).text
    assert "<strong>Status</strong>: open &rarr; paused" in history and "<td>admin</td>" in history
    record = study.history.earliest()
    old = address("study", "simple_history", study.pk, record.history_id)
    assert admin_client.post(old, {"title": "Old"}).status_code == 302
    study.refresh_from_db()
    assert study.title == "Cats and dogs" and study.status == Study.Status.PAUSED
