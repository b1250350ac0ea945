"""What a participant will see: practice pairs, then test pairs from the pool with the hidden ones among them."""

import random
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from django.db.models import Case, Count, Q, Value, When

from studyserver.errors import StudyFull
from studyserver.models import Pair, Participant, Session, Study, Trial
from studyserver.ordering import Showing, order_session, target_position
from studyserver.quota import Shown, choose_least_shown, share_verification
from studyserver.selectors import pairs_worth_asking
from studyserver.services.places import places_ensure, places_reclaim
from studyserver.services.studies import study_check_pairs

__all__ = ["session_plan", "training_trial_create"]


def session_plan(*, session: Session, now: datetime) -> None:
    """Take the places of a session and put its trials in order, within the caller's transaction.

    All chance is drawn from the session's recorded seed: the same seed and the same pool give the same plan. Raises
    StudyFull when no place is free, StudyNotReady where there is nothing to show (previews and simulated participants
    enter a study in any status).
    """
    study, origin = session.participant.study, session.participant.origin
    study_check_pairs(study)
    # One plan of a study at a time, so that "fewest takers" is exact and two plans cannot wait for each other.
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    rng = random.Random(session.seed)
    if origin == Participant.Origin.PREVIEW:
        tests, places = _tests_of_preview(study, rng), {}
    else:
        places_reclaim(study=study, now=now)
        places_ensure(study=study, origin=origin)
        tests, places = _tests_with_places(study, origin, rng)
    if not tests:
        raise StudyFull(f"study {study.slug!r} has all the votes it needs")
    practice, hidden = _verification(study, origin, rng)
    nulls = choose_least_shown(_shown(study, origin, Pair.Kind.NULL, Trial.Kind.NULL), study.null_pairs, rng)
    order = order_session(
        tests,
        [Showing(Trial.Kind.VERIFICATION, pair.pair, pair.source) for pair in hidden],
        [Showing(Trial.Kind.NULL, pair.pair, pair.source) for pair in nulls],
        study.repeat_pairs,
        rng,
    )
    trials = [
        _trial(session, Trial.Kind.TRAINING, pair.pair, position, bool(rng.getrandbits(1)), now)
        for position, pair in enumerate(practice, 1)
    ]
    sides = {place.pair_id: place.mirrored for place in places.values()}
    positions = {}
    for position, showing in enumerate(order, 1):
        if showing.kind == Trial.Kind.TEST and showing.pair in places:
            positions[places[showing.pair].pk] = position
            continue
        mirrored = not sides[showing.pair] if showing.kind == Trial.Kind.REPEAT else bool(rng.getrandbits(1))
        if showing.kind == Trial.Kind.TEST:
            sides[showing.pair] = mirrored
        trials.append(_trial(session, showing.kind, showing.pair, position, mirrored, now))
    _claim(session, positions, now)
    Trial.objects.bulk_create(trials)


def training_trial_create(
    *, session: Session, pair: int, position: int, attempt: int, rng: random.Random, now: datetime
) -> Trial:
    """Add a showing of a practice pair, on a fresh random side."""
    trial = _trial(session, Trial.Kind.TRAINING, pair, position, bool(rng.getrandbits(1)), now, attempt)
    trial.save()
    return trial


def _trial(
    session: Session, kind: str, pair: int, position: int, mirrored: bool, now: datetime, attempt: int = 1
) -> Trial:
    return Trial(
        pair_id=pair,
        kind=kind,
        mirrored=mirrored,
        state=Trial.State.CLAIMED,
        origin=session.participant.origin,
        session=session,
        participant=session.participant,
        position=position,
        attempt=attempt,
        claimed_at=now,
    )


def _claim(session: Session, positions: dict[int, int], now: datetime) -> None:
    """Take the places that this transaction holds, by key, at these positions."""
    field = Trial._meta.get_field("position")
    at = Case(*(When(pk=key, then=Value(position)) for key, position in positions.items()), output_field=field)
    Trial.objects.filter(pk__in=positions).update(
        state=Trial.State.CLAIMED,
        session=session,
        participant=session.participant,
        position=at,
        claimed_at=now,
    )


def _tests_with_places(study: Study, origin: str, rng: random.Random) -> tuple[list[Showing], dict[int, Trial]]:
    """Return the test pairs of a session, and by pair the place that is now locked for it."""
    in_pool = Q(trials__origin=origin, trials__kind=Trial.Kind.TEST)
    taken = in_pool & Q(trials__state__in=[Trial.State.CLAIMED, Trial.State.ANSWERED])
    rows = list(
        study.pairs.filter(kind=Pair.Kind.TEST)
        .order_by("id")
        .values_list("id", "source")
        .annotate(
            free=Count("trials", filter=in_pool & Q(trials__state=Trial.State.FREE)),
            takers=Count("trials", filter=taken),
        )
    )
    known = {pair: (source, rank) for rank, (pair, source, _, _) in enumerate(rows)}
    open_rows = [row for row in rows if row[2]]
    rng.shuffle(open_rows)
    ranked = [pair for pair, *_ in sorted(open_rows, key=lambda row: row[3])]
    wanted = study.pairs_per_session
    if study.sampling == Study.Sampling.ADAPTIVE and len(ranked) > wanted:
        ranked = pairs_worth_asking(study, origin, ranked, wanted, rng.getrandbits(32))
    places: dict[int, Trial] = {}
    queue = iter(ranked)
    while len(places) < wanted and (chunk := list(islice(queue, wanted - len(places)))):
        places |= _lock_places(chunk, origin)
    tests = [
        Showing(Trial.Kind.TEST, pair, known[pair][0], target_position(place.number, known[pair][1]))
        for pair, place in places.items()
    ]
    return tests, places


def _lock_places(pairs: Sequence[int], origin: str) -> dict[int, Trial]:
    """Lock the lowest free place of each pair; a pair whose place is in other hands just now is left out."""
    free = Trial.objects.filter(pair__in=pairs, origin=origin, kind=Trial.Kind.TEST, state=Trial.State.FREE)
    lowest: dict[int, int] = {}
    for key, pair in free.order_by("number").values_list("pk", "pair"):
        lowest.setdefault(pair, key)
    # In an order of its own: that of the table joins the session, and PostgreSQL locks no outer join.
    chosen = free.filter(pk__in=lowest.values()).order_by("pk").select_for_update(skip_locked=True)
    locked = {place.pair_id: place for place in chosen}
    return {pair: locked[pair] for pair in pairs if pair in locked}


def _tests_of_preview(study: Study, rng: random.Random) -> list[Showing]:
    """Return test pairs without places: previews have no quota."""
    rows = list(study.pairs.filter(kind=Pair.Kind.TEST).order_by("id").values_list("id", "source"))
    chosen = rng.sample(rows, min(study.pairs_per_session, len(rows)))
    return [Showing(Trial.Kind.TEST, pair, source, rng.random()) for pair, source in chosen]


def _verification(study: Study, origin: str, rng: random.Random) -> tuple[list[Shown], list[Shown]]:
    """Return the practice pairs and the hidden ones, no pair twice, of different sources as far as there are."""
    pairs = _shown(study, origin, Pair.Kind.VERIFICATION, Trial.Kind.VERIFICATION)
    practice, hidden = share_verification(len(pairs), study.training_pairs, study.verification_pairs)
    shown = choose_least_shown(pairs, hidden, rng)
    # The practice takes what comes: each of its pairs is as good as another.
    rest = [Shown(pair.pair, pair.source, 0) for pair in pairs if pair not in shown]
    return choose_least_shown(rest, practice, rng, {pair.source for pair in shown}), shown


def _shown(study: Study, origin: str, pair_kind: str, trial_kind: str) -> list[Shown]:
    showings = Q(trials__kind=trial_kind, trials__origin=origin) & ~Q(trials__state=Trial.State.EXPIRED)
    rows = study.pairs.filter(kind=pair_kind).order_by("id").values_list("id", "source")
    return [Shown(*row) for row in rows.annotate(shown=Count("trials", filter=showings))]
