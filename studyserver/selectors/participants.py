"""The table of a study's participants: one row per session."""

from studyserver.columns import frame_of
from studyserver.models import Exclusion, Participant, Session, Stimulus, Study, Trial, Vote
from studyserver.participant_columns import COLUMNS, ParticipantFacts
from studyserver.selectors.studies import study_by_slug
from studyserver.selectors.votes import vote_reasons
from studyserver.vote_columns import loaded_votes

__all__ = ["participant_table"]


def participant_table(slug: str):
    """Return one row per session of a study as a pandas.DataFrame, columns as in `participant_columns.COLUMNS`.

    Previews are left out. Raises UnknownStudy.
    """
    study = study_by_slug(slug)
    # Before the sessions are read, so that every vote's session is among them.
    reasons = vote_reasons(study)
    excluded = dict(
        Exclusion.objects.filter(participant__study=study, lifted_at=None).values_list("participant", "reason")
    )
    sessions = (
        Session.objects.filter(participant__study=study)
        .exclude(participant__origin=Participant.Origin.PREVIEW)
        .select_related("participant")
        .order_by("id")
    )
    facts = {session.pk: ParticipantFacts(session, excluded.get(session.participant_id, "")) for session in sessions}
    _add_votes(facts, study, reasons)
    return frame_of(COLUMNS, facts.values())


def _add_votes(facts: dict[int, ParticipantFacts], study: Study, reasons: dict[int, str]) -> None:
    votes = loaded_votes(study, reasons)
    before = {
        (vote.trial.session_id, vote.trial.pair_id): _preferred(vote)
        for vote in votes
        if vote.trial.kind == Trial.Kind.TEST
    }
    for vote in votes:
        trial, fact = vote.trial, facts[vote.trial.session_id]
        fact.kinds[trial.kind] += 1
        if trial.kind in (Trial.Kind.TEST, Trial.Kind.REPEAT):
            fact.choices[vote.choice] += 1
        if trial.kind == Trial.Kind.TEST and not reasons[vote.pk]:
            fact.test_counted += 1
        if trial.kind == Trial.Kind.VERIFICATION and vote.choice == trial.expected:
            fact.verification_right += 1
        if trial.kind == Trial.Kind.REPEAT and before.get((trial.session_id, trial.pair_id), vote) == _preferred(vote):
            fact.repeats_agreed += 1
        if trial.kind == Trial.Kind.NULL and vote.choice == Vote.Choice.TIE:
            fact.null_ties += 1
        if reasons[vote.pk]:
            fact.reasons[reasons[vote.pk]] += 1


def _preferred(vote: Vote) -> Stimulus | None:
    """The video that was called better, None for a tie."""
    return {Vote.Choice.LEFT: vote.trial.left, Vote.Choice.RIGHT: vote.trial.right}.get(vote.choice)
