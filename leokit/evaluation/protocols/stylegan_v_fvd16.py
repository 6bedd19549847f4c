# FVD16 of StyleGAN-V (Skorokhodov, Tulyakov, Elhoseiny, CVPR 2022, appendix C; universome/stylegan-v, metric
# fvd2048_16f of src/scripts/calc_metrics_for_dataset.py).
protocol = dict(
    name='stylegan_v_fvd16',
    source='StyleGAN-V, arXiv 2112.14683, appendix C; github.com/universome/stylegan-v, fvd2048_16f',
    note='The reference uses the first 2,048 real videos by name; here they are sampled. Frames of other sizes than '
         '256x256 are cropped and resized here; the reference expects prepared frames.',
    extractor='I3DTorchScript',
    clips=dict(length=16, stride=1),
    frames=dict(resolution=256, aspect='center_crop', resize='bicubic_antialias'),
    # Real statistics are those of the training split (the authors, in issue 30 of their repository).
    sampling=dict(num_clips=2048, trials=1, split='train', real='random', fake='first', fewer='real'),
    arithmetic=dict(covariance='population', kernel='subsets'))
