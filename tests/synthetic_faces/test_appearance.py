import numpy as np

from leokit.synthetic_faces import APPEARANCE_NAMES, sample_identities


def column(appearance, name):
    return appearance[:, APPEARANCE_NAMES.index(name)]


def test_an_identity_depends_on_seed_and_number_only():
    assert np.array_equal(sample_identities([7], 3)[0], sample_identities(range(10), 3)[7])
    assert not np.array_equal(sample_identities([7], 3), sample_identities([7], 4))


def test_identity_numbers_are_unlimited():
    appearance = sample_identities([0, 1, 2, 10 ** 9, 2 ** 40])
    assert appearance.shape == (5, len(APPEARANCE_NAMES)) and appearance.dtype == np.float32
    assert len(np.unique(appearance, axis=0)) == 5


def test_identities_are_varied():
    appearance = sample_identities(range(300))
    assert np.isfinite(appearance).all()
    shares = dict(glasses=(0.1, 0.4), beard=(0.05, 0.4), back_hair=(0.2, 0.6), hair=(0.8, 0.99))
    for name, (least, most) in shares.items():
        share = (column(appearance, name) > 0).mean()
        assert least < share < most, name
    skin = column(appearance, 'skin_r')
    assert skin.min() < 0.45 and skin.max() > 0.9
    assert column(appearance, 'face_width').std() > 0.02


def test_colors_are_valid_and_brows_do_not_meet():
    appearance = sample_identities(range(300))
    colors = np.stack([column(appearance, name) for name in APPEARANCE_NAMES if name[-2:] in ('_r', '_g', '_b')])
    assert colors.min() >= 0 and colors.max() <= 1
    assert (column(appearance, 'brow_length') < column(appearance, 'eye_spacing')).all()
