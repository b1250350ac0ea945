"""The files that the target metric loaded are part of what results are kept under."""

import torch

from attacks.metrics import wrap_module
from stimuli.metering import MeteredMetric
from stimuli.run import Run


def inputs(**files):
    metric = wrap_module(torch.nn.Identity())
    metric.weights_sha256, metric.files = "1" * 64, files
    metered = MeteredMetric(metric)
    assert metered.files == files
    return Run(None, metered, None, None, None).metric_inputs


def test_another_backbone_is_another_metric():
    alone = inputs(head="1" * 64)
    assert inputs(head="1" * 64, resnet="2" * 64) != alone
    assert inputs(head="1" * 64, resnet="2" * 64) != inputs(head="1" * 64, resnet="3" * 64)
    assert inputs(renamed="1" * 64) == alone
