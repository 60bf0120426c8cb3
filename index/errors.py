"""Every error Byline raises on purpose.

* BylineError                what went wrong, in one line a person can act on
  + UserError                the user can mend it: exit code 2
    - SettingsError          a setting is missing or has a value that cannot be used
    - ArticleError           a path, file or article that cannot be read
    - QuestionSetError       a question set, history or run folder that cannot be read
    - IndexMissingError      nothing has been indexed yet
    - EmbeddingMismatchError the index was made with another embedding model
    - IndexBusyError         another process owns the index
    - ModelError             the language or embedding model cannot be used
      x ModelUnreachableError  no server answers, or it takes too long
      x ModelRefusedError      the server answers with an error (key, name, quota)
        ~ ModelContextError    what was sent is longer than the model can read
    - LaterError             too much is asked at the moment
      x RateError              by one client
      x CrowdedError           by all together
  + InternalError            ours: exit code 1
    - StoreError             the index on disk or on its server is damaged or fails
    - PromptError            a prompt file and its variables disagree

A message names what failed, on which article, line or key, and what to do next. It never holds a secret.
"""


class BylineError(Exception):
    """Base of all; its text is shown to the user as it is."""

    exit_code = 1


class UserError(BylineError):
    """Something the user can mend."""

    exit_code = 2


class SettingsError(UserError):
    """A setting is missing or has a value that cannot be used."""


class ArticleError(UserError):
    """A path, file or article that cannot be read."""


class QuestionSetError(UserError):
    """A question set, a history or a run folder that cannot be read."""


class IndexMissingError(UserError):
    """Nothing has been indexed yet."""


class EmbeddingMismatchError(UserError):
    """The index was made with another embedding model than the one set."""


class IndexBusyError(UserError):
    """Another process owns the index."""


class ModelError(UserError):
    """The language or embedding model cannot be used."""


class ModelUnreachableError(ModelError):
    """No server answers at the address, or it takes too long."""


class ModelRefusedError(ModelError):
    """The model's server answers with an error: key, model name, quota."""


class ModelContextError(ModelRefusedError):
    """What was sent is longer than the model can read; fewer passages may fit."""


class LaterError(UserError):
    """Too much is asked at the moment; `retry_seconds` later it may be answered."""

    def __init__(self, message: str, *, retry_seconds: int) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class RateError(LaterError):
    """One client asks more than it may."""


class CrowdedError(LaterError):
    """More is asked than can be answered, whoever asks."""


class InternalError(BylineError):
    """A fault of ours or of the machine."""


class StoreError(InternalError):
    """The index on disk or on its server is damaged or fails."""


class PromptError(InternalError):
    """A prompt file and the variables given to it disagree."""
