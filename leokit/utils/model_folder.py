"""Model folders: trained models with their configs as data, which load without running code.

A model folder holds ``config.json``, ``model.safetensors`` and the model card ``README.md``. ``config.json`` has

- ``library_name``, ``format_version``, ``leokit_version``, ``kind`` (class of the model, or ``LEO``);
- ``size``, ``crop``, ``face_crop``, ``transfer_mode``, ``fps``, ``color``, ``value_range``: what frames the models take
  and produce;
- ``weights``: ``file``, ``sha256``;
- ``parts``: by name, the ``config`` and ``meta`` of each model. The tensors of part ``animator`` of LEO begin with
  ``animator.``; those of a single model, whose part is ``model``, have no prefix;
- for LEO, ``long_video``, and ``benchmark``: the name of the shipped config whose benchmark ``leokit test`` runs.

A model is named by its folder, by its name in :mod:`leokit.zoo`, or by ``hf://USER/NAME`` on the Hugging Face Hub, and
one of LEO's models by ``NAME/PART``: ``leo_synthetic/animator``.
"""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from leokit.utils.errors import UserError, format_list, suggest
from leokit.utils.files import file_sha256

CONFIG_FILE, WEIGHTS_FILE, CARD_FILE = 'config.json', 'model.safetensors', 'README.md'
LIBRARY = 'leokit'
FORMAT_VERSION = 1
LEO_KIND = 'LEO'
SINGLE_PART = 'model'
LEO_PARTS = ('animator', 'motion_diffusion', 'start_code', 'start_frame', 'start_frame_sr')
ZOO = Path(__file__).resolve().parents[1] / 'zoo'
ZOO_INDEX = 'index.json'  # by name: sha256 of the config, which holds that of the weights
HUB_ADDRESS = re.compile(r'hf:/{1,2}(.+)')  # a Path has one slash
STORED_HALVES = (torch.float16, torch.bfloat16)


class ModelFolder(NamedTuple):
    """A model folder, or one part of it; ``part`` is None for LEO as a whole."""

    folder: Path
    part: str | None
    index: dict[str, Any]  # content of config.json

    @property
    def path(self) -> Path:
        """The path that names the model: the folder, or FOLDER/PART."""
        return self.folder if self.part in (None, SINGLE_PART) else self.folder / self.part

    def config(self) -> dict[str, Any]:
        """The config, as data; LEO's names its parts by their paths."""
        if self.part is not None:
            return dict(self.index['parts'][self.part]['config'])
        paths = {part: str(self.folder / part) for part in self.index['parts']}
        return dict(default_scope=LIBRARY, long_video=self.index.get('long_video'), **{
            part: dict(config=paths[part], checkpoint=paths[part]) if part in paths else None for part in LEO_PARTS})

    def checkpoint(self, map_location: str | torch.device = 'cpu') -> dict[str, Any]:
        """``meta`` and ``state_dict`` of the part, weights in float32, as a checkpoint holds them."""
        from safetensors import SafetensorError, safe_open  # not above: only this function needs it
        if self.part is None:
            raise UserError(f'{self.folder} holds several models; name one of them: '
                            f'{format_list([str(self.folder / part) for part in self.index["parts"]])}')
        entry, weights = self.index['parts'][self.part], self.folder / self.index['weights']['file']
        self._verify(weights)
        prefix = '' if self.index['kind'] != LEO_KIND else f'{self.part}.'
        try:
            with safe_open(weights, 'pt', device=str(map_location)) as file:
                state = {key.removeprefix(prefix): _full_precision(file.get_tensor(key))
                         for key in file.keys() if key.startswith(prefix)}
        except (SafetensorError, OSError) as error:
            raise UserError(f'the weights {weights} are damaged ({error}); download or pack the model again') from error
        meta = dict(entry.get('meta', {}), cfg=entry['config'], leokit_version=self.index.get('leokit_version'))
        return dict(meta=meta, state_dict=state)

    def _verify(self, weights: Path) -> None:
        if not weights.is_file():
            raise UserError(f'the model folder {self.folder} has no {weights.name}; download or pack the model again')
        facts = weights.stat()
        if _sha256_of(weights, facts.st_mtime_ns, facts.st_size) != self.index['weights']['sha256']:
            raise UserError(f'the weights {weights} are not those that {CONFIG_FILE} describes (wrong SHA-256); '
                            'download or pack the model again')


def find_model(name: Any) -> ModelFolder | None:
    """The model that a name, folder or address stands for; None if it is something else, such as a config file.

    Args:
        name (str | Path): See the module.
    """
    if not isinstance(name, (str, Path)):
        return None
    address = HUB_ADDRESS.fullmatch(str(name))
    if address:
        from leokit.utils.hub import download, split_address  # not above: an optional package
        repository, revision, part = split_address(address[1])
        return _opened(download(repository, revision), part)
    path = Path(name)
    if path.name in (CONFIG_FILE, WEIGHTS_FILE) and is_model_folder(path.parent):
        path = path.parent
    if is_model_folder(path):
        return _opened(path, None)
    parts = path.parts
    if len(parts) > 1 and not path.exists() and is_model_folder(path.parent):
        return _opened(path.parent, path.name)
    if path.is_absolute() or len(parts) not in (1, 2) or path.is_file() or any(path.glob('*.pth')):
        return None
    hashes = zoo_hashes()
    if parts[0] not in hashes:
        return None
    folder = ZOO / parts[0]
    if not (folder / CONFIG_FILE).is_file() or file_sha256(folder / CONFIG_FILE) != hashes[parts[0]]:
        raise UserError(f'the files of the model {parts[0]} in {folder} are not those of this version of leokit; '
                        'install leokit again')
    return _opened(folder, parts[1] if len(parts) == 2 else None)


def zoo_hashes() -> dict[str, str]:
    """SHA-256 of ``config.json`` of the models that come with leokit, by name."""
    return json.loads((ZOO / ZOO_INDEX).read_text())


def read_index(folder: Path) -> dict[str, Any]:
    """The checked content of a model folder's ``config.json``."""
    path = folder / CONFIG_FILE
    try:
        index = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path} is not JSON ({error}); download or pack the model again') from error
    if index.get('format_version') != FORMAT_VERSION:
        raise UserError(f'{path} has format_version={index.get("format_version")!r}, and this version of leokit reads '
                        f'{FORMAT_VERSION}; install the version of leokit that wrote it '
                        f'({index.get("leokit_version", "unknown")})')
    parts, weights = index.get('parts'), index.get('weights')
    complete = (isinstance(index.get('kind'), str) and isinstance(parts, Mapping) and parts
                and all(isinstance(part, Mapping) and isinstance(part.get('config'), Mapping)
                        and isinstance(part.get('meta', {}), Mapping) for part in parts.values())
                and isinstance(weights, Mapping)
                and isinstance(weights.get('sha256'), str) and isinstance(weights.get('file'), str)
                and Path(weights['file']).name == weights['file']
                and ({'animator'} <= set(parts) <= set(LEO_PARTS) if index['kind'] == LEO_KIND
                     else set(parts) == {SINGLE_PART}))
    if not complete:
        raise UserError(f'{path} does not describe a model completely; download or pack the model again')
    return index


def is_model_folder(folder: Path) -> bool:
    """Whether a folder has a ``config.json`` of leokit; that of another library is left to others."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        return False
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError):
        return (folder / WEIGHTS_FILE).is_file()  # damaged: reported when it is read
    return isinstance(content, Mapping) and content.get('library_name') == LIBRARY


def _opened(folder: Path, part: str | None) -> ModelFolder:
    if not is_model_folder(folder):
        raise UserError(f'{folder} has no {CONFIG_FILE} of leokit; pass a folder that leokit zoo pack or '
                        'save_pretrained wrote')
    index = read_index(folder)
    if index['kind'] != LEO_KIND:
        part = part or SINGLE_PART
    if part is not None and part not in index['parts']:
        raise UserError(f'the model {folder} has no part {part!r}; its parts are '
                        f'{", ".join(index["parts"])}{suggest(part, index["parts"])}')
    return ModelFolder(folder, part, index)


def _full_precision(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype in STORED_HALVES else tensor


@functools.lru_cache(maxsize=8)  # the parts of LEO share a file, which is hashed once
def _sha256_of(path: Path, mtime_ns: int, size: int) -> str:
    return file_sha256(path)
