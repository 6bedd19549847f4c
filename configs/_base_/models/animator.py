# The animator of LIA (Latent Image Animator, ICLR 2022), trained as in its section 4.1: L1, perceptual and
# adversarial losses. Sizes are top-level keys, so that one override changes every part.
motion_dim = 20
appearance_dim = 512
channel_multiplier = 1
max_channels = 512
# 'identity': the initial output is a copy of the source; 'reference': StyleGAN2's initialization
init = 'identity'
# 'lia': the grid of the public checkpoints; 'exact': zero flow is the identity
grid = 'lia'
# True lets the generator inpaint what the source does not show, such as the inside of a mouth; LIA only warps
inpaint = False
# How images and videos are used with the trained animator: the crop around a face that its training data have, a
# convention of leokit/croppers, None without faces; and the motion transfer, 'relative' or 'absolute'
face_crop = None
transfer_mode = 'relative'
# VGG-19 as in the paper; EfficientNetLite0Features needs no download
perceptual_backbone = dict(type='VGG19Features')

model = dict(
    type='Animator',
    size='$size',
    appearance_dim='$appearance_dim',
    motion_dim='$motion_dim',
    channel_multiplier='$channel_multiplier',
    max_channels='$max_channels',
    encoder=dict(type='LIAEncoder', init='$init'),
    motion_space=dict(type='LinearMotionSpace'),
    flow_generator=dict(
        type='LIAFlowGenerator', init='$init', inpaint='$inpaint',
        warp_operator=dict(type='BilinearWarp', grid='$grid')),
    data_preprocessor=dict(type='PixelPreprocessor', channels_last=True),
    training=dict(
        losses=[
            dict(type='L1Loss', weight=1.0),
            dict(type='PerceptualLoss', weight=10.0, backbone='$perceptual_backbone'),
        ],
        discriminator=dict(type='StyleGAN2Discriminator'),
        adversarial=dict(type='NonSaturatingLoss', weight=1.0),
        # weight from StyleGAN2's rule 0.0002 * size**2 / batch, about 0.4 at 256 and batch 32
        r1=dict(type='R1Penalty', weight=0.4, interval=16)))
