"""Do a restoration again, from the recipe that travels in its file."""

from __future__ import annotations

from numpy.typing import ArrayLike

from anew.diagnosis.diagnose import diagnose
from anew.errors import InvalidPlan
from anew.images import Picture
from anew.restoration.automatic import run_plan, with_marks
from anew.restoration.recipe import input_facts, read_recipe


def replay(picture: Picture, recipe: str, *, mask: ArrayLike | None = None, check_input: bool = True) -> Picture:
    """Do a restoration again.

    Parameters
    ----------
    picture : Picture
        The picture that was restored then.
    recipe : str
        ``Restoration.recipe``, as it travels in ``facts.recipe`` of the result.
    mask : (H, W) bool array, optional
        The damage that was marked by hand then, of whatever kind; only needed where it was too large to be kept in the
        recipe.
    check_input : bool
        Refuse another picture than that one.

    Returns
    -------
    Picture
        The same pixels as then, on the same versions (see ``recipe.version_changes``).

    Raises
    ------
    InvalidPlan
        If the recipe does not validate, is for another picture, or a mask cannot be found again.
    """
    read = read_recipe(recipe)
    facts = input_facts(picture)
    if check_input and facts.sha256 != read.input.sha256:
        was, now = read.input, facts
        raise InvalidPlan(
            f"the recipe is for another picture: {was.width} x {was.height} x {was.channels} with hash "
            f"{was.sha256[:12]}, got {now.width} x {now.height} x {now.channels} with {now.sha256[:12]}; "
            "give the original input"
        )
    diagnosis = None if mask is None else with_marks(diagnose(picture), mask, picture.pixels.shape)
    return run_plan(picture, read.plan, diagnosis=diagnosis, check=False).picture
