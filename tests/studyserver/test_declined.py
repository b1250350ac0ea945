"""/s/<study>/declined/."""

import pytest


def decline(visitor):
    return visitor.client.post(visitor.url("landing"), {"decline": "1", "visit": "x"}, follow=True)


def test_it_thanks_and_offers_the_way_back(visitor, study):
    page = decline(visitor)
    assert page.status_code == 200
    assert "Nothing about you was stored" in page.text
    assert 'href="/s/cats/"' in page.text
    assert study.no_consent_code in page.text


def test_the_code_is_for_who_has_declined(visitor, stranger, study):
    decline(visitor)
    assert study.no_consent_code in visitor.get("declined").text
    page = stranger.get("declined")
    assert page.status_code == 200
    assert study.no_consent_code not in page.text


@pytest.mark.slow
def test_who_thought_better_of_it_loses_the_code(visitor, study):
    decline(visitor)
    visitor.consent()
    assert visitor.get("declined").url == "/s/cats/instructions/"
    visitor.client.cookies.pop(f"visit_{study.pk}")
    assert study.no_consent_code not in visitor.get("declined").text


@pytest.mark.slow
def test_a_forged_cookie_shows_no_code(visitor, study):
    visitor.client.cookies[f"declined_{study.pk}"] = "cats:forged:signature"
    assert study.no_consent_code not in visitor.get("declined").text


@pytest.mark.slow
def test_the_way_back_carries_the_code(visitor, study):
    study.completion_url = "https://r.example/?cc={code}"
    study.save()
    assert f'href="https://r.example/?cc={study.no_consent_code}"' in decline(visitor).text


def test_post_is_refused(visitor):
    assert visitor.client.post(visitor.url("declined")).status_code == 405


def test_an_unknown_study_is_not_found(db, client):
    assert client.get("/s/none/declined/").status_code == 404
