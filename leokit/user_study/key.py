"""The key of a study: the experimenter's file that maps the random ids of the page to methods and videos.

The page and the results hold random ids only. Results cannot be read without the key, and raters must not have it.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from leokit.user_study.files import read_record
from leokit.utils import UserError
from leokit.utils.files import write_json

KEY_FORMAT = 'leokit user study key'
KEY_VERSION = 1


class Trial(NamedTuple):
    """The two videos of a trial.

    Attributes:
        id (str): Random id of the trial.
        videos (tuple): Ids of the two videos.
        methods (tuple | None): Methods of the videos; None for an attention check.
        names (tuple | None): Names of the videos in the methods' folders; None for an attention check.
        right_answer (str | None): Id of the original video of an attention check.
        check_kind (str | None): How the other video of the check was degraded.
    """

    id: str
    videos: tuple[str, str]
    methods: tuple[str, str] | None = None
    names: tuple[str, str] | None = None
    right_answer: str | None = None
    check_kind: str | None = None

    @property
    def is_check(self) -> bool:
        """bool: True for an attention check."""
        return self.right_answer is not None


class StudyKey(NamedTuple):
    """Data for the experimenter that raters must not see.

    Attributes:
        page_hash (str): Identifies the page; see :func:`leokit.user_study.page.page_hash`.
        settings (dict): Question, seed and the other options of the study.
        methods (dict): Folder of each method.
        videos (dict): Origin of each video of the page: method, name, file.
        trials (list): All trials; forms refer to their index.
        forms (list): For each form, (index of a trial, flipped) in order.
    """

    page_hash: str
    settings: dict[str, Any]
    methods: dict[str, str]
    videos: dict[str, dict[str, Any]]
    trials: list[Trial]
    forms: list[list[tuple[int, bool]]]

    def save(self, path: str | Path) -> None:
        """Write the key as JSON."""
        write_json(path, {'format': KEY_FORMAT, 'version': KEY_VERSION, **self._asdict(),
                          'trials': [trial._asdict() for trial in self.trials]})

    @classmethod
    def load(cls, path: str | Path) -> 'StudyKey':
        """Read a key that :meth:`save` wrote."""
        record = read_record(path, KEY_FORMAT, KEY_VERSION)
        try:
            pairs = ('videos', 'methods', 'names')
            trials = [Trial(**{name: tuple(value) if name in pairs and value else value
                               for name, value in trial.items()}) for trial in record['trials']]
            forms = [[(int(trial), bool(flipped)) for trial, flipped in form] for form in record['forms']]
            key = cls(record['page_hash'], record['settings'], record['methods'], record['videos'], trials, forms)
            key._check()
            return key
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f'the key {path} is damaged ({error!r}); use the file that prepare wrote') from error

    def _check(self) -> None:
        """Raise ValueError for parts that do not fit together."""
        texts = [self.page_hash, *(self.settings[name] for name in ('title', 'question')), *self.methods]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError('page_hash, title, question and the methods must be texts')
        json.dumps(self, ensure_ascii=False).encode()  # half of a surrogate pair is a ValueError
        for trial in self.trials:
            if not trial.is_check and not (len(trial.videos) == 2 and set(trial.methods) <= set(self.methods)):
                raise ValueError(f'the trial {trial.id} does not compare two of the methods')
        if not all(0 <= number < len(self.trials) for form in self.forms for number, _ in form):
            raise ValueError('a form has a trial that is not there')
