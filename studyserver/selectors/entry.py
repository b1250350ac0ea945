"""Reads about who comes in and who takes their answers back."""

from studyserver.models import ConsentText, Invitation, Session, Study

__all__ = ["consent_text_of", "invitation_for_token", "session_for_code", "session_for_withdrawal"]


def session_for_code(study: Study, code: str) -> Session | None:
    """Return the session that a person, by pseudonym, began before, on this or another device."""
    return _sessions(study).filter(participant__code=code).first()


def session_for_withdrawal(study: Study, code: str) -> Session | None:
    """Return the session with that withdrawal code, in the form in which it was issued."""
    return _sessions(study).filter(withdrawal_code=code).first()


def invitation_for_token(study: Study, token: str) -> Invitation | None:
    """Return the invitation of a link, if it is one of the study's."""
    return study.invitations.filter(token=token).first() if token else None


def consent_text_of(session: Session) -> str:
    """Return the text that the person of this session agreed to; empty where it was not kept."""
    texts = ConsentText.objects.filter(study=session.participant.study_id, version=session.consent_version)
    return texts.values_list("text", flat=True).first() or ""


def _sessions(study: Study):
    return Session.objects.select_related("participant__study").filter(participant__study=study)
