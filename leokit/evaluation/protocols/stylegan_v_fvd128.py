# FVD128 of StyleGAN-V (Skorokhodov, Tulyakov, Elhoseiny, CVPR 2022, appendix C; universome/stylegan-v, metric
# fvd2048_128f): as FVD16, over 128 consecutive frames.
_base_ = ['./stylegan_v_fvd16.py']

protocol = dict(
    name='stylegan_v_fvd128',
    source='StyleGAN-V, arXiv 2112.14683, appendix C; github.com/universome/stylegan-v, fvd2048_128f',
    clips=dict(length=128))
