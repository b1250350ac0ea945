"""The ways in: the invitation with its consent, and the pages of those who cannot enter or do not want to."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from studyserver.errors import InvitationRefused, StudyUnavailable
from studyserver.flow import ENDED
from studyserver.forms import ConsentForm
from studyserver.handheld import is_handheld
from studyserver.models import Participant, Session, Study
from studyserver.models.study_settings import new_token
from studyserver.outcomes import Outcome, way_back
from studyserver.pseudonyms import participant_code
from studyserver.recruitment import Arrival, read_arrival
from studyserver.selectors import invitation_for_token, session_for_code, session_outline, study_has_places
from studyserver.services import session_note_submission, session_start
from studyserver.views.visit import drop, is_preview, keep, page_of, remember, session_of, simulated_code

__all__ = ["declined", "landing"]

_PEOPLE = (Participant.Origin.REAL, Participant.Origin.PILOT)
_OUTCOMES = {"full": Outcome.FULL, "paused": Outcome.PAUSED, "closed": Outcome.PAUSED, "draft": Outcome.PAUSED}
_DECLINED_SECONDS = 3600


@dataclass(frozen=True)
class _Visit:
    """Who is at the door: `code` is their pseudonym if the address names them, `session` what they began."""

    arrival: Arrival
    origin: str
    code: str
    session: Session | None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, slug: str) -> HttpResponse:
    """Invitation and consent; people who began already are sent to where they were."""
    study = get_object_or_404(Study, slug=slug)
    visit = _visit(request, study)
    if visit.session and visit.session.state in ENDED:
        return remember(redirect(page_of(visit.session), slug=slug), request, visit.session)
    if why := _obstacle(request, study, visit):
        return _unavailable(request, study, visit, why)
    if visit.session:
        arrival = visit.arrival
        session_note_submission(session=visit.session, service=arrival.service, submission=arrival.submission)
        return remember(redirect(page_of(visit.session), slug=slug), request, visit.session)
    if visit.arrival.only_looking or request.method != "POST":
        return _invitation(request, study, visit, _fresh_form(study, new_token()))
    if "decline" in request.POST:
        return _decline(request, study)
    form = ConsentForm(request.POST)
    if "visit" in form.errors or form.cleaned_data.get("version") != study.consent_version:
        notice = _("The text below has changed since you opened this page. Please read it again.")
        fresh = _fresh_form(study, form.data.get("visit") or new_token())
        return _invitation(request, study, visit, fresh, notice=notice, status=400)
    if not form.is_valid():
        return _invitation(request, study, visit, form, status=400)
    return _enter(request, study, visit, form.cleaned_data["visit"])


def _visit(request: HttpRequest, study: Study) -> _Visit:
    arrival = read_arrival(request.GET)
    if is_preview(request, study):
        return _Visit(arrival, Participant.Origin.PREVIEW, "", None)
    if code := simulated_code(request, study):
        return _Visit(arrival, Participant.Origin.SIMULATED, code, session_for_code(study, code))
    origin = Participant.Origin.PILOT if study.status == Study.Status.PILOT else Participant.Origin.REAL
    if arrival.identifier:
        code = participant_code(salt=study.salt, external_id=arrival.identifier)
        return _Visit(arrival, origin, code, session_for_code(study, code))
    session = session_of(request, study)
    if session and arrival.invitation:
        # Somebody else may open their own link in the same browser.
        invitation = getattr(session.participant, "invitation", None)
        session = session if invitation and invitation.token == arrival.invitation else None
    return _Visit(arrival, origin, "", session)


def _obstacle(request: HttpRequest, study: Study, visit: _Visit) -> str | None:
    """Return why this visit cannot go on, as a word of the template `unavailable`."""
    if visit.session:
        why = "paused" if page_of(visit.session) == "landing" else None
    elif visit.origin == Participant.Origin.PREVIEW:
        why = None
    elif visit.origin == Participant.Origin.SIMULATED:
        why = None if study_has_places(study, visit.origin) else "full"
    else:
        why = _closed_door(study, visit)
    if why is None and not study.allow_mobile and is_handheld(request.headers):
        return "mobile"
    return why


def _closed_door(study: Study, visit: _Visit) -> str | None:
    token = visit.arrival.invitation
    if token or study.invitation_only:
        invitation = invitation_for_token(study, token)
        if invitation is None:
            return "wrong-invitation" if token else "invitation-only"
        if invitation.used_at:
            return "used-invitation"
    if study.status not in (Study.Status.OPEN, Study.Status.PILOT):
        return study.status
    return None if study_has_places(study, visit.origin) else "full"


def _unavailable(request: HttpRequest, study: Study, visit: _Visit, why: str) -> HttpResponse:
    outcome = None if visit.arrival.only_looking else _OUTCOMES.get(why)
    context = {
        "study": study,
        "why": why,
        "began": visit.session is not None,
        "back": way_back(study, outcome) if outcome else None,
        "address": request.build_absolute_uri(),
    }
    return render(request, "studyserver/unavailable.html", context)


def _fresh_form(study: Study, page: str) -> ConsentForm:
    return ConsentForm(initial={"visit": page, "version": study.consent_version})


def _invitation(
    request: HttpRequest, study: Study, visit: _Visit, form: ConsentForm, *, notice: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "study": study,
        "form": form,
        "preview": visit.origin == Participant.Origin.PREVIEW,
        "only_looking": visit.arrival.only_looking,
        "notice": notice,
        "outline": session_outline(study),
    }
    return render(request, "studyserver/landing.html", context, status=status)


def _enter(request: HttpRequest, study: Study, visit: _Visit, page: str) -> HttpResponse:
    # A page sent twice is one visit: its pseudonym follows from the number that the page carries.
    code = visit.code or participant_code(salt=study.salt, external_id=f"page {page}")
    people = visit.origin in _PEOPLE
    try:
        session = session_start(
            study=study,
            code=code,
            origin=visit.origin,
            service=visit.arrival.service,
            submission=visit.arrival.submission,
            invitation=visit.arrival.invitation if people else "",
        )
    except (StudyUnavailable, InvitationRefused):
        # It happened while the person was reading; the page says what.
        return redirect(request.get_full_path())
    return drop(remember(redirect(page_of(session), slug=study.slug), request, session), study, _declined_cookie(study))


def _declined_cookie(study: Study) -> str:
    return f"declined_{study.pk}"


def _decline(request: HttpRequest, study: Study) -> HttpResponse:
    # The server stores nothing about who declines; the browser remembers that the code is theirs.
    name = _declined_cookie(study)
    return keep(redirect("declined", slug=study.slug), request, study, name, study.slug, _DECLINED_SECONDS)


@never_cache
@require_safe
def declined(request: HttpRequest, slug: str) -> HttpResponse:
    """Goodbye to a person who does not take part; nothing about them was stored."""
    study = get_object_or_404(Study, slug=slug)
    page = page_of(session_of(request, study))
    if page != "landing":
        return redirect(page, slug=slug)
    token = request.get_signed_cookie(_declined_cookie(study), default="", max_age=_DECLINED_SECONDS)
    back = way_back(study, Outcome.NO_CONSENT) if token == study.slug else None
    return render(request, "studyserver/declined.html", {"study": study, "back": back})
