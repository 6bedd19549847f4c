"""The work behind each tab, without a browser: results, limits, wrong input, cancel."""

import math
import re
import shutil
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from support.calling import call_command

pytest.importorskip('gradio')
from leokit.app import AppContext, Limits
from leokit.app.commands import CommandLines
from leokit.app.jobs import CanceledError, Job, Progress, Result
from leokit.app.models import AppModels
from leokit.app.tabs import animate, compare, edit, generate, long, manipulate, unconditional
from leokit.inference import LEO
from leokit.utils import UserError
from leokit.video import open_video


@pytest.fixture
def work(context):
    """Run a tab's job to its end: its reports and its result."""
    def work(function, *values):
        *reports, result = function(context, Job(context, context.files.visitor('one'), 'tab'), *values)
        assert isinstance(result, Result) and all(isinstance(report, Progress) for report in reports)
        fractions = [report.fraction for report in reports]
        assert fractions == sorted(fractions)
        return reports, result
    return work


@pytest.fixture
def portrait(drawn):
    return str(drawn.portraits[0])


def frames_of(path):
    with open_video(path) as video:
        return video.read(np.arange(len(video)))


def test_animate_equals_the_command_on_the_page(work, context, drawn, tmp_path, monkeypatch):
    source, driving = map(str, (drawn.portraits[0], drawn.clips[0]))
    values = ('relative', 'auto', 0.8, 0.1, 'none')
    reports, result = work(animate.animate, source, driving, *values)
    assert re.fullmatch(r'48 frames at 25 frames per second, driving frame \d+ stands for the pose of the source, '
                        'no sound', result.text)
    assert context.animator.crop == 'center'  # the model is shared
    assert [report.text for report in reports][-2:] == ['Frame 32 of 48', 'Frame 48 of 48']
    shutil.copy(source, tmp_path)
    shutil.copy(driving, tmp_path)
    monkeypatch.chdir(tmp_path)
    options = dict(animate.transfer_options(*values[:-1]), crop='none')
    command = CommandLines(context.models).animate(source, driving, **options)
    status, said = call_command(*command.split()[1:])
    assert status == 0, said
    assert (frames_of('animated.mp4') == frames_of(result.paths[0])).all()


def test_larger_pictures_keep_their_details(work, context, drawn, tmp_path, monkeypatch):
    pixels = cv2.resize(cv2.imread(str(drawn.portraits[0])), (51, 51), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / 'large.png'), pixels)
    shutil.copy(drawn.clips[0], tmp_path)
    monkeypatch.chdir(tmp_path)
    driving = Path(drawn.clips[0]).name
    _, result = work(animate.animate, 'large.png', driving, 'relative', 'first', 1.0, 0.0, 'none')
    assert '50x50 with the details of the picture (in the command: --resolution 50)' in result.text
    command = CommandLines(context.models).animate('large.png', driving, start_frame='first', crop='none')
    status, said = call_command(*command.split()[1:], '--resolution', '50')
    assert status == 0, said
    expected, frames = frames_of('animated.mp4').astype(int), frames_of(result.paths[0])
    assert frames.shape[1:] == (50, 50, 3) and np.abs(frames - expected).max() <= 2


def test_generate_equals_the_command_on_the_page(work, context, portrait, tmp_path, monkeypatch):
    _, result = work(generate.generate, portrait, 3, 12, 0, 2)
    assert [path.name for path in result.paths] == ['portrait_1_0000.mp4', 'portrait_1_0001.mp4', 'portrait_1_0002.mp4']
    one, two, _ = map(frames_of, result.paths)
    assert one.shape == two.shape == (12, 32, 32, 3) and (one[-1] != two[-1]).any()
    _, again = work(generate.generate, portrait, 1, 12, 0, 2)  # number 0 of the seed, however many there are
    assert np.abs(frames_of(again.paths[0]).astype(int) - one).max() <= 2
    _, other = work(generate.generate, portrait, 1, 12, 1, 2)
    assert (frames_of(other.paths[0]) != one).any()
    shutil.copy(portrait, tmp_path)
    monkeypatch.chdir(tmp_path)
    command = CommandLines(context.models).generate(portrait, num_frames=12, num_sequences=3, seed=0, steps=2)
    status, said = call_command(*command.split()[1:])
    assert status == 0, said
    assert (frames_of('generated/portrait_1_0001.mp4') == two).all()


def test_long_shows_its_own_frames(work, portrait):
    reports, result = work(long.generate_long, 'image', portrait, None, 30, 0, 2)
    video = frames_of(result.paths[0])
    assert len(video) == 30 and result.text == '30 frames at 25 frames per second, 1.2 seconds'
    shown = [report.frame for report in reports if report.frame is not None]
    assert shown
    for frame in shown:  # as in the file, but for the loss of the codec
        assert min(np.abs(frame.astype(int) - each).mean() for each in video) < 8


def test_a_video_is_continued(work, clip):
    _, result = work(long.generate_long, 'video', None, str(clip), 8, 0, 2)
    assert result.paths[0].name == 'seven frames_0000.mp4' and len(frames_of(result.paths[0])) == 8


def test_unconditional(work):
    _, result = work(unconditional.sample, 2, 6, 0, 1.0)
    assert [path.name for path in result.paths] == ['0000.mp4', '0001.mp4']
    assert frames_of(result.paths[0]).shape == (6, 32, 32, 3)


def test_edit_and_its_preview(work, context, clip, tmp_path):
    values = ('Recolor', None, 0.0, 0.0, 0, 0, 1, 1)  # without saturation, the clip is gray; it is gray already
    _, result = work(edit.edit, str(clip), *values)
    assert frames_of(result.paths[0]).shape == (7, 32, 32, 3) and result.text == '7 frames at 12.5 frames per second'
    assert edit.preview(context, str(clip), *values).count('<img') == 2
    Image.fromarray(np.full((9, 9, 3), (200, 30, 30), np.uint8)).save(tmp_path / 'red.png')
    _, red = work(edit.edit, str(clip), 'file', str(tmp_path / 'red.png'), *values[2:])
    first = frames_of(red.paths[0])[0].reshape(-1, 3).mean(0)
    assert first[0] > first[1] + 20
    assert edit.preview(context, None, *values) == ''
    assert edit.preview(context, str(clip), 'file', None, *values[2:]).count('<img') == 1
    with pytest.raises(UserError, match='box'):
        work(edit.edit, str(clip), 'BlurRegion', None, 0, 1, 0.8, 0.1, 0.2, 0.5)  # left of its left side


def test_manipulate(work, context, portrait, clip):
    visitor = context.files.visitor('one')
    still = manipulate.preview(context, visitor, portrait, 0, 0, 0, 0)
    moved = manipulate.preview(context, visitor, portrait, 0, 2.0, 0, 0)
    assert still.count('<img') == moved.count('<img') == 2 and still != moved
    assert still == manipulate.preview(context, visitor, portrait, 0, 0, 0, 0)
    assert '<img' not in manipulate.preview(context, visitor, None, 0, 0, 0, 0)
    _, result = work(manipulate.manipulate, str(clip), 0, 2.0, 0, 0)
    assert frames_of(result.paths[0]).shape == (7, 32, 32, 3)
    with pytest.raises(UserError, match='there are 4 directions, got 3'):
        manipulate.preview(context, visitor, portrait, 0, 0, 0)


def test_sliders_reach_three_standard_deviations(context):
    # the tiny motion diffusion has the statistics mean 0 and standard deviation 1
    assert context.directions() == ['0', '1', '2', '3']
    assert [context.direction_range(name) for name in context.directions()] == [3.0] * 4


def test_compare(work, clip, drawn):
    _, result = work(compare.compare, str(clip), str(drawn.clips[0]))
    joined = frames_of(result.paths[0])
    assert joined.shape == (48, 32, 53 + 4 + 32 + 1, 3)  # 40x24 as 53x32, the gap, 32x32, an even width
    assert 'seven frames.mp4: 7 frames, 12.5 per second, 40x24' in result.text


@pytest.mark.parametrize('function, values, words', [
    (animate.animate, ('{portrait}', None, 'relative', 'auto', 1.0, 0.0, 'auto'), 'The driving video is missing'),
    (animate.animate, ('{portrait}', '{clip}', '__class__', 'auto', 1.0, 0.0, 'auto'), 'the transfer mode'),
    (animate.animate, ('{portrait}', '{clip}', 'relative', '7', 1.0, 0.0, 'auto'), 'the start frame must be one of'),
    (animate.animate, ('{portrait}', '{clip}', 'relative', 'auto', 1.0, 3.0, 'auto'), 'the smoothing must be a number'),
    (animate.animate, ('{clip}', '{portrait}', 'relative', 'first', 1.0, 0.0, 'auto'), 'is not an image but an mp4'),
    (generate.generate, ('{portrait}', 5, 10, 0, 2), 'the number of videos must be a whole number from 1 to 4'),
    (generate.generate, ('{portrait}', 1, 61, 0, 2), 'the number of frames must be a whole number from 2 to 60'),
    (generate.generate, ('{portrait}', 1, 1e9, 0, 2), 'the number of frames'),
    (generate.generate, ('{portrait}', 1, 10, -1, 2), 'the seed'),
    (generate.generate, ('{portrait}', 1, 10, 0, 10**6), 'the number of steps'),
    (generate.generate, ('{portrait}', True, 10, 0, 2), 'the number of videos'),
    (generate.generate, ('{portrait}', [1], 10, 0, 2), 'the number of videos'),
    (long.generate_long, ('file:///etc', '{portrait}', None, 10, 0, 2), 'the start must be one of image, video'),
    (long.generate_long, ('video', '{portrait}', None, 10, 0, 2), 'The video to continue is missing'),
    (unconditional.sample, (1, 10, 0, math.nan), 'the guidance scale must be a number from 0 to 5, got nan'),
    (unconditional.sample, (1, 10, 0.5, 1.0), 'the seed must be a whole number'),
    (edit.edit, ('{clip}', 'EditedFile', None, 0, 1, 0, 0, 1, 1), 'the edit must be one of'),
    (edit.edit, ('{clip}', 'Recolor', None, math.inf, 1, 0, 0, 1, 1), 'the hue'),
    (manipulate.manipulate, ('{clip}', 0, math.nan, 0, 0), 'the offset along 1'),
    (manipulate.manipulate, ('{clip}', 'x', 0, 0, 0), 'the offset along 0'),
    (compare.compare, ('{clip}', None), 'The right video is missing'),
])
def test_what_the_controls_do_not_send_is_refused(work, context, portrait, clip, function, values, words):
    files = {'{portrait}': portrait, '{clip}': str(clip)}
    with pytest.raises(UserError) as error:
        work(function, *(files.get(value, value) if isinstance(value, str) else value for value in values))
    assert words in str(error.value)
    assert not list(context.files.root.rglob('*.mp4'))


def test_a_canceled_job_stops_and_leaves_nothing(context, portrait):
    visitor = context.files.visitor('one')
    for function, values in ((generate.generate, (portrait, 1, 60, 0, 2)),
                             (long.generate_long, ('image', portrait, None, 60, 0, 2))):
        updates = function(context, Job(context, visitor, 'tab'), *values)
        next(updates)
        visitor.cancel('tab')
        with pytest.raises(CanceledError):
            list(updates)
        assert not [path for path in context.files.root.rglob('*') if path.is_file()]


def test_a_job_whose_page_is_closed_leaves_nothing(context, portrait):
    updates = generate.generate(context, Job(context, context.files.visitor('one'), 'tab'), portrait, 1, 60, 0, 2)
    next(updates)
    updates.close()
    assert not [path for path in context.files.root.rglob('*') if path.is_file()]
    list(generate.generate(context, Job(context, context.files.visitor('two'), 'tab'), portrait, 1, 5, 0, 2))


def test_two_jobs_take_turns(context, portrait):
    """Neither waits for the end of the other, and both get what they would get alone."""
    def start(key, seed):
        return generate.generate(context, Job(context, context.files.visitor(key), 'tab'), portrait, 1, 40, seed, 2)
    alone = [frames_of(list(start('alone', seed))[-1].paths[0]) for seed in (0, 1)]
    one, two = start('one', 0), start('two', 1)
    order, results = [], {}
    for _ in range(100):
        for name, job in (('one', one), ('two', two)):
            update = next(job, None)
            if isinstance(update, Result):
                results[name] = frames_of(update.paths[0])
            elif update is not None:
                order.append(name)
    assert order[:4] == ['one', 'two', 'one', 'two']
    assert (results['one'] == alone[0]).all() and (results['two'] == alone[1]).all()


def test_an_animator_alone_can_do_what_needs_no_motion(models, files):
    context = AppContext(AppModels(LEO(models.leo.animator), 'animator', ('a', 'b')), Limits(), files)
    assert 'needs a motion diffusion' in context.missing('generator')
    assert 'unconditional generation needs' in context.missing('unconditional_generator')
    assert context.direction_range('1') == 2.0


def test_results_are_in_the_private_folder(work, context, portrait):
    _, result = work(generate.generate, portrait, 1, 5, 0, 2)
    assert context.files.holds(result.paths[0]) and isinstance(result.paths[0], Path)


def test_the_sound_of_a_driving_video_is_kept(work, portrait, tmp_path):
    path = tmp_path / 'talk.mp4'
    with av.open(str(path), 'w') as container:  # a second of silence next to ten frames
        video, sound = container.add_stream('h264', rate=10), container.add_stream('aac', rate=16_000)
        video.width = video.height = 32
        video.pix_fmt = 'yuv420p'
        for _ in range(10):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format='rgb24')))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format='fltp', layout='mono')
        silence.sample_rate = 16_000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
        container.mux(video.encode(None))
    for function, values in ((animate.animate, (portrait, str(path), 'relative', 'first', 1.0, 0.0, 'center')),
                             (edit.edit, (str(path), 'Recolor', None, 90, 1, 0, 0, 1, 1)),
                             (manipulate.manipulate, (str(path), 0, 1, 0, 0))):
        _, result = work(function, *values)
        with av.open(str(result.paths[0])) as container:
            sound, = container.streams.audio
            assert container.streams.video[0].frames == 10
            assert float(sound.duration * sound.time_base) == pytest.approx(1, abs=0.1)


def test_a_preview_takes_less_than_a_second(context, portrait):
    """Of the tiny model; the page has a second for 64x64 pixels on a CPU."""
    visitor = context.files.visitor('one')
    manipulate.preview(context, visitor, portrait, 0, 0, 0, 0)
    times = []
    for amount in (0.5, 1.0, 1.5):
        start = time.perf_counter()
        manipulate.preview(context, visitor, portrait, amount, 0, 0, 0)
        times.append(time.perf_counter() - start)
    assert min(times) < 1.0
