"""Types of command-line values."""

import argparse
import os

import pytest

from leokit.cli import options
from leokit.cli.argument_types import (
    finite_float, fraction, non_negative_int, output_file, output_folder, output_image, output_video, png_file,
    positive_float, positive_int, shard)


def parse(*arguments):
    parser = argparse.ArgumentParser()
    options.add(parser, '--cfg-options', '--device', '--fps')
    parser.add_argument('--count', type=positive_int)
    parser.add_argument('--spare', type=non_negative_int)
    parser.add_argument('--rate', type=positive_float)
    parser.add_argument('--amount', type=finite_float)
    parser.add_argument('--eta', type=fraction)
    parser.add_argument('--out', type=output_file)
    parser.add_argument('--sheet', type=png_file)
    return parser.parse_args(arguments)


@pytest.mark.parametrize('arguments, sentence', [
    (('--cfg-options', 'size'), "'size' is not of the form key=value"), (('--count', '0'), '0 must be 1 or more'),
    (('--count', '1.5'), "'1.5' is not an integer"),
    (('--count', '1000000000'), '1000000000 must be at most 100000000'),
    (('--spare', '1000000000'), '1000000000 must be at most 100000000'),
    (('--fps', '1e9'), '1e9 must be from 0.001 to 1000'), (('--fps', 'nan'), 'nan must be'),
    (('--rate', 'x'), "'x' is not a number"), (('--spare', '-1'), '-1 must be 0 or more'),
    (('--rate', '0'), '0 must be above 0'),
    (('--rate', 'inf'), 'must be above 0'), (('--rate', 'nan'), 'must be above 0'),
    (('--amount', 'nan'), 'nan must be a finite number'), (('--eta', '1.1'), '1.1 must be from 0 to 1'),
    (('--eta', 'nan'), 'from 0 to 1'), (('--sheet', 'a.jpg'), 'a.jpg must end in .png'),
    (('--out', '.'), "'.' is a folder; name a file"),
    (('--out', f'{__file__}/a.json'), 'test_argument_types.py is a file')])
def test_bad_arguments_are_a_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit):
        parse(*arguments)
    assert sentence in capsys.readouterr().err


def test_numbers_in_range():
    assert parse('--count', '3', '--rate', '0.5').count == 3
    assert parse('--device', 'cuda:1').device == 'cuda:1'


def test_an_output_file_may_lie_in_new_folders(tmp_path):
    assert parse('--out', str(tmp_path / 'new' / 'a.json')).out == tmp_path / 'new' / 'a.json'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('text', ['0/2', '3/2', '2', '1/0', 'a/2', '1/2/3', '-1/2'])
def test_a_shard_is_one_of_a_count(text):
    assert shard('2/8') == (2, 8)
    with pytest.raises(argparse.ArgumentTypeError, match='NUMBER/COUNT'):
        shard(text)


def test_an_output_file_with_an_impossible_name_is_refused(tmp_path):
    with pytest.raises(argparse.ArgumentTypeError, match='cannot be written'):
        output_file(str(tmp_path / (300 * 'x')) + '/r.json')


def test_places_for_videos(tmp_path):
    assert output_video(str(tmp_path)) == tmp_path and output_video(str(tmp_path / 'new/a.mp4')).name == 'a.mp4'
    (tmp_path / 'folder.mp4').mkdir()
    for text in ('/', '', '.', str(tmp_path / 'folder.mp4'), 'x' * 300 + '.mp4', '/proc/x.mp4'):
        if text == '/proc/x.mp4' and os.access('/proc', os.W_OK):  # root may write everywhere, until it tries
            continue
        with pytest.raises(argparse.ArgumentTypeError, match='is a folder|cannot be written'):
            output_video(text)


def test_a_video_has_a_format_that_can_be_written(tmp_path):
    for name in ('a.mp4', 'a.MKV', 'a.mov', 'a.gif', 'a.npy', 'frames'):
        assert output_video(str(tmp_path / name)) == output_image(str(tmp_path / name)) == tmp_path / name
    assert output_image(str(tmp_path / 'a.png')).suffix == '.png'
    for check, name in ((output_video, 'a.png'), (output_video, 'a.avi'), (output_image, 'a.jpg')):
        with pytest.raises(argparse.ArgumentTypeError, match=r'must end in \.mp4, .* or in none for a folder'):
            check(str(tmp_path / name))


def test_an_output_folder_may_be_new_and_no_file(tmp_path):
    assert output_folder(str(tmp_path)) == tmp_path
    assert output_folder(str(tmp_path / 'a/b')) == tmp_path / 'a/b' and not (tmp_path / 'a').exists()
    (tmp_path / 'file').write_text('x')
    for path, sentence in ((tmp_path / 'file', 'file is a file; name a folder'),
                           (tmp_path / 'file/b', 'b cannot be written, because .*file is a file')):
        with pytest.raises(argparse.ArgumentTypeError, match=sentence):
            output_folder(str(path))


def test_an_output_folder_that_is_read_only_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: str(path) != str(tmp_path))  # root may write everywhere
    with pytest.raises(argparse.ArgumentTypeError, match=f'new cannot be written, because {tmp_path} is not writable'):
        output_folder(str(tmp_path / 'new'))
