"""A participant at one step of a study without pairs: enough for the pages before and after them, and quick to make."""

from datetime import timedelta

from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from studyserver.models import Condition, Participant, Session, Source, Stimulus, Study
from studyserver.views.visit import remember
from tests.studyserver.conftest import Visitor


def visitor_at(client, state: str, **settings) -> Visitor:
    """A browser whose session is at `state` of a new, open study with these settings; its places count as taken."""
    study = Study.objects.create(slug="cats", title="Cats and dogs", status=Study.Status.OPEN, **settings)
    now = timezone.now()
    session = Session.objects.create(
        participant=Participant.objects.create(study=study, code="P1"),
        state=state,
        seed=1,
        consent_version=1,
        consented_at=now,
        started_at=now,
        lease_until=now + timedelta(hours=1),
    )
    client.cookies.update(remember(HttpResponse(), RequestFactory().get("/"), session).cookies)
    return Visitor(client, study)


def add_file(study: Study, label: str, codec: str, *, suffix: str = ".mp4") -> Stimulus:
    """A file of 64 x 48 pixels, one second of 25 pictures, 1000 bytes."""
    shape = {"width": 64, "height": 48, "frames": 25, "fps": "25/1"}
    source, _ = Source.objects.get_or_create(study=study, name="clip", defaults={"sha256": "0" * 64, **shape})
    condition = Condition.objects.create(study=study, label=label, kind=Condition.Kind.ATTACK)
    return Stimulus.objects.create(
        source=source,
        condition=condition,
        manifest_id=label,
        media=f"{label}{suffix}",
        sha256="0" * 64,
        bytes=1000,
        codec=codec,
        **shape,
    )
