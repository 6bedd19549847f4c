"""Statistics of a dataset: lengths, rates, sizes, identities and motion, as numbers and as a picture."""

from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Sequence

import numpy as np

from leokit.data_tools.data_items import DataItem, read_items
from leokit.datasets.code_cache import CodeCache
from leokit.utils import UserError
from leokit.utils.tables import text_table
from leokit.video.frame_rate import format_rates, group_rates
from leokit.video.readers import AutoReader
from leokit.video.splits import SPLITS
from leokit.video.video_probe import Probe, probe_cache_file, probe_videos
from leokit.visualization.plots import figure_with_panels, save_figure

NO_SPLIT = 'no split'
DISTRIBUTIONS = {
    'length_seconds': 'seconds per video', 'length_frames': 'frames per video',
    'videos_per_identity': 'videos per identity', 'motion': 'motion of the codes per second (standard deviations)'}
MAX_BINS = 40
MAX_LISTED_SIZES = 8


def data_statistics(source: str | Path, *, codes: str | Path | None = None) -> dict[str, Any]:
    """Measure a dataset; every video is probed, none is decoded.

    Args:
        source (str | Path): A folder of videos, or a manifest.
        codes (str | Path, optional): Code cache of the dataset, for its motion.

    Returns:
        dict: Plain values. ``videos``, ``unreadable`` (number), ``frames``, ``hours``, ``identities``; ``splits`` (the
        same numbers by split); ``frame_rates`` and ``sizes`` (number of videos of each); the distributions
        ``length_frames``, ``length_seconds``, ``videos_per_identity`` and, with codes, ``motion``: the path length of a
        video's codes per second, in standard deviations of all codes. A distribution has ``min``, ``median``, ``mean``,
        ``max`` and a histogram (``edges``, ``counts``).
    """
    items, reader = read_items(source), AutoReader()
    probes = probe_videos([item.entry.path for item in items], reader, cache=probe_cache_file(Path(source), reader))
    usable = [(item, probe) for item, probe in zip(items, probes) if isinstance(probe, Probe)]
    if not usable:
        raise UserError(f'none of the {len(items)} videos of {source} can be read; the first problem: {probes[0]}')
    frames = np.array([probe.frames for _, probe in usable])
    rates = np.array([item.entry.fps or probe.fps for item, probe in usable])
    splits = [item.entry.split or NO_SPLIT for item, _ in usable]
    identities = [item.entry.identity for item, _ in usable]
    sizes = Counter(f'{probe.width}x{probe.height}' for _, probe in usable)
    result = dict(
        source=str(source), unreadable=len(items) - len(usable), **_totals(frames, rates, identities),
        splits={split: _totals(*_chosen(split, splits, frames, rates, identities)) for split in _ordered(splits)},
        frame_rates={f'{rate:.6g}': count for rate, count in group_rates(rates.tolist()).items()},
        sizes=dict(sizes.most_common()),
        length_frames=distribution(frames), length_seconds=distribution(frames / rates),
        videos_per_identity=distribution(list(Counter(identities).values())))
    if codes is not None:
        result['motion'] = distribution(_motion(CodeCache(codes), [item for item, _ in usable]))
    return result


def distribution(values: Sequence[float] | np.ndarray) -> dict[str, Any]:
    """``min``, ``median``, ``mean``, ``max``, and the histogram ``edges`` (n + 1) and ``counts`` (n)."""
    values = np.asarray(values, np.float64)
    whole = bool((values == np.rint(values)).all())
    low, high = values.min(), values.max()
    if low == high:
        edges = np.array([low - 0.5, high + 0.5])
    elif whole and high - low < MAX_BINS:
        edges = np.arange(low, high + 2) - 0.5  # one bin for each whole number
    else:
        edges = np.histogram_bin_edges(values, min(MAX_BINS, max(5, round(np.sqrt(len(values))))))
    counts, edges = np.histogram(values, edges)
    return dict(min=float(low), median=float(np.median(values)), mean=float(values.mean()), max=float(high),
                edges=[float(edge) for edge in edges], counts=[int(count) for count in counts])


def statistics_table(result: dict[str, Any]) -> str:
    """The statistics as text."""
    rows = [['', 'videos', 'identities', 'frames', 'hours']]
    parts = {'all': result, **(result['splits'] if len(result['splits']) > 1 else {})}
    rows += [[name, str(part['videos']), str(part['identities']), str(part['frames']), f'{part["hours"]:.3g}']
             for name, part in parts.items()]
    sizes = list(result['sizes'].items())
    listed = ', '.join(f'{size} ({count})' for size, count in sizes[:MAX_LISTED_SIZES])
    more = f' and {len(sizes) - MAX_LISTED_SIZES} more' if len(sizes) > MAX_LISTED_SIZES else ''
    lines = [text_table(rows), '',
             'frame rates: ' + format_rates({float(rate): n for rate, n in result['frame_rates'].items()}),
             f'sizes: {listed}{more}']
    for key, label in DISTRIBUTIONS.items():
        if key in result:
            lines.append(f'{label}: ' + ', '.join(f'{name} {result[key][name]:.4g}' for name in
                                                  ('min', 'median', 'mean', 'max')))
    if result['unreadable']:
        lines.append(f'{result["unreadable"]} videos cannot be read')
    return '\n'.join(lines)


def plot_statistics(result: dict[str, Any], path: str | Path) -> None:
    """Draw the distributions as histograms, and the sizes and rates as bars; the suffix of ``path`` is the format."""
    panels = [(key, label) for key, label in DISTRIBUTIONS.items() if key in result]
    figure, axes = figure_with_panels(len(panels) + 2)
    for axis, (key, label) in zip(axes, panels):
        axis.stairs(result[key]['counts'], result[key]['edges'], fill=True)
        axis.set(xlabel=label, ylabel='identities' if key == 'videos_per_identity' else 'videos')
    for axis, key, label in zip(axes[len(panels):], ('frame_rates', 'sizes'), ('frames per second', 'size (pixels)')):
        shown = dict(list(result[key].items())[:MAX_LISTED_SIZES])
        axis.bar(list(shown), list(shown.values()), width=0.6)
        axis.set_xlim(-0.75, max(len(shown), 3) - 0.25)
        axis.set(xlabel=label, ylabel='videos')
    save_figure(figure, path)


def _totals(frames: np.ndarray, rates: np.ndarray, identities: Iterable[str]) -> dict[str, Any]:
    return dict(videos=len(frames), identities=len(set(identities)), frames=int(frames.sum()),
                hours=float((frames / rates).sum() / 3600))


def _chosen(split: str, splits: Sequence[str], frames: np.ndarray, rates: np.ndarray,
            identities: Sequence[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    kept = np.array([other == split for other in splits])
    return frames[kept], rates[kept], [identity for identity, keep in zip(identities, kept) if keep]


def _ordered(splits: Iterable[str]) -> list[str]:
    found = set(splits)
    return [split for split in SPLITS if split in found] + sorted(found - set(SPLITS))


def _motion(cache: CodeCache, items: Sequence[DataItem]) -> np.ndarray:
    """Path length of the codes per second of each video, in standard deviations of the codes."""
    names = {item.entry.name for item in items}
    videos = [video for video in cache.videos if video.video in names and video.length > 1]
    if not videos:
        raise UserError(f'{cache.folder} holds codes of none of the videos; pass the codes that leokit extract wrote '
                        'for this dataset')
    scale = np.maximum(cache.statistics()['std'], 1e-12)
    paths = [np.linalg.norm(np.diff(cache.codes[video.offset:video.offset + video.length] / scale, axis=0), axis=1)
             for video in videos]
    return np.array([path.mean() * video.fps for path, video in zip(paths, videos)])
