"""A study on a tiny stimulus set, and a participant who walks through it."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from studyserver.models import Session, Study
from studyserver.selectors import session_current_trial
from studyserver.services import import_stimulus_set, study_open, study_set_design
from tests.studyserver.kept_study import KeptStudy
from tests.studyserver.tiny_set import write_tiny_set

SMOOTH = {
    "left": {"shown": 25, "dropped": 0, "total": 25, "stalls": 0},
    "right": {"shown": 25, "dropped": 0, "total": 25, "stalls": 0},
    "offsets": {"0": 25},
    "offset_max": 0,
    "play_ms": 1010,
    "scale": 1,
    "plays": 1,
    "hidden": 0,
}


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory):
    """Folder of a stimulus set: 2 sources, reference and 2 attacks each, so 6 test pairs."""
    return write_tiny_set(tmp_path_factory.mktemp("tiny") / "set")


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    """Run-time data of one test."""
    settings.DATA_DIR = tmp_path / "var"
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    settings.DATA_DIR.mkdir()
    # A list of all static files for every test client takes longer than most tests.
    settings.WHITENOISE_USE_FINDERS = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return settings.DATA_DIR


@pytest.fixture(scope="session")
def kept() -> dict[str, KeptStudy]:
    """The studies of `draft` and `study`, once made: making one takes longer than most tests."""
    return {}


@pytest.fixture
def draft(db, tiny_set, kept, data_dir, tmp_path_factory) -> Study:
    """A study that is not open yet."""
    if "draft" in kept:
        kept["draft"].put_back(data_dir)
        return Study.objects.get()
    # Two clips are too few for any interval worth asking for.
    study = import_stimulus_set(slug="cats", folder=tiny_set, title="Cats and dogs", interval_width=0).study
    kept["draft"] = KeptStudy(data_dir, tmp_path_factory.mktemp("kept") / "draft")
    return study


# One practice pair, then the test pairs with one hidden verification pair.
SHORT = {
    "training_pairs": 1,
    "quiz_questions": 0,
    "verification_pairs": 1,
    "repeat_pairs": 0,
    "null_pairs": 0,
    "questionnaire": False,
    "check_environment": False,
}


@pytest.fixture
def study(request, db, kept, data_dir, tmp_path_factory) -> Study:
    """An open study of short sessions that wants four people per pair: `draft`, opened."""
    if "study" in kept and "draft" not in request.fixturenames:
        kept["study"].put_back(data_dir)
        return Study.objects.get()
    draft = request.getfixturevalue("draft")
    study_set_design(study=draft, pairs_per_session=18, votes_per_pair=4, **SHORT)
    study = study_open(study=draft)
    kept["study"] = KeptStudy(data_dir, tmp_path_factory.mktemp("kept") / "study")
    return study


class Visitor:
    """A browser in the hands of one participant."""

    def __init__(self, client, study):
        self.client = client
        self.study = study

    def url(self, name, *args):
        return reverse(name, args=[self.study.slug, *args])

    def get(self, name, *args, **headers):
        return self.client.get(self.url(name, *args), headers=headers)

    def consent(self, query=""):
        page = self.client.get(self.url("landing") + query)
        data = {"agree": "on", **{name: page.context["form"][name].value() for name in ("visit", "version")}}
        return self.client.post(self.url("landing") + query, data)

    def begin(self, query=""):
        """Go as far as the first trial and return the session."""
        self.consent(query)
        self.client.post(self.url("instructions"))
        return self.session

    @property
    def session(self) -> Session:
        """The latest session of the study."""
        return Session.objects.filter(participant__study=self.study).latest("id")

    def vote(self, trial, choice, **fields):
        body = {"trial": trial.token, "choice": choice, "response_ms": 900, "playback": SMOOTH, **fields}
        return self.post_vote(json.dumps(body))

    def post_vote(self, body):
        return self.client.post(self.url("vote"), body, content_type="application/json")

    def answer(self, session, choice=None):
        """Answer the current trial: rightly where there is a right answer, else `choice` or left."""
        trial = session_current_trial(session)
        return self.vote(trial, choice or trial.expected or "left")

    def finish(self, session):
        while session_current_trial(session):
            assert self.answer(session).status_code == 200


@pytest.fixture
def visitor(client, study) -> Visitor:
    """A participant of the open study."""
    return Visitor(client, study)


@pytest.fixture
def stranger(study) -> Visitor:
    """Another browser."""
    return Visitor(Client(), study)
