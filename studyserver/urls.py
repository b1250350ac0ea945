"""Addresses: participants under /s/<study>/, researchers under /admin/."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from studyserver.views.entry import declined, done, landing
from studyserver.views.health import health
from studyserver.views.media import media
from studyserver.views.steps import instructions
from studyserver.views.trial import trial
from studyserver.views.vote import vote

study = [
    path("", landing, name="landing"),
    path("declined/", declined, name="declined"),
    path("instructions/", instructions, name="instructions"),
    path("trial/", trial, name="trial"),
    path("vote/", vote, name="vote"),
    path("done/", done, name="done"),
    path("media/<slug:token>", media, name="media"),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("s/<slug:slug>/", include(study)),
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.strip('/')}/studyserver/icon.svg")),
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
]
