"""Rows of the metrics whose authors' own checkpoint files are loaded as they are published.

score_range: of the clean frames that the robustness benchmark scaled its metrics with (AAAI 2024), else the range of
the scale that the metric was trained on.
"""

from attacks.metrics.table import MetricInfo, WeightsFile

__all__ = ["PUBLISHED_METRICS"]

_RESNET50 = WeightsFile(
    "resnet50-0676ba61.pth",
    folder="checkpoints",
    origin="torchvision's ImageNet weights, download.pytorch.org/models",
    aliases=("resnet50-19c8e357.pth",),
)


def _row(name, title, citation, low, high, weights, *backbones, factory, preprocessing, licence, **more) -> MetricInfo:
    return MetricInfo(
        name=name,
        title=title,
        citation=citation,
        lower_better=more.pop("lower_better", False),
        score_range=(low, high),
        licence=licence,
        factory=f"attacks.metrics.{factory}:build",
        packages=more.pop("packages", ("torchvision",)),
        weights=weights,
        backbones=backbones,
        preprocessing=preprocessing,
        **more,
    )


PUBLISHED_METRICS: tuple[MetricInfo, ...] = (
    _row(
        "vsfa",
        "VSFA (KoNViD-1k): ResNet-50 features of each frame, GRU, temporal pooling",
        "Li, Jiang, Jiang: Quality Assessment of In-the-Wild Videos. ACM Multimedia 2019",
        0.35622,
        0.71042,
        WeightsFile("VSFA.pt", folder="checkpoints", origin="github.com/lidq92/VSFA, models/VSFA.pt"),
        _RESNET50,
        factory="vsfa",
        preprocessing="ImageNet mean and deviation, at the frame's own size",
        licence="for noncommercial use (the authors' own licence)",
        scope="clip",
        window=12,
    ),
    _row(
        "mdtvsfa",
        "MDTVSFA: VSFA trained on several data sets at once, with a nonlinear mapping of the score",
        "Li, Jiang, Jiang: Unified Quality Assessment of In-the-Wild Videos with Mixed Datasets Training. IJCV 2021",
        0.43910,
        0.67317,
        WeightsFile("MDTVSFA.pt", folder="checkpoints", origin="github.com/lidq92/MDTVSFA, models/MDTVSFA.pt"),
        _RESNET50,
        factory="mdtvsfa",
        preprocessing="ImageNet mean and deviation, at the frame's own size",
        licence="MIT",
        scope="clip",
        window=12,
    ),
    _row(
        "linearity",
        "LinearityIQA (KonIQ-10k): ResNeXt-101 trained with a norm-in-norm loss",
        "Li, Jiang, Jiang: Norm-in-Norm Loss with Faster Convergence and Better Performance for Image Quality "
        "Assessment. ACM Multimedia 2020",
        -6.299,
        137.538,
        WeightsFile("p1q2.pth", folder="checkpoints", origin="github.com/lidq92/LinearityIQA, link in its README"),
        factory="linearity",
        preprocessing="",
        licence="none stated by the authors",
    ),
    _row(
        "koncept512",
        "KonCept512 (KonIQ-10k): Inception-ResNet-v2",
        "Hosu, Lin, Sziranyi, Saupe: KonIQ-10k: An Ecologically Valid Database for Deep Learning of Blind Image "
        "Quality Assessment. TIP 2020",
        26.401,
        66.862,
        WeightsFile(
            "KonCept512.pth", folder="checkpoints", origin="github.com/ZhengyuZhao/koniq-PyTorch, link in its README"
        ),
        factory="koncept512",
        preprocessing="",
        licence="MIT",
        packages=("timm", "torchvision"),
    ),
    _row(
        "spaq",
        "SPAQ, baseline model: ResNet-50",
        "Fang, Zhu, Zeng, Ma, Wang: Perceptual Quality Assessment of Smartphone Photography. CVPR 2020",
        21.745,
        77.754,
        WeightsFile("BL_release.pt", folder="checkpoints", origin="github.com/h4nwei/SPAQ, link in its README"),
        factory="spaq",
        preprocessing="",
        licence="none stated by the authors",
    ),
    _row(
        "rankiqa",
        "RankIQA (LIVE): VGG-16 trained to rank",
        "Liu, van de Weijer, Bagdanov: RankIQA: Learning from Rankings for No-Reference Image Quality Assessment. "
        "ICCV 2017",
        10.860,
        34.860,
        WeightsFile(
            "Rank_live.caffemodel.pt",
            folder="checkpoints",
            origin="github.com/YunanZhu/Pytorch-TestRankIQA, link in its README",
        ),
        factory="rankiqa",
        preprocessing="",
        licence="MIT",
    ),
    _row(
        "fpr",
        "FPR: a network that restores the features of the missing reference",
        "Chen, Zhu, Wang, Wang, Kwong: No-Reference Image Quality Assessment by Hallucinating Pristine Features. "
        "TIP 2022",
        47.225,
        77.047,
        WeightsFile("FPR.pth", folder="checkpoints", origin="github.com/Baoliang93/FPR, link in its README"),
        factory="fpr",
        preprocessing="",
        licence="Apache-2.0",
    ),
    _row(
        "wsp",
        "WSP-IQA: ResNet-101 with weighted spatial pooling",
        "Su, Korhonen: Blind Natural Image Quality Prediction Using Convolutional Neural Networks and Weighted "
        "Spatial Pooling. ICIP 2020",
        1.884,
        3.867,
        WeightsFile("wsp.pth", folder="checkpoints", origin="github.com/yichengsu/ICIP2021-WSP-IQA"),
        factory="wsp",
        preprocessing="",
        licence="none stated by the authors",
    ),
    _row(
        "meta-iqa",
        "Meta-IQA, the authors' own model: ResNet-18 trained by meta-learning",
        "Zhu, Li, Wu, Dong, Shi: MetaIQA: Deep Meta-Learning for No-Reference Image Quality Assessment. CVPR 2020",
        0.16133,
        0.75716,
        WeightsFile(
            "TID2013_KADID10K_IQA_Meta_resnet18.pt", folder="checkpoints", origin="github.com/zhuhancheng/MetaIQA"
        ),
        factory="meta-iqa",
        preprocessing="",
        licence="none stated by the authors",
    ),
    _row(
        "eonss",
        "EONSS: a small network trained on the Waterloo Exploration pictures",
        "Wang, Athar, Wang: Blind Quality Assessment of Multiply Distorted Images Using Deep Neural Networks. "
        "ICIAR 2019",
        5.0,
        25.0,
        WeightsFile(
            "EONSS_model.pt",
            folder="checkpoints",
            origin="github.com/icbcbicc/EONSS-demo",
            aliases=("eonss.safetensors",),
        ),
        factory="eonss",
        preprocessing="",
        licence="BSD-2-Clause",
        packages=(),
    ),
    _row(
        "cnniqa-live",
        "CNNIQA (LIVE), trained by D. Li: patches of the locally normalised grey picture",
        "Kang, Ye, Li, Doermann: Convolutional Neural Networks for No-Reference Image Quality Assessment. CVPR 2014",
        -4.020,
        87.537,
        WeightsFile("CNNIQA-LIVE", folder="checkpoints", origin="github.com/lidq92/CNNIQA, models/CNNIQA-LIVE"),
        factory="cnniqa_live",
        preprocessing="",
        licence="none stated by the authors",
        lower_better=True,
        packages=(),
    ),
)
