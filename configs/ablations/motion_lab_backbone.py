# Backbones with 4 million parameters each.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Backbone'
variants = [
    dict(name='UNet1D'),
    dict(name='MotionTransformer', options={
        'model.backbone': dict(_delete_=True, type='MotionTransformer', dim=256, depth=5)}),
    dict(name='TemporalConvNet', options={
        'model.backbone': dict(_delete_=True, type='TemporalConvNet', channels=240, depth=10)}),
]
reference = 'UNet1D'
