# What the network predicts, along which path, and at which times it is trained. All are sampled with 50 steps of DDIM.
_base_ = '../_base_/benchmarks/motion_lab.py'
title = 'Prediction target and process'
flow = {'model.noise_scheduler': dict(_delete_=True, type='FlowMatchingScheduler', num_train_timesteps=1000)}
cosine = {'model.noise_scheduler': dict(_delete_=True, type='CosineNoiseScheduler', num_train_timesteps=1000)}
edm = {'model.noise_scheduler': dict(_delete_=True, type='EDMNoiseScheduler', num_train_timesteps=1000)}
v = {'model.prediction_type': 'v'}
x0 = {'model.prediction_type': 'x0'}
variants = [
    dict(name='linear, epsilon'),
    dict(name='linear, v', options=v),
    dict(name='linear, x0', options=x0),
    dict(name='cosine, epsilon', options=cosine),
    dict(name='cosine, v', options={**cosine, **v}),
    dict(name='flow, v', options={**flow, **v}),
    dict(name='flow, v, logit-normal times',
         options={**flow, **v, 'model.time_sampler': dict(type='LogitNormalTimeSampler')}),
    dict(name='EDM, v, log-normal times',
         options={**edm, **v, 'model.time_sampler': dict(type='LogNormalTimeSampler')}),
    dict(name='flow, v, optimal transport', options={**flow, **v, 'model.coupling': 'optimal_transport'}),
    dict(name='linear, epsilon, min-SNR 5', options={'model.min_snr_gamma': 5.0}),
]
reference = 'linear, epsilon'
del flow, cosine, edm, v, x0
