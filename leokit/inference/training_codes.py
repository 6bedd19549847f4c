"""The motion codes that a training of stage 2 needs: extracted before it, unless they exist."""

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
from leokit.inference.loading import animator_of, load
from leokit.inference.model_source import checkpoint_file
from leokit.models import Animator
from leokit.utils import UserError
from leokit.utils.hashing import checkpoint_hash
from leokit.video.frame_rate import group_rates, is_same_rate
from leokit.video.video_index import VideoIndex

LONGEST_EXTRACTION = datetime.timedelta(days=30)


def ensure_codes(config: Config) -> None:
    """Extract the motion codes that a config trains on, unless they exist.

    The config (references resolved) has the top-level keys ``codes_dir``, the code cache, and optionally ``fps``, the
    frame rate of the codes; without ``codes_dir`` nothing is done. A finished cache is used as it is, and must be of
    the config's ``animator`` if that is known. Otherwise the animator encodes all videos of ``data_root``, or resumes
    an interrupted extraction. Of several processes the first extracts, while the others wait.
    """
    if not config.get('codes_dir'):
        return
    if not is_distributed():
        _ensure(config)
        return
    # a separate group, whose timeout is longer than that of the training
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
        _check_cache(folder, config.get('animator') or {}, config.get('fps'))
        return
    command = _command(config, folder)
    try:
        _extract(config, folder)
    except UserError as error:
        raise UserError(f'there are no finished motion codes in {folder}, and extracting them failed: {error}. Train '
                        'the animator that the config names, or extract the codes with another one: '
                        f'{command}') from error


def _check_cache(folder: Path, animator: Mapping[str, Any], fps: float | None = None) -> None:
    """Raise for codes of another animator or frame rate; an unknown animator fits all."""
    checkpoint = animator.get('checkpoint')
    known = checkpoint is not None and Path(checkpoint).exists()
    cache = CodeCache(folder, checkpoint_hash(checkpoint_file(checkpoint)) if known else None)
    for rate in group_rates(video.fps for video in cache.videos) if fps else ():
        if not is_same_rate(rate, fps):
            raise UserError(f'the codes in {folder} have {rate:.4g} frames per second, and the config has fps={fps:g}; '
                            'delete the folder to extract them at that rate, or change fps')


def _extract(config: Config, folder: Path) -> None:
    named = animator_of(config)
    if not config.get('data_root'):
        raise UserError('the config has no data_root with videos to encode')
    checkpoint = checkpoint_file(named['checkpoint'])
    animator = load(named['config'], checkpoint, 'cuda' if torch.cuda.is_available() else 'cpu', expect=Animator)
    index = VideoIndex(config.data_root)
    producer = dict(weights_hash=animator.weights_hash(), config=str(named['config']), checkpoint=str(checkpoint),
                    crop=animator.crop, amp=False)
    print_log(f'extracting motion codes of {len(index)} videos of {config.data_root} to {folder}', logger='current')
    with CodeCacheWriter(folder, animator.motion_dim, animator=producer) as writer:
        report = extract_motion_codes(animator, index, writer, fps=config.get('fps'))
    print_log(f'{folder}: {report.videos} videos encoded ({report.frames} frames), {report.known} already present, '
              f'{report.skipped} skipped', logger='current')


def _command(config: Config, folder: Path) -> str:
    named = config.get('animator') or {}
    return (f'leokit extract {named.get("config") or "CONFIG"} '
            f'{named.get("checkpoint") or "CHECKPOINT"} --videos {config.get("data_root") or "DIR"} --out {folder}')
