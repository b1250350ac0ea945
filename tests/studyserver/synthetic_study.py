"""A study with votes made by bulk inserts, for figures of known size; nobody walked through it."""

import datetime
import random
from itertools import combinations

from studyserver.models import Condition, Pair, Participant, Session, Source, Stimulus, Study, Trial, Vote

__all__ = ["add_people", "make_materials", "smooth_playback"]

_PER_PERSON = 18


def make_materials(study: Study, *, sources: int, conditions: int) -> Study:
    """Give a study sources, conditions (the reference among them) with one to verify with, stimuli and pairs."""
    labels = ["reference", *(f"attack-{number}" for number in range(1, conditions))]
    kinds = ["reference", *["attack"] * (conditions - 1), "verification"]
    made = [
        Condition.objects.create(study=study, label=label, kind=kind)
        for label, kind in zip([*labels, "verification"], kinds, strict=True)
    ]
    shape = {"width": 960, "height": 540, "frames": 125, "fps": "25/1"}
    for number in range(sources):
        source = Source.objects.create(study=study, name=f"clip-{number:02}", sha256="0" * 64, **shape)
        stimuli = [
            Stimulus(
                source=source,
                condition=condition,
                manifest_id=f"{source}-{condition}",
                media=f"{source}-{condition}.mp4",
                sha256="0" * 64,
                bytes=1000,
                **shape,
            )
            for condition in made
        ]
        *tested, obvious = Stimulus.objects.bulk_create(stimuli)
        pairs = [(Pair.Kind.TEST, *two) for two in combinations(tested, 2)]
        pairs += [(Pair.Kind.VERIFICATION, tested[0], obvious), (Pair.Kind.NULL, tested[0], tested[0])]
        Pair.objects.bulk_create(
            Pair(study=study, source=source, kind=kind, first=first, second=second) for kind, first, second in pairs
        )
    return study


def smooth_playback(rng: random.Random) -> dict:
    """Return a playback certificate without a fault, as a player sends it."""
    side = {"shown": 125, "dropped": 0, "total": 125, "stalls": 0, "load_ms": 400, "css_width": 960, "css_height": 540}
    return {
        "left": side,
        "right": side,
        "offsets": {"0": 120, "1": 5},
        "offset_max": 1,
        "play_ms": 5010,
        "first_frame_ms": rng.randint(30, 200),
        "plays": 1,
        "out_of_step": int(rng.random() < 0.03),
        "hidden": 0,
        "device_pixel_ratio": 1,
        "scale": 1,
        "window_width": 1920,
        "window_height": 1000,
        "fullscreen": True,
        "refresh_hz": 60,
    }


def add_people(
    study: Study, people: int, *, origin: str, now: datetime.datetime, hours: float = 24, leaving: float = 0.1
) -> None:
    """Let so many people come in the last `hours` and answer 18 pairs each while the quota has room, and two more.

    Every tenth is screened out, and a share `leaving` goes away after half of the pairs. Better conditions have
    lower numbers.
    """
    rng = random.Random(0)
    places = [(pair, number) for pair in study.pairs.filter(kind="test") for number in range(study.votes_per_pair)]
    rng.shuffle(places)
    strength = {c.pk: -0.15 * i for i, c in enumerate(study.conditions.order_by("pk"))}
    conditions = dict(Stimulus.objects.filter(source__study=study).values_list("pk", "condition"))
    obvious = list(study.pairs.filter(kind="verification"))
    begin = now - datetime.timedelta(hours=hours)
    members = Participant.objects.bulk_create(
        Participant(study=study, code=f"{origin}-{number}", origin=origin) for number in range(people)
    )
    sessions, trials, votes = [], [], []
    for number, member in enumerate(members):
        came = begin + datetime.timedelta(hours=hours * number / people)
        leaves = rng.random() < leaving
        state = "screened-out" if number % 10 == 9 else "active" if leaves else "completed"
        done = came + datetime.timedelta(minutes=rng.gauss(9, 2)) if state == "completed" else None
        sessions.append(
            Session(
                participant=member,
                state=state,
                reason="quiz" if state == "screened-out" else "",
                seed=number,
                consent_version=1,
                consented_at=came,
                first_pair_at=came,
                completed_at=done,
                lease_until=came + datetime.timedelta(minutes=30),
            )
        )
    Session.objects.bulk_create(sessions)
    for number, session in enumerate(sessions):
        if session.state == "screened-out":
            continue
        mine, skipped = {}, []
        while places and len(mine) < (_PER_PERSON if session.state == "completed" else _PER_PERSON // 2):
            pair, place = places.pop()
            if pair.pk in mine:
                skipped.append((pair, place))
            else:
                mine[pair.pk] = (pair, place)
        places.extend(skipped)
        shown = [*mine.values(), (obvious[number % len(obvious)], None)]
        for position, (pair, place) in enumerate(shown, start=1):
            mirrored = bool((number + position) % 2 if place is None else place % 2)
            moment = session.consented_at + datetime.timedelta(seconds=20 * position)
            trials.append(
                Trial(
                    pair=pair,
                    kind=pair.kind,
                    mirrored=mirrored,
                    state="answered",
                    origin=origin,
                    number=place,
                    session=session,
                    participant=session.participant,
                    position=position,
                    presented_at=moment - datetime.timedelta(seconds=9),
                )
            )
            gap = strength[conditions[pair.first_id]] - strength[conditions[pair.second_id]]
            first = rng.random() < (1 / (1 + 2.718281828 ** (-gap)) if pair.kind == "test" else 0.97)
            choice = "tie" if pair.kind == "test" and rng.random() < 0.2 else "left" if first != mirrored else "right"
            votes.append(
                Vote(
                    choice=choice,
                    response_ms=int(rng.lognormvariate(7.6, 0.5)),
                    playback=smooth_playback(rng),
                    voted_at=moment,
                )
            )
    for trial, vote in zip(Trial.objects.bulk_create(trials, batch_size=2000), votes, strict=True):
        vote.trial = trial
    Vote.objects.bulk_create(votes, batch_size=2000)
