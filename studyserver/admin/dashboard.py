"""The dashboard of a study: one page of the admin, for staff who may view studies."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studyserver.dashboard.progress_panels import progress_panels
from studyserver.dashboard.quality_panels import quality_panels
from studyserver.dashboard.tiles import dashboard_tiles
from studyserver.models import Participant
from studyserver.selectors import Dashboard, default_origin, study_dashboard

__all__ = ["dashboard_urls"]

_REFRESH_SECONDS = 60


def dashboard_urls(study_admin) -> list:
    """Return the addresses that the admin of studies adds to its own."""

    def view(request, pk: int):
        return _dashboard(study_admin, request, pk)

    page = require_safe(never_cache(study_admin.admin_site.admin_view(view)))
    return [path("<int:pk>/dashboard/", page, name="studyserver_study_dashboard")]


def _dashboard(study_admin, request, pk: int) -> TemplateResponse:
    """The figures of one origin (`?origin=`), loaded again every minute with `?refresh=1`."""
    study = study_admin.get_object(request, str(pk))
    if study is None:
        raise Http404(f"there is no study {pk}")
    if not study_admin.has_view_permission(request, study):
        raise PermissionDenied
    origin = request.GET.get("origin") or default_origin(study)
    if origin not in Participant.Origin.values:
        raise Http404(f"origin must be one of {', '.join(Participant.Origin.values)}, got {origin[:40]!r}")
    board = study_dashboard(study, origin, now=timezone.now())
    context = {
        **study_admin.admin_site.each_context(request),
        "opts": study_admin.opts,
        "title": study.title,
        "study": study,
        "board": board,
        "origins": board.origins.items(),
        "tiles": dashboard_tiles(board),
        "panels": (*progress_panels(board), *quality_panels(board)),
        "links": _links(request.user, board),
        "refresh": _REFRESH_SECONDS if request.GET.get("refresh") else None,
    }
    return TemplateResponse(request, "admin/studyserver/study/dashboard.html", context)


def _links(user, board: Dashboard) -> list[tuple[str, str]]:
    """Addresses and names of the pages behind the figures that this person may open."""
    study, people = board.study.pk, f"origin__exact={board.origin}"
    pages = (
        ("view_participant", "participant_changelist", (), f"study__id__exact={study}&{people}", "participants"),
        ("view_pair", "pair_changelist", (), f"study__id__exact={study}", "pairs"),
        ("view_vote", "vote_changelist", (), f"trial__pair__study__id__exact={study}&trial__{people}", "votes"),
        ("view_rule", "study_rules_compare", (study,), "", "rules compared"),
    )
    return [
        (reverse(f"admin:studyserver_{page}", args=args) + (f"?{query}" if query else ""), name)
        for permission, page, args, query, name in pages
        if user.has_perm(f"studyserver.{permission}")
    ]
