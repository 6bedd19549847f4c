"""The report of a preparation: what the metadata asked for, what was found, and why clips are missing."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from leokit.preparation.clip_record import Dropped
from leokit.preparation.report_page import render_report
from leokit.utils.files import clear_write_errors, write_bytes, write_json

REPORT_FILE, PAGE_FILE, MISSING_FILE = 'report.json', 'report.html', 'missing.txt'
REASONS = {
    'invalid metadata': 'the entry of the metadata describes no clip',
    'duplicate': 'the clip is listed twice, or shows the same pixels as another one',
    'split overlap': 'the person is in another published split as well',
    'unreadable': 'the video is broken',
    'damaged': 'a part of the clip is damaged and left out; stretches of --min-frames around it are kept',
    'beyond the end': 'the video ends before the clip: another version of it',
    'too short': 'fewer frames than --min-frames',
    'other aspect ratio': 'the video has another shape than the one that the box refers to',
    'crop outside the frame': 'the box does not lie in the frame: another video, or a smaller copy of it',
    'low resolution': 'the crop has fewer pixels than --min-side',
    'no face': 'no face was detected, or the mask is empty',
    'no person': 'no person was detected (crop "person")',
    'several faces': 'more than one face (check "faces")',
    'scene cut': 'the clip holds a cut (check "scene_cut")',
    'black': 'black frames (check "black")',
    'fade': 'a fade (check "fade")',
    'frozen': 'the picture stands still (check "frozen")',
    'repeated frames': 'frames were doubled by a conversion of the rate (check "repeated_frames")',
    'borders': 'black borders (check "borders")',
    'blur': 'the picture is blurred (check "blur")',
    'caption': 'a caption at the border (check "caption")',
}


@dataclass
class Report:
    """Result of :func:`~leokit.preparation.prepare_dataset`.

    Attributes:
        dataset (str): Name of the dataset.
        wanted (dict): Clips, videos and identities of the metadata.
        published (dict): The same of the published metadata, where it is known.
        found (dict): Clips and videos whose file was found.
        missing (dict): Ids of videos that were not found, with the number of their clips.
        written (int): Clips written by this run.
        clips (int): Clips in the folder.
        splits (dict): Clips, identities and frames by split.
        dropped (list): Clips that were dropped.
        notes (list): What else a person should know.
        settings (dict): Settings of the clips.
        metadata (dict): File and SHA-256 of the metadata.
    """

    dataset: str
    wanted: dict[str, int]
    published: dict[str, int]
    found: dict[str, int]
    missing: dict[str, int]
    written: int
    clips: int
    splits: dict[str, dict[str, int]]
    dropped: list[Dropped]
    notes: list[str]
    settings: dict[str, Any]
    metadata: dict[str, str]
    reasons: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        counts = Counter(drop.reason for drop in self.dropped)
        self.reasons = {reason: counts[reason] for reason in (*REASONS, *sorted(set(counts) - set(REASONS)))
                        if counts[reason]}

    def write(self, folder: Path) -> None:
        """Write ``report.json``, ``report.html`` and the list of missing ids, ``missing.txt``."""
        content = asdict(self)
        content['dropped'] = [drop._asdict() for drop in self.dropped]
        write_json(folder / REPORT_FILE, content)
        with clear_write_errors(folder):
            write_bytes(folder / PAGE_FILE, render_report(content, REASONS).encode())
            write_bytes(folder / MISSING_FILE, ''.join(f'{video}\n' for video in self.missing).encode())

    def summary(self) -> list[str]:
        """The lines that the command prints."""
        dropped = ', '.join(f'{count} {reason}' for reason, count in self.reasons.items())
        lines = [f'{self.clips} clips, {self.written} of them new',
                 f'wanted: {_counted(self.wanted)}; found: {_counted(self.found)}; missing: {len(self.missing)} videos '
                 f'with {sum(self.missing.values())} clips',
                 f'dropped: {dropped or "none"}']
        lines += [f'{split}: {_counted(counts)}' for split, counts in self.splits.items()]
        return lines + [f'note: {note}' for note in self.notes]


def _counted(counts: dict[str, int]) -> str:
    return ', '.join(f'{count} {name}' for name, count in counts.items())
