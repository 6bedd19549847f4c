"""Type checkers see the annotations of the public API, and these say what calls return."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import leokit

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = '''
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from typing_extensions import assert_type

import leokit
from leokit.evaluation import Compute, ResultRecord, build_jobs, evaluate_sets, load_protocol, scan_videos
from leokit.image_editors import Recolor
from leokit.inference import LEO, DrivingCodes, FrameStream, LiveAnimator, StartFrameSampler, write_videos
from leokit.metrics import frechet_distance, psnr
from leokit.models import Animator, MotionDiffusion, StartFrameDiffusion
from leokit.utils.pixels import to_uint8
from leokit.video import VideoWriter, open_video, read_image

leo = leokit.load('leo_synthetic', expect=LEO)
assert_type(leo, LEO)
assert_type(leokit.from_pretrained('leo_synthetic', expect=LEO), LEO)
assert_type(LEO.from_pretrained('USER/leo'), LEO)
assert_type(Animator.from_pretrained('USER/leo'), Animator)
animator = leokit.load('lia_synthetic_64', 'work_dirs/lia', 'cuda', expect=Animator)
assert_type(animator.size, int)
assert_type(animator.encode(torch.zeros(1, 3, 64, 64)).motion, Tensor)
stream = leo.from_image(Path('portrait.png').read_bytes(), num_frames=100)
assert_type(stream, FrameStream)
assert_type(stream.fps, float | None)
for chunk in stream:
    assert_type(to_uint8(chunk[0]), Tensor)
leo.save(leo.edit('talk.mp4', Recolor(hue=120)), 'edited.mp4')
leo.save(leo.unconditional(2, 10), ['a.mp4', Path('b.mp4')])
assert_type(leo.manipulate_image('portrait.png', {3: 0.8, 'smile': 1.0}), Tensor)
frame: np.ndarray = LiveAnimator(leo, 'portrait.png')(np.zeros((480, 640, 3), np.uint8))
codes = DrivingCodes.load('codes.npz')
assert_type(leo.animate('portrait.png', codes), FrameStream)
diffusion = leokit.load('lmdm_synthetic', 'work_dirs/lmdm', expect=MotionDiffusion)
assert_type(diffusion.inpaint(torch.zeros(1, 32, 20), torch.zeros(32, dtype=torch.bool)), Tensor)
base = leokit.load('start_frame_synthetic', 'work_dirs/start_frame', expect=StartFrameDiffusion)
assert_type(StartFrameSampler(base).sample(torch.zeros(2, 20), seeds=range(2)), Tensor)
with open_video('talk.mp4') as video, VideoWriter('out.mp4', fps=25) as writer:
    assert_type(video.fps, float)
    for frames in video.chunks(32):
        writer.write(frames)
protocol = load_protocol('digan')
real, fake = scan_videos('real', protocol), scan_videos('fake', protocol)
records = evaluate_sets(real, fake, build_jobs(['fvd'], protocol), protocol, compute=Compute(device='cpu'))
assert_type(records, list[ResultRecord] | None)
assert_type(frechet_distance(torch.zeros(4, 2), torch.zeros(4, 2)), float)
assert_type(psnr(torch.zeros(2), torch.zeros(2)), Tensor)
leokit.load('leo_synthetic').animate('portrait.png', 'driving.mp4')
'''


def public_functions():
    for module in pkgutil.iter_modules(leokit.__path__, 'leokit.'):
        package = importlib.import_module(module.name)
        for name in getattr(package, '__all__', ()):
            found = getattr(package, name)
            if inspect.isfunction(found):
                yield f'{module.name}.{name}', found
            elif inspect.isclass(found) and found.__module__.startswith('leokit.'):
                for key, member in vars(found).items():
                    member = getattr(member, '__func__', getattr(member, 'fget', member))
                    if inspect.isfunction(member) and not key.startswith('_') and '__wrapped__' not in vars(member):
                        yield f'{module.name}.{name}.{key}', member


def test_public_functions_and_methods_state_what_they_return():
    functions = dict(public_functions())
    assert {'leokit.inference.load', 'leokit.inference.LEO.animate', 'leokit.metrics.psnr'} <= functions.keys()
    assert len(functions) > 500
    assert not [name for name, function in functions.items() if 'return' not in function.__annotations__]


@pytest.mark.slow
def test_a_type_checker_accepts_a_program_that_uses_the_api(tmp_path):
    pytest.importorskip('mypy')
    (tmp_path / 'program.py').write_text(PROGRAM)
    (tmp_path / 'mypy.ini').write_text(f'[mypy]\nmypy_path = {ROOT}\nfollow_imports = silent\n'
                                       'ignore_missing_imports = True\nwarn_unused_ignores = True\n')

    def check():
        return subprocess.run([sys.executable, '-m', 'mypy', 'program.py'], cwd=tmp_path, capture_output=True,
                              text=True, check=False)
    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / 'program.py').write_text(PROGRAM + "leo.save(stream, 5)\nassert_type(animator.encode, int)\n")
    wrong = check()
    assert wrong.returncode == 1 and wrong.stdout.count(': error:') == 2, wrong.stdout
