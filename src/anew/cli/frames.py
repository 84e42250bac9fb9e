"""What the frames of a file are called."""

from __future__ import annotations


def frame_marks(count: int, form: str) -> list[str]:
    """Give each frame a mark with its number, from 1 on; a lone one needs none.

    Examples
    --------
    >>> frame_marks(2, "-frame{}")
    ['-frame1', '-frame2']
    >>> frame_marks(1, "-frame{}")
    ['']
    """
    return [form.format(number) for number in range(1, count + 1)] if count > 1 else [""]
