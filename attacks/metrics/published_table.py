"""Rows of the metrics whose authors' own checkpoint files are loaded as they are published.

score_range: of the clean frames that the robustness benchmark scaled its metrics with (AAAI 2024), where it gave them
to the metric as is done here; else the range of the scale that the metric was trained on.
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
        licence="MIT",
        scope="clip",
        window=12,
    ),
    _row(
        "mdtvsfa",
        "MDTVSFA (KoNViD-1k, CVD2014, LIVE-Qualcomm): VSFA trained on mixed data sets, perceptual score",
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
        "LinearityIQA (KonIQ-10k): ResNeXt-101 trained with the norm-in-norm loss, p = 1, q = 2",
        "Li, Jiang, Jiang: Norm-in-Norm Loss with Faster Convergence and Better Performance for Image Quality "
        "Assessment. ACM Multimedia 2020",
        -6.299,
        137.538,
        WeightsFile("p1q2.pth", folder="checkpoints", origin="github.com/lidq92/LinearityIQA, link in its README"),
        factory="linearity",
        preprocessing="resized to 664x498, ImageNet mean and deviation",
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
        preprocessing="resized to 512x384, values scaled to [-1, 1]",
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
        preprocessing="shorter side resized to 512 where it is longer, squares of 224 every 112 pixels averaged",
        licence="educational and research use (the authors' own terms, in their files)",
    ),
    _row(
        "rankiqa",
        "RankIQA+FT (LIVE): VGG-16 trained to rank pictures, then on opinions",
        "Liu, van de Weijer, Bagdanov: RankIQA: Learning from Rankings for No-Reference Image Quality Assessment. "
        "ICCV 2017",
        # Opinions of the pictures of LIVE that it was fine-tuned on, references included.
        0.0,
        85.0,
        WeightsFile(
            "FT_live.caffemodel.pt",
            folder="checkpoints",
            origin="github.com/YunanZhu/Pytorch-TestRankIQA, link in its README",
        ),
        factory="rankiqa",
        preprocessing="squares of 224 that cover the frame, BGR, 0 to 255, scores averaged",
        licence="MIT",
        lower_better=True,
        packages=(),
    ),
    _row(
        "fpr",
        "FPR (KADID-10k): features trained to tell those of the picture and of its missing reference",
        "Chen, Zhu, Kong, Zhu, Wang, Li: No-Reference Image Quality Assessment by Hallucinating Pristine Features. "
        "TIP 2022",
        # Degradation in per cent of the opinion scale: pristine pictures to the worst of KADID-10k.
        0.0,
        80.0,
        WeightsFile(
            "model_best_kadid_0.pkl",
            folder="checkpoints",
            origin="github.com/Baoliang93/FPR, link in its README",
            aliases=("model_best_0.pkl",),
        ),
        factory="fpr",
        preprocessing="all whole squares of 64, in [0, 1], scores averaged with weights",
        licence="Apache-2.0",
        lower_better=True,
        packages=(),
    ),
    _row(
        "wsp",
        "WSP-IQA (KonIQ-10k): ResNet-101 with weighted spatial pooling",
        "Su, Korhonen: Blind Natural Image Quality Prediction Using Convolutional Neural Networks and Weighted "
        "Spatial Pooling. ICIP 2020",
        # The grades that opinions were given in.
        1.0,
        5.0,
        WeightsFile(
            "checkpoint.pth.tar",
            folder="checkpoints",
            origin="github.com/yichengsu/ICIP2020-WSP-IQA, release v0.1",
            aliases=("wsp.pth.tar",),
        ),
        factory="wsp",
        preprocessing="ImageNet mean and deviation, at the frame's own size",
        licence="none stated by the authors",
    ),
    _row(
        "meta-iqa",
        "Meta-IQA (TID2013, KADID-10k), the authors' own model: ResNet-18 trained by meta-learning",
        "Zhu, Li, Wu, Dong, Shi: MetaIQA: Deep Meta-Learning for No-Reference Image Quality Assessment. CVPR 2020",
        # Of the robustness benchmark, although it scored frames at their own size.
        0.16133,
        0.75716,
        WeightsFile(
            "TID2013_KADID10K_IQA_Meta_resnet18.pt",
            folder="checkpoints",
            origin="github.com/zhuhancheng/MetaIQA, model_IQA",
            aliases=("metaiqa.pth",),
        ),
        factory="meta_iqa",
        preprocessing="resized to 224x224, ImageNet mean and deviation",
        licence="none stated by the authors",
    ),
    _row(
        "eonss",
        "EONSS: a small network with divisive normalisation, trained on multiply distorted pictures",
        "Wang, Athar, Wang: Blind Quality Assessment of Multiply Distorted Images Using Deep Neural Networks. "
        "ICIAR 2019",
        # Measured: strong distortions give -5 to 8, pristine pictures 22 to 24.
        -5.0,
        25.0,
        WeightsFile(
            "EONSS_model.pt",
            folder="checkpoints",
            origin="github.com/icbcbicc/EONSS-demo",
            aliases=("eonss.safetensors",),
        ),
        factory="eonss",
        preprocessing="squares of 235 every 128 pixels averaged; frames from 236x236 on",
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
        preprocessing="grey squares of 32, each normalised locally, averaged; frames from 33x33 on",
        licence="none stated by the authors",
        lower_better=True,
        packages=(),
    ),
    _row(
        "nima-mobilenet",
        "NIMA (AVA), trained by K. Truskovskyi: MobileNetV2, mean of ten ratings",
        "Talebi, Milanfar: NIMA: Neural Image Assessment. TIP 2018",
        3.710,
        6.188,
        WeightsFile(
            "pretrain-model.pth", folder="checkpoints", origin="github.com/truskovskiyk/nima.pytorch, branch v1, README"
        ),
        factory="nima_mobilenet",
        preprocessing="resized to 224x224, ImageNet mean and deviation",
        licence="MIT",
        packages=(),
    ),
)
