"""Model participants who use a running server as people's browsers do, over HTTP."""

from collections.abc import Callable, Mapping

from studyserver.models import Study, Trial
from studyserver.quiz import right_answers
from studyserver.services import study_check_pairs
from studyserver.simulation import leaving_points
from studyserver.simulation_browser import Browser, HttpBrowser
from studyserver.simulation_personas import Person, cohort
from studyserver.simulation_result import SimulationResult, model_code, summarise, votes_of
from studyserver.simulation_truth import Sight, sights, true_scores
from studyserver.simulation_walk import Walk
from studyserver.views.visit import simulated_address

__all__ = ["PersonMind", "simulate_votes_http"]


class PersonMind:
    """A model participant in front of the pages.

    Which side is better does not come through HTTP: `vote` looks up the trial of its token in the database, which
    is therefore to be the server's own.
    """

    def __init__(self, study: Study, person: Person, seen: dict[int, Sight]):
        self._person, self._seen = person, seen
        self._leaves_at = person.leaving_point(leaving_points(study))
        self.left = False

    def come_back(self) -> bool:
        """Return whether somebody who left goes on; they do not leave again."""
        back = self.left and self._person.seconds_away() is not None
        if back:
            self._leaves_at, self.left = None, False
        return back

    def stays(self, point: str) -> bool:
        self.left = point == self._leaves_at
        return not self.left

    def device(self, videos: int) -> dict:
        return self._person.device(videos)

    def calibration(self) -> Mapping[str, str]:
        return self._person.calibration()

    def quiz(self, choices: Mapping[str, list[str]], attempt: int) -> Mapping[str, str]:
        right = right_answers()
        return {
            name: self._person.quiz_option(name, attempt, right[name], sorted(options))
            for name, options in choices.items()
        }

    def questionnaire(self, choices: Mapping[str, list[str]]) -> Mapping[str, str]:
        return {name: self._person.option(name, options) for name, options in choices.items()}

    def vote(self, state: dict) -> dict:
        trial = Trial.objects.get(token=state["trial"]["token"])
        showing = f"{'training' if state['training'] else 'active'} {trial.position} {trial.attempt}"
        clip = {name: state["trial"][name] for name in ("width", "height", "frames", "fps")}
        return {
            "choice": self._person.choice(
                showing, self._seen[trial.pair_id].left_lead(trial.mirrored), state["allowTie"]
            ),
            "response_ms": self._person.response_ms(showing),
            "playback": self._person.playback(showing, presentation=state["presentation"], **clip),
        }


def simulate_votes_http(
    *,
    study: Study,
    url: str,
    participants: int,
    seed: int,
    personas: Mapping[str, float] | None = None,
    spammers: int = 0,
    progress: Callable[[int], object] = lambda people: None,
    open_browser: Callable[[], Browser] | None = None,
) -> SimulationResult:
    """Let `participants` model people visit the study through the server at `url`, one after the other.

    The same people with the same answers as `simulate_votes` of that seed; nobody waits, times are only told, and
    those who come back do so at the end. The server must use the database and the secret key of this process. Raises
    ServerUnavailable, WalkStopped, StudyNotReady.
    """
    study_check_pairs(study)
    open_browser = open_browser or (lambda: HttpBrowser(url))
    truth = true_scores(study, seed)
    seen = sights(study, truth)
    people = cohort(personas or {}, participants, spammers, seed)
    before = votes_of(study, people)
    away = []
    for person in people:
        mind = PersonMind(study, person, seen)
        walk = Walk(open_browser(), simulated_address(study, model_code(person)), mind)
        walk.run()
        if mind.come_back():
            away.append(walk)
        else:
            progress(1)
    for walk in away:
        walk.run()
        progress(1)
    return summarise(study, people, truth, votes_before=before)
