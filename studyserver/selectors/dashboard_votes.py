"""What the dashboard reads of a study's votes: how far each pair is, how people answered, and how the videos played."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from studyserver.dashboard.numbers import Share, agreement, kind_of_reason, ranked_counts, share
from studyserver.models import Condition, Pair, Study, Trial, Vote

__all__ = [
    "AnswerShare",
    "PairVotes",
    "VoteFact",
    "answer_shares",
    "dropped_votes",
    "pair_votes",
    "vote_facts",
]

# As the rule of use begins its reason; such a vote counts as soon as its session is finished.
_UNFINISHED = "session not finished"


@dataclass(frozen=True)
class PairVotes:
    """A test pair: its votes that count, and those that will when the people who gave them finish."""

    source: str
    first: str
    second: str
    votes: int
    pending: int
    quota: int

    @property
    def missing(self) -> int:
        return max(0, self.quota - self.votes)


@dataclass(frozen=True, slots=True)
class VoteFact:
    """One vote as the dashboard sees it; `reason` says why it does not count, and is empty where it does."""

    pk: int
    choice: str
    response_ms: int | None
    presentation: str
    shown: float | None
    first_frame_ms: float | None
    scale: float | None
    refresh_hz: float | None
    out_of_step: float | None
    hidden: float | None
    voted_at: datetime
    presented_at: datetime | None
    kind: str
    mirrored: bool
    participant: int
    origin: str
    pair: int
    verification_first: bool
    source: str
    first: str
    second: str
    reason: str

    @property
    def counts(self) -> bool:
        return self.kind == Trial.Kind.TEST and not self.reason

    @property
    def preferred(self) -> str:
        """`first`, `second` or `tie`: the stimulus of the pair that was chosen."""
        if self.choice == Vote.Choice.TIE:
            return self.choice
        return "second" if (self.choice == Vote.Choice.LEFT) == self.mirrored else "first"

    @property
    def left(self) -> str:
        return self.second if self.mirrored else self.first

    @property
    def right(self) -> str:
        return self.first if self.mirrored else self.second


def vote_facts(study: Study, origins: Iterable[str], reasons: dict[int, str]) -> list[VoteFact]:
    """Return the votes of these origins in the order of their arrival; two queries."""
    pairs = {
        pk: (first_kind == Condition.Kind.VERIFICATION, *names)
        for pk, first_kind, *names in study.pairs.order_by().values_list(
            "pk", "first__condition__kind", "source__name", "first__condition__label", "second__condition__label"
        )
    }
    rows = (
        Vote.objects.filter(trial__participant__study=study, trial__origin__in=origins)
        .order_by("pk")
        .values_list(
            "pk",
            "choice",
            "response_ms",
            "presentation",
            # Of the record only what is counted: to read all of it takes as long as the rest of the page.
            "playback__left__shown",
            "playback__first_frame_ms",
            "playback__scale",
            "playback__refresh_hz",
            "playback__out_of_step",
            "playback__hidden",
            "voted_at",
            "trial__presented_at",
            "trial__kind",
            "trial__mirrored",
            "trial__participant_id",
            "trial__origin",
            "trial__pair_id",
        )
    )
    # A vote that came after its reason was asked for is shown with the next figures.
    return [VoteFact(*row, *pairs[row[-1]], reasons[row[0]]) for row in rows if row[0] in reasons]


def pair_votes(study: Study, votes: Sequence[VoteFact], inside: Container[int]) -> tuple[PairVotes, ...]:
    """Return every test pair with its votes that count, by source; `inside`: participants who are at it now."""
    counted = Counter(vote.pair for vote in votes if vote.counts)
    pending = Counter(
        vote.pair
        for vote in votes
        if vote.kind == Trial.Kind.TEST and vote.participant in inside and vote.reason.startswith(_UNFINISHED)
    )
    rows = study.pairs.filter(kind=Pair.Kind.TEST).values_list(
        "pk", "source__name", "first__condition__label", "second__condition__label"
    )
    return tuple(
        PairVotes(source, first, second, counted[pk], pending[pk], study.votes_per_pair)
        for pk, source, first, second in rows.order_by("source__name", "pk")
    )


@dataclass(frozen=True)
class AnswerShare:
    """A share among the answers of everybody, and among those of people with a vote that counts.

    `chance`: what answers at random would give, with as many ties as there are; None where nothing is to be beaten.
    """

    name: str
    meaning: str
    everybody: Share | None
    counted: Share | None
    chance: float | None


def answer_shares(votes: Sequence[VoteFact]) -> tuple[AnswerShare, ...]:
    """Return what tells good answers from careless ones, with intervals."""
    kept = {vote.participant for vote in votes if vote.counts}
    used = [vote for vote in votes if vote.participant in kept and (vote.counts or vote.kind != Trial.Kind.TEST)]
    ties = _tied(votes)
    # Two random answers meet in a tie, or on one of two sides.
    alike = (ties.value**2 + (1 - ties.value) ** 2 / 2) if ties else None
    measures = (
        ("Two people agree", "the same answer of two people to one pair", _between_people, alike),
        ("Same answer again", "the same answer when a pair came again with sides exchanged", _repeated, alike),
        ("Verification right", "right answers to pairs with an obvious answer", _verified, 0.5),
        ("Equals seen as equal", "“no visible difference” where both videos were the same", _null, None),
        ("Chose left", "left among the preferences; far from chance, people favour a side", _left, 0.5),
        ("No difference", "“no visible difference” among the answers to test pairs", _tied, None),
    )
    return tuple(AnswerShare(name, text, take(votes), take(used), chance) for name, text, take, chance in measures)


def _by_person(votes: Iterable[VoteFact], hit) -> Share | None:
    people: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for vote in votes:
        people[vote.participant][0] += hit(vote)
        people[vote.participant][1] += 1
    return share(map(tuple, people.values()))


def _between_people(votes):
    answers = defaultdict(list)
    for vote in votes:
        if vote.kind == Trial.Kind.TEST:
            answers[vote.pair].append(vote.preferred)
    return agreement(answers.values())


def _repeated(votes):
    earlier = {(vote.participant, vote.pair): vote.preferred for vote in votes if vote.kind == Trial.Kind.TEST}
    again = [v for v in votes if v.kind == Trial.Kind.REPEAT and (v.participant, v.pair) in earlier]
    return _by_person(again, lambda vote: vote.preferred == earlier[vote.participant, vote.pair])


def _verified(votes):
    shown = (vote for vote in votes if vote.kind == Trial.Kind.VERIFICATION)
    return _by_person(shown, lambda vote: vote.preferred == ("second" if vote.verification_first else "first"))


def _null(votes):
    return _by_person((v for v in votes if v.kind == Trial.Kind.NULL), lambda vote: vote.choice == Vote.Choice.TIE)


def _left(votes):
    decided = (v for v in votes if v.kind == Trial.Kind.TEST and v.choice != Vote.Choice.TIE)
    return _by_person(decided, lambda vote: vote.choice == Vote.Choice.LEFT)


def _tied(votes):
    return _by_person((v for v in votes if v.kind == Trial.Kind.TEST), lambda vote: vote.choice == Vote.Choice.TIE)


def dropped_votes(votes: Iterable[VoteFact]) -> tuple[tuple[str, int], ...]:
    """Return why test votes do not count, by kind of reason, most first."""
    return ranked_counts(kind_of_reason(vote.reason) for vote in votes if vote.kind == Trial.Kind.TEST and vote.reason)
