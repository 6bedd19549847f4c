"""``leokit generate``: files from a first frame, and a sentence for bad input."""

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import VideoIndex, write_manifest
from leokit.video.manifest import read_manifest
from leokit.video.readers import AutoReader
from support.tiny_models import SIZE
from support.calling import run_command
from support.tiny_runs import write_leo


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'face.png'
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 36, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def generate(models):
    def call(*arguments, **replaced):
        paths = {**models, **replaced}
        run_command('generate', paths['motion_config'], paths['motion'], '--animator-config',
            paths['animator_config'], '--animator-checkpoint', paths['animator'], '--device', 'cpu', *arguments)
    return call


def read(path):
    with AutoReader().open(path) as video:
        return video.read(range(len(video))).astype(int), video.fps


def test_files_do_not_depend_on_the_batch_size(generate, image, tmp_path):
    for name, batch in (('a', 8), ('b', 1)):
        generate('--image', image, '--num-sequences', 3, '--num-frames', 7, '--format', 'frames', '--seed', 4,
                 '--batch-size', batch, '--out', tmp_path / name)
    assert sorted(path.name for path in (tmp_path / 'a').iterdir()) == ['face_0000', 'face_0001', 'face_0002']
    for k in range(3):
        frames, _ = read(tmp_path / 'a' / f'face_000{k}')
        assert frames.shape == (7, SIZE, SIZE, 3)
        assert np.abs(frames - read(tmp_path / 'b' / f'face_000{k}')[0]).max() <= 1
    assert np.abs(frames - read(tmp_path / 'a' / 'face_0000')[0]).max() > 5


def test_shards_generate_the_files_of_one_process(generate, image, tmp_path):
    arguments = ('--image', image, '--num-sequences', 3, '--num-frames', 5, '--format', 'frames', '--seed', 4)
    generate(*arguments, '--out', tmp_path / 'whole')
    for shard, names in (('1/2', ['face_0000']), ('2/2', ['face_0001', 'face_0002'])):
        generate(*arguments, '--out', tmp_path / shard[0], '--shard', shard)
        assert sorted(path.name for path in (tmp_path / shard[0]).iterdir()) == names
        for name in names:
            whole, _ = read(tmp_path / 'whole' / name)
            assert np.abs(whole - read(tmp_path / shard[0] / name)[0]).max() <= 1


def test_several_images_of_one_name(generate, image, tmp_path):
    other = tmp_path / 'other' / 'face.png'
    other.parent.mkdir()
    Image.new('L', (32, 32), 90).save(other)
    generate('--image', image, other, '--num-sequences', 2, '--num-frames', 3, '--batch-size', 3, '--fps', 10,
             '--out', tmp_path / 'out')
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['000_face_0000.mp4', '000_face_0001.mp4', '001_face_0000.mp4', '001_face_0001.mp4']
    frames, fps = read(tmp_path / 'out' / names[0])
    assert len(frames) == 3 and fps == 10


def test_from_a_video_at_its_rate(generate, image, tmp_path):
    folder = tmp_path / 'clip'
    folder.mkdir()
    Image.open(image).save(folder / '0.png')
    generate('--video', folder, '--num-frames', 2, '--format', 'frames', '--out', tmp_path / 'video')
    generate('--image', image, '--num-frames', 2, '--format', 'frames', '--out', tmp_path / 'image')
    assert np.array_equal(read(tmp_path / 'video' / 'clip_0000')[0], read(tmp_path / 'image' / 'face_0000')[0])


@pytest.fixture
def people(tmp_path):
    """A dataset of three videos of two people, by a manifest; its first frames are the images of the returned list."""
    folder = tmp_path / 'people'
    (folder / 'raw').mkdir(parents=True)
    frames = np.random.default_rng(5).integers(0, 256, (3, 4, SIZE, SIZE, 3), dtype=np.uint8)
    for name, video in zip('abc', frames):
        np.save(folder / 'raw' / f'{name}.npy', video)
    write_manifest(folder / 'manifest.json', [
        dict(file=f'raw/{name}.npy', name=f'set/{name}', identity=person, category='face', fps=12.5)
        for name, person in zip('abc', 'ppq')])
    return folder, [video[0] for video in frames]


def test_first_frames_of_a_dataset(generate, people, tmp_path):
    folder, images = people
    generate('--videos', folder, '--num-frames', 3, '--format', 'npy', '--batch-size', 2, '--seed', 6,
             '--out', tmp_path / 'out')
    entries = read_manifest(tmp_path / 'out' / 'manifest.json')
    assert [(entry.name, entry.identity, entry.category, entry.frames, entry.fps) for entry in entries] == [
        ('set/a', 'p', 'face', 3, 12.5), ('set/b', 'p', 'face', 3, 12.5), ('set/c', 'q', 'face', 3, 12.5)]
    assert [entry.path for entry in entries] == [tmp_path / 'out' / 'set' / f'{name}.npy' for name in 'abc']
    for number, (entry, pixels) in enumerate(zip(entries, images)):
        Image.fromarray(pixels).save(tmp_path / f'{number}.png')
    generate('--image', *(tmp_path / f'{number}.png' for number in range(3)), '--num-frames', 3, '--format', 'npy',
             '--seed', 6, '--out', tmp_path / 'images')
    for number, entry in enumerate(entries):
        same = np.load(tmp_path / 'images' / f'{number}_0000.npy').astype(int)
        assert np.abs(np.load(entry.path) - same).max() <= 1


def test_several_videos_from_each_first_frame_of_a_dataset_in_shards(generate, people, tmp_path):
    folder, _ = people
    for shard in ('1/2', '2/2'):
        generate('--videos', folder, '--num-frames', 2, '--num-sequences', 2, '--fps', 10, '--shard', shard,
                 '--out', tmp_path / 'out')
    entries = VideoIndex(tmp_path / 'out').videos
    assert [(entry.name, entry.identity, entry.fps) for entry in entries] == [
        (f'set/{name}_000{k}', person, 10) for name, person in zip('abc', 'ppq') for k in range(2)]


def test_sampler_options(generate, image, tmp_path):
    results = {}
    for name, options in dict(plain=(), steps=('--num-inference-steps', 2), calm=('--eta', 0),
                              other=('--sampler', 'EulerSampler')).items():
        generate('--image', image, '--format', 'frames', '--out', tmp_path / name, *options)
        results[name] = read(tmp_path / name / 'face_0000')[0]
        assert len(results[name]) == 5  # the window of the model
    assert not np.array_equal(results['plain'], results['steps'])
    assert not np.array_equal(results['plain'], results['calm'])
    assert not any(np.array_equal(results['other'], results[name]) for name in ('plain', 'steps', 'calm'))
    with pytest.raises(UserError, match='NoSampler'):
        generate('--image', image, '--out', tmp_path / 'unknown', '--sampler', 'NoSampler')


def test_animator_of_the_config(generate, models, image, tmp_path):
    run_command('generate', models['motion_config'], models['motion'], '--image', image, '--num-frames', 1,
        '--device', 'cpu', '--out', tmp_path / 'out', '--cfg-options',
        f'animator.config={models["animator_config"]}', f'animator.checkpoint={models["animator"]}')
    assert (tmp_path / 'out' / 'face_0000.mp4').is_file()
    with pytest.raises(UserError, match='--animator-config'):
        run_command('generate', models['motion_config'], models['motion'], '--image', image, '--out',
            tmp_path / 'none', '--device', 'cpu')


@pytest.mark.parametrize('change, message', [
    (dict(motion='missing.pth'), 'missing.pth does not exist'),
    (dict(animator='motion'), 'Animator'),
    (dict(motion_config='animator_config', motion='animator'), 'generates no motion'),
    (dict(animator_config='motion_config', animator='motion'), 'pass a config of Animator'),
])
def test_models_that_do_not_fit(generate, models, image, tmp_path, change, message):
    replaced = {key: models.get(value, value) for key, value in change.items()}
    with pytest.raises(UserError, match=message):
        generate('--image', image, '--out', tmp_path / 'out', **replaced)
    assert not (tmp_path / 'out').exists()


def test_guidance_is_for_sampled_frames(generate, image, tmp_path):
    with pytest.raises(UserError, match='it needs --unconditional'):
        generate('--image', image, '--guidance-scale', 2, '--out', tmp_path / 'out')


def test_bad_images(generate, tmp_path):
    text = tmp_path / 'notes.txt'
    text.write_text('hello')
    for path in (text, tmp_path / 'missing.png'):
        with pytest.raises(UserError, match=path.name):
            generate('--image', path, '--out', tmp_path / 'out')
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(UserError, match='empty'):
        generate('--video', empty, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


# ---- by a config that names its checkpoints ------------------------------------
@pytest.fixture(scope='module')
def leo(tmp_path_factory):
    return write_leo(tmp_path_factory.mktemp('leo'))


def test_unconditional_videos_do_not_depend_on_the_batch_size(leo, tmp_path):
    for name, count, batch in (('a', 3, 8), ('b', 5, 2)):
        run_command('generate', leo, '--unconditional', count, '--num-frames', 7, '--format', 'npy', '--seed', 4,
            '--batch-size', batch, '--device', 'cpu', '--out', tmp_path / name)
    assert sorted(path.name for path in (tmp_path / 'b').iterdir()) == [f'000{k}.npy' for k in range(5)]
    videos = [np.load(tmp_path / 'a' / f'000{k}.npy').astype(int) for k in range(3)]
    for k, frames in enumerate(videos):
        assert frames.shape == (7, SIZE, SIZE, 3)
        assert np.abs(frames - np.load(tmp_path / 'b' / f'000{k}.npy')).max() <= 1
    assert np.abs(videos[0] - videos[1]).max() > 5


def test_first_frames_and_continuations(leo, image, tmp_path):
    other = tmp_path / 'clip'
    other.mkdir()
    for number, shade in enumerate((250, 90)):
        Image.new('L', (32, 32), shade).save(other / f'{number}.png')
    common = ('--format', 'npy', '--device', 'cpu', '--num-inference-steps', 2)
    last = other / '1.png'
    run_command('generate', leo, '--image', last, '--num-frames', 7, '--out', tmp_path / 'image', *common)
    following = tmp_path / 'next'
    run_command('generate', leo, '--continue', other, other, '--num-frames', 6, '--out', following, *common)
    whole = np.load(tmp_path / 'image' / '1_0000.npy').astype(int)
    assert np.abs(whole[1:] - np.load(following / '000_clip_0000.npy')).max() <= 1
    assert np.abs(whole[1:] - np.load(following / '001_clip_0000.npy')).max() > 1
    full = tmp_path / 'full'
    run_command('generate', leo, '--image', last, '--num-frames', 7, '--out', full, *common[:-2])
    assert np.abs(whole - np.load(full / '1_0000.npy')).max() > 1


def test_unneeded_models_are_not_loaded(leo, image, tmp_path):
    options = ('--device', 'cpu', '--out', tmp_path / 'out', '--cfg-options', 'start_frame.checkpoint=none.pth')
    run_command('generate', leo, '--image', image, '--num-frames', 2, *options)
    with pytest.raises(UserError, match='none.pth of start_frame'):
        run_command('generate', leo, '--unconditional', 1, *options)


def test_mistakes_with_configs_of_several_models(models, leo, image, tmp_path):
    common = ('--device', 'cpu', '--out', tmp_path / 'out')
    for config, more, message in (
            (leo, ('x.pth', '--unconditional', 1), 'names its checkpoints'),
            (models['motion_config'], ('--image', image), 'so its checkpoint is needed'),
            (models['motion_config'], (models['motion'], '--unconditional', 1), 'pass a config of LEO'),
            (leo, ('--image', image, '--num-frames', 10**8, '--num-sequences', 10**4), 'need about')):
        with pytest.raises(UserError, match=message):
            run_command('generate', config, *more, *common)
    assert not (tmp_path / 'out').exists()


def test_an_interrupted_generation_of_frames_is_repeated(generate, image, tmp_path):
    """As with the other formats, what an earlier run wrote is replaced; anything else is kept."""
    arguments = ('--image', image, '--num-sequences', 2, '--format', 'frames', '--out', tmp_path / 'out')
    generate(*arguments, '--num-frames', 3)
    generate(*arguments, '--num-frames', 2)
    assert sorted(str(file.relative_to(tmp_path / 'out')) for file in (tmp_path / 'out').rglob('*.png')) == [
        f'face_000{k}/00000{i}.png' for k in range(2) for i in range(2)]
    (tmp_path / 'out' / 'face_0001' / 'notes.txt').write_text('mine')
    with pytest.raises(UserError, match='is not an empty folder'):
        generate(*arguments, '--num-frames', 2)
    assert (tmp_path / 'out' / 'face_0001' / 'notes.txt').read_text() == 'mine'
