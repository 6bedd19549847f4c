"""The key of a study: the experimenter's file that says which opaque id of the page is which method's video.

The page and the results hold random ids only. Without the key they cannot be read, so it must not be lost, and
nobody who rates should have it.
"""

from pathlib import Path
from typing import Any, NamedTuple

from leokit.user_study.files import read_record
from leokit.utils import UserError
from leokit.utils.files import write_json

KEY_FORMAT = 'leokit user study key'
KEY_VERSION = 1


class Trial(NamedTuple):
    """What one trial shows.

    Attributes:
        id (str): Its opaque id.
        videos (tuple): Ids of the two videos.
        methods (tuple | None): The methods they come from; None for an attention check.
        names (tuple | None): The videos' names in the methods' folders; None for an attention check.
        right_answer (str | None): Id of the intact video of an attention check.
        check_kind (str | None): How the other video of the check was spoilt.
    """

    id: str
    videos: tuple[str, str]
    methods: tuple[str, str] | None = None
    names: tuple[str, str] | None = None
    right_answer: str | None = None
    check_kind: str | None = None

    @property
    def is_check(self) -> bool:
        """Whether this is an attention check."""
        return self.right_answer is not None


class StudyKey(NamedTuple):
    """Everything the experimenter knows and the rater does not.

    Attributes:
        page_hash (str): What ties results to their page, see :func:`leokit.user_study.page.page_hash`.
        settings (dict): Question, seed and the other options of the study.
        methods (dict): Folder of each method.
        videos (dict): Where each video of the page comes from: method, name, file.
        trials (list): All trials, in the order that the forms count.
        forms (list): For each form, its (number of a trial, flipped) in order.
    """

    page_hash: str
    settings: dict[str, Any]
    methods: dict[str, str]
    videos: dict[str, dict[str, Any]]
    trials: list[Trial]
    forms: list[list[tuple[int, bool]]]

    def save(self, path: str | Path) -> None:
        """Write the key as JSON.

        Args:
            path (str | Path): Where to.
        """
        write_json(path, {'format': KEY_FORMAT, 'version': KEY_VERSION, **self._asdict(),
                          'trials': [trial._asdict() for trial in self.trials]})

    @classmethod
    def load(cls, path: str | Path) -> 'StudyKey':
        """Read a key.

        Args:
            path (str | Path): The file.

        Returns:
            StudyKey: The key.

        Raises:
            UserError: If the file is missing, is no key, or is damaged.
        """
        record = read_record(path, KEY_FORMAT, KEY_VERSION)
        try:
            pairs = ('videos', 'methods', 'names')
            trials = [Trial(**{name: tuple(value) if name in pairs and value else value
                               for name, value in trial.items()}) for trial in record['trials']]
            forms = [[(int(trial), bool(flipped)) for trial, flipped in form] for form in record['forms']]
            return cls(record['page_hash'], record['settings'], record['methods'], record['videos'], trials, forms)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f'the key {path} is damaged ({error!r}); use the file as prepare wrote it') from error
