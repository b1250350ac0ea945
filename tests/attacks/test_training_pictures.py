"""The folder of training pictures: what is cut from them, and what is said of those that cannot be used."""

import numpy as np
import pytest
import torch
from PIL import Image

from attacks.errors import TrainingDataError
from attacks.training_pictures import read_training_pictures


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def crops_of(pictures):
    both = torch.cat([pictures.training, pictures.held_out])
    return {crop.numpy().tobytes() for crop in both}


def as_bytes(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1)).tobytes()


def test_the_central_square_is_cut_and_small_pictures_are_resized_whole(tmp_path):
    exact, larger, small = noise(16, 16), noise(41, 30, seed=1), noise(12, 40, seed=2)
    for name, picture in (("exact", exact), ("larger", larger), ("small", small)):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    resized = np.array(Image.fromarray(small).resize((16, 16), Image.Resampling.BICUBIC))
    expected = {as_bytes(exact), as_bytes(larger[12:28, 7:23]), as_bytes(resized)}
    assert crops_of(read_training_pictures(tmp_path, crop=16, seed=0)) == expected


def test_every_8_bit_kind_of_picture_becomes_rgb(tmp_path):
    picture = noise(16, 16)
    Image.fromarray(picture).save(tmp_path / "rgb.PNG")
    Image.fromarray(noise(16, 16, 4, seed=1)).save(tmp_path / "rgba.png")
    Image.fromarray(picture[..., 0]).save(tmp_path / "grey.bmp")
    Image.fromarray(picture).quantize(16).save(tmp_path / "palette.png")
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "cmyk.jpg")
    crops = crops_of(read_training_pictures(tmp_path, crop=16, seed=0))
    assert len(crops) == 5
    assert as_bytes(np.repeat(picture[..., :1], 3, axis=2)) in crops
    assert as_bytes(noise(16, 16, 4, seed=1)[..., :3]) in crops


def test_a_tenth_is_held_out_by_the_seed_and_the_order_of_files_does_not_matter(tmp_path):
    for index in range(30):
        Image.fromarray(noise(8, 8, seed=index)).save(tmp_path / f"{index}.png")
    one, same, other = (read_training_pictures(tmp_path, crop=8, seed=seed) for seed in (1, 1, 2))
    assert len(one.training) == 27 and len(one.held_out) == 3
    assert torch.equal(one.training, same.training) and torch.equal(one.held_out, same.held_out)
    assert not torch.equal(one.held_out, other.held_out) and crops_of(one) == crops_of(other)
    assert one.sha256 == other.sha256


def test_the_hash_is_of_names_and_contents(tmp_path):
    for name in "ab":
        Image.fromarray(noise(8, 8)).save(tmp_path / f"{name}.png")
    first = read_training_pictures(tmp_path, crop=8, seed=0).sha256
    assert read_training_pictures(tmp_path, crop=4, seed=0).sha256 == first
    (tmp_path / "b.png").rename(tmp_path / "c.png")
    renamed = read_training_pictures(tmp_path, crop=8, seed=0).sha256
    Image.fromarray(noise(8, 8, seed=1)).save(tmp_path / "c.png")
    assert len({first, renamed, read_training_pictures(tmp_path, crop=8, seed=0).sha256}) == 3


def test_folders_inside_count_and_a_limit_takes_the_first(tmp_path):
    (tmp_path / "inner").mkdir()
    for index, name in enumerate(("a.png", "inner/b.png", "c.png")):
        Image.fromarray(noise(8, 8, seed=index)).save(tmp_path / name)
    (tmp_path / "list.txt").write_text("not a picture")
    assert len(crops_of(read_training_pictures(tmp_path, crop=8, seed=0))) == 3
    calls = []
    two = read_training_pictures(tmp_path, crop=8, seed=0, limit=2, progress=lambda *call: calls.append(call))
    assert as_bytes(noise(8, 8, seed=1)) not in crops_of(two) and calls == [(1, 2), (2, 2)]


@pytest.mark.parametrize(("files", "says"), [(0, "holds 0 pictures"), (1, "holds 1 picture ")])
def test_too_few_pictures_are_refused(files, says, tmp_path):
    for index in range(files):
        Image.fromarray(noise(8, 8)).save(tmp_path / f"{index}.png")
    with pytest.raises(TrainingDataError, match=says):
        read_training_pictures(tmp_path, crop=8, seed=0)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(TrainingDataError, match=r"no folder .*nothing"):
        read_training_pictures(tmp_path / "nothing", crop=8, seed=0)


def test_a_picture_that_is_none_or_cut_off_or_too_deep_is_named(tmp_path):
    Image.fromarray(noise(64, 64)).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    bad = tmp_path / "b.png"
    for broken in (b"", b"text", content[: len(content) // 2], content[:30]):
        bad.write_bytes(broken)
        with pytest.raises(TrainingDataError, match=r"b\.png cannot be read as a picture"):
            read_training_pictures(tmp_path, crop=8, seed=0)
    Image.fromarray(noise(16, 16)[..., 0].astype(np.uint16) * 200).save(bad)
    with pytest.raises(TrainingDataError, match=r"b\.png has more than 8 bits"):
        read_training_pictures(tmp_path, crop=8, seed=0)
