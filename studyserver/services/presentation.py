"""How a session's pairs are shown: chosen when it begins, changed where the participant's machine cannot do it."""

from django.db import transaction
from django.db.models import Max

from studyserver.models import Session, Stimulus, Study
from studyserver.services.steps import session_end

__all__ = ["TROUBLES", "presentation_for", "session_presentation_fall_back"]

# What a player may report: two videos that cannot be kept in step, a browser that does not tell which frame it shows,
# or one that plays the files not at all.
TROUBLES = ("out-of-step", "no-frame-times", "unplayable")

_Presentation = Study.Presentation


def presentation_for(study: Study, *, room: int | None = None) -> str:
    """Return how a study's pairs are shown on a screen `room` device pixels wide (None: a wide one).

    Only a study that leaves the choice open looks at the size of its videos.
    """
    if study.presentation != _Presentation.AUTO:
        return study.presentation
    width = Stimulus.objects.filter(source__study=study).aggregate(widest=Max("width"))["widest"] or 0
    fits = width <= study.max_side_width and (room is None or 2 * width <= room)
    return _Presentation.SIDE_BY_SIDE if fits else _Presentation.TOGGLE


@transaction.atomic
def session_presentation_fall_back(*, session: Session, presentation: str, trouble: str) -> Session:
    """Go on in a presentation that needs no synchrony, or end the session as technical, and return it.

    `presentation` is the one that failed and `trouble` one of TROUBLES. A session that is shown otherwise by now, or
    is not at the pairs, stays as it is: the same report again changes nothing.
    """
    locked = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    session.refresh_from_db()
    if locked.presentation != presentation or locked.state not in (Session.State.TRAINING, Session.State.ACTIVE):
        return session
    study = session.participant.study
    session.environment = {**locked.environment, "trouble": trouble, "trouble_presentation": presentation}
    another = study.fallback == Study.Fallback.SEQUENTIAL and presentation != _Presentation.SEQUENTIAL
    if another and trouble != "unplayable":
        session.presentation = _Presentation.SEQUENTIAL
    session.save(update_fields=["environment", "presentation"])
    if session.presentation == presentation:
        session = session_end(session=session, state=Session.State.TECHNICAL, reason=trouble)
    return session
