"""The tables that the migrations make, and what they make of data from before the platform was whole."""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from studyserver.models import Session, Study

WHEN = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def older_tables(transactional_db):
    """The models of the version before, on tables of that version."""
    executor = MigrationExecutor(connection)
    target = [("studyserver", "0002_matches_and_speed")]
    executor.migrate(target)
    yield executor.loader.project_state(target).apps
    call_command("migrate", verbosity=0)


def test_the_migrations_make_the_tables_of_the_models(settings):
    """Other tests may then have tables straight from the models, which are as good and quicker made."""
    settings.MIGRATION_MODULES = {}
    made = MigrationLoader(None)
    models = ProjectState.from_apps(apps)
    assert MigrationAutodetector(made.project_state(), models).changes(graph=made.graph) == {}


def make_pair(models, study):
    shape = {"width": 960, "height": 540, "frames": 125, "fps": "25/1"}
    source = models("Source").objects.create(study=study, name="clip", sha256="0" * 64, **shape)
    stimuli = [
        models("Stimulus").objects.create(
            source=source,
            condition=models("Condition").objects.create(study=study, label=kind, kind=kind),
            manifest_id=kind,
            media=f"{kind}.mp4",
            sha256="0" * 64,
            bytes=1,
            **shape,
        )
        for kind in ("reference", "verification")
    ]
    return models("Pair").objects.create(
        study=study, source=source, kind="verification", first=stimuli[0], second=stimuli[1]
    )


@pytest.mark.slow
def test_sessions_under_way_go_on_where_they_were(older_tables):
    def models(name):
        return older_tables.get_model("studyserver", name)

    study = models("Study").objects.create(slug="old", title="Old", status="open")
    pair = make_pair(models, study)
    for code, state in (("reads", "consented"), ("practises", "active"), ("votes", "active"), ("done", "completed")):
        participant = models("Participant").objects.create(study=study, code=code)
        session = models("Session").objects.create(
            participant=participant,
            state=state,
            key=code,
            seed=1,
            consent_version=1,
            consented_at=WHEN,
            started_at=None if code == "reads" else WHEN,
            completed_at=WHEN if code == "done" else None,
            lease_until=WHEN,
        )
        if code != "reads":
            models("Trial").objects.create(
                pair=pair,
                kind="training",
                mirrored=False,
                state="claimed" if code == "practises" else "answered",
                session=session,
                participant=participant,
                position=0,
                token=code,
                left_token=f"{code} left",
                right_token=f"{code} right",
                origin="real",
            )

    call_command("migrate", verbosity=0)

    states = dict(Session.objects.values_list("participant__code", "state"))
    assert states == {"reads": "instructions", "practises": "training", "votes": "active", "done": "completed"}
    assert dict(Session.objects.values_list("participant__code", "first_pair_at")) == {
        "reads": None,
        "practises": None,
        "votes": WHEN,
        "done": WHEN,
    }
    assert Session.objects.values("withdrawal_code").distinct().count() == 4
    study = Study.objects.get()
    assert (study.training_pairs, study.verification_pairs, study.null_pairs, study.repeat_pairs) == (1, 1, 0, 0)
    assert (study.presentation, study.interval_width, study.check_environment) == ("side-by-side", 0, False)
    assert [(rule.purpose, rule.version) for rule in study.rules.order_by("purpose")] == [("pay", 1), ("use", 1)]
    assert study.consent_texts.get().text == study.consent_text
