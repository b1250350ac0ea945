"""Rows of the no-reference metrics of pyiqa 0.1.16 that can be attacked.

score_range: of the clean NIPS 2017 pictures where the robustness benchmark (AAAI 2024)
states it on the same scale, else pyiqa's own rough range. preprocessing: what pyiqa's network itself does in its
forward pass. Any other metric of pyiqa is reached as `pyiqa:<name>`; those without a gradient have no row:
`piqe` (all zero), `entropy` (histogram), `nrqm` and `pi` (random forests), `afine_nr` (computed without gradients).

A row lists no ImageNet back-bone where the metric's own file holds all its weights.
"""

from attacks.metrics.table import MetricInfo, WeightsFile

__all__ = ["PYIQA_METRICS"]


def _pyiqa(name: str, *, folder: str = "pyiqa", aliases: tuple[str, ...] = ()) -> WeightsFile:
    """A file of pyiqa's own collection."""
    return WeightsFile(name, folder, "huggingface.co/chaofengc/IQA-PyTorch-Weights", aliases, downloads=True)


def _clip(name: str) -> WeightsFile:
    return WeightsFile(name, "clip", "OpenAI's CLIP, links in github.com/openai/CLIP, clip/clip.py", downloads=True)


_CLIP_RN50, _CLIP_VIT = _clip("RN50.pt"), _clip("ViT-B-32.pt")
_QUALICLIP = _pyiqa("QualiCLIP.pth")
_IMAGENET = "ImageNet mean and deviation"
_CLIP_MEAN = "mean and deviation of CLIP's pictures"
_CROPS = "crops of 224x224 on an even grid (frames below 225 are enlarged first, bilinear)"


def _row(name, title, citation, low, high, file, *backbones, preprocessing, lower_better=False, gpu=False):
    return MetricInfo(
        name=name,
        title=title,
        citation=citation,
        lower_better=lower_better,
        score_range=(low, high),
        licence="PolyForm Noncommercial (pyiqa); weights as their authors say",
        factory="attacks.metrics.pyiqa_adapter:build",
        packages=("pyiqa", "torchvision"),
        weights=_pyiqa(file) if isinstance(file, str) else file,
        backbones=backbones,
        preprocessing=preprocessing,
        gpu=gpu,
    )


PYIQA_METRICS: tuple[MetricInfo, ...] = (
    _row(
        "paq2piq",
        "PaQ-2-PiQ: ResNet-18 with pooling over regions",
        "Ying et al.: From Patches to Pictures (PaQ-2-PiQ). CVPR 2020",
        58.3804,
        84.1711,
        "P2P_RoIPoolModel-fit.10.bs.120-ca69882e.pth",
        preprocessing="none: RGB in [0, 1] at the frame's own size",
    ),
    _row(
        "brisque",
        "BRISQUE: statistics of the locally normalised luma, support vectors",
        "Mittal, Moorthy, Bovik: No-Reference Image Quality Assessment in the Spatial Domain. TIP 2012",
        -10.6131,
        95.6086,
        _pyiqa("brisque_svm_weights.pth", aliases=("brisque_live_svm.pt",)),
        preprocessing="luma (YIQ) in 0..255, rounded (the gradient passes through), at two scales",
        lower_better=True,
    ),
    _row(
        "niqe",
        "NIQE: distance to the statistics of pristine pictures",
        "Mittal, Soundararajan, Bovik: Making a Completely Blind Image Quality Analyzer. SPL 2013",
        1.4141,
        28.7371,
        "niqe_modelparameters.mat",
        preprocessing="luma (YIQ) in 0..255, rounded (the gradient passes through), whole blocks of 96x96, two scales",
        lower_better=True,
    ),
    _row(
        "ilniqe",
        "IL-NIQE: NIQE with colour, gradients and log-Gabor statistics",
        "Zhang, Zhang, Bovik: A Feature-Enriched Completely Blind Image Quality Evaluator. TIP 2015",
        0.0,
        100.0,
        "ILNIQE_templateModel.mat",
        preprocessing="0..255, rounded (the gradient passes through), resized to 524x524 (bicubic, antialiased)",
        lower_better=True,
        gpu=True,
    ),
    _row(
        "cnniqa",
        "CNNIQA (KonIQ-10k), of RGB frames as a whole",
        "Kang, Ye, Li, Doermann: Convolutional Neural Networks for No-Reference Image Quality Assessment. CVPR 2014",
        0.0,
        1.0,
        "CNNIQA_koniq10k-e6f14c91.pth",
        preprocessing="none: RGB in [0, 1] at the frame's own size; global pooling leaves few pixels a gradient",
    ),
    _row(
        "wadiqam_nr",
        "WaDIQaM-NR (KonIQ-10k): weighted mean over patches",
        "Bosse, Maniry, Mueller, Wiegand, Samek: Deep Neural Networks for No-Reference and Full-Reference Image "
        "Quality Assessment. TIP 2018",
        -1.0,
        0.1,
        "WaDIQaM-NR-koniq-aaffea29.pth",
        preprocessing="RGB in [0, 1], patches of 32x32 side by side; the last row and column of patches are left out",
    ),
    _row(
        "metaiqa",
        "MetaIQA (LIVE Challenge), pyiqa's own training",
        "Zhu, Li, Wu, Dong, Shi: MetaIQA: Deep Meta-Learning for No-Reference Image Quality Assessment. CVPR 2020",
        0.0,
        1.0,
        "Metaiqa_livec.pth",
        preprocessing=f"resized to 224x224 (bilinear, not antialiased), {_IMAGENET}",
    ),
    _row(
        "nima",
        "NIMA (AVA): Inception-ResNet-v2",
        "Talebi, Milanfar: NIMA: Neural Image Assessment. TIP 2018",
        3.7106,
        6.1881,
        "NIMA_InceptionV2_ava-b0c77c00.pth",
        preprocessing="shorter side resized to 299 (bilinear, antialiased), middle 299x299, to [-1, 1]",
    ),
    _row(
        "nima-vgg16-ava",
        "NIMA (AVA): VGG-16",
        "Talebi, Milanfar: NIMA: Neural Image Assessment. TIP 2018",
        3.7106,
        6.1881,
        "NIMA_VGG16_ava-dc4e8265.pth",
        preprocessing=f"shorter side resized to 224 (bilinear, antialiased), middle 224x224, {_IMAGENET}",
    ),
    _row(
        "unique",
        "UNIQUE: ResNet-34 with bilinear pooling, trained on six data sets",
        "Zhang, Ma, Zhai, Yang: Uncertainty-Aware Blind Image Quality Assessment in the Laboratory and Wild. TIP 2021",
        -2.6569,
        2.1960,
        "UNIQUE.pt",
        preprocessing=f"{_IMAGENET}, at the frame's own size",
    ),
    _row(
        "musiq",
        "MUSIQ (KonIQ-10k): multi-scale transformer",
        "Ke, Wang, Wang, Milanfar, Yang: MUSIQ: Multi-Scale Image Quality Transformer. ICCV 2021",
        22.7589,
        77.9561,
        "musiq_koniq_ckpt-e95806b9.pth",
        preprocessing="to [-1, 1]; patches of 32x32 at the frame's own size and with longer sides of 224 and 384 "
        "(bicubic, not antialiased)",
    ),
    _row(
        "clipiqa",
        "CLIP-IQA: CLIP's ResNet-50 against pairs of opposite texts",
        "Wang, Chan, Loy: Exploring CLIP for Assessing the Look and Feel of Images. AAAI 2023",
        0.0,
        1.0,
        _CLIP_RN50,
        preprocessing=f"{_CLIP_MEAN}, at the frame's own size",
    ),
    _row(
        "clipiqa+",
        "CLIP-IQA+: the same with learned texts (KonIQ-10k)",
        "Wang, Chan, Loy: Exploring CLIP for Assessing the Look and Feel of Images. AAAI 2023",
        0.0,
        1.0,
        _pyiqa("CLIP-IQA%2B_learned_prompts-603f3273.pth", aliases=("CLIP-IQA+_learned_prompts-603f3273.pth",)),
        _CLIP_RN50,
        preprocessing=f"{_CLIP_MEAN}, at the frame's own size",
    ),
    _row(
        "liqe",
        "LIQE (KonIQ-10k): CLIP's ViT-B/32 against texts of five qualities",
        "Zhang, Zhai, Wei, Yang, Ma: Blind Image Quality Assessment via Vision-Language Correspondence: A Multitask "
        "Learning Perspective. CVPR 2023",
        1.0,
        5.0,
        "liqe_koniq.pt",
        _CLIP_VIT,
        preprocessing=f"{_CLIP_MEAN}, 15 crops of 224x224 from a grid of step 32; frames of 224x224 or more",
    ),
    _row(
        "liqe_mix",
        "LIQE (six data sets): texts of quality, scene and distortion",
        "Zhang, Zhai, Wei, Yang, Ma: Blind Image Quality Assessment via Vision-Language Correspondence: A Multitask "
        "Learning Perspective. CVPR 2023",
        1.0,
        5.0,
        "liqe_mix.pt",
        _CLIP_VIT,
        preprocessing=f"{_CLIP_MEAN}, 15 crops of 224x224 from a grid of step 32; frames of 224x224 or more",
    ),
    _row(
        "qualiclip",
        "QualiCLIP: CLIP's ResNet-50 trained without opinions",
        "Agnolucci, Galteri, Bertini: Quality-Aware Image-Text Alignment for Opinion-Unaware Image Quality "
        "Assessment. arXiv 2403.11176, 2024",
        0.0,
        1.0,
        _QUALICLIP,
        _CLIP_RN50,
        preprocessing=f"{_CLIP_MEAN}, at the frame's own size",
    ),
    _row(
        "qualiclip+",
        "QualiCLIP+ (KonIQ-10k): QualiCLIP with learned texts",
        "Agnolucci, Galteri, Bertini: Quality-Aware Image-Text Alignment for Opinion-Unaware Image Quality "
        "Assessment. arXiv 2403.11176, 2024",
        0.0,
        1.0,
        _pyiqa("QualiCLIP%2B_koniq.pth", aliases=("QualiCLIP+_koniq.pth",)),
        _QUALICLIP,
        _CLIP_RN50,
        preprocessing=f"{_CLIP_MEAN}, at the frame's own size",
    ),
    _row(
        "arniqa",
        "ARNIQA (KonIQ-10k): ResNet-50 trained to tell distortions apart",
        "Agnolucci, Galteri, Bertini, Del Bimbo: ARNIQA: Learning Distortion Manifold for Image Quality Assessment. "
        "WACV 2024",
        0.0,
        1.0,
        "regressor_koniq10k.pth",
        _pyiqa("ARNIQA.pth", folder="checkpoints"),
        preprocessing=f"the frame and its half (bilinear, not antialiased), {_IMAGENET}",
    ),
    _row(
        "topiq_nr",
        "TOPIQ-NR (KonIQ-10k): ResNet-50 with attention from coarse to fine",
        "Chen et al.: TOPIQ: A Top-Down Approach from Semantics to Distortions for Image Quality Assessment. TIP 2024",
        0.0,
        1.0,
        "cfanet_nr_koniq_res50-9a73138b.pth",
        preprocessing=f"{_IMAGENET}, at the frame's own size",
    ),
    _row(
        "topiq_iaa_res50",
        "TOPIQ-IAA (AVA): aesthetics, ResNet-50",
        "Chen et al.: TOPIQ: A Top-Down Approach from Semantics to Distortions for Image Quality Assessment. TIP 2024",
        1.0,
        10.0,
        "cfanet_iaa_ava_res50-3cd62bb3.pth",
        preprocessing=f"shorter side resized to 384 (bilinear, antialiased), {_IMAGENET}",
    ),
    _row(
        "dbcnn",
        "DBCNN (KonIQ-10k): VGG-16 and a network of distortions, bilinear pooling",
        "Zhang, Ma, Yan, Deng, Wang: Blind Image Quality Assessment Using a Deep Bilinear Convolutional Neural "
        "Network. TCSVT 2020",
        0.0,
        1.0,
        "DBCNN_KonIQ10k-2de81c0a.pth",
        _pyiqa("DBCNN_scnn-7ea73d75.pth"),
        preprocessing=f"{_IMAGENET}, at the frame's own size",
    ),
    _row(
        "hyperiqa",
        "HyperIQA (KonIQ-10k): ResNet-50 whose head is made for each picture",
        "Su et al.: Blindly Assess Image Quality in the Wild Guided by a Self-Adaptive Hyper Network. CVPR 2020",
        0.0,
        1.0,
        "HyperIQA-resnet50-koniq10k-c96c41b1.pth",
        preprocessing=f"25 {_CROPS}, {_IMAGENET}",
    ),
    _row(
        "uranker",
        "URanker: a transformer that ranks underwater pictures",
        "Guo et al.: Underwater Ranker: Learn Which Is Better and How to Be Better. AAAI 2023",
        -1.0,
        2.0,
        "URanker_ckpt-450eb36d.pth",
        preprocessing="RGB in [0, 1], zeros around it up to multiples of 32; the histogram beside it has no gradient",
    ),
    _row(
        "tres",
        "TReS (KonIQ-10k): ResNet-50 and a transformer",
        "Golestaneh, Dadsetan, Kitani: No-Reference Image Quality Assessment via Transformers, Relative Ranking, and "
        "Self-Consistency. WACV 2022",
        -7.1866,
        71.3957,
        "tres_koniq-f0502926.pth",
        preprocessing=f"{_IMAGENET}, 50 {_CROPS}",
        gpu=True,
    ),
    _row(
        "maniqa",
        "MANIQA (KonIQ-10k): vision transformer",
        "Yang et al.: MANIQA: Multi-Dimension Attention Network for No-Reference Image Quality Assessment. CVPRW 2022",
        0.0,
        1.0,
        "ckpt_koniq10k.pt",
        preprocessing=f"to [-1, 1], 20 {_CROPS}",
        gpu=True,
    ),
)
