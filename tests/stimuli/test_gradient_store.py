"""What goes to disk comes back."""

import torch

from attacks import CleanGradient
from stimuli.colour import Planes
from stimuli.gradient_store import GradientStore
from stimuli.spool import ChangeSpool, PlaneSpool

CPU = torch.device("cpu")


def test_signs_and_scores_survive_packing(tmp_path):
    store = GradientStore(tmp_path / "signs")
    generator = torch.Generator().manual_seed(0)
    chunks = {}
    for first, frames in ((0, 3), (3, 2)):
        sign = torch.randint(-1, 2, (frames, 3, 7, 11), generator=generator).to(torch.int8)
        chunks[first] = CleanGradient(torch.rand(frames, generator=generator), sign, sign.float())
        store.write(first, chunks[first])
    for first, clean in chunks.items():
        back = store.read(first, CPU)
        assert torch.equal(back.sign, clean.sign)
        assert back.sign.dtype == torch.int8
        assert torch.equal(back.scores, clean.scores)
        assert back.gradient is None
        assert torch.equal(store.read(first, CPU, 1).sign, clean.sign[:1])
    frame = CleanGradient(*(part[1:2] for part in (chunks[0].scores, chunks[0].sign, chunks[0].gradient)))
    store.write_values(1, frame)
    back = store.read_values(1, CPU)
    assert all(torch.equal(getattr(back, name), getattr(frame, name)) for name in ("scores", "sign", "gradient"))


def test_spooled_planes_come_back_in_any_chunks(tmp_path):
    generator = torch.Generator().manual_seed(0)

    def noise(*shape):
        return torch.randint(0, 256, shape, generator=generator).to(torch.uint8)

    whole = Planes(noise(5, 8, 12), noise(5, 4, 6), noise(5, 4, 6))
    spool = PlaneSpool(tmp_path / "x.planes", height=8, width=12)
    spool.add(whole[:2])
    spool.add(whole[2:])
    for chunk in (1, 2, 5, 9):
        back = Planes.cat(list(spool.chunks(chunk, CPU)))
        assert all(torch.equal(getattr(back, name), getattr(whole, name)) for name in "yuv")
    spool.remove()
    assert not list(tmp_path.iterdir())


def test_changes_come_back_in_any_order_as_half_floats(tmp_path):
    changes = torch.rand(3, 3, 8, 12, generator=torch.Generator().manual_seed(0)) - 0.5
    spool = ChangeSpool(tmp_path / "x.intended", height=8, width=12)
    for frame, change in zip((4, 7, 9), changes, strict=True):
        spool.add(frame, change)
    for place, frame in ((2, 9), (0, 4), (1, 7)):
        assert (spool.read(frame, CPU)[0] - changes[place]).abs().max() <= 2.5e-4
    spool.remove()
    assert not list(tmp_path.iterdir())
