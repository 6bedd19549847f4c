"""FaceForensics (2018) and FaceForensics++ (2019): whole videos, described by the folders they lie in."""

from pathlib import Path
from typing import Any, Mapping

from leokit.preparation.clip_record import ClipRecord, Metadata
from leokit.preparation.formats.base import MetadataReader, existing_metadata, read_json
from leokit.registry import METADATA_READERS
from leokit.utils import UserError
from leokit.video.splits import SPLITS
from leokit.video.video_list import VIDEO_SUFFIXES

ID_LENGTH = 11  # of a video
COMPRESSIONS = ('raw', 'c0', 'c23', 'c40')


@METADATA_READERS.register_module('faceforensics')
class FaceForensics(MetadataReader):
    """FaceForensics (Rössler et al., 2018): ``{train,val,test}/original`` and the videos of ``mask`` by their side.

    A file is named by the ids of two videos, ``<target>_<number>_<source>_<number>``; the original shows the target.
    """

    title = 'FaceForensics'
    published = dict(videos=1004)
    crop_rule = 'face_mask'
    needs_metadata = False

    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        if metadata is not None:
            raise UserError('faceforensics needs no --metadata: the folders of --videos, {train,val,test}/original and '
                            '{train,val,test}/mask, say all')
        records, without_mask = [], 0
        for split in SPLITS:
            masks = {path.stem: path for path in _videos(videos / split / 'mask')}
            for path in _videos(videos / split / 'original'):
                mask = masks.get(path.stem)
                without_mask += mask is None
                records.append(ClipRecord(f'{split}/{path.stem}', path.stem, None, None, path.stem[:ID_LENGTH], split,
                                          path=path, mask=mask))
        if not records:
            raise UserError(f'{videos} is not the folder of FaceForensics: there are no videos in train/original, '
                            'val/original or test/original; for FaceForensics++ use faceforensics_pp')
        notes = [f'{without_mask} videos have no mask and are cropped by a face detector'] if without_mask else []
        return Metadata(records, [], notes)


@METADATA_READERS.register_module('faceforensics_pp')
class FaceForensicsPP(MetadataReader):
    """FaceForensics++ (Rössler et al., ICCV 2019): ``original_sequences/youtube/<compression>/videos/000.mp4``.

    The metadata is a folder with ``train.json``, ``val.json`` and ``test.json`` (lists of pairs of numbers) and
    optionally ``conversion_dict.json`` (number -> id of the video), or that file alone, which gives identities only.
    """

    title = 'FaceForensics++'
    published = dict(videos=1000)
    crop = 'faceforensics'

    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        path = existing_metadata(metadata, self.title, 'the folder with train.json, val.json, test.json and '
                                                       'conversion_dict.json, or conversion_dict.json alone')
        conversion_file = path / 'conversion_dict.json' if path.is_dir() else path
        identities = _conversion(conversion_file) if conversion_file.is_file() else {}
        splits = _splits(path) if path.is_dir() else {}
        if not splits and not identities:
            raise UserError(f'{path} holds neither train.json, val.json and test.json nor conversion_dict.json')
        folder, compression = _originals(videos)
        found = {video.stem: video for video in _videos(folder)}
        records = [ClipRecord(number, number, None, None, identities.get(number, number), splits.get(number),
                              path=found.get(number, folder / f'{number}.mp4'))
                   for number in sorted(splits or identities)]
        notes = [f'the videos are those of compression {compression}'] if compression else []
        return Metadata(records, [], notes)


def _videos(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES
                  and not path.stem.endswith('.part'))


def _originals(videos: Path) -> tuple[Path, str]:
    """The folder of the original videos and its compression; the videos may also lie in the given folder itself."""
    root = videos / 'original_sequences' / 'youtube'
    present = [name for name in COMPRESSIONS if (root / name / 'videos').is_dir()]
    if len(present) > 1:
        raise UserError(f'{root} holds the compressions {", ".join(present)}; pass one of them as --videos, such as '
                        f'{root / present[0] / "videos"}')
    return (root / present[0] / 'videos', present[0]) if present else (videos, '')


def _conversion(path: Path) -> dict[str, str]:
    """Number of a sequence -> id of its video; of '<id> <number>' the id counts."""
    content = read_json(path)
    if not isinstance(content, Mapping) or not all(isinstance(value, str) and value for value in content.values()):
        raise UserError(f'{path} is not the conversion_dict.json of FaceForensics++, a map from numbers to ids')
    return {str(number): value.split()[0][:ID_LENGTH] for number, value in content.items()}


def _splits(folder: Path) -> dict[str, str]:
    splits: dict[str, str] = {}
    for split in SPLITS:
        file = folder / f'{split}.json'
        if not file.is_file():
            continue
        for number in _flat(read_json(file), file):
            if splits.setdefault(number, split) != split:
                raise UserError(f'{file} and {splits[number]}.json of {folder} both hold the video {number}')
    missing = [f'{split}.json' for split in SPLITS if split not in splits.values()]
    if splits and missing:
        raise UserError(f'{folder} has no {" and no ".join(missing)} with videos; FaceForensics++ has three splits')
    return splits


def _flat(content: Any, file: Path) -> list[str]:
    if not isinstance(content, list):
        raise UserError(f'{file} is not a split of FaceForensics++, a list of pairs of numbers')
    numbers = [number for pair in content for number in (pair if isinstance(pair, list) else [pair])]
    if not all(isinstance(number, (str, int)) and not isinstance(number, bool) for number in numbers):
        raise UserError(f'{file} is not a split of FaceForensics++, a list of pairs of numbers')
    return [str(number).zfill(3) for number in numbers]
