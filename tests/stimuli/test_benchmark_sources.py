"""Which sources there are in folders, and how they are read in any chunks."""

import numpy as np
import pytest
import torch
from PIL import Image

from stimuli.benchmark_datasets import find_sources
from stimuli.benchmark_sources import BenchmarkSource, hash_of_files, look_into
from stimuli.clip import Clip
from stimuli.colour import display_frames
from stimuli.errors import InvalidRequest, InvalidSource
from stimuli.video import probe

CPU = torch.device("cpu")


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def opened(*files, limit=None):
    return BenchmarkSource.from_document(
        {
            "dataset": "d",
            "name": "s",
            "files": list(map(str, files)),
            "sha256": hash_of_files(files),
            **look_into(files, limit),
        }
    )


def frames_of(source, **options):
    """All frames by their index; of one size."""
    chunks = list(source.chunks(**{"chunk": None, "window": 1, "device": CPU} | options))
    indices = [index for part, _ in chunks for index in part]
    return indices, [frame for _, frames in chunks for frame in frames], [len(part) for part, _ in chunks]


def test_folders_are_data_sets(tmp_path):
    touch(tmp_path / "all_of_it", "b.mp4", "a.webm", "notes.txt", "kadid/images/2.png", "kadid/images/1.JPG", "x/c.mkv")
    touch(tmp_path / "all_of_it", "set/manifest.json", "set/media/a.mp4", ".hidden/d.mp4")
    touch(tmp_path / "all_of_it", "earlier/.work/cells/1.json", "earlier/figures/f.png")
    sources, sets = find_sources([tmp_path / "all_of_it"])
    assert [(source.label, [file.name for file in source.files]) for source in sources] == [
        ("all_of_it/a", ["a.webm"]),
        ("all_of_it/b", ["b.mp4"]),
        ("kadid/images/images", ["1.JPG", "2.png"]),
        ("x/c", ["c.mkv"]),
    ]
    assert sets == [tmp_path / "all_of_it" / "set"]
    files, _ = find_sources([tmp_path / "all_of_it" / "b.mp4", *(tmp_path / "all_of_it/kadid/images").iterdir()])
    assert [source.label for source in files] == ["all_of_it/b", "images/images"]


def test_what_cannot_be_a_source_is_one_sentence(tmp_path):
    touch(tmp_path, "empty/notes.txt", "a/v/x.mp4", "b/v/x.mp4", "s/manifest.json", "t/s/manifest.json", "all/y.mp4")
    touch(tmp_path, "u/.work/set.json", "u/media/1.mp4")
    for paths, words in (
        (["none"], "no file or folder"),
        (["empty"], "holds no video and no picture"),
        (["a/v", "b/v"], "Two sources are called v/x"),
        (["s", "t"], "Two data sets are called s"),
        (["all"], "called 'all'"),
        (["u"], "is not finished"),
        ([], "No source is given"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            find_sources([tmp_path / path for path in paths])


def test_a_video_gives_the_frames_of_a_stimulus_set(make_clip):
    path = make_clip(frames=5, height=50, width=64)
    clip = Clip.open(path, probe(path), max_frames=None, chunk=5, device=CPU)
    ((_, planes),) = clip.chunks()
    for chunk, window, sizes in ((2, 1, [2, 2, 1]), (None, 1, [5]), (3, 2, [4, 1])):
        indices, frames, found = frames_of(opened(path), chunk=chunk, window=window)
        assert indices == list(range(5)) and found == sizes
        assert torch.equal(torch.stack(frames), display_frames(planes, clip.colour))
    source = opened(path, limit=3)
    assert (source.frames, source.pixels) == (3, 3 * 50 * 64)
    assert frames_of(source)[0] == [0, 1, 2]


def test_pictures_come_size_by_size(tmp_path):
    rng = np.random.default_rng(0)
    shapes = [(20, 30), (10, 12), (20, 30), (20, 30), (10, 12)]
    pictures = [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    source = opened(*sorted(tmp_path.iterdir()))
    indices, frames, sizes = frames_of(source, chunk=2)
    assert indices == [0, 2, 3, 1, 4] and sizes == [2, 1, 2]
    for index, frame in zip(indices, frames, strict=True):
        assert torch.equal(frame, torch.from_numpy(pictures[index]).permute(2, 0, 1).float() / 255)
    assert source.pixels == 3 * 600 + 2 * 120
    source.check(window=1)
    with pytest.raises(InvalidSource, match=r"several sizes.*--window 1"):
        source.check(window=2)
    Image.fromarray(pictures[0][::-1]).save(tmp_path / "0.png")
    with pytest.raises(InvalidSource, match="has changed since"):
        source.check(window=1)
