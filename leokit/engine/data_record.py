"""The identities that a run trains, validates and tests on: stored in its checkpoints, compared with other trainings.

A model of a later stage must not be tested on identities that an earlier stage was trained on. So every checkpoint
records its data under ``meta.data``, and a training compares its own with that of the checkpoints that it names or
starts from.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from leokit.utils import UserError
from leokit.utils.errors import format_list
from leokit.video.content_hash import listing_hash
from leokit.video.video_entry import VideoEntry
from leokit.video.video_filter import VideoFilter, select_videos
from leokit.video.video_list import find_videos

STAGES = ('train', 'val', 'test')
SKIP_KEY = 'check_identities'  # of a config: False turns errors into warnings


def describe_data(config: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the data of a config's loaders, as plain values.

    The videos are listed, not opened: identities whose videos turn out to be unreadable are included.

    Args:
        config (Mapping): The config, references resolved.

    Returns:
        dict: For each of ``train``, ``val`` and ``test`` that is known, ``data_root``, ``segment``, ``identities`` and
        ``manifest_hash`` (see :func:`~leokit.video.content_hash.listing_hash`); ``crop``, how training frames were made
        square, if the training reads frames.
    """
    listed: dict[str, list[VideoEntry]] = {}
    record: dict[str, Any] = {}
    for stage in STAGES:
        loader = config.get(f'{stage}_dataloader')
        dataset = loader.get('dataset') if isinstance(loader, Mapping) else None
        if not isinstance(dataset, Mapping):
            continue
        try:
            part = describe_part(dataset, listed)
        except UserError:  # reported when the dataset is built; that of the test may never be
            continue
        if part is not None:
            record[stage] = part
    dataset = (config.get('train_dataloader') or {}).get('dataset')
    if isinstance(dataset, Mapping) and 'size' in dataset:
        record['crop'] = training_crop(config)
    return record


def training_crop(config: Mapping[str, Any]) -> str:
    """How the training frames of a config became square: ``'center'`` or ``'none'``."""
    dataset = (config.get('train_dataloader') or {}).get('dataset') or {}
    return (dataset.get('frames') or {}).get('crop') or 'center'


def describe_part(dataset: Mapping[str, Any], listed: dict[str, list[VideoEntry]]) -> dict[str, Any] | None:
    """One part of :func:`describe_data`, from the config of its dataset; None if the data are not there.

    Args:
        dataset (Mapping): ``data_root`` or ``codes_dir``, and ``filters``.
        listed (dict): Videos by ``data_root``, to list each only once; gets those that are listed here.
    """
    from leokit.datasets.code_cache import INDEX_FILE, CodeCache  # not above: loading a trained model needs no datasets
    root, codes = dataset.get('data_root'), dataset.get('codes_dir')
    if root is not None and Path(root).exists():
        entries = listed.setdefault(str(root), []) or find_videos(root)
        listed[str(root)] = entries
    elif codes is not None and (Path(codes) / INDEX_FILE).is_file():
        root = codes
        entries = [VideoEntry(video.name, Path(codes), video.identity, video.split)
                   for video in CodeCache(codes).videos]
    else:
        return None
    wanted = VideoFilter.from_config(dataset.get('filters'))
    selected = select_videos(entries, wanted, root, report=False)
    return dict(data_root=os.path.realpath(root), segment=[float(end) for end in wanted.segment],
                identities=sorted({entry.identity for entry in selected}), manifest_hash=listing_hash(selected))


def shared_identities(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> list[str]:
    """Identities of which two parts of :func:`describe_data` use the same frames."""
    if not first or not second:
        return []
    low, high = (choose(ends) for choose, ends in zip((max, min), zip(first['segment'], second['segment'])))
    return sorted(set(first['identities']) & set(second['identities'])) if low < high else []


def check_own_data(own: Mapping[str, Any], warn: Callable[[str], None]) -> None:
    """Warn if the parts of one config overlap: a model would be chosen or tested on what it was trained on."""
    for first, second, verb in (('train', 'val', 'validates'), ('train', 'test', 'tests')):
        if shared := shared_identities(own.get(first), own.get(second)):
            warn(f'the config trains and {verb} on the same frames of {len(shared)} identities '
                 f'({format_list(shared)}); give the datasets different splits in their filters')
    if shared := shared_identities(own.get('val'), own.get('test')):
        warn(f'the config validates and tests on the same frames of {len(shared)} identities ({format_list(shared)}); '
             'a checkpoint chosen by the validation (save_best) would be chosen by its test data')


def check_other_data(own: Mapping[str, Any], other: Mapping[str, Any], source: str, *, strict: bool,
                     warn: Callable[[str], None]) -> None:
    """Raise a :class:`UserError` if another training used identities that this config validates or tests on.

    Names of identities mean the same in one dataset only: of two datasets in different places, equal names are a
    warning. Identities that the config itself trains and validates on are left to :func:`check_own_data`: that another
    training used them as well, be it the one that is resumed, adds nothing.

    Args:
        own (Mapping): Data of the config, from :func:`describe_data`.
        other (Mapping): Data of the other training.
        source (str): The other training, for messages.
        strict (bool): False only warns.
        warn (Callable): Gets the warnings.
    """
    known = set(shared_identities(own.get('train'), own.get('val')))
    for part, trained, before, after in _possible_leaks(own, other, source):
        shared = shared_identities(part, trained)
        if part is own.get('val'):
            shared = [identity for identity in shared if identity not in known]
        if shared:
            sentence = f'{before} {len(shared)} identities ({format_list(shared)}) {after}'
            remedy = f'train both with the same splits of {part["data_root"]}'
            if strict and part['data_root'] == trained['data_root']:
                raise UserError(f'{sentence}; {remedy}, or pass --cfg-options {SKIP_KEY}=False to continue anyway')
            warn(f'{sentence}; {remedy}')


def _possible_leaks(own: Mapping[str, Any], other: Mapping[str, Any],
                    source: str) -> Iterator[tuple[Any, Any, str, str]]:
    yield own.get('test'), other.get('train'), f'{source} was trained on', 'that this config tests on'
    yield own.get('val'), other.get('train'), f'{source} was trained on', 'that this config validates on'
    yield own.get('train'), other.get('test'), 'this config trains on', f'that {source} is tested on'


def named_checkpoints(config: Mapping[str, Any]) -> dict[str, str]:
    """The checkpoints that a config names next to the config of a model, by their key, such as ``animator``."""
    return {key: str(value['checkpoint']) for key, value in config.items()
            if isinstance(value, Mapping) and value.get('config') and value.get('checkpoint')}
