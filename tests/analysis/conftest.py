"""Votes to analyse: published counts written out as votes, and simulated studies."""

import numpy as np
import pandas as pd
import pytest

# Davidson (1970), example 2, chocolate pudding: i, j, i preferred, j preferred, no preference.
PUDDING = [
    (1, 2, 19, 22, 16), (1, 3, 16, 19, 12), (2, 3, 19, 19, 10), (1, 4, 18, 23, 13), (2, 4, 23, 19, 9),
    (3, 4, 19, 20, 15), (1, 5, 13, 19, 18), (2, 5, 16, 20, 12), (3, 5, 16, 15, 17), (4, 5, 17, 14, 16),
    (1, 6, 18, 21, 12), (2, 6, 22, 20, 12), (3, 6, 13, 18, 10), (4, 6, 14, 19, 18), (5, 6, 11, 21, 12),
]  # fmt: skip


def votes_from_counts(rows, participants=30):
    """rows: (left, right, left chosen, right chosen, ties); votes are dealt to the participants in turn."""
    votes = [
        (str(left), str(right), choice)
        for left, right, *counts in rows
        for choice, count in zip(("left", "right", "tie"), counts, strict=True)
        for _ in range(count)
    ]
    frame = pd.DataFrame(votes, columns=["left", "right", "choice"])
    frame.insert(0, "participant", [f"P{k % participants}" for k in range(len(frame))])
    frame.insert(1, "source", "clip")
    return frame


def simulated_votes(
    scores, *, participants=40, votes_each=15, sources=3, taste=0.4, source_effect=0.0, tie=0.0, seed=0
) -> pd.DataFrame:
    """Votes of people whose tastes spread about `scores` (condition -> logit) with standard deviation `taste`."""
    rng = np.random.default_rng(seed)
    names = np.array(list(scores))
    count, size = len(names), participants * votes_each
    person = np.repeat(np.arange(participants), votes_each)
    clip = rng.integers(sources, size=size)
    left = rng.integers(count, size=size)
    right = (left + rng.integers(1, count, size=size)) % count
    worth = np.array(list(scores.values())) + rng.normal(0, taste, (participants, count))
    by_clip = rng.normal(0, source_effect, (sources, count)) if source_effect else np.zeros((sources, count))
    gap = worth[person, left] - worth[person, right] + by_clip[clip, left] - by_clip[clip, right]
    choice = np.where(rng.random(size) < 1 / (1 + np.exp(-gap)), "left", "right")
    choice = np.where(rng.random(size) < tie, "tie", choice)
    return pd.DataFrame(
        {
            "participant": [f"P{k:03d}" for k in person],
            "source": [f"clip{k}" for k in clip],
            "left": names[left],
            "right": names[right],
            "choice": choice,
        }
    )


@pytest.fixture
def pudding():
    return votes_from_counts(PUDDING)


@pytest.fixture
def write_counts():
    return votes_from_counts


@pytest.fixture
def simulate():
    return simulated_votes


@pytest.fixture
def study(simulate):
    """Four conditions, ties, and a verification vote of each participant that P003 and P007 get wrong."""
    votes = simulate({"reference": 0.9, "ioi": 0.3, "ifgsm": -0.2, "fgsm": -1.0}, tie=0.1, seed=5)
    votes["kind"], votes["expected"] = "test", ""
    people = sorted(votes["participant"].unique())
    checks = pd.DataFrame({"participant": people, "source": "clip0", "left": "reference", "right": "impaired"})
    checks["choice"] = ["right" if person in ("P003", "P007") else "left" for person in people]
    checks["kind"], checks["expected"] = "verification", "left"
    return pd.concat([votes, checks], ignore_index=True)


@pytest.fixture
def score_table():
    """A table of scores: metrics that see the same frames and differ in scale, offset and (niqe) direction."""

    def table(
        *,
        metrics=("maniqa",),
        attacks=("fgsm",),
        datasets=("a",),
        sources=3,
        frames=4,
        settings=("default",),
        transfer=(),
    ) -> pd.DataFrame:
        rng = np.random.default_rng(1)
        quality = rng.random((len(datasets), sources, frames))
        rows = []
        for i, metric in enumerate(metrics):
            lower_better = metric == "niqe"
            for j, attack in enumerate(attacks):
                noise = rng.normal(0, 0.02, quality.shape)
                for setting in settings:
                    strength = {"low": 1.0, "default": 2.0, "set": 2.0, "high": 4.0}[setting]
                    for target in (metric, *(other for other in transfer if other != metric)):
                        gain = 0.1 * (j + 1) * strength / 2 * (1 if target == metric else 0.3)
                        for (dataset, source, frame), q in np.ndenumerate(quality):
                            scores = (i + 1) * np.array([q, q + gain + noise[dataset, source, frame]])
                            clear, attacked = 5 - scores if lower_better else scores
                            place = (datasets[dataset], f"clip{source}", frame)
                            about = (target, metric, str(lower_better).lower(), attack, setting, strength)
                            rows.append((*about, *place, clear, attacked))
        columns = "target_metric metric lower_better attack setting strength dataset source frame clear attacked"
        return pd.DataFrame(rows, columns=columns.split())

    return table


@pytest.fixture
def score_file(score_table, tmp_path):
    def write(**options):
        score_table(**options).to_csv(tmp_path / "scores.csv", index=False)
        return tmp_path / "scores.csv"

    return write


@pytest.fixture
def plain_letters(monkeypatch):
    """Letters of PDFs embedded in the quickest way; `test_a_figure_is_svg_and_pdf_without_a_date` has the real one."""
    import analysis.drawing

    monkeypatch.setitem(analysis.drawing._STYLE, "pdf.fonttype", 3)
