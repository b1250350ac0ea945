"""Reads for the adaptive choice of pairs: what a study's votes say so far, as the analysis wants it."""

from collections.abc import Sequence

from django.db.models import Count, Q

from studyserver.models import Pair, Study, Trial, Vote

__all__ = ["pairs_worth_asking"]


def pairs_worth_asking(study: Study, origin: str, ranked: Sequence[int], wanted: int, seed: int) -> list[int]:
    """Return the pairs of `ranked` (keys) in another order: first the `wanted` of which a vote tells most.

    Counted are the votes in the quota of that origin, and claimed places as if they were answered.
    """
    # Imported here: numpy takes a tenth of a second, and other participants' pages do not need it.
    import numpy

    from analysis import PairPool, choose_pairs

    in_pool = Q(trials__origin=origin, trials__kind=Trial.Kind.TEST, trials__state=Trial.State.CLAIMED)
    rows = list(
        study.pairs.filter(kind=Pair.Kind.TEST)
        .order_by("id")
        .values_list("id", "source", "first__condition", "second__condition")
        .annotate(pending=Count("trials", filter=in_pool))
    )
    at = {row[0]: index for index, row in enumerate(rows)}
    wins, votes = numpy.zeros(len(rows)), numpy.zeros(len(rows))
    counted = Vote.objects.filter(
        trial__pair__study=study, trial__kind=Trial.Kind.TEST, trial__origin=origin, trial__state=Trial.State.ANSWERED
    )
    for pair, mirrored, choice, count in counted.values_list("trial__pair", "trial__mirrored", "choice").annotate(
        count=Count("pk")
    ):
        votes[at[pair]] += count
        if choice == Vote.Choice.TIE:
            wins[at[pair]] += count / 2
        elif (choice == Vote.Choice.LEFT) != mirrored:
            wins[at[pair]] += count
    _, sources, first, second, pending = zip(*rows, strict=True)
    conditions = numpy.unique([first, second], return_inverse=True)[1].reshape(2, -1)
    pool = PairPool(
        source=numpy.unique(sources, return_inverse=True)[1],
        first=conditions[0],
        second=conditions[1],
        wins=wins,
        votes=votes,
        pending=numpy.array(pending, dtype=float),
    )
    open_pairs = numpy.zeros(len(rows), dtype=bool)
    open_pairs[[at[pair] for pair in ranked]] = True
    chosen = [rows[index][0] for index in choose_pairs(pool, wanted, seed=seed, open_pairs=open_pairs)]
    asked = set(chosen)
    return [*chosen, *(pair for pair in ranked if pair not in asked)]
