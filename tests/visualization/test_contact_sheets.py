import cv2
import numpy as np
import pytest
import torch

from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from leokit.visualization import contact_sheet, labeled_grid, reconstruction_sheet, save_png, sequence_sheet
from leokit.visualization.contact_sheets import GAP, TITLE_HEIGHT


def plain(value, size=8):
    return np.full((size, size, 3), value, np.uint8)


def test_images_are_in_their_cells():
    sheet = contact_sheet([[plain(10), plain(20)], [None, plain(40)]], scale=1)
    assert sheet.shape == (GAP + 2 * (8 + GAP), GAP + 2 * (8 + GAP), 3)
    for (i, j), value in {(0, 0): 10, (0, 1): 20, (1, 0): 255, (1, 1): 40}.items():
        y, x = GAP + i * (8 + GAP), GAP + j * (8 + GAP)
        assert np.unique(sheet[y:y + 8, x:x + 8]).tolist() == [value]


def test_small_images_are_upsampled_without_new_values():
    image = np.random.default_rng(0).integers(0, 200, (64, 64, 3), dtype=np.uint8)
    sheet = contact_sheet([[image]])
    assert np.array_equal(sheet[GAP:-GAP:2, GAP:-GAP:2], image)


def test_titles_do_not_cover_images():
    bare = contact_sheet([[plain(10, 96)]])
    titled = contact_sheet([[plain(10, 96)]], column_titles=['source'], row_titles=['Zoë, a name that is long ' * 4])
    assert titled.shape[0] == bare.shape[0] + TITLE_HEIGHT
    assert np.unique(titled[-96 - GAP:-GAP, -96 - GAP:-GAP]).tolist() == [10]
    assert (titled[:TITLE_HEIGHT] < 100).any() and (titled[:, :100] < 100).any()


def test_mixed_sizes_and_empty_sheets_are_refused():
    with pytest.raises(ValueError, match='shape'):
        contact_sheet([[plain(1), plain(1, 9)]])
    with pytest.raises(ValueError, match='at least one'):
        contact_sheet([[None]])


def test_reconstruction_sheet_shows_five_columns():
    frames = torch.full((2, 3, 96, 96), -1.0)
    sheet = reconstruction_sheet(frames, frames + 1, frames + 2, torch.zeros(2, 2, 48, 48),
                                 torch.full((2, 1, 96, 96), 0.2), names=['a', 'b'])
    cells = [sheet[-50, -GAP - 96 * (5 - k) - GAP * (4 - k) + 48] for k in range(5)]
    assert [int(cell[0]) for cell in cells] == [0, 128, 255, 255, 51]


def test_reconstruction_sheet_refuses_shapes_that_do_not_fit():
    frames = torch.zeros(2, 3, 16, 16)
    with pytest.raises(ValueError, match='driving'):
        reconstruction_sheet(frames, frames[:1], frames, torch.zeros(2, 2, 16, 16), torch.zeros(2, 1, 16, 16))


def test_sequence_sheet_shows_every_nth_frame():
    values = torch.linspace(-1, 1, 40).view(1, 40, 1, 1, 1).expand(2, 40, 3, 96, 96)
    sheet = sequence_sheet(values, every=10)
    assert sheet.shape[1] == GAP + 4 * (96 + GAP)
    shown = [int(sheet[60, GAP + k * (96 + GAP) + 48, 0]) for k in range(4)]
    assert shown == [round((values[0, 10 * k, 0, 0, 0].item() + 1) * 127.5) for k in range(4)]
    assert sequence_sheet(values).shape[1] <= GAP + 16 * (96 + GAP)


def test_videos_in_a_labeled_grid():
    values = torch.arange(2 * 3 * 4, dtype=torch.uint8).view(6, 4, 1, 1, 1).expand(-1, -1, 3, 96, 96)
    chunks = from_uint8(values).split(3, dim=1)
    sheets = list(labeled_grid(chunks, ['a', 'b'], ['x', 'y', 'z']))
    assert [sheet.shape[:3] for sheet in sheets] == [(1, 3, 3), (1, 1, 3)]
    expected = contact_sheet([[plain(4 * (3 * row + column) + 2, 96) for column in range(3)] for row in range(2)],
                             row_titles=['a', 'b'], column_titles=['x', 'y', 'z'])
    frame = torch.from_numpy(expected).permute(2, 0, 1)
    assert torch.equal(sheets[0][0, 2], from_uint8(frame))


def test_only_png_files_are_written(tmp_path):
    with pytest.raises(UserError, match='choose a name that ends in .png'):
        save_png(tmp_path / 'a.jpg', np.zeros((4, 4, 3), np.uint8))


def test_save_png_is_lossless_and_atomic(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (9, 7, 3), dtype=np.uint8)
    save_png(tmp_path / 'new' / 'a.png', image)
    assert np.array_equal(cv2.imread(str(tmp_path / 'new' / 'a.png'))[:, :, ::-1], image)
    assert len(list((tmp_path / 'new').iterdir())) == 1
    with pytest.raises(ValueError, match='uint8'):
        save_png(tmp_path / 'b.png', image.astype(np.float32))
    (tmp_path / 'file').write_bytes(b'')
    with pytest.raises(UserError, match='cannot write'):
        save_png(tmp_path / 'file' / 'a.png', image)
