"""/s/<study>/media/<token>: videos of one's own trials, with HTTP ranges."""

import pytest
from django.conf import settings

from studyserver.selectors import session_current_trial


@pytest.fixture
def trial(visitor):
    return session_current_trial(visitor.begin())


@pytest.fixture
def body(trial):
    return (settings.MEDIA_ROOT / trial.left.media).read_bytes()


def content(reply):
    return b"".join(reply.streaming_content)


def test_both_sides_come_whole(visitor, trial, body):
    reply = visitor.get("media", trial.left_token)
    assert reply.status_code == 200
    assert content(reply) == body
    assert reply.headers["Content-Type"] == "video/mp4"
    assert reply.headers["Content-Length"] == str(len(body))
    assert reply.headers["Accept-Ranges"] == "bytes"
    right = visitor.get("media", trial.right_token)
    assert content(right) == (settings.MEDIA_ROOT / trial.right.media).read_bytes()


RANGES = {"bytes=0-1": (0, 1), "bytes=100-": (100, None), "bytes=-50": (-50, None), "bytes=10-99999999": (10, None)}


def test_a_range_comes_exactly(visitor, trial, body):
    for wanted, (first, last) in RANGES.items():
        reply = visitor.get("media", trial.left_token, Range=wanted)
        expected = body[first : None if last is None else last + 1]
        begin = first % len(body)
        assert reply.status_code == 206, wanted
        assert content(reply) == expected
        assert reply.headers["Content-Length"] == str(len(expected))
        assert reply.headers["Content-Range"] == f"bytes {begin}-{begin + len(expected) - 1}/{len(body)}"


def test_webm_is_called_so(visitor, trial):
    old = settings.MEDIA_ROOT / trial.left.media
    trial.left.media = old.rename(old.with_suffix(".webm")).name
    trial.left.save()
    assert visitor.get("media", trial.left_token).headers["Content-Type"] == "video/webm"
    assert visitor.get("media", trial.left_token, Range="bytes=0-1").headers["Content-Type"] == "video/webm"


def test_a_range_of_endless_digits_is_no_range(visitor, trial):
    assert visitor.get("media", trial.left_token, Range=f"bytes=0-{'9' * 5000}").status_code == 200


def test_a_range_outside_the_file_is_416(visitor, trial, body):
    for wanted in ("bytes=99999999-", "bytes=50-10", "bytes=-0"):
        reply = visitor.get("media", trial.left_token, Range=wanted)
        assert reply.status_code == 416, wanted
        assert reply.headers["Content-Range"] == f"bytes */{len(body)}"


def test_a_range_not_understood_is_ignored(visitor, trial, body):
    for wanted in ("bytes=-", "lines=1-2", "bytes=0-1,5-6"):
        reply = visitor.get("media", trial.left_token, Range=wanted)
        assert reply.status_code == 200, wanted
        assert content(reply) == body


def test_if_range_with_another_tag_gets_the_whole_file(visitor, trial):
    tag = visitor.get("media", trial.left_token).headers["ETag"]
    assert visitor.get("media", trial.left_token, Range="bytes=0-1", if_range=tag).status_code == 206
    assert visitor.get("media", trial.left_token, Range="bytes=0-1", if_range='"other"').status_code == 200


def test_a_file_already_there_is_not_sent_again(visitor, trial):
    tag = visitor.get("media", trial.left_token).headers["ETag"]
    reply = visitor.get("media", trial.left_token, if_none_match=tag)
    assert reply.status_code == 304
    assert reply.content == b""


def test_it_is_cached_by_this_browser_only_and_never_compressed(visitor, trial):
    reply = visitor.get("media", trial.left_token, accept_encoding="gzip")
    assert reply.headers["Cache-Control"] == "private, max-age=86400, immutable, no-transform"
    assert "Content-Encoding" not in reply.headers


def test_a_stranger_finds_nothing(visitor, stranger, trial):
    assert stranger.get("media", trial.left_token).status_code == 404
    stranger.begin()
    assert stranger.get("media", trial.left_token).status_code == 404


def test_an_unknown_token_is_not_found(visitor, trial):
    # A NUL must not reach the database: PostgreSQL takes none.
    for token in ("guess", "%00"):
        assert visitor.client.get(visitor.url("landing") + f"media/{token}").status_code == 404, token


def test_a_file_that_is_gone_is_not_found_and_logged(visitor, trial, caplog):
    (settings.MEDIA_ROOT / trial.left.media).unlink()
    assert visitor.get("media", trial.left_token).status_code == 404
    assert "import its set again" in caplog.text


def test_head_has_no_body(visitor, trial, body):
    reply = visitor.client.head(visitor.url("media", trial.left_token))
    assert reply.status_code == 200
    assert reply.headers["Content-Length"] == str(len(body))


def test_post_is_refused(visitor, trial):
    assert visitor.client.post(visitor.url("media", trial.left_token)).status_code == 405
