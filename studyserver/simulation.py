"""Model participants: they see quality as the manifest measured it and answer through the same services as people."""

import math
import random
from dataclasses import dataclass

from django.db import transaction

from studyserver.errors import StudyFull
from studyserver.flow import ENDED
from studyserver.models import Condition, Participant, Session, Stimulus, Study, Trial
from studyserver.selectors import session_current_trial
from studyserver.services import session_advance, session_start, study_check_pairs, trial_present, vote_record

__all__ = ["SimulationResult", "simulate_votes", "true_scores"]

SPREAD = 1.0  # standard deviation in logits of the conditions' true scores, from measured quality
TASTE = 0.25  # standard deviation in logits of what quality figures do not explain
TIE_WIDTH = 0.35  # differences in logits that an honest participant calls invisible about half the time
OBVIOUS = 5.0  # logits between any video and a verification stimulus
MEDIAN_RESPONSE_MS = 1800


@dataclass(frozen=True)
class SimulationResult:
    """What was simulated; `truth` maps condition to its true score in logits, sum zero (higher looks better).

    `participants` finished their sessions; `turned_away` found the quota full, as people would.
    """

    participants: int
    spammers: int
    turned_away: int
    votes: int
    truth: dict[str, float]


def true_scores(study: Study, seed: int) -> dict[str, float]:
    """Return each condition's true Bradley-Terry score in logits, sum zero.

    Worse measured quality (SSIM, else PSNR, of the delivered file against its source) means a lower score; a
    seeded random part stands for what those figures miss.
    """
    quality: dict[str, list[float]] = {}
    stimuli = Stimulus.objects.filter(source__study=study).exclude(condition__kind=Condition.Kind.VERIFICATION)
    for stimulus in stimuli.select_related("condition").order_by("id"):
        quality.setdefault(stimulus.condition.label, []).append(_visible_quality(stimulus.quality))
    means = {label: sum(values) / len(values) for label, values in sorted(quality.items())}
    centre = sum(means.values()) / len(means)
    deviation = math.sqrt(sum((value - centre) ** 2 for value in means.values()) / len(means)) or 1.0
    rng = random.Random(f"truth {seed}")
    scores = {label: SPREAD * (value - centre) / deviation + rng.gauss(0, TASTE) for label, value in means.items()}
    shift = sum(scores.values()) / len(scores)
    return {label: score - shift for label, score in scores.items()}


def _visible_quality(quality: dict) -> float:
    """Return a figure of quality on a scale where equal steps look alike: SSIM in decibels, else PSNR."""
    ssim, psnr = quality.get("ssim"), quality.get("psnr")
    if ssim is not None:
        return -10 * math.log10(max(1 - ssim, 1e-6))
    return min(psnr, 60.0) if psnr is not None else 0.0


def simulate_votes(*, study: Study, participants: int, seed: int, spammers: int = 0, progress=lambda rows: rows):
    """Let `participants` model people finish a session each and return a SimulationResult.

    `spammers` of them, drawn by the seed, answer at random, quickly. The same seed gives the same people, sessions
    and answers; people of an earlier run with the same seed are already finished and not repeated. Raises
    StudyNotReady for a study without pairs.
    """
    study_check_pairs(study)
    truth = true_scores(study, seed)
    careless = set(random.Random(f"spammers {seed}").sample(range(participants), spammers))
    entered, votes = [], 0
    for index in progress(range(participants)):
        try:
            session = _enter(study, f"sim-{seed}-{index}")
        except StudyFull:
            continue
        entered.append(index)
        spammer = index in careless
        while trial := session_current_trial(session):
            trial_present(trial=trial)
            # Per trial, so that a run that was stopped continues with the same answers.
            rng = random.Random(f"answer {seed} {index} {trial.position} {trial.attempt}")
            choice = rng.choice(_choices(study)) if spammer else _honest_choice(trial, truth, study.allow_tie, rng)
            vote_record(
                session=session,
                token=trial.token,
                choice=choice,
                response_ms=int(rng.lognormvariate(math.log(300 if spammer else MEDIAN_RESPONSE_MS), 0.5)),
                playback=_smooth_playback(trial),
            )
            votes += 1
    return SimulationResult(
        participants=len(entered),
        spammers=len(careless.intersection(entered)),
        turned_away=participants - len(entered),
        votes=votes,
        truth=truth,
    )


@transaction.atomic
def _enter(study: Study, code: str) -> Session:
    """Return the planned session of a model participant; nothing of it stays behind where StudyFull is raised."""
    session = session_start(study=study, code=code, origin=Participant.Origin.SIMULATED)
    while session.state not in (*ENDED, Session.State.TRAINING, Session.State.ACTIVE):
        session = session_advance(session=session)
    if session.state == Session.State.FULL:
        raise StudyFull(f"study {study.slug!r} has all the votes it needs")
    return session


def _choices(study: Study) -> list[str]:
    return ["left", "right", "tie"] if study.allow_tie else ["left", "right"]


def _honest_choice(trial: Trial, truth: dict[str, float], allow_tie: bool, rng: random.Random) -> str:
    """Thurstone-like with logistic noise: the better side wins unless the felt difference is too small to see."""
    if trial.expected:
        difference = OBVIOUS if trial.expected == "left" else -OBVIOUS
    else:
        difference = truth[trial.left.condition.label] - truth[trial.right.condition.label]
    chance = rng.uniform(1e-9, 1 - 1e-9)
    felt = difference + math.log(chance / (1 - chance))
    if allow_tie and abs(felt) < TIE_WIDTH:
        return "tie"
    return "left" if felt > 0 else "right"


def _smooth_playback(trial: Trial) -> dict:
    frames = trial.pair.first.frames
    side = {"shown": frames, "dropped": 0, "total": frames, "stalls": 0}
    return {"left": side, "right": dict(side), "offsets": {"0": frames}, "offset_max": 0, "plays": 1, "hidden": 0}
