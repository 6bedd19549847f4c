"""Ancestral sampling against the reference runs."""

import torch

from leokit.samplers import DDPMSampler


def test_full_run(reference):
    run = reference.run(DDPMSampler())
    reference.assert_trajectory('ddpm1000_noise_traj', run[::100])
    reference.assert_times('ddpm1000', DDPMSampler())


def test_full_run_without_noise(reference):
    run = reference.run(DDPMSampler(), noises=torch.zeros_like(reference.noises))
    reference.assert_trajectory('ddpm1000_zero_noise_traj', run[::100])


def test_clipped_run(reference):
    reference.assert_last('ddpm1000_noise_clip_x0', reference.run(DDPMSampler(clip=1.0)))


def test_large_variance(reference):
    reference.assert_last('ddpm1000_noise_fixed_large_x0', reference.run(DDPMSampler(variance='fixed_large')))


def test_respaced_run(reference):
    reference.assert_trajectory('ddpm50_respaced_noise_traj', reference.run(DDPMSampler(50)))
    reference.assert_times('ddpm50_respaced', DDPMSampler(50))
