"""People who took part, put straight into the database, for tests about what becomes of their votes.

The tests of the participants' pages go the long way.
"""

from datetime import UTC, datetime

from studyserver.models import Pair, Participant, Session, Study, Trial, Vote
from studyserver.services import places_settle
from tests.studyserver.conftest import SMOOTH

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def rightly(trial: Trial) -> str:
    """The right answer where there is one, else left."""
    return trial.expected or "left"


def miss_verification(trial: Trial) -> str:
    """An answer that is wrong in verification pairs only."""
    return "tie" if trial.kind == "verification" else rightly(trial)


def take_part(study: Study, code="P1", *, choose=rightly, pairs=None, origin="real") -> Session:
    """Return the session of a person who answered everything, or so many test pairs and is still there.

    One practice pair, test pairs on the places with the lowest numbers, one verification pair at the end.
    """
    done = pairs is None
    participant = Participant.objects.create(study=study, code=code, origin=origin)
    session = Session.objects.create(
        participant=participant,
        state="completed" if done else "active",
        seed=1,
        consent_version=1,
        consented_at=WHEN,
        started_at=WHEN,
        first_pair_at=WHEN,
        completed_at=WHEN if done else None,
        ended_at=WHEN if done else None,
        lease_until=LATER,
    )
    theirs = {"session": session, "participant": participant, "origin": origin, "state": "answered"}
    obvious = list(study.pairs.filter(kind=Pair.Kind.VERIFICATION).order_by("id")[:2])
    trials = [Trial(pair=obvious[0], kind="training", mirrored=False, position=1, **theirs)]
    for position, place in enumerate(_free_places(study, origin)[:pairs], start=1):
        place.position = position
        for name, value in theirs.items():
            setattr(place, name, value)
        trials.append(place)
    if done:
        trials.append(Trial(pair=obvious[-1], kind="verification", mirrored=True, position=len(trials), **theirs))
    Trial.objects.bulk_update([trial for trial in trials if trial.pk], [*theirs, "position"])
    Trial.objects.bulk_create([trial for trial in trials if not trial.pk])
    Vote.objects.bulk_create(
        Vote(trial=trial, choice=choose(trial), response_ms=900, playback=SMOOTH, voted_at=WHEN) for trial in trials
    )
    if done:
        places_settle(study=study, sessions=[session])
    return session


def _free_places(study: Study, origin: str) -> list[Trial]:
    """The free place with the lowest number of each pair."""
    free = Trial.objects.filter(pair__study=study, origin=origin, state="free").select_related(
        "pair__first__condition", "pair__second__condition"
    )
    return list({trial.pair_id: trial for trial in free.order_by("-number")}.values())
