# FVD and KVD of DIGAN on TaichiHD (sihyun-yu/digan, src/training/dataset.py): of every segment of 64 frames the four
# clips of every fourth frame, of all splits.
_base_ = ['./digan.py']

protocol = dict(
    name='digan_taichi',
    note='The reference generates new videos for every trial; folders are sampled from, so provide more than 2,048. '
         'Generated videos need the frame rate of the real ones, so 61 frames each.',
    clips=dict(stride=4),
    sampling=dict(split=None, real='interleaved'))
