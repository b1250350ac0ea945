"""Rows of the no-reference metrics of pyiqa 0.1.16 that can be attacked.

score_range: of the clean NIPS 2017 pictures where the robustness benchmark (AAAI 2024)
states it on the same scale, else pyiqa's own rough range. Any other metric of pyiqa is
reached as `pyiqa:<name>`; `piqe` and `entropy` have no gradient and so no row.

A row lists no ImageNet back-bone where the metric's own file holds all its weights.
"""

from attacks.metrics.table import MetricInfo, WeightsFile

__all__ = ["PYIQA_METRICS"]

_CLIP_RN50 = WeightsFile("RN50.pt", folder="clip")


def _row(name, title, citation, low, high, file, *backbones, lower_better=False) -> MetricInfo:
    return MetricInfo(
        name=name,
        title=title,
        citation=citation,
        lower_better=lower_better,
        score_range=(low, high),
        licence="PolyForm Noncommercial (pyiqa); weights as their authors say",
        factory="attacks.metrics.pyiqa_adapter:build",
        packages=("pyiqa", "torchvision"),
        weights=None if file is None else WeightsFile(file),
        backbones=backbones,
    )


PYIQA_METRICS: tuple[MetricInfo, ...] = (
    _row(
        "paq2piq",
        "PaQ-2-PiQ",
        "Ying et al., CVPR 2020",
        58.3804,
        84.1711,
        "P2P_RoIPoolModel-fit.10.bs.120-ca69882e.pth",
    ),
    _row(
        "brisque", "BRISQUE", "Mittal et al., TIP 2012", -10.6131, 95.6086, "brisque_svm_weights.pth", lower_better=True
    ),
    _row("niqe", "NIQE", "Mittal et al., SPL 2013", 1.4141, 28.7371, "niqe_modelparameters.mat", lower_better=True),
    _row("ilniqe", "IL-NIQE", "Zhang et al., TIP 2015", 0.0, 100.0, "ILNIQE_templateModel.mat", lower_better=True),
    _row("cnniqa", "CNNIQA (KonIQ)", "Kang et al., CVPR 2014", 0.0, 1.0, "CNNIQA_koniq10k-e6f14c91.pth"),
    _row("wadiqam_nr", "WaDIQaM-NR (KonIQ)", "Bosse et al., TIP 2018", -1.0, 0.1, "WaDIQaM-NR-koniq-aaffea29.pth"),
    _row("metaiqa", "MetaIQA", "Zhu et al., CVPR 2020", 0.0, 1.0, "Metaiqa_livec.pth"),
    _row(
        "nima",
        "NIMA (Inception-ResNet-v2, AVA)",
        "Talebi, Milanfar, TIP 2018",
        3.7106,
        6.1881,
        "NIMA_InceptionV2_ava-b0c77c00.pth",
    ),
    _row(
        "nima-vgg16-ava",
        "NIMA (VGG-16, AVA)",
        "Talebi, Milanfar, TIP 2018",
        3.7106,
        6.1881,
        "NIMA_VGG16_ava-dc4e8265.pth",
    ),
    _row("unique", "UNIQUE", "Zhang et al., TIP 2021", -2.6569, 2.1960, "UNIQUE.pt"),
    _row("musiq", "MUSIQ (KonIQ)", "Ke et al., ICCV 2021", 22.7589, 77.9561, "musiq_koniq_ckpt-e95806b9.pth"),
    _row("clipiqa", "CLIP-IQA", "Wang et al., AAAI 2023", 0.0, 1.0, None, _CLIP_RN50),
    _row(
        "clipiqa+",
        "CLIP-IQA+",
        "Wang et al., AAAI 2023",
        0.0,
        1.0,
        "CLIP-IQA%2B_learned_prompts-603f3273.pth",
        _CLIP_RN50,
    ),
    _row("topiq_nr", "TOPIQ-NR (KonIQ)", "Chen et al., TIP 2024", 0.0, 1.0, "cfanet_nr_koniq_res50-9a73138b.pth"),
    _row("topiq_iaa_res50", "TOPIQ-IAA (AVA)", "Chen et al., TIP 2024", 1.0, 10.0, "cfanet_iaa_ava_res50-3cd62bb3.pth"),
    _row(
        "dbcnn",
        "DBCNN (KonIQ)",
        "Zhang et al., TCSVT 2020",
        0.0,
        1.0,
        "DBCNN_KonIQ10k-2de81c0a.pth",
        WeightsFile("DBCNN_scnn-7ea73d75.pth"),
    ),
    _row("hyperiqa", "HyperIQA (KonIQ)", "Su et al., CVPR 2020", 0.0, 1.0, "HyperIQA-resnet50-koniq10k-c96c41b1.pth"),
    _row("uranker", "URanker", "Guo et al., AAAI 2023", -1.0, 2.0, "URanker_ckpt-450eb36d.pth"),
    _row("tres", "TReS (KonIQ)", "Golestaneh et al., WACV 2022", -7.1866, 71.3957, "tres_koniq-f0502926.pth"),
    _row("maniqa", "MANIQA (KonIQ)", "Yang et al., CVPRW 2022", 0.0, 1.0, "ckpt_koniq10k.pt"),
)
