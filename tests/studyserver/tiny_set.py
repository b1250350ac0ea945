"""A stimulus set in the format of the product, of real H.264 files that take a second to make and a second to play."""

import hashlib
import json
import pathlib

import av
import numpy

CONDITIONS = {"reference": 0, "fgsm": 6, "ioi": 3}
FPS = 25


def write_tiny_set(
    folder: pathlib.Path,
    *,
    sources=2,
    width=64,
    height=48,
    frames=25,
    seed=0,
    conditions=None,
    picture=None,
    encode=None,
) -> pathlib.Path:
    """Write `manifest.json` and `media/`; noise stands for attacks, a flat picture for the verification stimulus.

    `conditions` gives each label its noise amplitude in 8-bit levels, `picture(rng, width, height, frames)` the clips,
    `encode(path, frames)` the files.
    """
    conditions, picture, encode = conditions or CONDITIONS, picture or _moving_picture, encode or encode_quickly
    media = folder / "media"
    media.mkdir(parents=True)
    rng = numpy.random.default_rng(seed)
    manifest = {
        "format_version": 2,
        "created_at": "2026-01-01T00:00:00+00:00",
        "software": {},
        "command": [],
        "seed": seed,
        "device": "cpu",
        "target_metric": {
            "name": "demo",
            "title": "Demonstration",
            "weights_sha256": None,
            "score_range": [0, 100],
            "lower_better": False,
        },
        "gain": {"target": 0.1, "linf": None, "tolerance": 0.02, "match": "clip", "form": "relative"},
        "delivery": {"profile": "h264", "settings": {}, "retention_floor": None},
        "rounding": "nearest",
        "speed_matched": False,
        "sources": [],
        "stimuli": [],
        "unreachable": [],
        "verification": [],
    }
    colour = {"matrix": "bt709", "range": "limited", "primaries": "bt709", "transfer": "bt709"}
    for number in range(sources):
        name = f"clip{number}"
        clean = picture(rng, width, height, frames)
        shared = {"width": width, "height": height, "frames": frames, "fps": f"{FPS}/1"}
        manifest["sources"].append(
            {
                "id": name,
                "file": f"{name}.mp4",
                "sha256": f"{number:064x}",
                "bytes": 1,
                "pixel_aspect": "1/1",
                "colour": colour,
                "delivered": {
                    "width": width,
                    "height": height,
                    "colour": colour,
                    "profile": "h264",
                    "settings": {},
                    "below_floor": [],
                },
                **shared,
            }
        )
        files = {}
        for label, amplitude in {**conditions, "verification": None}.items():
            shown = (
                _impaired(clean) if amplitude is None else clean + rng.integers(-amplitude, amplitude + 1, clean.shape)
            )
            files[label] = media / f"{number}{len(files)}.mp4"
            encode(files[label], shown.clip(0, 255).astype(numpy.uint8))
        encoded = {label: path.stat().st_size for label, path in files.items()}
        pad_to_largest(list(files.values()))
        for label, path in files.items():
            item = {
                "id": f"{name}-{label}",
                "source": name,
                "file": f"media/{path.name}",
                "bytes": path.stat().st_size,
                "bytes_encoded": encoded[label],
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                **shared,
            }
            if label == "verification":
                manifest["verification"].append({**item, "impairment": {"blur": 8}})
                continue
            amplitude = conditions[label]
            manifest["stimuli"].append(
                {
                    **item,
                    "attack": {"name": label, "options": {}} if amplitude else None,
                    "condition": label,
                    "strength": amplitude / 255,
                    "linf": float(amplitude),
                    "gain_frames": 0.1 if amplitude else 0.0,
                    "gain_delivered": 0.1 if amplitude else 0.0,
                    "score_clean": 50.0,
                    "score_delivered": 55.0 if amplitude else 50.0,
                    "retention": 1.0 if amplitude else None,
                    "retention_luma": 1.0 if amplitude else None,
                    "evaluations": 1,
                    "encodes": 1,
                    "metric_cost": {"forwards": 1.0, "backwards": 1.0},
                    "matching_cost": {"forwards": 1.0, "backwards": 0.0},
                    "speed_matched": None,
                    "quality": {
                        "psnr": 48.0 - amplitude,
                        "ssim": 0.99 - amplitude / 100,
                        "vif": 0.9,
                        "lpips": None,
                        "mae_star": amplitude / 255,
                        "temporal_instability": 0.0,
                    },
                    "codec": "h264",
                }
            )
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _moving_picture(rng, width, height, frames):
    """Return (frames,H,W,3) int16: smooth random texture that moves sideways."""
    texture = rng.integers(0, 256, (height // 8 + 1, (width + 2 * frames) // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)
    return numpy.stack([texture[:height, 2 * t : 2 * t + width] for t in range(frames)]).astype(numpy.int16)


def _impaired(frames):
    return numpy.broadcast_to(frames.mean(axis=(1, 2), keepdims=True), frames.shape).copy()


def encode_quickly(path: pathlib.Path, frames: numpy.ndarray) -> None:
    """Write frames (N,H,W,3) uint8 as an MP4 that every browser plays."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "12", "preset": "ultrafast"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.color_range = 1
        stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709"
            )
            frame.color_range = frame.colorspace = frame.color_primaries = frame.color_trc = 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def pad_to_largest(paths: list[pathlib.Path]) -> None:
    """Give all files one size with a trailing box that players skip."""
    largest = max(path.stat().st_size for path in paths) + 8
    for path in paths:
        gap = largest - path.stat().st_size
        with path.open("ab") as file:
            file.write(gap.to_bytes(4, "big") + b"free" + bytes(gap - 8))
