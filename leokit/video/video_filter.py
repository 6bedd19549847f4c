"""Select the videos of a dataset by split, category and identity, and the part of each that is used."""

from collections import Counter
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Mapping, Sequence

from mmengine.logging import print_log

from leokit.utils import UserError
from leokit.video.splits import SPLITS, split_of
from leokit.video.video_entry import VideoEntry, warn_listed


@dataclass(frozen=True)
class VideoFilter:
    """Which videos, and which part of each, a dataset uses.

    Attributes:
        split (str | Sequence[str], optional): Splits to keep; None keeps all.
        category (str | Sequence[str], optional): Categories to keep; None keeps all.
        identities (Sequence[str], optional): Identities to keep; None keeps all.
        exclude_identities (Sequence[str]): Identities to leave out.
        segment (tuple[float, float]): The part of every video to use, as fractions of its length. ``(0, 0.8)`` and
            ``(0.8, 1)`` have no frame in common.
        min_frames (int): Shorter videos are skipped (counted after ``segment``).
    """

    split: str | Sequence[str] | None = None
    category: str | Sequence[str] | None = None
    identities: Sequence[str] | None = None
    exclude_identities: Sequence[str] = ()
    segment: tuple[float, float] = (0.0, 1.0)
    min_frames: int = 1

    def __post_init__(self) -> None:
        try:
            low, high = self.segment
            valid = 0 <= low < high <= 1
        except (TypeError, ValueError):  # not two values, or not numbers
            valid = False
        if not valid:
            raise UserError(f'segment must be two fractions with 0 <= low < high <= 1, got {self.segment!r}')
        if isinstance(self.min_frames, bool) or not isinstance(self.min_frames, int):
            raise UserError(f'min_frames must be an integer, got {self.min_frames!r}')
        if isinstance(self.identities, str) or isinstance(self.exclude_identities, str):
            raise UserError('identities and exclude_identities must be lists of names')

    @classmethod
    def from_config(cls, config: dict[str, Any] | None, *, min_frames: int = 1) -> 'VideoFilter':
        """Build a filter from the ``filters`` of a config.

        Args:
            config (dict, optional): Values by attribute name.
            min_frames (int): The dataset's minimum; a larger value in the config wins.
        """
        if not isinstance(config or {}, Mapping):
            raise UserError(f'filters must be a dict, such as dict(split="train"), got {config!r}')
        config = dict(config or {})
        known = [field.name for field in fields(cls)]
        for key in config:
            if key not in known:
                raise UserError(f'unknown key {key!r} in filters; the keys are {", ".join(known)}')
        chosen = cls(**config)
        return replace(chosen, min_frames=max(min_frames, chosen.min_frames))

    def bounds(self, frames: int) -> tuple[int, int]:
        """First frame in use and end of the frames in use (excluded) of a video of ``frames`` frames."""
        low, high = self.segment
        return round(low * frames), round(high * frames)


def select_videos(entries: Sequence[VideoEntry], wanted: VideoFilter, root: str | Path, *,
                  report: bool = True) -> list[VideoEntry]:
    """Select videos by split, category and identity; lengths are not considered.

    If the filter names a split and no video has one, the identities are divided by
    :func:`~leokit.video.splits.split_of`. So all stages of a training divide them alike, whatever videos a stage can
    use. Pass all videos of the source, not those that can be read.

    Args:
        entries (Sequence[VideoEntry]): All videos.
        wanted (VideoFilter): The filter.
        root (str | Path): Their folder or manifest, for messages.
        report (bool): Log how identities were divided, and warn of identities in several splits.

    Returns:
        list[VideoEntry]: At least one video, in the given order.
    """
    divided = all(entry.split is None for entry in entries)
    if wanted.split is not None:
        entries = with_splits(entries, root, report=report)
    known = {entry.identity for entry in entries}
    for identity in [*(wanted.identities or ()), *wanted.exclude_identities]:
        if identity not in known:
            raise UserError(f'no video of {root} shows the identity {identity!r} that the filter names; '
                            'check its spelling in the manifest')
    for key in ('split', 'category'):
        entries = _keep(entries, key, getattr(wanted, key), root, divided=key == 'split' and divided)
    if wanted.identities is not None:
        entries = [entry for entry in entries if entry.identity in set(wanted.identities)]
    entries = [entry for entry in entries if entry.identity not in set(wanted.exclude_identities)]
    if not entries:
        raise UserError(f'the filter leaves no video of {root}; loosen identities or exclude_identities')
    return entries


def with_splits(entries: Sequence[VideoEntry], root: str | Path, *, report: bool = True) -> list[VideoEntry]:
    """The videos with a split each: their own, or that of :func:`~leokit.video.splits.split_of` if none has one.

    Identities that the source itself puts into several splits are named in a warning.
    """
    if all(entry.split is None for entry in entries):
        splits = {entry.identity: split_of(entry.identity) for entry in entries}
        counts = Counter(splits.values())
        listed = ', '.join(f'{counts[split]} {split}' for split in SPLITS)
        if report:
            print_log(f'{root} has no splits; its identities were divided: {listed}', logger='current')
        return [replace(entry, split=splits[entry.identity]) for entry in entries]
    found: dict[str, set[str]] = {}
    for entry in entries:
        if entry.split is not None:
            found.setdefault(entry.identity, set()).add(entry.split)
    mixed = [f'{identity}: {", ".join(sorted(splits))}' for identity, splits in found.items() if len(splits) > 1]
    if mixed and report:
        warn_listed(f'identities of {root} in several splits, {len(mixed)} in all; a model is then tested on '
                    'identities that it was trained on', mixed)
    return list(entries)


def _keep(entries: Sequence[VideoEntry], key: str, wanted: str | Sequence[str] | None, root: str | Path, *,
          divided: bool = False) -> list[VideoEntry]:
    if wanted is None:
        return list(entries)
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    kept = [entry for entry in entries if getattr(entry, key) in wanted]
    if not kept:
        existing = sorted({str(getattr(entry, key)) for entry in entries})
        if divided and set(wanted) <= set(SPLITS):
            raise UserError(f'none of the {len({entry.identity for entry in entries})} identities of {root}, which '
                            f'has no splits, falls into {" or ".join(wanted)}; set the splits with `leokit manifest '
                            '--split-fractions ...`, or add videos of other identities')
        raise UserError(f'no video of {root} has {key} {" or ".join(map(repr, wanted))}; there are: '
                        f'{", ".join(existing)}')
    return kept
