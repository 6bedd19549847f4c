"""From the metadata of a published dataset and the videos at hand to training clips, a manifest and a report."""

from leokit.preparation.clip_record import ClipRecord, ClipTimes, Dropped, Metadata, MetadataBox
from leokit.preparation.prepare_dataset import dataset_settings, prepare_dataset
from leokit.preparation.report import REASONS, Report
from leokit.preparation.video_work import ClipSettings

__all__ = ['ClipRecord', 'ClipSettings', 'ClipTimes', 'Dropped', 'Metadata', 'MetadataBox', 'REASONS', 'Report',
           'dataset_settings', 'prepare_dataset']
