import numpy as np

from leokit.synthetic_faces import IDENTITY_NAMES, draw_identities


def column(looks, name):
    return looks[:, IDENTITY_NAMES.index(name)]


def test_an_identity_depends_on_seed_and_number_alone():
    assert np.array_equal(draw_identities([7], 3)[0], draw_identities(range(10), 3)[7])
    assert not np.array_equal(draw_identities([7], 3), draw_identities([7], 4))


def test_numbers_are_unlimited_and_all_differ():
    looks = draw_identities([0, 1, 2, 10 ** 9, 2 ** 40])
    assert looks.shape == (5, len(IDENTITY_NAMES)) and looks.dtype == np.float32
    assert len(np.unique(looks, axis=0)) == 5


def test_people_are_varied():
    looks = draw_identities(range(300))
    assert np.isfinite(looks).all()
    shares = dict(glasses=(0.1, 0.4), beard=(0.05, 0.4), back_hair=(0.2, 0.6), hair=(0.8, 0.99))
    for name, (least, most) in shares.items():
        share = (column(looks, name) > 0).mean()
        assert least < share < most, name
    skin = column(looks, 'skin_r')
    assert skin.min() < 0.45 and skin.max() > 0.9
    assert column(looks, 'face_width').std() > 0.02


def test_colors_are_colors_and_brows_do_not_meet():
    looks = draw_identities(range(300))
    colors = np.stack([column(looks, name) for name in IDENTITY_NAMES if name[-2:] in ('_r', '_g', '_b')])
    assert colors.min() >= 0 and colors.max() <= 1
    assert (column(looks, 'brow_length') < column(looks, 'eye_spacing')).all()
