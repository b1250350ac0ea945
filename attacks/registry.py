"""The table of attacks. Adding an attack is one module and one row here.

Nothing here imports PyTorch: the web process and the command line read this table.
"""

import importlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attacks.errors import InvalidOption, UnknownName
from attacks.names import nearest

if TYPE_CHECKING:
    from attacks.base import Attack

__all__ = ["ATTACKS", "AttackInfo", "Option", "StrengthRange", "create_attack", "list_attacks"]


@dataclass(frozen=True)
class StrengthRange:
    """Usual strengths of an attack, in fractions of full scale (1/255 is one 8-bit level).

    `default`, `low` and `high` are the authors' own, from their public presets. Matching may go
    beyond [`low`, `high`]: every attack accepts any strength in [0, 1].
    """

    default: float
    low: float
    high: float
    unit: str = "fraction of full scale"


@dataclass(frozen=True)
class Option:
    """One option of an attack: its default, the interval it must lie in, and what it does.

    An option whose default is an `int` takes whole numbers only.
    """

    name: str
    default: int | float
    low: float
    high: float
    description: str

    def check(self, attack: str, value: object) -> int | float:
        """Return `value` as this option's type; raise InvalidOption when it does not fit."""
        whole = isinstance(self.default, int)
        number = None if isinstance(value, (bool, str)) else _as_number(value)
        if number is not None and self.low <= number <= self.high and (not whole or number == int(number)):
            return int(number) if whole else number
        kind = "a whole number" if whole else "a number"
        raise InvalidOption(
            f"{attack}: option {self.name!r} must be {kind} from {self.low:g} to {self.high:g}, got {value!r}."
        )


@dataclass(frozen=True)
class AttackInfo:
    """One row of the table of attacks.

    `access` is what the attacker needs: `white-box` (the metric's gradient), `black-box`
    (its scores) or `trained` (nothing at attack time). `iterations` is the default number
    of gradients per frame. `factory` is the dotted path of the class.
    """

    name: str
    title: str
    citation: str
    access: str
    strength: StrengthRange
    iterations: int
    options: tuple[Option, ...]
    factory: str
    variants: tuple[str, ...] = ()


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
            options=(),
            factory="attacks.sign_steps:FGSM",
        ),
        AttackInfo(
            name="ifgsm",
            title="I-FGSM: several small sign steps inside a bound",
            citation="Kurakin, Goodfellow, Bengio: Adversarial Examples in the Physical World. ICLR Workshop 2017",
            access="white-box",
            strength=StrengthRange(default=1 / 255, low=0.1 / 255, high=10 / 255),
            iterations=10,
            options=(
                Option("iterations", 10, 1, 1000, "number of steps, one gradient each"),
                Option("eps", 10 / 255, 0.0, 1.0, "bound on the change of any value, fraction of full scale"),
                Option("momentum", 0.0, 0.0, 10.0, "weight of the earlier gradients in each step; 1 is MI-FGSM"),
            ),
            factory="attacks.sign_steps:IFGSM",
            variants=("momentum=1: MI-FGSM as the benchmark runs it, without normalising the gradient",),
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
                Option("keep", 0.07, 0.0, 0.99, "share of the strongest frequency coefficients left untouched"),
                Option(
                    "mean_floor",
                    0.0,
                    0.0,
                    255.0,
                    "least local mean, in 8-bit levels, used for the contrast; 0 is the paper",
                ),
                Option(
                    "peak_quantile",
                    1.0,
                    0.5,
                    1.0,
                    "quantile of the contrast that counts as full weight; 1 is the paper",
                ),
            ),
            factory="attacks.ioi:IOI",
            variants=("mean_floor=1, peak_quantile=0.999: one dark noisy pixel no longer weakens the whole frame",),
        ),
    )
}


def list_attacks() -> tuple[AttackInfo, ...]:
    """All attacks, in the order of the table."""
    return tuple(ATTACKS.values())


def create_attack(name: str, **options: float) -> "Attack":
    """Build the attack `name` with its own `options`; those not given take their defaults.

    Raises UnknownName (with the nearest names) or InvalidOption (naming the accepted ones).
    """
    if name not in ATTACKS:
        raise UnknownName(f"there is no attack {name!r}; {nearest(name, ATTACKS)}")
    info = ATTACKS[name]
    accepted = {option.name: option for option in info.options}
    for given in options:
        if given not in accepted:
            hint = nearest(given, accepted) if accepted else "it takes none."
            raise InvalidOption(f"{name} has no option {given!r}; {hint}")
    values = {key: option.check(name, options.get(key, option.default)) for key, option in accepted.items()}
    module, _, attribute = info.factory.partition(":")
    return getattr(importlib.import_module(module), attribute)(info, values)


def _as_number(value: object) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
