"""Addresses: participants under /s/<study>/, researchers under /admin/."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from studyserver.views.entry import declined, landing
from studyserver.views.exits import done, ended, withdraw
from studyserver.views.health import health
from studyserver.views.media import media
from studyserver.views.setup import setup, setup_check, setup_sample
from studyserver.views.steps import calibration, instructions, questionnaire, quiz
from studyserver.views.trial import trial
from studyserver.views.trouble import trouble
from studyserver.views.vote import vote

study = [
    path("", landing, name="landing"),
    path("declined/", declined, name="declined"),
    path("instructions/", instructions, name="instructions"),
    path("setup/", setup, name="setup"),
    path("setup/check/", setup_check, name="setup-check"),
    path("setup/sample/", setup_sample, name="setup-sample"),
    path("calibration/", calibration, name="calibration"),
    path("quiz/", quiz, name="quiz"),
    path("trial/", trial, name="trial"),
    path("vote/", vote, name="vote"),
    path("trouble/", trouble, name="trouble"),
    path("questionnaire/", questionnaire, name="questionnaire"),
    path("done/", done, name="done"),
    path("ended/", ended, name="ended"),
    path("withdraw/", withdraw, name="withdraw"),
    path("media/<slug:token>", media, name="media"),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("s/<slug:slug>/", include(study)),
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.strip('/')}/studyserver/icon.svg")),
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
]
