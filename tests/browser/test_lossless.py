"""A lossless WebM with its padding, played by a real browser."""

import base64
from fractions import Fraction

import pytest

from stimuli.delivery import get_profile
from stimuli.padding import padding_header
from stimuli.video import codec_string, write_video
from tests.stimuli.conftest import BT709, textured

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLAY = """
async ([content, codec]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const video = document.body.appendChild(document.createElement("video"));
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/webm" }));
  await new Promise((resolve, reject) => {
    video.onended = resolve;
    video.onerror = () => reject(new Error(video.error.message));
    video.play().catch(reject);
  });
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  await new Promise((resolve) => {
    video.onseeked = resolve;
    video.currentTime = 0.3;
  });
  const known = video.canPlayType(`video/webm; codecs="${codec}"`);
  return { frames, known, duration: video.duration, place: video.currentTime, width: video.videoWidth };
}
"""


def test_it_plays_to_its_end_and_can_be_sought(page, tmp_path):
    path = tmp_path / "padded.webm"
    planes = textured(20, 64, 80)
    write_video(
        path, [planes], width=80, height=64, fps=Fraction(25), colour=BT709, profile=get_profile("vp9-lossless")
    )
    codec = codec_string(path)
    with path.open("ab") as file:
        file.write(padding_header(".webm", 200_000).ljust(200_000, b"\0"))
    page.goto("about:blank")
    played = page.evaluate(PLAY, [base64.b64encode(path.read_bytes()).decode(), codec])
    assert played == {"frames": 20, "known": "probably", "duration": 0.8, "place": 0.3, "width": 80}
    assert page.troubles == []
