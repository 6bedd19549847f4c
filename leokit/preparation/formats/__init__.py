"""Metadata of the papers' datasets: one reader for each format, registered by the name of the dataset."""

from leokit.preparation.formats.base import MetadataReader
from leokit.preparation.formats.celebv import CelebVHQ, CelebVText
from leokit.preparation.formats.faceforensics import FaceForensics, FaceForensicsPP
from leokit.preparation.formats.fomm_table import TaichiHD, Vox
from leokit.preparation.formats.talkvid import TalkVid
from leokit.preparation.formats.voxceleb import VoxCeleb

__all__ = ['CelebVHQ', 'CelebVText', 'FaceForensics', 'FaceForensicsPP', 'MetadataReader', 'TaichiHD', 'TalkVid',
           'Vox', 'VoxCeleb']
