"""What decides the result of a training, with the papers' values; needs no PyTorch."""

from dataclasses import dataclass

from attacks.errors import InvalidOption, UnknownName
from attacks.names import nearest
from attacks.options import AttackOption, Choice, Option, OptionValue
from attacks.table import ATTACKS

__all__ = ["TrainingSettings", "training_defaults", "training_settings"]

_TRAINABLE = tuple(name for name, info in ATTACKS.items() if info.access == "trained")


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one training; None for what the attack has no use for.

    epochs: passes over the pictures. batch: pictures per step. eps: bound on the perturbation, fraction of full scale.
    crop: side of the training pictures in pixels. learning_rate: of Adam. eta: step factor of the cumulative update.
    generator: unet or resnet. width: channels of the network's first layer. seed: of the order of the pictures, the
    first network, its noise and its dropout.
    """

    epochs: int
    batch: int
    eps: float
    crop: int = 256
    learning_rate: float | None = None
    eta: float | None = None
    generator: str | None = None
    width: int | None = None
    seed: int = 0


_DEFAULTS = {
    "uap_optimized": TrainingSettings(epochs=10, batch=4, eps=0.1, learning_rate=0.001),
    "uap_cumulative": TrainingSettings(epochs=10, batch=1, eps=10 / 255, eta=1.0),
    "uap_generative": TrainingSettings(
        epochs=10, batch=4, eps=10 / 255, learning_rate=0.001, generator="unet", width=64
    ),
    "facpa": TrainingSettings(epochs=200, batch=4, eps=10 / 255, learning_rate=0.001, generator="unet", width=64),
}

_CHECKS: dict[str, AttackOption] = {
    option.name: option
    for option in (
        Option("epochs", 10, 1, 100_000, "passes over the training pictures"),
        Option("batch", 4, 1, 4096, "pictures per step"),
        Option("eps", 0.1, 1 / 255, 1.0, "bound on any value of the perturbation, fraction of full scale"),
        Option("crop", 256, 8, 4096, "side of the training pictures, pixels"),
        Option("learning_rate", 0.001, 1e-8, 10.0, "of Adam"),
        Option("eta", 1.0, 1e-8, 1e12, "factor of each step of the cumulative update"),
        Choice("generator", "unet", ("unet", "resnet"), "the network that makes the perturbation"),
        Option("width", 64, 1, 1024, "channels of the network's first layer"),
        Option("seed", 0, 0, 2**31 - 1, "of everything drawn at random"),
    )
}
# What a side must be a multiple of, for the networks' halvings.
_MULTIPLE = {None: 1, "resnet": 4, "unet": 256}


def training_defaults(attack: str) -> TrainingSettings:
    """The papers' settings for `attack`. Raises UnknownName for an attack that is not trained."""
    if attack in ATTACKS and attack not in _TRAINABLE:
        raise UnknownName(f"{attack} needs no training; the attacks that do are {', '.join(_TRAINABLE)}.")
    if attack not in _TRAINABLE:
        raise UnknownName(f"there is no attack {attack!r} to train; {nearest(attack, _TRAINABLE)}")
    return _DEFAULTS[attack]


def training_settings(attack: str, **given: OptionValue | None) -> TrainingSettings:
    """The papers' settings with those `given` that are not None.

    Raises UnknownName, or InvalidOption naming the setting and what it accepts.
    """
    settings = vars(training_defaults(attack)).copy()
    used = [name for name, value in settings.items() if value is not None]
    for name, value in given.items():
        if value is None:
            continue
        if name not in used or (attack == "facpa" and name == "generator" and value != "unet"):
            raise InvalidOption(
                f"the training of {attack} takes no {name}={value}; its settings are {', '.join(used)}."
            )
        settings[name] = _CHECKS[name].check(f"train {attack}", value)
    multiple = _MULTIPLE[settings["generator"]]
    if settings["crop"] % multiple:
        raise InvalidOption(
            f"train {attack}: crop must be a multiple of {multiple} for the {settings['generator']} generator, "
            f"got {settings['crop']}."
        )
    return TrainingSettings(**settings)
