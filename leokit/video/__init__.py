"""Videos and images on disk: find, probe, select, read, crop and write them."""

from leokit.video.disk_space import check_space, needed_bytes
from leokit.video.images import IMAGE_SUFFIXES, read_image
from leokit.video.image_input import ImageInput, image_list, read_images
from leokit.video.manifest import read_manifest, write_manifest
from leokit.video.resize import fit_frames
from leokit.video.splits import split_identities, split_of
from leokit.video.video_entry import Skipped, VideoEntry
from leokit.video.video_filter import VideoFilter
from leokit.video.video_index import VideoIndex
from leokit.video.video_input import (
    FramesHandle, VideoInput, count_frames, is_frame_stream, iterate_frames, length_and_rate, open_video,
    read_first_frame, read_last_frame, reusable_video)
from leokit.video.video_list import VIDEO_SUFFIXES, find_videos, scan_folder
from leokit.video.video_writer import VideoWriter

__all__ = [
    'FramesHandle', 'IMAGE_SUFFIXES', 'ImageInput', 'Skipped', 'VIDEO_SUFFIXES', 'VideoEntry', 'VideoFilter',
    'VideoIndex', 'VideoInput', 'VideoWriter', 'check_space', 'count_frames', 'find_videos', 'fit_frames',
    'image_list', 'is_frame_stream', 'iterate_frames', 'length_and_rate', 'needed_bytes', 'open_video',
    'read_first_frame', 'read_image', 'read_images', 'read_last_frame', 'read_manifest', 'reusable_video',
    'scan_folder', 'split_identities', 'split_of', 'write_manifest',
]
