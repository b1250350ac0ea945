"""What the adaptive choice of pairs is told about a study's votes."""

from django.utils import timezone

import analysis
from studyserver.models import Study, Trial, Vote
from studyserver.selectors import pairs_worth_asking
from tests.studyserver.synthetic_study import add_people, make_materials


def test_votes_ties_and_claimed_places_are_counted_for_the_first_of_each_pair(db, monkeypatch):
    study = make_materials(Study.objects.create(slug="adaptive", votes_per_pair=6), sources=2, conditions=4)
    add_people(study, 8, origin="real", now=timezone.now())
    add_people(study, 3, origin="pilot", now=timezone.now())
    tests = Trial.objects.filter(pair__study=study, kind="test", origin="real")
    under_way = list(tests.values_list("pk", flat=True)[:5])
    Vote.objects.filter(trial__in=under_way).delete()
    tests.filter(pk__in=under_way).update(state="claimed")
    pools = []

    def choose(pool, count, *, seed, open_pairs):
        pools.append((pool, open_pairs))
        return [2, 0]

    monkeypatch.setattr(analysis, "choose_pairs", choose, raising=False)
    keys = sorted(study.pairs.filter(kind="test").values_list("pk", flat=True))
    assert pairs_worth_asking(study, "real", keys[:4], 2, 7) == [keys[2], keys[0], keys[1], keys[3]]
    pool, open_pairs = pools[0]
    assert open_pairs.tolist() == [True] * 4 + [False] * 8
    expected = {key: [0.0, 0.0, 0.0] for key in keys}
    for trial in tests.select_related("vote").exclude(state="free"):
        wins, votes, pending = expected[trial.pair_id]
        if trial.state == "claimed":
            pending += 1
        else:
            votes += 1
            preferred = trial.vote.choice
            wins += 0.5 if preferred == "tie" else (preferred == "left") != trial.mirrored
        expected[trial.pair_id] = [wins, votes, pending]
    assert [list(row) for row in zip(pool.wins, pool.votes, pool.pending, strict=True)] == list(expected.values())
    assert pool.votes.sum() > 20 and pool.pending.sum() == 5 and (pool.wins % 1).any()
    assert pool.source.tolist() == [0] * 6 + [1] * 6 and set(pool.first) | set(pool.second) == {0, 1, 2, 3}


def test_a_study_without_a_vote_has_an_empty_pool(db):
    study = make_materials(Study.objects.create(slug="fresh", votes_per_pair=2), sources=1, conditions=3)
    keys = list(study.pairs.filter(kind="test").values_list("pk", flat=True))
    assert sorted(pairs_worth_asking(study, "real", keys, 2, 1)) == sorted(keys)
