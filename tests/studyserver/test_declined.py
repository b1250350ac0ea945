"""/s/<study>/declined/."""


def test_it_thanks_and_offers_the_way_back(visitor):
    page = visitor.get("declined")
    assert page.status_code == 200
    assert "Nothing about you was stored" in page.text
    assert 'href="/s/cats/"' in page.text


def test_post_is_refused(visitor):
    assert visitor.client.post(visitor.url("declined")).status_code == 405


def test_an_unknown_study_is_not_found(db, client):
    assert client.get("/s/none/declined/").status_code == 404
