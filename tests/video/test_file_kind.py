"""What a file is by its first bytes, and what an error says about it."""

import io

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import open_video, read_image
from leokit.video.file_kind import IMAGE, VIDEO, content_note, identify


def encoded(kind):
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'GIF', 'WEBP', 'BMP', 'TIFF'])
def test_images_are_recognized(kind):
    assert 'image' in identify(encoded(kind)[:64])[1]


@pytest.mark.parametrize('head, words', [
    (b'#!/bin/sh\nrm', 'text'), (b'#EXTM3U\n', 'text'), (b'ffconcat version 1.0\n', 'text'), (b'<MPD xmlns=', 'text'),
    (b'%PDF-1.7', 'a PDF document'), (b'PK\x03\x04', 'a zip archive or an office document'),
    (b'\x7fELF\x02', 'a program'), (b'RIFF\0\0\0\0WAVEfmt ', 'a sound file'), (b'\0\0\0\x20ftypM4A ', 'a sound file'),
    (b'\x80\x04\x95', 'of an unknown kind'), (b'', 'of an unknown kind')])
def test_other_files_are_neither(head, words):
    assert identify(head) == (words, ())


def test_images_of_containers_are_no_videos():
    for brand in (b'heic', b'avif', b'msf1', b'hevc'):  # single images and sequences of them, ISO 23008-12
        assert identify(b'\0\0\0\x20ftyp' + brand)[1] == ('image',)
    assert identify(b'\0\0\0\x20ftypisom')[1] == ('video',)
    assert identify(b'\x1aE\xdf\xa3')[1] == ('video',)


def test_errors_name_the_content(clips, tmp_path):
    (tmp_path / 'page.mp4').write_text('<html>not found</html>')
    (tmp_path / 'page.jpg').write_text('<html>not found</html>')
    (tmp_path / 'clip.png').write_bytes(clips.write(tmp_path / 'clip.mp4', clips.frames(3)).read_bytes())
    (tmp_path / 'half.mp4').write_bytes((tmp_path / 'clip.mp4').read_bytes()[:500])
    with pytest.raises(UserError, match='page.mp4 is not a readable video, its content is text'):
        open_video(tmp_path / 'page.mp4')
    with pytest.raises(UserError, match='page.jpg is not a readable image, its content is text; pass a PNG'):
        read_image(tmp_path / 'page.jpg')
    with pytest.raises(UserError, match='clip.png is not a readable image, its content is an mp4 or mov video'):
        read_image(tmp_path / 'clip.png')
    with pytest.raises(UserError, match=r'half.mp4 is not a readable video \('):  # it is what its name says
        open_video(tmp_path / 'half.mp4')


def test_nothing_is_said_about_files_of_the_right_or_an_unknown_kind(tmp_path):
    assert content_note(io.BytesIO(encoded('JPEG')), IMAGE) == ''
    assert content_note(io.BytesIO(encoded('JPEG')), VIDEO) == ', its content is a JPEG image'
    assert content_note(io.BytesIO(b'\x80\x04\x95'), IMAGE) == content_note(tmp_path / 'missing', IMAGE) == ''
