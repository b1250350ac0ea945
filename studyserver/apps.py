"""The one Django app of the laboratory."""

from django.apps import AppConfig

__all__ = ["StudyServerConfig"]


class StudyServerConfig(AppConfig):
    name = "studyserver"
    verbose_name = "Video attack laboratory"
