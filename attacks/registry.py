"""Look attacks up by name and build them; the rows stand in attacks/table.py.

Nothing here imports PyTorch before an attack is built.
"""

import importlib
from typing import TYPE_CHECKING

from attacks.errors import InvalidOption, UnknownName
from attacks.names import nearest
from attacks.options import OptionValue
from attacks.table import ATTACKS, AttackInfo

if TYPE_CHECKING:
    from attacks.base import Attack

__all__ = ["create_attack", "list_attacks"]


def list_attacks() -> tuple[AttackInfo, ...]:
    """All attacks, in the order of the table."""
    return tuple(ATTACKS.values())


def create_attack(name: str, **options: OptionValue) -> "Attack":
    """Build the attack `name` with its own `options`; those not given take their defaults.

    Raises UnknownName (with the nearest names), InvalidOption (naming the accepted ones), or
    TrainedFileError for a trained attack without a usable file.
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
