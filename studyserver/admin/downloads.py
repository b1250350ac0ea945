"""Tables of a study as downloads: votes, participants, payments, and what their columns mean."""

import json

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from studyserver import participant_columns, payment_columns, vote_columns
from studyserver.columns import dictionary_of, frame_of
from studyserver.export import csv_text
from studyserver.models import Study
from studyserver.selectors import participant_table, payment_rows, vote_table

__all__ = ["columns_json", "participants_csv", "payments_csv", "votes_csv"]

_TABLES = {"votes": vote_columns, "participants": participant_columns, "payments": payment_columns}


def votes_csv(request: HttpRequest, study: Study) -> HttpResponse:
    """The vote table, under the rule in force."""
    return _file(study, "votes", csv_text(vote_table(study.slug), vote_columns.COLUMNS))


def participants_csv(request: HttpRequest, study: Study) -> HttpResponse:
    """One row per session."""
    return _file(study, "participants", csv_text(participant_table(study.slug), participant_columns.COLUMNS))


def payments_csv(request: HttpRequest, study: Study, sessions=None) -> HttpResponse:
    """Who is paid what; of these sessions only, where given."""
    table = frame_of(payment_columns.COLUMNS, payment_rows(study, sessions=sessions))
    return _file(study, "payments", csv_text(table, payment_columns.COLUMNS))


def columns_json(request: HttpRequest, study: Study) -> HttpResponse:
    """The data dictionary: name, type and meaning of every column of the three tables."""
    meanings = {name: dictionary_of(table.COLUMNS) for name, table in _TABLES.items()}
    return _file(study, "columns", json.dumps(meanings, indent=2, ensure_ascii=False) + "\n", kind="json")


def _file(study: Study, what: str, text: str, kind: str = "csv") -> HttpResponse:
    name = f"{study.slug}-{what}-{timezone.now():%Y-%m-%d}.{kind}"
    return HttpResponse(
        text,
        content_type={"csv": "text/csv; charset=utf-8", "json": "application/json"}[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
