"""Prepare a study: from folders of videos to a page and its key.

All randomness comes from the seed *and* the listing of the folders (names and sizes of the original files). The same
folders give the same study again, while a rater who guesses the seed still cannot find out which method is where.
"""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from leokit.user_study.attention import CHECK_KINDS, degrade_video
from leokit.user_study.files import write_text
from leokit.user_study.key import StudyKey, Trial
from leokit.user_study.page import page_hash, render_page
from leokit.user_study.pairing import FormEntry, Pair, sample_forms, sample_pool
from leokit.user_study.videos import CHUNK, DEFAULT_CRF, EncodedClip, encode_clip, open_moving_video, videos_by_name
from leokit.utils import UserError, progress_bar
from leokit.version import __version__

MAX_CHECKS = 100  # per rater; each takes as long as a pair
LARGE_PAGE = 200 * 2 ** 20  # bytes; browsers still open such a page, but slowly


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """The settings of a study.

    Attributes:
        question (str): The question that the rater answers for every pair.
        pairs_per_rater (int): Pairs that one rater sees, without attention checks.
        pool (int | None): Pairs on the page; None for as many as one rater sees, so that all raters see the same.
        attention_checks (int): Attention checks, which every rater sees.
        allow_ties (bool): Offer "no difference".
        title (str): Title of the page.
        introduction (str): Text on the first screen, below the title.
        closing (str): Text on the last screen.
        height (int | None): Height in pixels to scale all videos to; None keeps their sizes.
        seed (int): Seed of the design.
    """

    question: str
    pairs_per_rater: int = 20
    pool: int | None = None
    attention_checks: int = 3
    allow_ties: bool = False
    title: str = 'Video comparison'
    introduction: str = ''
    closing: str = 'Please send it to whoever invited you.'
    height: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class PreparedStudy:
    """Result of :func:`prepare_study`: the page as HTML, the key, and remarks for the experimenter."""

    page: str
    key: StudyKey
    remarks: list[str]

    def write(self, page_path: str | Path, key_path: str | Path, overwrite: bool = False) -> None:
        """Write the key, then the page.

        Args:
            page_path (str | Path): File of the page.
            key_path (str | Path): File of the key.
            overwrite (bool): Replace the key of another study, whose results can then no longer be read.
        """
        page_path, key_path = Path(page_path), Path(key_path)
        if page_path.resolve() == key_path.resolve():
            raise UserError(f'the page and its key cannot both be {page_path}; pass another --key')
        if key_path.exists() and not overwrite and StudyKey.load(key_path).page_hash != self.key.page_hash:
            raise UserError(f'{key_path} is the key of another study, whose results need it; pass another --out '
                            'or --key, or --overwrite to discard the old study')
        self.key.save(key_path)
        write_text(page_path, self.page)


def prepare_study(folders: dict[str, str | Path], options: StudyOptions) -> PreparedStudy:
    """Sample the pairs of a study, encode its videos and assemble its page.

    Args:
        folders (dict): Folder of videos of each method, by the method's name; two or more.
        options (StudyOptions): The settings.
    """
    _check(folders, options)
    files = {method: videos_by_name(folder) for method, folder in folders.items()}
    rng = np.random.default_rng(_secret_seed(files, options))  # see the module: guessing the seed is not enough
    pool = sample_pool(files, options.pool or options.pairs_per_rater, rng)
    forms = sample_forms(len(pool), options.pairs_per_rater, options.attention_checks, rng)
    builder = _Builder(files, options, rng)
    builder.add_pairs(pool)
    builder.add_checks(options.attention_checks)
    forms = builder.shuffle(forms)
    study = {
        **{name: getattr(options, name) for name in ('title', 'introduction', 'question', 'closing', 'allow_ties')},
        'trials': [{'id': trial.id, 'videos': trial.videos} for trial in builder.trials],
        'forms': forms,
    }
    digest = page_hash(study, {name: clip.digest for name, clip in builder.clips.items()})
    page = render_page(study | {'page_hash': digest}, {name: clip.data for name, clip in builder.clips.items()})
    settings = asdict(options) | {'crf': DEFAULT_CRF, 'leokit_version': __version__}
    key = StudyKey(digest, settings, {method: str(folder) for method, folder in folders.items()},
                   builder.origins, builder.trials, forms)
    return PreparedStudy(page, key, _remarks(files, builder, len(page)))


class _Builder:
    """Collects the trials of a study and encodes each of their videos once."""

    def __init__(self, files: dict[str, dict[str, Path]], options: StudyOptions, rng: np.random.Generator) -> None:
        self.files = files
        self.height = options.height
        self.rng = rng
        self.trials: list[Trial] = []
        self.clips: dict[str, EncodedClip] = {}
        self.origins: dict[str, dict[str, Any]] = {}
        self._ids: set[str] = set()

    def add_pairs(self, pool: Sequence[Pair]) -> None:
        """Encode the videos of the pool and add its trials."""
        wanted = sorted({origin for pair in pool for origin in zip(pair.methods, pair.names)})
        ids = {}
        with progress_bar(len(wanted), 'encoding', unit='video') as bar:
            for method, name in wanted:
                path = self.files[method][name]
                with open_moving_video(path) as video:
                    clip = encode_clip(video.chunks(CHUNK), video.fps, height=self.height)
                ids[method, name] = self._add(clip, method=method, name=name, file=str(path))
                bar.update()
        for pair in pool:
            videos = tuple(ids[origin] for origin in zip(pair.methods, pair.names))
            self.trials.append(Trial(self._new_id(), videos, pair.methods, pair.names))

    def add_checks(self, count: int) -> None:
        """Degrade ``count`` of the videos, different ones as far as possible, and add the attention checks."""
        originals = sorted(self.origins)
        order = [originals[i] for i in self.rng.permutation(len(originals))]
        for number in range(count):
            right_answer = order[number % len(order)]
            with open_moving_video(self.origins[right_answer]['file']) as original:
                frames = original.read(np.arange(len(original)))
            degraded = degrade_video(frames, CHECK_KINDS[number % len(CHECK_KINDS)], self.rng)
            clip = encode_clip([degraded.frames], original.fps, height=self.height)
            video = self._add(clip, spoilt=degraded.kind, made_from=right_answer)
            videos = (video, right_answer) if self.rng.random() < 0.5 else (right_answer, video)
            self.trials.append(Trial(self._new_id(), videos, right_answer=right_answer, check_kind=degraded.kind))

    def shuffle(self, forms: list[list[FormEntry]]) -> list[list[FormEntry]]:
        """Shuffle the trials, so that their indices do not reveal the checks; return the forms with new indices."""
        order = self.rng.permutation(len(self.trials))
        new_index = np.argsort(order).tolist()
        self.trials = [self.trials[i] for i in order]
        return [[FormEntry(new_index[trial], flipped) for trial, flipped in form] for form in forms]

    def _add(self, clip: EncodedClip, **origin: str) -> str:
        """Store a clip under a new random id."""
        name = self._new_id()
        self.clips[name], self.origins[name] = clip, origin
        return name

    def _new_id(self) -> str:
        """A random id that no trial or video has."""
        while (name := self.rng.bytes(6).hex()) in self._ids:
            pass
        self._ids.add(name)
        return name


def _check(folders: dict[str, str | Path], options: StudyOptions) -> None:
    """Raise a :class:`UserError` for invalid settings."""
    if len(folders) < 2:
        raise UserError(f'a comparison needs two or more folders, got {len(folders)}; pass --method NAME=DIR twice')
    for name in ('question', 'title', 'introduction', 'closing'):
        if _is_no_text(getattr(options, name)):
            raise UserError(f'the {name} has characters that are not UTF-8; write it again')
    if not options.question.strip():
        raise UserError('the question is empty; pass the question that raters answer with --question')
    if options.attention_checks > MAX_CHECKS:
        raise UserError(f'--attention-checks {options.attention_checks} must be at most {MAX_CHECKS}')
    for name, least in (('pairs_per_rater', 1), ('attention_checks', 0), ('height', 16), ('seed', 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UserError(f'--{name.replace("_", "-")} {value} must be at least {least}')
    if options.pool is not None and options.pool < options.pairs_per_rater:
        raise UserError(f'--pool {options.pool} is smaller than --pairs-per-rater {options.pairs_per_rater}; '
                        'raise --pool or lower --pairs-per-rater')


def _secret_seed(files: dict[str, dict[str, Path]], options: StudyOptions) -> int:
    """A seed that depends on the options and on names and sizes of all original files."""
    listing = {method: [(name, path.stat().st_size) for name, path in listed.items()]
               for method, listed in files.items()}
    text = json.dumps([asdict(options), listing], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), 'big')


def _remarks(files: dict[str, dict[str, Path]], builder: _Builder, page_size: int) -> list[str]:
    """State how videos were matched, and differences that could reveal the methods."""
    remarks = []
    used = Counter(tuple(sorted(trial.methods)) for trial in builder.trials if not trial.is_check)
    for (first, second), count in sorted(used.items()):
        common = len(files[first].keys() & files[second].keys())
        how = (f'matched by {common} common names of {len(files[first])} and {len(files[second])}' if common
               else 'no common names, paired at random')
        remarks.append(f'{first} / {second}: {count} pairs, {how}')
    for quantity, value in (('sizes', lambda clip: clip.size), ('frame rates', lambda clip: clip.fps),
                        ('lengths', lambda clip: clip.frames)):
        differing = sum(value(builder.clips[a]) != value(builder.clips[b]) for a, b in
                        (trial.videos for trial in builder.trials))
        if differing:
            remedy = '; --height scales all to one height' if quantity == 'sizes' else ''
            remarks.append(f'warning: the two videos have different {quantity} in {differing} pairs, which raters can '
                           f'notice{remedy}')
    if page_size > LARGE_PAGE:
        remarks.append(f'warning: the page is {page_size / 2 ** 20:.0f} MiB and opens slowly; lower --pool or '
                       '--height')
    return remarks


def _is_no_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
