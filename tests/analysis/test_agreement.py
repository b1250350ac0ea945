"""Agreement of participants with each other and with themselves: published examples, hand counts, other libraries."""

from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2

from analysis import validate_votes
from analysis.errors import InvalidOption, NotAssessable
from analysis.participants.agreement import Agreement, participant_agreement
from analysis.participants.concordance import disagreement, kendall_agreement, krippendorff_alpha, nominal_alpha
from analysis.participants.judgements import judgements
from analysis.participants.reliability import split_half_agreement
from analysis.participants.response_times import response_times
from analysis.participants.shares import share_of, share_p
from analysis.participants.triads import circular_triads, most_circular
from analysis.ranking.fit import fit_bradley_terry
from analysis.simulation import simulate_votes
from analysis.votes import counted_votes

# Six foods in front of a dog; a row is preferred to a column (Kendall & Babington Smith 1940, as R's eba has it).
DOG = np.array(
    [[0, 1, 1, 0, 1, 1], [0, 0, 0, 1, 1, 0], [0, 1, 0, 1, 1, 1], [1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 1],
     [0, 1, 0, 1, 0, 0]]
)  # fmt: skip
FIVE = dict(zip("abcde", [1.0, 0.5, 0.0, -0.5, -1.0], strict=True))


def table(rows, **columns) -> pd.DataFrame:
    """rows: (participant, left, right, choice), all on one source."""
    frame = pd.DataFrame(rows, columns=["participant", "left", "right", "choice"])
    return validate_votes(frame.assign(source="clip", **columns))


def tournament(matrix, person="dog") -> list[tuple]:
    n = len(matrix)
    return [(person, f"c{i}", f"c{j}", "left" if matrix[i][j] else "right") for i in range(n) for j in range(i)]


def first(votes):
    return judgements(votes).first()


class TestTriads:
    def test_dog(self):
        """Kendall & Babington Smith (1940): d = n (n - 1)(2 n - 1) / 12 - half the sum of squared wins, and their test.

        8 / (n - 4) (C(n, 3) / 4 - d) + f, with f = n (n - 1)(n - 2) / (n - 4)^2 and d + 1/2 for "as few as d".
        """
        found = circular_triads(first(table(tournament(DOG))))
        assert found.circular == 6 * 5 * 11 / 12 - np.sum(DOG.sum(axis=1) ** 2) / 2 == 5
        assert (found.closed, found.expected, found.complete) == (20, 5, 1)
        assert found.zeta == 1 - 5 / 8
        assert found.participants["zeta"].tolist() == [found.zeta]
        assert found.p == pytest.approx(chi2.sf(8 / 2 * (20 / 4 - 5.5) + 30, 30), rel=1e-12)

    @pytest.mark.slow
    def test_most_circular_is_reached_and_not_passed(self):
        rng = np.random.default_rng(1)
        for n, most in ((3, 1), (4, 2), (5, 5), (6, 8), (7, 14)):
            assert most_circular(np.array(n)) == most
            upper = np.triu(rng.integers(2, size=(200, n, n)), 1)
            won = upper + np.tril(1 - upper.transpose(0, 2, 1), -1)
            assert (n * (n - 1) * (2 * n - 1) / 12 - (won.sum(axis=2) ** 2).sum(axis=1) / 2).max() <= most
        wheel = np.array([[(j - i) % 5 in (1, 2) for j in range(5)] for i in range(5)])
        assert circular_triads(first(table(tournament(wheel)))).zeta == 0

    @pytest.mark.slow
    @pytest.mark.parametrize("missing", [0, 3])
    def test_p_is_near_the_exact_one(self, missing):
        """All tournaments of six, and with three pairs left undecided: how many have as few circles."""
        edges = [(i, j) for i in range(6) for j in range(i + 1, 6)][missing:]
        bits = (np.arange(2 ** len(edges))[:, None] >> np.arange(len(edges))) & 1
        at = {edge: k for k, edge in enumerate(edges)}
        triads = [t for t in combinations(range(6), 3) if all(edge in at for edge in combinations(t, 2))]
        one, two, three = (
            [bits[:, at[edge]] for edge in part] for part in zip(*(combinations(t, 2) for t in triads), strict=True)
        )
        circles = sum((a == c) & (a != b) for a, b, c in zip(one, two, three, strict=True))
        for wins in bits[:: len(bits) // 5]:
            rows = [
                ("p", f"c{i}", f"c{j}", "left" if won else "right") for (i, j), won in zip(edges, wins, strict=True)
            ]
            found = circular_triads(first(table(rows)))
            exact = (circles <= found.circular).mean()
            # Few numbers are possible, so in the middle a smooth curve cannot be near; the tail is what decides.
            assert found.p == pytest.approx(exact, abs=0.03 if exact < 0.15 else 0.07)

    def test_ties_and_second_answers_close_no_triad(self):
        circle = [("p", "a", "b", "left"), ("p", "b", "c", "left"), ("p", "a", "c", "right")]
        open_one = [("q", "a", "b", "left"), ("q", "c", "b", "right"), ("q", "a", "c", "tie")]
        found = circular_triads(first(table([*circle, *open_one, ("p", "a", "c", "left")])))
        assert (found.closed, found.circular, found.share) == (1, 1, 1.0)
        assert found.participants["participant"].tolist() == ["p"]
        with pytest.raises(NotAssessable, match="no triad is closed"):
            circular_triads(first(table(open_one)))


class TestKendall:
    def test_statistic_of_published_numbers(self):
        """R's eba prints u = 0.1866, lowest -0.04762, chi2 = 412.22, df = 90.75 for 21 boys and 13 school subjects.

        u and the test hang on the number of agreements alone: any counts of 21 on 78 pairs that give this u do.
        """
        rng = np.random.default_rng(0)
        for_first = np.where(rng.random(78) < 0.5, 6, 15)
        sums = {k: k * (k - 1) // 2 + (21 - k) * (20 - k) // 2 for k in range(11)}
        wanted = round((0.1866 + 1) / 2 * 210 * 78)
        levels = [6] * 78
        while (missing := wanted - sum(sums[k] for k in levels)) != 0:
            at = int(rng.integers(78))
            levels[at] = min(range(11), key=lambda k: abs(sums[k] - sums[levels[at]] - missing) + 40 * rng.random())
        for_first = np.where(for_first == 6, levels, 21 - np.array(levels))
        pairs = [(f"c{i:02d}", f"c{j:02d}") for i in range(13) for j in range(i + 1, 13)]
        rows = [
            (f"p{k}", a, b, "left" if k < won else "right")
            for (a, b), won in zip(pairs, for_first, strict=True)
            for k in range(21)
        ]
        found = kendall_agreement(first(table(rows)), level=0.95)
        assert (round(found.u, 4), round(found.lowest, 5)) == (0.1866, -0.04762)
        assert (round(found.statistic, 1), round(found.degrees_of_freedom, 2)) == (412.2, 90.75)
        assert (found.pairs, found.fewest, found.most) == (78, 21, 21)

    def test_all_alike_and_too_few(self):
        rows = [(p, a, b, "left") for p in "pqr" for a, b in ("ab", "bc", "ac")]
        assert kendall_agreement(first(table(rows)), level=0.95).u == 1
        with pytest.raises(NotAssessable, match="three participants"):
            kendall_agreement(first(table(rows[:6])), level=0.95)

    @pytest.mark.slow
    def test_unequal_numbers_have_the_moments_of_guessing(self):
        """Statistic and freedom: mean f, variance 2 f and third moment 8 f when 2, 3, 4 and 6 people guess."""
        judges, counts = [2, 3, 4, 6], []
        for m in judges:
            wins = np.random.default_rng(m).binomial(m, 0.5, 400_000)
            counts.append(wins * (wins - 1) / 2 + (m - wins) * (m - wins - 1) / 2)
        agreeing = np.sum(counts, axis=0)
        compared = sum(m * (m - 1) / 2 for m in judges)
        rows = [
            (f"p{k}", a, b, "left" if k % 2 else "right")
            for (a, b), m in zip(("ab", "cd", "ef", "gh"), judges, strict=True)
            for k in range(m)
        ]
        found = kendall_agreement(first(table(rows)), level=0.95)
        variance, third = agreeing.var(), np.mean((agreeing - agreeing.mean()) ** 3)
        assert agreeing.mean() == pytest.approx(compared / 2, rel=0.005)
        assert found.degrees_of_freedom == pytest.approx(8 * variance**3 / third**2, rel=0.03)


class TestKrippendorff:
    def test_published_example(self):
        """Krippendorff (2011), section C: four observers, twelve units, nominal; alpha = 0.743."""
        values = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
        counts = np.zeros((12, 5), dtype=int)
        for row in values:
            for unit, value in enumerate(row):
                if value != ".":
                    counts[unit, int(value) - 1] += 1
        paired = counts.sum(axis=1) > 1
        found = nominal_alpha(disagreement(counts).sum(), counts[paired].sum(axis=0))
        assert round(float(found), 3) == 0.743

    @pytest.mark.slow
    def test_by_hand_and_by_leaving_people_out(self):
        votes = simulate_votes(FIVE, participants=12, votes_each=12, sources=2, seed=3, tie_strength=0.4)
        found = krippendorff_alpha(first(votes), level=0.95)

        def by_hand(judged):
            """Coincidences of ordered pairs of answers, each unit also with its two conditions the other way round."""
            coincidences = np.zeros((3, 3))
            for unit in np.unique(judged.unit):
                answers = judged.answer[judged.unit == unit]
                for k, one in enumerate(answers):
                    for other in np.delete(answers, k):
                        coincidences[one, other] += 1 / (len(answers) - 1)
            swapped = coincidences[np.ix_([1, 0, 2], [1, 0, 2])]
            even = (coincidences + swapped) / 2
            totals, count = even.sum(axis=0), even.sum()
            return 1 - (count - 1) * (count - np.trace(even)) / (count**2 - np.sum(totals**2))

        judged = first(votes)
        assert found.alpha == pytest.approx(by_hand(judged), rel=1e-12)
        without = np.array([by_hand(judged.where(judged.participant != k)) for k in range(12)])
        error = np.sqrt(11 / 12 * np.sum((without - without.mean()) ** 2))
        assert (found.high - found.low) / 2 == pytest.approx(2.200985 * error, rel=1e-6)

    @pytest.mark.slow
    def test_names_of_conditions_do_not_matter(self):
        votes = simulate_votes(FIVE, participants=15, votes_each=20, sources=1, seed=4)
        renamed = {"a": "z", "b": "d", "c": "q", "d": "b", "e": "y"}
        other = votes.assign(**{side: votes[side].astype(str).map(renamed) for side in ("left", "right")})
        wanted = participant_numbers(votes)
        assert participant_numbers(validate_votes(other)) == pytest.approx(wanted, rel=1e-9)


def test_votes_that_are_split_evenly_leave_the_spread_between_people_unknown():
    """Whoever is left out, the others are split alike: that is no interval without width."""
    split = first(table([(f"p{k}", "a", "b", "left" if k % 2 else "right") for k in range(20)]))
    for found in (kendall_agreement(split, level=0.95), krippendorff_alpha(split, level=0.95)):
        assert (found.low, found.high) == (-1, 1)
    agreed = kendall_agreement(first(table([(f"p{k}", "a", "b", "left") for k in range(20)])), level=0.95)
    assert (agreed.u, agreed.low, agreed.high) == (1, 1, 1)


def halves(votes):
    even = votes["participant"].cat.codes.to_numpy() % 2 == 0
    return votes[even], votes[~even]


def distinct_pairs(votes):
    pair = [" ".join(sorted(sides)) for sides in zip(votes["left"], votes["right"], strict=True)]
    return votes[~(votes["participant"] + pd.Series(pair, index=votes.index)).duplicated()]


def participant_numbers(votes):
    judged = first(votes)
    u, alpha = kendall_agreement(judged, level=0.9), krippendorff_alpha(judged, level=0.9)
    return [u.u, u.low, u.high, alpha.alpha, alpha.low, alpha.high, circular_triads(judged).circular]


class TestShares:
    def test_one_answer_each_is_wilson(self):
        found = share_of(np.arange(50) < 41, np.arange(50), level=0.95)
        wanted = binomtest(41, 50).proportion_ci(0.95, method="wilson")
        assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)
        assert found.effective == 50 and share_p(found, 0.5) < 0.001

    def test_people_of_one_mind_count_once(self):
        found = share_of(np.repeat(np.arange(20) < 12, 5), np.repeat(np.arange(20), 5), level=0.95)
        assert found.effective == pytest.approx(20, rel=0.06)
        assert found.share == 0.6 and found.of == 100

    def test_all_alike(self):
        found = share_of(np.ones(9, dtype=bool), np.repeat([0, 1, 2], 3), level=0.95)
        assert found.high == 1 and 0 < found.low < 1


@pytest.fixture(scope="module")
def everything():
    """A study with votes of every kind, and times that grow as the pair gets closer; what is found in it."""
    tests = simulate_votes(FIVE, participants=40, votes_each=10, sources=1, seed=2, verifications=2, left_bias=0.5)
    rng = np.random.default_rng(5)
    text = tests.drop(columns="honest").astype(str)
    is_test = text["kind"] == "test"
    again = text[is_test].pipe(distinct_pairs).groupby("participant").head(2).copy()
    again["kind"] = "repeat"
    odd = np.arange(len(again)) % 2 == 1
    again.loc[odd, ["left", "right"]] = again.loc[odd, ["right", "left"]].to_numpy()
    same = pd.DataFrame({"participant": sorted(set(text["participant"])), "left": "c", "right": "c", "kind": "null"})
    same["choice"] = np.where(np.arange(40) < 10, "tie", np.where(np.arange(40) < 28, "left", "right"))
    study = pd.concat([text, again, same.assign(source="clip000")], ignore_index=True).replace("nan", "").fillna("")
    gap = (study["left"].map(FIVE) - study["right"].map(FIVE)).abs().fillna(0)
    study["response_ms"] = 2000 * np.exp(-0.3 * gap + rng.normal(0, 0.2, len(study)))
    study = validate_votes(study)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.participants.agreement.split_half_agreement", partial(split_half_agreement, splits=8))
        return study, participant_agreement(study, seed=1)


class TestParticipantAgreement:
    def test_every_question_has_an_answer(self, everything):
        votes, found = everything
        assert found.why_not == {}
        assert all(getattr(found, name) is not None for name in Agreement.__dataclass_fields__)
        assert found.null_pairs.tied.share == 10 / 40 and found.null_pairs.left.share == 18 / 30
        assert found.null_pairs.left_p == pytest.approx(2 * 0.136661, rel=1e-3)
        checks = votes[votes["kind"] == "verification"]
        wrong = checks[checks["choice"].astype(str) != checks["expected"].astype(str)]
        assert found.verification.right.share == 1 - len(wrong) / 80
        assert found.verification.all_right == 40 - wrong["participant"].nunique()
        assert found.left_bias.position.value == pytest.approx(0.5, abs=0.35) and found.left_bias.p < 0.01

    def test_repeats_by_hand(self, everything):
        """Repeats copy the first choice: the same side, so the same condition where the sides were not swapped."""
        found = everything[1]
        assert found.repeats.same.of == 80 and found.reversed_repeats.same.of == 40
        assert found.repeats.same.share == 0.5 and found.reversed_repeats.same.share == 0.0
        assert found.repeats.chance == 0.5 and 0.5 < found.repeats.model < 0.8

    def test_votes_without_kinds_say_why(self):
        votes = simulate_votes(FIVE, participants=3, votes_each=4, sources=4, seed=0)
        found = participant_agreement(votes, seed=0)
        assert found.repeats is found.null_pairs is found.verification is found.response_times is None
        assert found.why_not["verification"] == "the votes hold no verification pair"
        assert found.why_not["response_times"] == "the votes hold no response_ms"
        with pytest.raises(InvalidOption):
            participant_agreement(votes, seed=-1)

    @pytest.mark.slow
    def test_times_against_statsmodels(self, everything):
        """Least squares with a dummy for each participant, clustered by participant."""
        import statsmodels.api as sm

        counted = counted_votes(everything[0])
        fit = fit_bradley_terry(counted)
        found = response_times(counted, fit).by_distance
        gap = np.abs(fit.scores[counted["left"].astype(str)].to_numpy() - fit.scores[counted["right"]].to_numpy())
        people = counted["participant"].cat.codes.to_numpy()
        design = np.column_stack([gap, np.eye(40)[people]])
        clustered = {"cov_type": "cluster", "cov_kwds": {"groups": people, "use_correction": False}}
        model = sm.OLS(np.log(counted["response_ms"]), design).fit(**clustered)
        assert found.value == pytest.approx(model.params.iloc[0], rel=1e-9)
        assert found.standard_error == pytest.approx(model.bse.iloc[0] * np.sqrt(40 / 39), rel=1e-6)
        assert found.p < 1e-6 and found.value < -0.1

    @pytest.mark.slow
    def test_split_half_steps_up(self):
        votes = simulate_votes(FIVE, participants=30, votes_each=20, sources=1, seed=9)
        found = split_half_agreement(votes, seed=3, splits=20)
        assert found.lowest <= found.low <= found.median <= found.high <= 1
        scores = [fit_bradley_terry(half, ties="half").scores for half in halves(votes)]
        r = np.corrcoef(*scores)[0, 1]
        assert found.whole == pytest.approx(2 * r / (1 + r), abs=0.03)
        assert found == split_half_agreement(votes, seed=3, splits=20)
