"""What tells one target metric from another."""

import torch

from attacks.metrics import TargetMetric

__all__ = ["metric_identity"]


def metric_identity(metric: TargetMetric) -> dict:
    """A JSON document; where there is no weights file to be told by, its score of a fixed noise picture tells."""
    identity = {
        "name": metric.name,
        "lower_better": metric.lower_better,
        "score_range": list(metric.score_range),
        "window": metric.window,
    }
    if metric.weights_sha256:
        # By themselves, and only where there are any: so keys of sets made before they were known stay as they are.
        others = sorted(set(metric.files.values()) - {metric.weights_sha256})
        return identity | {"weights": metric.weights_sha256} | ({"other_files": others} if others else {})
    noise = torch.rand((1, 3, 256, 256), generator=torch.Generator().manual_seed(0)).to(metric.device)
    return identity | {"score_of_noise": f"{metric.values(noise)[0]:.5g}"}
