"""Shared by all tests: one thread for torch, small trained-like models, and videos made on the fly."""

import signal

import torch
from support.model_fixtures import animator, motion_diffusion, images, start_code, start_frame  # noqa: F401
from support.video_fixtures import clips, own_cache, video_folder  # noqa: F401

torch.set_num_threads(1)  # tests of tiny tensors run no slower and leave the other cores alone
# nohup has SIGHUP ignored, also in child processes, but some tests send it
signal.signal(signal.SIGHUP, signal.SIG_DFL)
