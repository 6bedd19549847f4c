"""Shared by all tests: one thread for torch, small trained-like models, and videos made on the fly."""

import re
import signal

import mmengine.config.config
import torch
from support.model_fixtures import animator, motion_diffusion, images, start_code, start_frame  # noqa: F401
from support.video_fixtures import clips, own_cache, video_folder  # noqa: F401

# yapf formats every config that is logged or saved, which takes longer than the training of most tests
mmengine.config.config.FormatCode = lambda text, **style: (re.sub(r'^(\w+)=', r'\1 = ', f'{text}\n', flags=re.M), False)
torch.set_num_threads(1)  # tests of tiny tensors run no slower and leave the other cores alone
# nohup has SIGHUP ignored, also in child processes, but some tests send it
signal.signal(signal.SIGHUP, signal.SIG_DFL)
