"""The page "LEO on public weights in an hour": its commands, in their order, on a small file of LIA's form."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.models import Animator
from leokit.video import VideoWriter, open_video
from models.lia_reference import reference_state
from support.calling import call_command

VOX = Path(__file__).resolve().parents[2] / 'configs' / 'lia' / 'lia_vox_256.py'
SIZES = dict(size=32, appearance_dim=16, motion_dim=4, max_channels=8)
CLIP = 24  # frames of a clip
SMALL = ('num_frames=16', 'motion_dim=4', 'sequences_per_batch=4', 'max_iters=2', 'val_cfg=None', 'val_dataloader=None',
         'val_evaluator=None', 'model.backbone.channels=[16,16]', 'model.backbone.attention_levels=[1]',
         'model.backbone.head_dim=8')


def run(*command):
    status, said = call_command(*map(str, command))
    assert status in (0, None), said
    return said


def length(path):
    with open_video(path) as video:
        return len(video)


@pytest.mark.slow
def test_every_step_of_the_page(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    torch.save(dict(gen=reference_state(Animator(**SIZES)), args=argparse.Namespace(size=32, lr=0.002)), 'vox.pt')
    config = tmp_path / 'lia_vox_32.py'
    config.write_text(f'_base_ = {str(VOX)!r}\n' + '\n'.join(f'{key} = {value}' for key, value in SIZES.items()))
    for person in ('anna', 'ben'):
        Path('raw', person).mkdir(parents=True)
        for number in range(2):
            clips.write(Path('raw', person, f'{number}.mp4'), clips.frames(CLIP))
    Image.fromarray(clips.frames(1)[0]).save('portrait.png')
    with VideoWriter('talk.mp4', 25) as writer:
        writer.write(np.roll(clips.frames(6), 3, axis=1))

    assert "found LIA's generator under 'gen.'" in run('convert', 'vox.pt', '--config', config, '--out', 'lia_vox.pth')
    run('animate', 'lia_vox.pth', '--source', 'portrait.png', '--driving', 'talk.mp4', '--crop', 'none', '--out',
        'animated.mp4')
    assert length('animated.mp4') == 6

    run('prepare', '--videos', 'raw', '--size', '32', '--crop', 'center', '--out', 'clips')
    run('extract', 'lia_vox.pth', '--videos', 'clips', '--out', 'clips_codes')
    run('train', 'lmdm_few_faces', '--work-dir', 'motion', '--cfg-options', 'data_root=clips', 'size=32',
        f'animator.config={config}', 'animator.checkpoint=lia_vox.pth', *SMALL)

    run('generate', 'motion', '--image', 'portrait.png', '--crop', 'none', '--num-frames', '20', '--num-sequences', '2',
        '--out', 'generated')
    assert [length(path) for path in sorted(Path('generated').glob('*.mp4'))] == [20, 20]
    run('generate', 'motion', '--continue', 'talk.mp4', '--crop', 'none', '--num-frames', '12', '--out', 'continued')

    run('zoo', 'pack', '--animator', 'lia_vox.pth', '--motion-diffusion', 'motion', '--out', 'leo_vox')
    run('generate', './leo_vox', '--image', 'portrait.png', '--crop', 'none', '--num-frames', '20', '--out', 'again')
    assert len(list(Path('again').glob('*.mp4'))) == 1
    assert {path.name for path in Path('leo_vox').iterdir()} >= {'config.json', 'model.safetensors', 'README.md'}
