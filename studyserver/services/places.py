"""Places in the pairs' quotas: made, given back when people go away, and given again when a vote is dropped.

Everything here is safe beside plans and votes under way: rows that somebody else is changing are passed over rather
than waited for, and what is left undone by that is done by the next plan, which looks after all places.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils import timezone

from studyserver.flow import HOLDS_PLACES
from studyserver.models import Pair, Session, Study, Trial, Vote
from studyserver.quota import is_mirrored, numbers_to_offer
from studyserver.selectors import vote_reasons

__all__ = [
    "place_take_back",
    "places_ensure",
    "places_reclaim",
    "places_release",
    "places_settle",
    "places_vacate",
]

_OUT_OF_QUOTA = (Trial.State.EXPIRED, Trial.State.SURPLUS)
_CHUNK = 500


@transaction.atomic
def places_ensure(*, study: Study, origin: str, pairs: Collection[int] | None = None) -> int:
    """Make the free places that the quotas of a study (or of these pairs) miss, and return how many were made.

    Sides alternate inside a pair's quota. After a quota was lowered, what is held beyond it counts, and free places
    that are too many go.
    """
    quota = study.votes_per_pair
    tests = study.pairs.filter(kind=Pair.Kind.TEST).order_by("id").values_list("id", flat=True)
    ranks = {pair: rank for rank, pair in enumerate(tests)}
    places = Trial.objects.filter(origin=origin, kind=Trial.Kind.TEST, number__isnull=False)
    places = places.exclude(state__in=_OUT_OF_QUOTA)
    if pairs is None:
        there = places.filter(pair__study=study).aggregate(count=Count("pk"), last=Max("number"))
        if there["count"] == len(ranks) * quota and (there["last"] is None or there["last"] < quota):
            return 0
        rows = places.filter(pair__study=study).values_list("pk", "pair", "number", "state")
    else:
        rows = (row for chunk in _chunks(pairs) for row in _of_pairs(places, chunk))
    held, free = defaultdict(set), defaultdict(dict)
    for key, pair, number, state in rows:
        if state == Trial.State.FREE:
            free[pair][number] = key
        else:
            held[pair].add(number)
    fresh, spare = [], []
    for pair in ranks if pairs is None else pairs:
        offered = numbers_to_offer(held[pair], quota)
        fresh += [(pair, number) for number in sorted(offered - free[pair].keys())]
        spare += [key for number, key in free[pair].items() if number not in offered]
    for chunk in _chunks(spare):
        _delete_free(chunk)
    made = [
        Trial(
            pair_id=pair,
            kind=Trial.Kind.TEST,
            origin=origin,
            number=number,
            mirrored=is_mirrored(number, ranks[pair]),
        )
        for pair, number in fresh
    ]
    return len(Trial.objects.bulk_create(made, batch_size=_CHUNK, ignore_conflicts=True))


@transaction.atomic
def places_reclaim(*, study: Study, now: datetime | None = None) -> int:
    """Return the places of participants who went away to the pool, and say how many were not answered.

    In a paused study nobody can go on, so nobody is away.
    """
    now = now or timezone.now()
    if study.status == Study.Status.PAUSED:
        return 0
    gone = list(
        # Whose session is being changed at this moment is not away.
        Session.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(participant__study=study, state__in=HOLDS_PLACES, lease_until__lt=now)
        .filter(Q(left_at=None) | Q(left_at__lt=F("lease_until")))
    )
    if not gone:
        return 0
    Session.objects.filter(pk__in=[session.pk for session in gone]).update(left_at=now)
    returned = _give_back(study, Trial.objects.filter(session__in=gone, state=Trial.State.CLAIMED), Trial.State.EXPIRED)
    places_settle(study=study, sessions=gone)
    return returned


@transaction.atomic
def places_release(*, session: Session) -> int:
    """Return the places that a session holds and did not answer to the pool, and say how many."""
    open_trials = Trial.objects.filter(session=session, state=Trial.State.CLAIMED)
    returned = _give_back(session.participant.study, open_trials, Trial.State.EXPIRED)
    open_trials.update(state=Trial.State.EXPIRED)
    return returned


@transaction.atomic
def places_vacate(*, session: Session) -> int:
    """Return every place of a session to the pool, answered ones too, and say how many.

    For a participant whose answers are deleted: their trials can go afterwards.
    """
    held = Trial.objects.filter(session=session, state__in=[Trial.State.CLAIMED, Trial.State.ANSWERED])
    return _give_back(session.participant.study, held, Trial.State.EXPIRED)


@transaction.atomic
def places_settle(*, study: Study, sessions: Iterable[Session] | None = None, now: datetime | None = None) -> None:
    """Bring the places of these sessions' votes in line with the rule of use and with exclusions.

    A dropped vote gives its place back to the pool and stays as surplus; a surplus vote that counts again takes a
    free place of its pair and side, where there is one. Without `sessions`, all of the study that are not under way:
    the votes of those may yet count.
    """
    if sessions is None:
        busy = Q(state__in=HOLDS_PLACES, lease_until__gte=now or timezone.now())
        sessions = Session.objects.filter(participant__study=study).exclude(busy)
    voted = Trial.objects.filter(number__isnull=False, vote__isnull=False)
    # Votes and withdrawals hold their session first, and so does this: nobody waits for each other. Who has not voted
    # is left alone, for they may wait for the study, which a change of its rule holds.
    held = [
        session
        for chunk in _chunks(sorted(session.pk for session in sessions))
        for session in Session.objects.select_for_update(of=("self",))
        .filter(pk__in=voted.filter(session__in=chunk).values("session"))
        .order_by("pk")
    ]
    if not held:
        return
    rows = [
        row
        for chunk in _chunks(held)
        for row in voted.filter(session__in=chunk)
        .order_by("pk")
        .values_list("pk", "vote__pk", "state", "pair", "origin")
    ]
    reasons = vote_reasons(study, sessions=held, surplus=False)
    dropped = [row for row in rows if row[2] == Trial.State.ANSWERED and reasons.get(row[1])]
    counting = [row for row in rows if row[2] in _OUT_OF_QUOTA and reasons.get(row[1]) == ""]
    for chunk in _chunks([key for key, *_ in dropped]):
        Trial.objects.filter(pk__in=chunk).update(state=Trial.State.SURPLUS)
    _ensure_each(study, {(pair, origin) for *_, pair, origin in dropped})
    for chunk in _chunks([key for key, *_ in counting]):
        _take_back(chunk)


@transaction.atomic
def place_take_back(*, trial: Trial) -> bool:
    """Give a trial that is answered now its place back, or another of its pair and side; False where none is free.

    Only trials in the quota have one.
    """
    return _take_back([trial.pk]) == 1


def _take_back(keys: list[int]) -> int:
    trials = list(Trial.objects.filter(pk__in=keys, number__isnull=False).order_by("pk"))
    offered = defaultdict(list)
    free = Trial.objects.filter(pair__in={trial.pair_id for trial in trials}, state=Trial.State.FREE)
    for place in free.order_by("-number"):
        offered[place.pair_id, place.origin, place.mirrored].append(place)
    wanted = {}
    for trial in trials:
        if places := offered[trial.pair_id, trial.origin, trial.mirrored]:
            # Its own number where that is free, so that what was dropped and counts again leaves no trace.
            place = next((place for place in places if place.number == trial.number), places[-1])
            places.remove(place)
            wanted[place.pk] = trial
            trial.number, trial.state = place.number, Trial.State.ANSWERED
    back = [wanted[place] for place in _delete_free(wanted)]
    Trial.objects.bulk_update(back, ["number", "state"], batch_size=_CHUNK)
    Vote.objects.filter(trial__in=back, late=True).update(late=False)
    return len(back)


def _give_back(study: Study, trials: QuerySet[Trial], state: str) -> int:
    """Take the places among these trials out of the quota, as `state`, offer them again, and return how many."""
    places = list(
        trials.filter(number__isnull=False)
        .select_for_update(skip_locked=True)
        .order_by("pk")
        .values_list("pk", "pair", "origin")
    )
    for chunk in _chunks([key for key, *_ in places]):
        Trial.objects.filter(pk__in=chunk).update(state=state)
    _ensure_each(study, {(pair, origin) for _, pair, origin in places})
    return len(places)


def _ensure_each(study: Study, quotas: set[tuple[int, str]]) -> None:
    for origin in sorted({origin for _, origin in quotas}):
        places_ensure(study=study, origin=origin, pairs=sorted(pair for pair, of in quotas if of == origin))


def _delete_free(keys: Iterable[int]) -> list[int]:
    """Delete those of these trials that are free and in nobody's hands just now, and return them."""
    places = Trial.objects.select_for_update(skip_locked=True).filter(pk__in=list(keys), state=Trial.State.FREE)
    gone = list(places.order_by("pk").values_list("pk", flat=True))
    Trial.objects.filter(pk__in=gone).delete()
    return gone


def _of_pairs(places: QuerySet[Trial], pairs: list[int]) -> QuerySet:
    return places.filter(pair__in=pairs).values_list("pk", "pair", "number", "state")


def _chunks(items: Iterable) -> Iterator[list]:
    items = list(items)
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
