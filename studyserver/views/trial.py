"""The page that plays the pairs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from studyserver.models import Session, Study
from studyserver.services import session_renew_lease, trial_present
from studyserver.views.player_texts import player_texts
from studyserver.views.state import player_state
from studyserver.views.visit import participant_page

__all__ = ["trial"]


@require_safe
@participant_page("trial")
def trial(request: HttpRequest, study: Study, session: Session) -> HttpResponse:
    """The player, with the trial to answer now."""
    current, state = player_state(session)
    if current is None:
        # Ended or withdrawn while this was read: asked again, the server knows where the person is.
        return redirect("trial", slug=study.slug)
    trial_present(trial=current)
    session_renew_lease(session=session)
    return render(request, "studyserver/trial.html", {"study": study, "state": state, "texts": player_texts()})
