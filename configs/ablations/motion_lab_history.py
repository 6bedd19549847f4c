# How windows of a long video are joined, and over how many frames: one training, tested with every strategy on 512
# frames.
_base_ = './motion_lab_lmc.py'
title = 'History in long videos'
variants = [
    dict(name='overlap 8'),
    *(dict(name=f'overlap {frames}', after='overlap 8', train=False, options={'long_video.overlap': frames})
      for frames in (4, 16)),
    dict(name='last code', after='overlap 8', train=False, options={
        'long_video': dict(_delete_=True, type='LastCode')}),
    *(dict(name=f'history {frames}', after='overlap 8', train=False, options={
        'long_video': dict(_delete_=True, type='History', context_frames=frames)}) for frames in (2, 4, 8, 16)),
]
reference = 'overlap 8'
