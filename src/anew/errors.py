"""The errors that anew raises on purpose.

Wrong arguments of a call raise the built-in ``ValueError`` or ``TypeError``. Everything else is one small family::

    AnewError
    ├── ImageFileError           a file could not be read or written; the message starts with its path
    │   ├── UnreadableImage      it is not an image, is damaged, truncated or of an unsupported kind
    │   ├── ImageTooLarge        decoding it would pass the pixel budget
    │   ├── SeveralFrames        it holds several pages or frames where one was expected
    │   └── CannotWrite          the target is not writable, exists already, or cannot hold this picture
    ├── InvalidPlan              a plan or recipe does not validate; the message names the field
    ├── InvalidSetting           a training run is given what it cannot take; the message says what it can
    ├── Unavailable              a method needs something that is not installed; the message says how to get it
    └── BadModel, BadRules, CannotResume, Diverged, NoTrainingData, RunFailed, WrongExtractor
                                 defined beside the code that raises them: models, rule files, training, metrics

Each message is one line: what was expected, what came, what to do. The command line prints it as it is.
"""

TRAIN_EXTRA = "install anew with its extra `train`: pip install '.[train]' in its folder"


class AnewError(Exception):
    """The root of the family."""


class ImageFileError(AnewError):
    """A file could not be read or written."""


class UnreadableImage(ImageFileError):
    """The file is not an image, or is damaged, truncated or of an unsupported kind."""


class ImageTooLarge(ImageFileError):
    """Decoding the file would pass the pixel budget."""


class SeveralFrames(ImageFileError):
    """The file holds several pages or frames where one was expected."""


class CannotWrite(ImageFileError):
    """The target cannot be written, exists already, or cannot hold this picture."""


class InvalidPlan(AnewError):
    """A plan or recipe does not validate."""


class InvalidSetting(AnewError, ValueError):
    """A setting of a training run has a value that it cannot have there."""


class Unavailable(AnewError):
    """A method needs something that is not installed."""
