"""A visit to every page that a participant can be on: made inside the server's own data by `manage shell`."""

import json
from datetime import timedelta

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone
from django.utils.translation import override

from studyserver.models import Participant, Session, Study
from studyserver.quiz import quiz_of
from studyserver.services import import_stimulus_set, session_advance, session_start, study_open, study_set_design
from studyserver.views.visit import remember

State = Session.State
PRESENTATIONS = ("side-by-side", "sequential", "toggle")
PAIRS = {
    "quiz_questions": 0,
    "verification_pairs": 0,
    "repeat_pairs": 0,
    "null_pairs": 0,
    "questionnaire": False,
    "check_environment": False,
    "pairs_per_session": 2,
    "sync_attempts": 10,
    "min_refresh_hz": 5,
}


def print_pages(folder: str) -> None:
    """Make the studies and visits and print, as JSON, the address and the cookie of each by the page's name."""
    print(json.dumps({**_doors(), **_steps(), **_ends(), **_pairs(folder), **_errors()}))


def _study(slug: str, **settings) -> Study:
    values = {"title": "Katzen und Hunde im Vergleich", "status": Study.Status.OPEN, **settings}
    return Study.objects.create(slug=slug, **values)


def _visit(study: Study, state: str, **fields) -> dict:
    now = timezone.now()
    fields.setdefault("completed_at", now if state == State.COMPLETED else None)
    number = study.participants.count()
    session = Session.objects.create(
        participant=Participant.objects.create(study=study, code=f"P{number}"),
        state=state,
        seed=number,
        consent_version=1,
        consented_at=now,
        started_at=now,
        lease_until=now + timedelta(hours=1),
        **fields,
    )
    return _page(session)


def _page(session: Session) -> dict:
    study = session.participant.study
    ((name, cookie),) = remember(HttpResponse(), RequestFactory().get("/"), session).cookies.items()
    return {"path": f"/s/{study.slug}/", "cookie": [name, cookie.value]}


def _doors() -> dict:
    """What people meet who are not in, by the state of the study."""
    for slug in ("draft", "paused", "closed"):
        _study(slug, status=slug, completion_url="https://example.org/?code={code}")
    _study("full")
    invited = _study("invited", invitation_only=True)
    return {
        **{slug: {"path": f"/s/{slug}/"} for slug in ("draft", "paused", "closed", "full")},
        "invitation-only": {"path": f"/s/{invited.slug}/"},
        "invitation-wrong": {"path": f"/s/{invited.slug}/?invitation=none"},
        "withdraw": {"path": "/s/full/withdraw/"},
        "unknown": {"path": "/s/none/"},
        "paused-inside": _visit(Study.objects.get(slug="paused"), State.QUIZ),
    }


def _steps() -> dict:
    study = _study("texts", calibration="optional")
    pages = {
        "instructions": _visit(study, State.INSTRUCTIONS),
        "calibration": _visit(study, State.CALIBRATION),
        "quiz": _visit(study, State.QUIZ),
        "questionnaire": _visit(study, State.QUESTIONNAIRE),
    }
    again = _visit(study, State.QUIZ)
    session = Session.objects.latest("pk")
    wrong = {question.name: False for question in quiz_of(session, 1)}
    Session.objects.filter(pk=session.pk).update(quiz=[{"answers": {}, "right": wrong, "passed": False}])
    return {**pages, "quiz-again": again}


def _ends() -> dict:
    way_back = _study("back", completion_url="https://example.org/?code={code}", withdrawal="anonymise")
    study = Study.objects.get(slug="texts")
    return {
        "done": _visit(study, State.COMPLETED),
        "done-back": _visit(way_back, State.COMPLETED),
        "screened-out": _visit(study, State.SCREENED_OUT, reason="quiz"),
        "no-place": _visit(way_back, State.FULL),
        "technical": _visit(study, State.TECHNICAL, reason="refresh-slow"),
        "withdraw-own": {**_visit(study, State.COMPLETED), "path": "/s/texts/withdraw/"},
    }


def _pairs(folder: str) -> dict:
    """Visits that see videos: each presentation, and the check of the device."""
    pages = {"landing": {"path": "/s/pairs-side-by-side/"}}
    for presentation in PRESENTATIONS:
        slug = f"pairs-{presentation}"
        study = import_stimulus_set(slug=slug, folder=folder, title="Katzen und Hunde", interval_width=0).study
        study_set_design(study=study, **{**PAIRS, "training_pairs": 1, "presentation": presentation})
        study = study_open(study=study)
        session = session_start(study=study, code="trial")
        pages[slug] = _page(session_advance(session=session))
    study = Study.objects.get(slug="pairs-side-by-side")
    pages["loading"] = _page(session_advance(session=session_start(study=study, code="loading")))
    pages["setup"] = _visit(study, State.SETUP)
    strict = import_stimulus_set(slug="pairs-strict", folder=folder, title="Katzen und Hunde", interval_width=0).study
    study_set_design(study=strict, **{**PAIRS, "training_pairs": 1, "min_refresh_hz": 1000})
    pages["setup-bad"] = _visit(study_open(study=strict), State.SETUP)
    return pages


def _errors() -> dict:
    """Pages that only a failure brings up."""
    with override("de"):
        return {name: {"html": render_to_string(f"{name}.html")} for name in ("400", "403", "500")}
