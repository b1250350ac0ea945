"""The studies that the tests walk through: made inside the server's own data by `manage shell`."""

from studyserver.database import database_ensure
from studyserver.models import Stimulus
from studyserver.services import import_stimulus_set, study_open, study_set_design

# Pairs, and nothing else around them.
SHORT = {
    "training_pairs": 1,
    "pairs_per_session": 2,
    "votes_per_pair": 100,
    "quiz_questions": 0,
    "verification_pairs": 0,
    "repeat_pairs": 0,
    "null_pairs": 0,
    "questionnaire": False,
    "check_environment": False,
    "sync_attempts": 10,
}
# A study with every step, and one that no screen is fast enough for.
STEPS = {
    **SHORT,
    "training_pairs": 0,
    "pairs_per_session": 1,
    "quiz_questions": 3,
    "questionnaire": True,
    "check_environment": True,
    "calibration": "optional",
}
# As a researcher finds it, but of few pairs, and any screen is fast enough.
WHOLE = {"pairs_per_session": 3, "min_refresh_hz": 5, "sync_attempts": 10}
# Of clips that last a second: how they are played is looked at.
SECONDS = {
    "cats": {**SHORT, "pairs_per_session": 3, "verification_pairs": 1},
    "sequential": {**SHORT, "presentation": "sequential"},
    "toggle": {**SHORT, "presentation": "toggle"},
}
# Of clips that last a third of a second.
MOMENTS = {
    "quick": SHORT,
    "apart": {**SHORT, "sync_attempts": 1},
    "no-other-way": {**SHORT, "sync_attempts": 0, "fallback": "none"},
    "steps": {**STEPS, "min_refresh_hz": 5},
    "fast-screens": {**STEPS, "min_refresh_hz": 1000},
    "whole": WHOLE,
}


def make_studies(seconds: str, moments: str) -> None:
    """Open every study, from the folders of the two stimulus sets."""
    database_ensure()
    for slug, settings in SECONDS.items():
        open_study(slug, seconds, settings)
    for slug, settings in MOMENTS.items():
        open_study(slug, moments, settings)
    # Of the name of a codec a browser says more than of a type of files, which the other studies have.
    Stimulus.objects.filter(source__study__slug__in=["steps", "fast-screens"]).update(codec="avc1.42E01E")


def open_study(slug: str, folder: str, settings: dict) -> None:
    """Import a stimulus set as an open study with these settings."""
    study = import_stimulus_set(slug=slug, folder=folder, title="Cats and dogs", interval_width=0).study
    study_set_design(study=study, **settings)
    study_open(study=study)
