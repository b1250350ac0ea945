"""Places in the pairs' quotas: made, given back when people go away, and given again when a vote is dropped."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from studyserver.flow import ENDED
from studyserver.models import Pair, Session, Study, Trial
from studyserver.selectors import vote_reasons

__all__ = ["places_ensure", "places_reclaim", "places_release", "places_settle", "places_settle_session"]


def places_ensure(*, study: Study, origin: str) -> int:
    """Make the free trials that are missing from every test pair's quota and return how many were made.

    Sides alternate inside a pair's quota; whether a pair begins mirrored alternates too, so that the first
    participants do not see every pair the same way round. A quota that was lowered keeps its surplus places
    that somebody holds, and loses the free ones.
    """
    held = Trial.objects.filter(pair__study=study, origin=origin, kind=Trial.Kind.TEST, number__isnull=False).exclude(
        state__in=[Trial.State.EXPIRED, Trial.State.SURPLUS]
    )
    held.filter(state=Trial.State.FREE, number__gte=study.votes_per_pair).delete()
    counts = (
        study.pairs.filter(kind=Pair.Kind.TEST)
        .annotate(
            places=Count(
                "trials",
                filter=Q(
                    trials__origin=origin,
                    trials__kind=Trial.Kind.TEST,
                    trials__number__lt=study.votes_per_pair,
                )
                & ~Q(trials__state__in=[Trial.State.EXPIRED, Trial.State.SURPLUS]),
            )
        )
        .order_by("id")
    )
    missing = {pair.pk: rank for rank, pair in enumerate(counts) if pair.places < study.votes_per_pair}
    if not missing:
        return 0
    there = set(held.filter(pair__in=missing).values_list("pair_id", "number"))
    fresh = [
        Trial(
            pair_id=pair,
            kind=Trial.Kind.TEST,
            origin=origin,
            number=number,
            mirrored=bool((number + rank) % 2),
        )
        for pair, rank in missing.items()
        for number in range(study.votes_per_pair)
        if (pair, number) not in there
    ]
    return len(Trial.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True))


@transaction.atomic
def places_reclaim(*, study: Study, now: datetime | None = None) -> int:
    """Return the places of participants who went away to the pool, and say how many were not answered."""
    now = now or timezone.now()
    # No join: PostgreSQL looks again at the state of a trial that another transaction just changed only where the
    # condition stands on the trial itself.
    gone = Session.objects.filter(lease_until__lt=now).exclude(state__in=ENDED)
    stale = Trial.objects.filter(state=Trial.State.CLAIMED, session__in=gone.values("pk"))
    returned = _return(stale.filter(pair__study=study, number__isnull=False), stale, Trial.State.EXPIRED)
    left = gone.filter(participant__study=study, trials__state=Trial.State.ANSWERED, trials__number__isnull=False)
    places_settle(study=study, sessions=left.distinct())
    return returned


@transaction.atomic
def places_release(*, session: Session) -> int:
    """Return the places that a session holds and did not answer to the pool, and say how many."""
    held = Trial.objects.filter(session=session, state=Trial.State.CLAIMED)
    returned = _return(held.filter(number__isnull=False), held, Trial.State.EXPIRED)
    held.update(state=Trial.State.EXPIRED)
    return returned


def places_settle_session(*, session: Session) -> None:
    """Give the places of a session's dropped votes again."""
    places_settle(study=session.participant.study, sessions=[session])


@transaction.atomic
def places_settle(*, study: Study, sessions: Iterable[Session]) -> None:
    """Bring the places of these sessions' votes in line with the rule of use and with exclusions.

    A dropped vote gives its place back to the pool and stays as surplus; a surplus vote that counts again takes its
    place back where nobody else has taken it yet. Sessions under way are to be left out: their votes may yet count.
    """
    sessions = list(sessions)
    if not sessions:
        return
    reasons = vote_reasons(study, sessions=sessions, surplus=False)
    answered = Trial.objects.filter(session__in=sessions, number__isnull=False, vote__isnull=False).select_related(
        "vote"
    )
    dropped, kept = [], []
    for trial in answered:
        if trial.state == Trial.State.ANSWERED and reasons[trial.vote.pk]:
            dropped.append(trial.pk)
        if trial.state != Trial.State.ANSWERED and not reasons[trial.vote.pk]:
            kept.append(trial)
    in_quota = Trial.objects.filter(state=Trial.State.ANSWERED)
    _return(in_quota.filter(pk__in=dropped), in_quota, Trial.State.SURPLUS)
    for trial in kept:
        replacement = Trial.objects.filter(
            pair_id=trial.pair_id, origin=trial.origin, number=trial.number, state=Trial.State.FREE
        )
        if replacement.delete()[0] == 1:
            Trial.objects.filter(pk=trial.pk).update(state=Trial.State.ANSWERED)


def _return(trials: QuerySet[Trial], still: QuerySet[Trial], state: str) -> int:
    """Take these trials out of the quota, as `state`, and put free ones with their numbers and sides in their place."""
    returned = 0
    for trial in list(trials):
        # A vote that arrives at this moment wins or loses here; either way the place is held once. Who came back
        # since the list was read keeps theirs.
        if still.filter(pk=trial.pk).update(state=state) == 1:
            Trial.objects.create(
                pair_id=trial.pair_id,
                kind=trial.kind,
                origin=trial.origin,
                number=trial.number,
                mirrored=trial.mirrored,
            )
            returned += 1
    return returned
