"""Splits of a prepared dataset: the published one where there is one, without people in two parts."""

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple, Sequence

from leokit.preparation.clip_record import ClipRecord, Dropped
from leokit.video.splits import DEFAULT_FRACTIONS, split_of

PRIORITY = ('test', 'val', 'train')  # a person of several parts stays in the first of them


class SplitClips(NamedTuple):
    """Records with their splits, the clips that were left out for the sake of the splits, and remarks."""

    records: list[ClipRecord]
    dropped: list[Dropped]
    notes: list[str]


def assign_splits(records: Sequence[ClipRecord], fractions: Sequence[float] = DEFAULT_FRACTIONS) -> SplitClips:
    """Give every record a split.

    Published splits are kept, but a person of two parts stays in the smaller one: clips of test persons leave the
    training. If there is no validation part, a fraction of the training identities becomes it. Without published
    splits, identities are divided by a hash of their names, so that clips that are found later move nobody.

    Args:
        records (Sequence[ClipRecord]): All clips of the metadata, also those without a video.
        fractions (Sequence[float]): Fractions of train, val and test.
    """
    parts = defaultdict(set)
    for record in records:
        if record.split:
            parts[record.identity].add(record.split)
    published = {split for splits in parts.values() for split in splits}
    overlapping = sorted(identity for identity, splits in parts.items() if len(splits) > 1)
    kept = {identity: next(split for split in PRIORITY if split in splits) for identity, splits in parts.items()}
    rest = 1 - fractions[2]
    notes = []
    if overlapping:
        listed = ', '.join(overlapping[:10]) + (', ...' if len(overlapping) > 10 else '')
        notes.append(f'{len(overlapping)} identities are in two published splits ({listed}); their clips of the larger '
                     'one are left out')
    if published and 'val' not in published and fractions[1] > 0:
        inner = (1 - fractions[1] / rest, fractions[1] / rest, 0.0) if rest > 0 else (1.0, 0.0, 0.0)
        kept = {identity: split_of(identity, inner) if split == 'train' else split for identity, split in kept.items()}
        notes.append(f'the metadata has no validation split; {fractions[1]:.0%} of the identities, all from train, '
                     'became it')
    result, dropped, moved = [], [], set(overlapping)
    for record in records:
        split = kept.get(record.identity)
        if split is None:
            split = split_of(record.identity, fractions)
        elif record.split and record.split != split and record.identity in moved:
            dropped.append(Dropped(record.name, record.video, 'split overlap',
                                   f'{record.identity} is in {record.split} and {split}'))
            continue
        result.append(replace(record, split=split))
    return SplitClips(result, dropped, notes)
