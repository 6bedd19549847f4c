"""What a visitor of the page may ask for."""

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Limits of the page, so that one visitor cannot use up a server.

    Args:
        max_upload_mb (int): Megabytes of one uploaded file.
        max_pixels (int): Pixels of an uploaded image or of a frame of an uploaded video.
        max_frames (int): Frames of an uploaded or generated video.
        max_videos (int): Videos generated at a time.
        max_storage_mb (int): Megabytes of all files of all visitors together.
        keep_minutes (float): Minutes after which an untouched file is deleted, even if its page is still open.
        queue_size (int): Visitors that may wait; further ones are asked to come back later.
        jobs (int): Jobs that run at the same time; they take turns on the device, chunk by chunk.
    """

    max_upload_mb: int = 100
    max_pixels: int = 40_000_000
    max_frames: int = 1500
    max_videos: int = 4
    max_storage_mb: int = 4000
    keep_minutes: float = 60.0
    queue_size: int = 20
    jobs: int = 2

    @property
    def max_upload_bytes(self) -> int:
        """int: Bytes of one uploaded file."""
        return self.max_upload_mb * MEGABYTE
