"""The votes of a study: which count, and the table of all."""

from collections.abc import Iterable

from studyserver.models import Session, Study, Trial, Vote
from studyserver.selectors.studies import study_by_slug
from studyserver.vote_columns import vote_frame

__all__ = ["vote_reasons", "vote_table"]


def vote_reasons(study: Study, sessions: Iterable[Session] | None = None, *, surplus: bool = True) -> dict[int, str]:
    """Return for each vote (by its key) of a study, or of these sessions, why it does not count; empty where it does.

    Without `surplus` a vote whose place went to somebody else is not dropped for that.
    """
    votes = Vote.objects.filter(trial__pair__study=study).select_related(
        "trial__pair__first__condition", "trial__pair__second__condition"
    )
    if sessions is not None:
        votes = votes.filter(trial__session__in=sessions)
    votes = list(votes.order_by("id"))
    missed = {
        vote.trial.participant_id
        for vote in votes
        if vote.trial.kind == Trial.Kind.VERIFICATION and vote.choice != vote.trial.expected
    }

    def reason(vote: Vote) -> str:
        if vote.trial.participant_id in missed:
            return "participant missed a verification pair"
        if vote.playback_ok is False:
            return f"playback: {vote.playback_reason}"
        if surplus and vote.trial.state in (Trial.State.EXPIRED, Trial.State.SURPLUS):
            return "surplus: the place had gone to somebody else"
        return ""

    return {vote.pk: reason(vote) for vote in votes}


def vote_table(slug: str):
    """Return the vote table of a study as a pandas.DataFrame; columns are those of `vote_columns.COLUMNS`.

    Previews are left out. Rows that must not count carry `use` False and a reason.
    """
    study = study_by_slug(slug)
    return vote_frame(study, vote_reasons(study))
