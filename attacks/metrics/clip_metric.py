"""Target metrics of clips: features of each frame, then one head over the frames of a window or of a whole clip."""

from collections.abc import Callable
from pathlib import Path

import torch

from attacks.metrics.base import ClipScorer, TargetMetric
from attacks.metrics.checkpoints import Rename, find_weights, load_state, read_state
from attacks.metrics.frame_features import FrameFeatures, features_of_clip, resnet50_features
from attacks.metrics.registry import sha256_of
from attacks.metrics.table import MetricInfo
from attacks.metrics.wrapped import ModuleMetric

__all__ = ["ClipMetric", "resnet50_clip_metric"]


class ClipMetric(ModuleMetric):
    """The parts of the module: "frames", (N, 3, H, W) in [0, 1] -> (N, F), frame by frame, and "head",
    (clips, T, F) -> (clips,), for any T from 1 on.

    The score of a window knows nothing of the frames before it: the head starts anew. With a window of 1 each frame
    is a clip of its own. A whole clip's score is the head's over all its frames, whatever the window.
    """

    def score(self, frames: torch.Tensor) -> torch.Tensor:
        """See TargetMetric.score. Raises InvalidFrames, NonFiniteScore or NotDifferentiable."""
        return self.score_features(self.features(frames))

    def clip_scorer(self) -> ClipScorer:
        return _FeatureScorer(self)

    def features(self, frames: torch.Tensor) -> torch.Tensor:
        """(N, F) of (N, 3, H, W); those of a window depend, to the last digit, on no frame outside it."""
        self._check_input(frames)
        network = self._module["frames"]
        with self._evaluating():
            if self.window == 1:
                return network(frames)
            return torch.cat([features_of_clip(network, part) for part in frames.split(self.window)])

    def score_features(self, features: torch.Tensor) -> torch.Tensor:
        """(N,) scores of (N, F), to each frame that of its window."""
        head = self._module["head"]
        with self._evaluating():
            if self.window == 1:
                return self._check(head(features[:, None]), len(features))
            windows = features.split(self.window)
            return torch.cat([self._check(head(part[None]), 1).expand(len(part)) for part in windows])

    def score_of_clip(self, features: torch.Tensor) -> float:
        """Of a whole clip, from the features (T, F) of all its frames."""
        with self._evaluating(), torch.no_grad():
            return self._check(self._module["head"](features[None]), 1).item()


class _FeatureScorer(ClipScorer):
    """Keeps the features of all frames; the head goes over them once, at the end."""

    def __init__(self, metric: ClipMetric):
        super().__init__(metric)
        self._features: list[torch.Tensor] = []

    def result(self) -> float:
        return self._metric.score_of_clip(torch.cat(self._features))

    def _add(self, frames: torch.Tensor) -> list[float]:
        features = self._metric.features(frames)
        scores = self._metric.score_features(features).tolist()
        self._features.append(features)
        return scores


def resnet50_clip_metric(
    info: MetricInfo,
    head_of: Callable[[], torch.nn.Module],
    device: torch.device,
    weights: Path | None,
    *,
    rename: Rename,
) -> TargetMetric:
    """The metric `info`: its head, filled from its authors' file, over the features of torchvision's ResNet-50.

    Raises MetricUnavailable.
    """
    (imagenet,) = info.backbones
    paths = find_weights(info, info.weights, weights), find_weights(info, imagenet)
    network = resnet50_features()
    with torch.random.fork_rng():
        head = head_of()
    load_state(head, read_state(paths[0]), paths[0], what=f"metric {info.name!r}", rename=rename)
    load_state(network, read_state(paths[1]), paths[1], what="torchvision's ResNet-50", rename=_without_classes)
    hashes = [sha256_of(path) for path in paths]
    parts = torch.nn.ModuleDict({"frames": FrameFeatures(network), "head": head})
    return ClipMetric(
        parts.eval().requires_grad_(False).to(device),
        info.name,
        device=device,
        lower_better=info.lower_better,
        score_range=info.score_range,
        weights_sha256=hashes[0],
        files={path.name: sha256 for path, sha256 in zip(paths, hashes, strict=True)},
        window=info.window,
    )


def _without_classes(name: str) -> str | None:
    return None if name.startswith("fc.") else name
