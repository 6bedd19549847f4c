"""The motion codes that a training of stage 2 needs: used if they are there, made if not."""

import datetime
from pathlib import Path
from typing import Any, Mapping

import torch
from mmengine.config import Config
from mmengine.dist import is_distributed, is_main_process
from mmengine.logging import print_log
from torch import distributed

from leokit.datasets.code_cache import INDEX_FILE, JOURNAL_FILE, CodeCache
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.inference.code_extraction import extract_motion_codes
from leokit.inference.loading import animator_of, checkpoint_file, load
from leokit.models import Animator
from leokit.utils import UserError
from leokit.utils.hashing import checkpoint_hash
from leokit.video.frame_rate import group_rates, is_same_rate
from leokit.video.video_index import VideoIndex

LONGEST_EXTRACTION = datetime.timedelta(days=30)


def ensure_codes(config: Config) -> None:
    """See that the code cache is there that a config trains on, in its top-level key ``codes_dir``.

    The top-level key ``fps``, if any, is the frame rate of the codes.
    A finished cache is used as it is, unless it is known to be of another animator than the config's ``animator``.
    Otherwise that animator encodes all videos of ``data_root``; an interrupted extraction goes on where it stopped. Of
    several processes the first does it, while the others wait. A config without ``codes_dir`` is left alone.

    Args:
        config (Config): The config, references resolved.

    Raises:
        UserError: If the codes are of another animator, or are not there and cannot be made.
    """
    if not config.get('codes_dir'):
        return
    if not is_distributed():
        _ensure(config)
        return
    # a group of its own, because the others wait for longer than the training's collective operations may take
    group = distributed.new_group(backend='gloo', timeout=LONGEST_EXTRACTION)
    problem: list[str | None] = [None]
    if is_main_process():
        try:
            _ensure(config)
        except UserError as error:
            problem = [str(error)]
    distributed.broadcast_object_list(problem, group=group)
    distributed.destroy_process_group(group)
    if problem[0]:
        raise UserError(problem[0])


def _ensure(config: Config) -> None:
    folder = Path(config.codes_dir)
    if (folder / INDEX_FILE).is_file() and not (folder / JOURNAL_FILE).exists():
        _check_producer(folder, config.get('animator') or {}, config.get('fps'))
        return
    command = _command(config, folder)
    try:
        _make(config, folder)
    except UserError as error:
        raise UserError(f'there are no finished motion codes in {folder}, and making them failed: {error}. Train '
                        f'the animator that the config names, or make the codes with one that is there: '
                        f'{command}') from error


def _check_producer(folder: Path, animator: Mapping[str, Any], fps: float | None = None) -> None:
    """Refuse codes of another animator; where there is no checkpoint to compare with, any animator will do."""
    checkpoint = animator.get('checkpoint')
    known = checkpoint is not None and Path(checkpoint).exists()
    cache = CodeCache(folder, checkpoint_hash(checkpoint_file(checkpoint)) if known else None)
    for rate in group_rates(video.fps for video in cache.videos) if fps else ():
        if not is_same_rate(rate, fps):
            raise UserError(f'the codes in {folder} have {rate:.4g} frames per second, and the config has fps={fps:g}; '
                            'delete the folder to have them made at that rate, or change fps')


def _make(config: Config, folder: Path) -> None:
    named = animator_of(config)
    if not config.get('data_root'):
        raise UserError('the config has no data_root with videos to encode')
    checkpoint = checkpoint_file(named['checkpoint'])
    animator = load(named['config'], checkpoint, 'cuda' if torch.cuda.is_available() else 'cpu', expect=Animator)
    index = VideoIndex(config.data_root)
    producer = dict(weights_hash=animator.weights_hash(), config=str(named['config']), checkpoint=str(checkpoint),
                 crop=animator.crop, amp=False)
    print_log(f'encoding {len(index)} videos of {config.data_root} to motion codes in {folder}', logger='current')
    with CodeCacheWriter(folder, animator.motion_dim, animator=producer) as writer:
        report = extract_motion_codes(animator, index, writer, fps=config.get('fps'))
    print_log(f'{folder}: {report.videos} videos encoded ({report.frames} frames), {report.known} were there already, '
              f'{report.skipped} skipped', logger='current')


def _command(config: Config, folder: Path) -> str:
    named = config.get('animator') or {}
    return (f'leokit extract {named.get("config") or "CONFIG"} '
            f'{named.get("checkpoint") or "CHECKPOINT"} --videos {config.get("data_root") or "DIR"} --out {folder}')
