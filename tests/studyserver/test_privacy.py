"""No network address of a participant is kept, and nothing that a recruitment service calls them by."""

import logging

import pytest
from django.test import Client

from tests.studyserver.conftest import Visitor
from tests.studyserver.test_withdraw import everything

ADDRESS, PROXIED, IDENTIFIER = "203.0.113.77", "198.51.100.23", "5f3a99c0ffee"


@pytest.mark.slow
def test_no_address_and_no_identifier_is_in_the_database_the_log_or_a_page(study, caplog):
    caplog.set_level(logging.DEBUG)
    client = Client(
        REMOTE_ADDR=ADDRESS, HTTP_X_FORWARDED_FOR=PROXIED, HTTP_USER_AGENT="Rare/1.0", raise_request_exception=False
    )
    visitor = Visitor(client, study)
    query = f"?PROLIFIC_PID={IDENTIFIER}&SESSION_ID=sub"
    pages = [client.get("/s/cats/nothing-here/" + query), client.post("/s/cats/" + query, {"visit": "x"})]
    pages.append(Client(enforce_csrf_checks=True, REMOTE_ADDR=ADDRESS).post("/s/cats/" + query))
    session = visitor.begin(query)
    pages += [visitor.get("trial"), visitor.post_vote("not json")]
    visitor.finish(session)
    pages += [visitor.get("done"), visitor.get("withdraw")]
    assert [page.status_code for page in pages] == [404, 400, 403, 200, 400, 200, 200]
    for secret in (ADDRESS, PROXIED, IDENTIFIER, "Rare/1.0"):
        assert secret not in everything()
        assert secret not in caplog.text
        assert not any(secret in page.text for page in pages if page.status_code == 200)
    # The log was listening.
    assert "/s/cats/nothing-here/" in caplog.text
    assert session.submission in everything()
