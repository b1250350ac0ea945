"""What a participant will see: one training pair, test pairs taken from the pool, one hidden verification pair."""

import random
from datetime import datetime

from django.db.models import Count, Min, Q

from studyserver.errors import StudyFull
from studyserver.models import Pair, Participant, Session, Study, Trial
from studyserver.services.places import places_ensure, places_reclaim
from studyserver.services.studies import study_check_pairs

__all__ = ["session_plan", "training_trial_create"]


def session_plan(*, session: Session, now: datetime) -> None:
    """Take the places of a session and put its trials in order, within the caller's transaction.

    Test pairs come from the pairs with the fewest takers; which of those, the order, and the side of training
    and verification pairs follow the session's recorded seed. Raises StudyFull when no place is free, StudyNotReady
    where there is nothing to show (previews and simulated participants enter a study in any status).
    """
    study = session.participant.study
    study_check_pairs(study)
    # One plan of a study at a time, so that "fewest takers" is exact and two plans cannot wait for each other.
    Study.objects.select_for_update().get(pk=study.pk)
    rng = random.Random(session.seed)
    for number in range(1, study.training_pairs + 1):
        training_trial_create(
            session=session, pair=_training_pair(study, rng), position=number, attempt=1, rng=rng, now=now
        )
    _claim_all(session, rng, now)


def _claim_all(session: Session, rng: random.Random, now: datetime) -> None:
    study, participant = session.participant.study, session.participant
    preview = participant.origin == Participant.Origin.PREVIEW
    if not preview:
        places_reclaim(study=study, now=now)
        places_ensure(study=study, origin=participant.origin)
    candidates = _candidates(study, participant.origin, rng, any_place=preview)
    if not candidates:
        raise StudyFull(f"study {study.slug!r} has all the votes it needs")
    wanted = min(study.pairs_per_session, len(candidates))
    hidden = rng.randint(2, wanted) if wanted > 1 else 2
    positions = [position for position in range(1, wanted + 2) if position != hidden]
    rng.shuffle(positions)
    for pair, number in candidates:
        if not positions:
            break
        if preview:
            _trial_create(session, pair, Trial.Kind.TEST, positions.pop(), rng, now)
        elif _claim(session, pair, number, positions[-1], now):
            positions.pop()
    if len(positions) == wanted:
        raise StudyFull(f"study {study.slug!r} has all the votes it needs")
    _trial_create(session, _verification_pair(session, rng), Trial.Kind.VERIFICATION, hidden, rng, now)


def _candidates(study: Study, origin: str, rng: random.Random, *, any_place: bool) -> list[tuple[int, int | None]]:
    """Return (pair, lowest free number), the pairs with the fewest takers first, equal ones in random order."""
    of_origin = Q(trials__origin=origin, trials__kind=Trial.Kind.TEST)
    rows = list(
        study.pairs.filter(kind=Pair.Kind.TEST)
        .order_by("id")
        .values_list("id")
        .annotate(
            number=Min("trials__number", filter=of_origin & Q(trials__state=Trial.State.FREE)),
            takers=Count("trials", filter=of_origin & Q(trials__state__in=[Trial.State.CLAIMED, Trial.State.ANSWERED])),
        )
    )
    rng.shuffle(rows)
    rows.sort(key=lambda row: row[2])
    return [(pair, number) for pair, number, _ in rows if any_place or number is not None]


def _claim(session: Session, pair: int, number: int, position: int, now: datetime) -> bool:
    """Take one place by compare-and-swap; False when somebody else was faster."""
    participant = session.participant
    taken = Trial.objects.filter(
        pair=pair, origin=participant.origin, kind=Trial.Kind.TEST, number=number, state=Trial.State.FREE
    ).update(state=Trial.State.CLAIMED, session=session, participant=participant, position=position, claimed_at=now)
    return taken == 1


def _trial_create(session, pair: int, kind: str, position: int, rng: random.Random, now: datetime, attempt=1) -> Trial:
    return Trial.objects.create(
        pair_id=pair,
        kind=kind,
        mirrored=bool(rng.getrandbits(1)),
        state=Trial.State.CLAIMED,
        origin=session.participant.origin,
        session=session,
        participant=session.participant,
        position=position,
        attempt=attempt,
        claimed_at=now,
    )


def training_trial_create(
    *, session: Session, pair: int, position: int, attempt: int, rng: random.Random, now: datetime
) -> Trial:
    """Add a showing of a training pair, on a fresh random side."""
    return _trial_create(session, pair, Trial.Kind.TRAINING, position, rng, now, attempt)


def _training_pair(study: Study, rng: random.Random) -> int:
    return rng.choice(list(study.pairs.filter(kind=Pair.Kind.VERIFICATION).order_by("id").values_list("id", flat=True)))


def _verification_pair(session: Session, rng: random.Random) -> int:
    """Return the verification pair shown least, of another source than the training pair where there is one."""
    study = session.participant.study
    trained = set(session.trials.filter(kind=Trial.Kind.TRAINING).values_list("pair_id", flat=True))
    rows = list(
        study.pairs.filter(kind=Pair.Kind.VERIFICATION)
        .order_by("id")
        .values_list("id")
        .annotate(shown=Count("trials", filter=Q(trials__kind=Trial.Kind.VERIFICATION)))
    )
    rng.shuffle(rows)
    return min(rows, key=lambda row: (row[0] in trained, row[1]))[0]
