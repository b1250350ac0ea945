"""manifest.json: what is read back, and one sentence for each way it can be wrong."""

import copy
import json
import subprocess
import sys

import pytest

from stimuli import read_manifest
from stimuli.errors import InvalidManifest

COLOUR = {"matrix": "bt709", "range": "limited", "primaries": "bt709", "transfer": "bt709"}
FILE = {"bytes": 100, "bytes_encoded": 90, "sha256": "0" * 64, "width": 64, "height": 48, "frames": 6, "fps": "25/1"}
QUALITY = {"psnr": 40.0, "ssim": 0.9, "vif": None, "lpips": None, "mae_star": 3, "temporal_instability": 0.1}
STIMULUS = {
    "id": "a--fgsm",
    "source": "a",
    "attack": {"name": "fgsm", "options": {}},
    "condition": "fgsm",
    "file": "media/x.mp4",
    "strength": 0.01,
    "linf": 2.55,
    "gain_frames": 0.1,
    "gain_delivered": 0.1,
    "score_clean": 50.0,
    "score_delivered": 55.0,
    "retention": 0.5,
    "retention_luma": 0.9,
    "evaluations": 4,
    "encodes": 1,
    "metric_cost": {"forwards": 1, "backwards": 1},
    "matching_cost": {"forwards": 2.5, "backwards": 0},
    "speed_matched": None,
    "quality": QUALITY,
    "codec": "avc1.64000a",
    **FILE,
}
DOCUMENT = {
    "format_version": 2,
    "created_at": "2026-11-21T09:00:00+00:00",
    "software": {"torch": "2.13.0"},
    "command": ["generate_stimuli"],
    "seed": 0,
    "device": "cpu",
    "target_metric": {
        "name": "demo",
        "title": "Demo",
        "weights_sha256": None,
        "score_range": [0, 100],
        "lower_better": False,
        "window": 1,
        "files": {"demo.safetensors": "3" * 64},
    },
    "gain": {"target": 0.1, "linf": None, "tolerance": 0.02, "match": "clip", "form": "relative"},
    "delivery": {"profile": "h264", "settings": {"crf": "5"}, "retention_floor": None},
    "rounding": "dither",
    "speed_matched": False,
    "sources": [
        {
            "id": "a",
            "file": "a.mp4",
            "sha256": "1" * 64,
            "bytes": 10,
            "width": 65,
            "height": 48,
            "frames": 6,
            "fps": "25/1",
            "pixel_aspect": "1/1",
            "colour": COLOUR,
            "delivered": {
                "width": 64,
                "height": 48,
                "colour": COLOUR,
                "profile": "h264",
                "settings": {"crf": "5"},
                "below_floor": [],
            },
        }
    ],
    "stimuli": [STIMULUS],
    "unreachable": [],
    "verification": [
        {"id": "a--verification", "source": "a", "file": "media/y.mp4", "impairment": {"kind": "blur"}, **FILE}
    ],
    "lpips": {"files": {}, "missing": ["pyiqa"]},
}


@pytest.fixture
def write(tmp_path):
    def write(change=None):
        document = copy.deepcopy(DOCUMENT)
        if change:
            change(document)
        (tmp_path / "manifest.json").write_text(json.dumps(document))
        return tmp_path

    return write


def test_reads_itself_back(write):
    folder = write()
    manifest = read_manifest(folder)
    assert manifest == read_manifest(folder / "manifest.json")
    assert manifest.to_document() == DOCUMENT
    assert manifest.stimuli[0].attack.name == "fgsm"
    assert manifest.sources[0].delivered.width == 64
    assert isinstance(manifest.target_metric.score_range[0], float)


def test_a_set_from_before_lpips_was_measured_is_read(write):
    assert read_manifest(write(lambda d: d.pop("lpips"))).lpips is None


def test_a_set_from_before_windows_and_files_were_recorded_is_read(write):
    folder = write(lambda d: [d["target_metric"].pop(key) for key in ("window", "files")])
    assert read_manifest(folder).target_metric.window == 1 and read_manifest(folder).target_metric.files == {}


def test_unknown_keys_are_left_for_later_versions(write):
    assert read_manifest(write(lambda d: d.update(note="x"))).seed == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format_version=1), "earlier version .* make the set again"),
        (lambda d: d.update(format_version=3), "format version 3"),
        (lambda d: d["gain"].pop("linf"), r"gain\.linf is missing"),
        (lambda d: d["stimuli"][0].update(speed_matched="yes"), "must be true or false"),
        (lambda d: d["stimuli"][0].update(file="media/x.avi"), "neither .mp4 nor .webm"),
        (lambda d: d.pop("gain"), "gain is missing"),
        (lambda d: d["stimuli"][0].pop("strength"), r"stimuli\[0\]\.strength is missing"),
        (lambda d: d["stimuli"][0].update(strength="0.1"), r"stimuli\[0\]\.strength must be a number"),
        (lambda d: d["stimuli"][0].update(strength=True), "must be a number"),
        (lambda d: d["stimuli"][0].update(strength=float("inf")), "finite"),
        (lambda d: d["stimuli"][0].update(frames=2.5), "a whole number"),
        (lambda d: d.update(stimuli={}), "stimuli must be a list"),
        (lambda d: d["stimuli"][0].update(quality=[]), "quality must be an object"),
        (lambda d: d["stimuli"][0].update(source="b"), "'b', which is not listed"),
        (lambda d: d["stimuli"].append({**STIMULUS, "condition": "ioi"}), "'a--fgsm' is there twice"),
        (lambda d: d["stimuli"].append({**STIMULUS, "id": "z"}), "condition 'fgsm' of 'a' is there twice"),
        (lambda d: d["stimuli"][0].update(file="../secret"), "outside the set"),
        (lambda d: d["verification"][0].update(file="/etc/passwd"), "outside the set"),
    ],
)
def test_each_fault_is_one_sentence(write, change, words):
    with pytest.raises(InvalidManifest, match=words) as caught:
        read_manifest(write(change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", b"\xff\xfe"])
def test_damaged_file(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidManifest, match=r"manifest\.json"):
        read_manifest(tmp_path)


def test_missing(tmp_path):
    with pytest.raises(InvalidManifest, match="There is no"):
        read_manifest(tmp_path)


def test_reading_needs_no_torch(write):
    code = (
        "import sys; from stimuli import read_manifest; read_manifest(sys.argv[1]); "
        "print(sorted({'torch', 'av', 'tqdm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(write())], capture_output=True, text=True, cwd=sys.path[0])
    assert done.stdout.strip() == "[]", done.stderr
