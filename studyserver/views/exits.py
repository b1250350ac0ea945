"""The ways out: thanks and code of those who finished, early ends, and taking one's answers back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from studyserver.forms import WithdrawalForm
from studyserver.models import Session, Study
from studyserver.outcomes import Outcome, early_end_sentence, way_back
from studyserver.selectors import session_for_withdrawal, session_progress
from studyserver.services import session_withdraw
from studyserver.views.visit import forget, participant_page, session_of

__all__ = ["done", "ended", "withdraw"]

_EARLY_ENDS = {
    Session.State.SCREENED_OUT: Outcome.SCREENED_OUT,
    Session.State.FULL: Outcome.FULL,
    Session.State.TECHNICAL: Outcome.TECHNICAL,
}


@require_safe
@participant_page("done")
def done(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """Thanks, the completion code and the withdrawal code."""
    answered = session_progress(session)[0]
    context = {"study": study, "session": session, "answered": answered, "back": way_back(study, Outcome.COMPLETED)}
    return render(request, "studyserver/done.html", context)


@require_safe
@participant_page("ended")
def ended(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """Why a session ended before its time, and the code of that outcome."""
    context = {
        "study": study,
        "session": session,
        "sentence": early_end_sentence(session),
        "back": way_back(study, _EARLY_ENDS[session.state]),
    }
    return render(request, "studyserver/ended.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the answers back that belong to a withdrawal code, in any status of the study.

    Every code that nothing is stored under gets the same answer, be it wrong, used or another study's.
    """
    study = get_object_or_404(Study, slug=slug)
    own = session_of(request, study)
    form = WithdrawalForm(request.POST or None, initial={"code": own.withdrawal_code if own else ""})
    if request.method == "POST" and form.is_valid():
        session = session_for_withdrawal(study, form.cleaned_data["code"])
        if session and session_withdraw(session=session):
            response = render(request, "studyserver/withdrawn.html", {"study": study})
            return forget(response, study) if own == session else response
        form.add_error(
            "code",
            _(
                "Nothing is stored under this code. If you have just withdrawn your answers, this is done; "
                "otherwise please check the code for typing errors."
            ),
        )
    status = 400 if form.errors else 200
    return render(request, "studyserver/withdraw.html", {"study": study, "form": form}, status=status)
