"""/health/."""

from django.db import DatabaseError


def test_it_is_well_when_the_database_answers(db, client):
    assert client.get("/health/").status_code == 200


def test_it_fails_when_the_database_does_not(db, client, monkeypatch):
    from studyserver.models import Study

    def gone():
        raise DatabaseError("gone")

    monkeypatch.setattr(Study.objects, "exists", gone, raising=False)
    assert client.get("/health/").status_code == 503


def test_post_is_refused(db, client):
    assert client.post("/health/").status_code == 405
