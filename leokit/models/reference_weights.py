"""Finding the generator in a weights file of LIA or of a project that contains it.

Files seen: the public ``vox.pt`` (``gen``); files of trainers (``gen``, ``dis``, optimizers, an EMA copy,
``argparse.Namespace``); bare state dicts; state dicts of a wrapped or larger model, whose keys have a prefix
(``module.``; ``motion_autoencoder.`` in FLOAT). Whatever the prefix is, the motion dictionary's key tells it.
"""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from leokit.utils import UserError
from leokit.utils.checkpoints import read_plain
from leokit.utils.errors import format_list

DICTIONARY = 'dec.direction.weight'
LIA_ENCODER, LIAX_ENCODER = 'enc.net_app.', 'enc.enc_2r.'
FLOAT_PREFIX = 'motion_autoencoder.'
MAX_DEPTH = 3
FORMATS = 'LIA (vox.pt, taichi.pt, ted.pt), FLOAT or LIA-X'


class GeneratorWeights(NamedTuple):
    """The generator's state dict, where it was found, and what else the file holds.

    Attributes:
        state (dict[str, Tensor]): Keys as in the reference implementation.
        network (str): ``'LIA'`` or ``'LIA-X'``.
        place (str): Keys that lead to it and the prefix of its tensors, empty for a bare state dict.
        left_out (list[str]): Other entries of the file, and prefixes of other tensors.
    """

    state: dict[str, Tensor]
    network: str
    place: str
    left_out: list[str]

    @property
    def is_float(self) -> bool:
        """Whether it is the motion autoencoder of FLOAT."""
        return self.place.endswith(FLOAT_PREFIX)


def read_weights(path: Path) -> Any:
    """The content of a weights file; no code is run from it."""
    if path.suffix == '.safetensors':
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise UserError(f'the weights {path} cannot be read ({error}); use another file') from error
    return read_plain(path, remedy="save the weights alone first: torch.save(dict(gen=...), 'new.pt')",
                      allowed=(Namespace,))


def find_generator(content: Any) -> GeneratorWeights | None:
    """The generator of LIA or LIA-X in the content of a file, averaged weights before others; None if there is none."""
    found = sorted(_candidates(content, ()), key=lambda each: 'ema' not in '.'.join(each[0]).lower())
    if not found:
        return None
    keys, tensors, prefix = found[0]
    state = {key.removeprefix(prefix): value for key, value in tensors.items()
             if key.startswith(prefix) and isinstance(value, Tensor)}
    siblings = [str(key) for key in content if key != keys[0]] if keys else []
    # a larger model has other parts next to the generator
    parts = sorted({str(key).split('.')[0] for key in tensors if not str(key).startswith(prefix)})
    left_out = [*siblings, *(f'{part}.*' for part in parts)]
    network = 'LIA-X' if any(key.startswith(LIAX_ENCODER) for key in state) else 'LIA'
    return GeneratorWeights(state, network, '.'.join((*keys, prefix)), left_out)


def _candidates(content: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping, str]]:
    """Mappings that hold a motion dictionary: the keys that lead there, the mapping, the prefix of its tensors."""
    if not isinstance(content, Mapping) or len(keys) > MAX_DEPTH:
        return
    for key, value in content.items():
        if not isinstance(key, str):
            continue
        if isinstance(value, Tensor) and (key == DICTIONARY or key.endswith(f'.{DICTIONARY}')):
            yield keys, content, key.removesuffix(DICTIONARY)
        elif isinstance(value, Mapping):
            yield from _candidates(value, (*keys, key))


def summary(weights: GeneratorWeights) -> str:
    """One sentence about what was found."""
    name = f"{weights.network}'s generator"
    if weights.is_float:
        name = "FLOAT's motion autoencoder, which is LIA's network,"
    place = f' under {weights.place!r}' if weights.place else ', a bare state dict'
    rest = f'; left out: {format_list(weights.left_out)}' if weights.left_out else ''
    return f'found {name}{place}{rest}'
