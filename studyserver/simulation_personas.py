"""Kinds of model participants: how each answers, how quickly, how its videos play, and when it leaves (no Django)."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studyserver.errors import StudyError

__all__ = ["DEFAULT_PERSONA", "PERSONAS", "SPAMMER", "Person", "Persona", "assign_personas", "cohort", "read_personas"]

TIE_WIDTH = 0.35  # differences in logits that a person who looks calls invisible about half the time
# Spread of a person's times around the median, as the standard deviation of their logarithm.
_TIME_SPREAD = 0.5
_STEP_SECONDS = {"instructions": 35, "setup": 20, "calibration": 40, "quiz": 30, "questionnaire": 35}
_SECONDS_ELSEWHERE = 10
# Of a play that goes wrong, the share of frames that are dropped.
_ROUGH_DROPS = 0.12
# Those who come back do so after minutes, some of them after their places have gone to others.
_MINUTES_AWAY = 25


@dataclass(frozen=True)
class Persona:
    """How one kind of person behaves. Shares and chances go from 0 to 1; times are medians.

    `looks`: share of pairs that the person really looks at; at the others the answer is drawn: `blind_tie` is the
    chance of "no difference", `blind_left` that of the left side among the rest. `knows`: chance to know the answer
    to a quiz question, else it is guessed. `watched`: share of the clips that is played before the answer. `rough`:
    share of plays that drop frames. `leaves`: chance to go away at a random step or pair; `returns`: chance that
    somebody who went away comes back.
    """

    title: str
    looks: float = 1.0
    blind_left: float = 0.5
    blind_tie: float = 1 / 3
    response_ms: int = 1800
    knows: float = 0.98
    watched: float = 1.0
    rough: float = 0.01
    leaves: float = 0.0
    returns: float = 0.0


PERSONAS: Mapping[str, Persona] = {
    "honest": Persona("looks at every pair and says what it sees"),
    "lazy": Persona("looks at half of the pairs; else a quick “no difference”, mostly", 0.5, 0.5, 0.7, 700, 0.8),
    "left-clicker": Persona("presses the key of the left side, whatever is shown", 0.0, 1.0, 0.0, 450, 0.7),
    "bot": Persona("answers at random without waiting for the videos", 0.0, 0.5, 1 / 3, 60, 0.0, 0.05, 0.0),
    "drop-out": Persona("is honest, and goes away at a random moment; one in four comes back", leaves=1, returns=0.25),
    "spammer": Persona("waits for the videos and answers at random, quickly", 0.0, 0.5, 1 / 3, 300, 0.9),
}
DEFAULT_PERSONA = "honest"
SPAMMER = "spammer"


def read_personas(text: str) -> dict[str, float]:
    """Return shares by persona from "honest=0.8,lazy=0.1"; who is left over is honest. Raises StudyError."""
    shares: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in PERSONAS:
            raise StudyError(f"there is no persona {name[:40]!r}; there are: {', '.join(PERSONAS)}")
        if name in shares:
            raise StudyError(f"the persona {name!r} is named twice; give each its share once")
        try:
            shares[name] = float(number)
        except ValueError:
            shares[name] = -1.0
        if not 0 <= shares[name] <= 1:
            raise StudyError(f"the share of {name!r} must be a number from 0 to 1, got {number[:40]!r}")
    if sum(shares.values()) > 1 + 1e-9:
        raise StudyError(f"the shares of the personas add up to {sum(shares.values()):g}; make them at most 1")
    return shares


def assign_personas(shares: Mapping[str, float], participants: int, spammers: int, seed: int) -> list[str]:
    """Return the persona of each of `participants` people: exact shares, in an order drawn by the seed.

    `spammers` of them, drawn by the seed, are spammers instead. What the shares leave over is honest.
    """
    wanted = {name: share * participants for name, share in shares.items()}
    counts = {name: math.floor(number + 1e-9) for name, number in wanted.items()}
    # Those with the largest rest first, so that together they are as many as their shares together ask for.
    missing = round(sum(wanted.values())) - sum(counts.values())
    for name in sorted(wanted, key=lambda name: counts[name] - wanted[name])[:missing]:
        counts[name] += 1
    people = [name for name in PERSONAS for _ in range(counts.get(name, 0))]
    people += [DEFAULT_PERSONA] * (participants - len(people))
    random.Random(f"personas {seed}").shuffle(people)
    for index in random.Random(f"spammers {seed}").sample(range(participants), spammers):
        people[index] = SPAMMER
    return people


@dataclass(frozen=True)
class Person:
    """One model participant; everything it does follows from the seed, its number and what it is asked."""

    name: str
    seed: int
    index: int

    @property
    def persona(self) -> Persona:
        return PERSONAS[self.name]

    def _draw(self, *what) -> random.Random:
        # One generator per question, so that a run that was stopped continues with the same answers.
        return random.Random(" ".join(str(part) for part in (*what, self.seed, self.index)))

    def choice(self, showing: str, difference: float, allow_tie: bool) -> str:
        """Return left, right or tie for a showing whose left side is `difference` logits better than its right.

        Who looks judges as in a Thurstone model with logistic noise: the better side wins unless the felt
        difference is too small to see.
        """
        rng, persona = self._draw("answer", showing), self.persona
        if rng.random() < persona.looks:
            chance = rng.uniform(1e-9, 1 - 1e-9)
            felt = difference + math.log(chance / (1 - chance))
            if allow_tie and abs(felt) < TIE_WIDTH:
                return "tie"
            return "left" if felt > 0 else "right"
        if allow_tie and rng.random() < persona.blind_tie:
            return "tie"
        return "left" if rng.random() < persona.blind_left else "right"

    def response_ms(self, showing: str) -> int:
        """Return the time from the end of the videos to the answer."""
        return int(self._draw("time", showing).lognormvariate(math.log(self.persona.response_ms), _TIME_SPREAD))

    def step_seconds(self, step: str) -> float:
        """Return the time spent on the page of a step without pairs."""
        median = math.log(_STEP_SECONDS.get(step, _SECONDS_ELSEWHERE))
        return self._draw("step", step).lognormvariate(median, _TIME_SPREAD)

    def quiz_option(self, question: str, attempt: int, right: str, options: Sequence[str]) -> str:
        """Return the option that the person takes."""
        rng = self._draw("quiz", question, attempt)
        return right if rng.random() < self.persona.knows else rng.choice(list(options))

    def device(self, videos: int) -> dict:
        """Return what the check of the device would measure, for a study with so many kinds of files."""
        rng = self._draw("device")
        return {
            "screen_width": 7680,
            "screen_height": 4320,
            "window_width": 7680,
            "window_height": 4200,
            "device_pixel_ratio": 1,
            "browser_zoom": 1,
            "refresh_hz": rng.choice((60, 75, 120, 144)),
            "speed_mbps": round(rng.lognormvariate(math.log(2000), 0.3)),
            "fullscreen": False,
            "mobile": False,
            "touch_only": False,
            "touch_points": 0,
            "browser": "model participant",
            "decoding": [{"supported": True, "smooth": True, "power_efficient": True}] * videos,
        }

    def calibration(self) -> dict[str, str]:
        """Return the fields of the calibration's form."""
        rng = self._draw("calibration")
        return {
            "card_css_px": str(rng.randint(320, 420)),
            "device_pixel_ratio": "1",
            "distance_cm": str(rng.randint(45, 80)),
        }

    def option(self, question: str, options: Sequence[str]) -> str:
        """Return the answer to a question that has no right one."""
        return self._draw("option", question).choice(list(options))

    def leaving_point(self, points: Sequence[str]) -> str | None:
        """Return at which of these moments the person goes away, None for one who stays."""
        rng = self._draw("leave")
        return rng.choice(list(points)) if rng.random() < self.persona.leaves else None

    def seconds_away(self) -> float | None:
        """Return after how long a person who went away is back, None for one who never is."""
        rng = self._draw("return")
        if rng.random() >= self.persona.returns:
            return None
        return 60 * rng.lognormvariate(math.log(_MINUTES_AWAY), 1)

    def playback(self, showing: str, *, width: int, height: int, frames: int, fps: float, presentation: str) -> dict:
        """Return the playback certificate that this person's player would send for two clips of that size."""
        rng, persona = self._draw("play", showing), self.persona
        shown = max(1, round(frames * persona.watched))
        dropped = round(_ROUGH_DROPS * shown) if rng.random() < persona.rough else 0
        side = {"total": frames, "stalls": 0, "load_ms": rng.randint(40, 900), "css_width": width, "css_height": height}
        record = {
            "left": {"shown": shown - dropped, "dropped": dropped, **side},
            "right": {"shown": shown, "dropped": 0, **side},
            "play_ms": round(1000 * frames / fps * persona.watched * (2 if presentation == "sequential" else 1)),
            "first_frame_ms": rng.randint(20, 200),
            "plays": 1,
            "out_of_step": 0,
            "hidden": 0,
            "device_pixel_ratio": 1,
            "scale": 1,
            "window_width": 2560,
            "window_height": 1440,
            "fullscreen": True,
            "refresh_hz": 60,
        }
        if presentation != "sequential":
            late = rng.randint(0, shown // 20)
            record["offsets"] = {"0": shown - late, "1": late} if late else {"0": shown}
            record["offset_max"] = 1 if late else 0
        if presentation == "toggle":
            record["switches"] = rng.randint(2, 12)
        return record


def cohort(shares: Mapping[str, float], participants: int, spammers: int, seed: int) -> list[Person]:
    """Return the people of a simulation, see `assign_personas`."""
    names = assign_personas(shares, participants, spammers, seed)
    return [Person(name, seed, index) for index, name in enumerate(names)]
