"""L-systems: words that grow by rewriting every letter at once, walked by a turtle.

Lindenmayer (1968); Prusinkiewicz and Lindenmayer, The Algorithmic Beauty of Plants (1990), chapter 1. Letters: a
capital A to M draws a step, N to Z stands for nothing drawn, + and - turn left and right, [ and ] remember a place
and go back to it, | turns round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_choice, check_whole
from anew.generation.rules.canvas import Rng, Shape
from anew.generation.rules.palettes import Palette, colour_table, inks_of, palette_colours
from anew.generation.rules.strokes import draw_lines, fitted
from anew.randomness import as_generator

LONGEST = 400_000  # letters of a word; more cannot be told apart in a picture
STEPS = frozenset("ABCDEFGHIJKLM")
ANGLES = (0.8, 1.2)  # of the usual angle, of plants that are drawn by chance
GROUPS = 200  # pieces of a curve that take the colours of the palette in turn


@dataclass(frozen=True)
class LSystem:
    """One system: where it starts, how letters grow, the angle of a turn in degrees, the usual depth."""

    axiom: str
    rules: dict[str, str]
    angle: float
    depth: int
    heading: float = 0.0
    branching: bool = False


SYSTEMS: dict[str, LSystem] = {
    "dragon": LSystem("FX", {"X": "X+YF+", "Y": "-FX-Y"}, 90, 13),
    "koch": LSystem("F--F--F", {"F": "F+F--F+F"}, 60, 5),
    "hilbert": LSystem("X", {"X": "+YF-XFX-FY+", "Y": "-XF+YFY+FX-"}, 90, 6),
    "gosper": LSystem("A", {"A": "A-B--B+A++AA+B-", "B": "+A-BB--B-A++A+B"}, 60, 4),
    "arrowhead": LSystem("A", {"A": "B-A-B", "B": "A+B+A"}, 60, 8),
    "levy": LSystem("F", {"F": "+F--F+"}, 45, 13),
    "peano": LSystem("X", {"X": "XFYFX+F+YFXFY-F-XFYFX", "Y": "YFXFY-F-XFYFX+F+YFXFY"}, 90, 3),
    "terdragon": LSystem("F", {"F": "F+F-F"}, 120, 9),
    "plant": LSystem("X", {"X": "F+[[X]-X]-F[-FX]+X", "F": "FF"}, 25, 6, 75, True),
    "bush": LSystem("F", {"F": "FF-[-F+F+F]+[+F-F-F]"}, 22.5, 4, 90, True),
    "fern": LSystem("X", {"X": "F[+X]F[-X]+X", "F": "FF"}, 20, 7, 90, True),
}


def l_system(
    shape: Shape,
    *,
    palette: Palette | None = None,
    system: str | None = None,
    depth: int | None = None,
    angle: float | None = None,
    line: float | None = None,
    rng: Rng = 0,
) -> Image:
    """Grow a curve or a plant.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``, optional
        The first colour is the ground; curves run through the others from end to end, plants from stem to tip.
    system : str, optional
        One of ``SYSTEMS``; drawn at random if not given, a plant with turns a little wider or narrower than usual.
    depth : int in [0, 20], optional
        How often the word is rewritten.
    angle : float in [0, 360], optional
        Of a turn, in degrees.
    line : float in [0.1, 100], optional
        Width, in thousandths of the shorter side; by default it follows the length of a step.
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_choice("system", system or "dragon", tuple(SYSTEMS))
    chosen = SYSTEMS[system] if system else _drawn_system(as_generator(rng))
    depth = chosen.depth if depth is None else depth
    angle = chosen.angle if angle is None else angle
    check_whole("depth", depth, 0, 20)
    check_between("angle", angle, 0, 360)
    check_between("line", 1 if line is None else line, 0.1, 100)
    if palette is None:
        palette = ("#f6f3ea", "#4a3728", "#5d6b2f", "#7fa047", "#b5cf6b") if chosen.branching else "-ember"
    starts, ends, levels = walk(grow(chosen, depth), angle=angle, heading=chosen.heading)
    if len(starts) == 0:
        return np.broadcast_to(palette_colours(palette)[0].astype(np.float32), (*shape, 3)).copy()
    points = fitted(np.concatenate([starts, ends]), shape, 0.07)
    starts, ends = points[: len(starts)], points[len(starts) :]
    step = float(np.median(np.hypot(*(ends - starts).T)))
    width = min(0.45 * step, 0.012 * min(shape)) if line is None else line * min(shape) / 1000
    table = colour_table(inks_of(palette))
    draw = _draw_branches if chosen.branching else _draw_curve
    return draw(shape, starts, ends, levels, table, width, palette_colours(palette)[0].astype(np.float32))


def _drawn_system(rng: np.random.Generator) -> LSystem:
    """Draw one of ``SYSTEMS``; of a plant also the angle, while curves close at theirs alone."""
    chosen = SYSTEMS[str(rng.choice(list(SYSTEMS)))]
    return replace(chosen, angle=chosen.angle * rng.uniform(*ANGLES)) if chosen.branching else chosen


def grow(system: LSystem, depth: int) -> str:
    """Rewrite the axiom ``depth`` times.

    Raises
    ------
    ValueError
        If the word would pass ``LONGEST`` letters; the message says how deep it may be.

    Examples
    --------
    >>> grow(LSystem("A", {"A": "AB", "B": "A"}, 0, 0), 5)  # Lindenmayer's algae
    'ABAABABAABAAB'
    """
    word, table = system.axiom, str.maketrans(system.rules)
    for level in range(depth):
        length = sum(word.count(letter) * (len(grown) - 1) for letter, grown in system.rules.items()) + len(word)
        if length > LONGEST:
            raise ValueError(f"depth must be at most {level} here, got {depth}: the word would have {length} letters")
        word = word.translate(table)
    return word


def walk(
    word: str, *, angle: float, heading: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Follow a word with steps of length 1.

    Parameters
    ----------
    word : str
    angle : float
        Of a turn, in degrees.
    heading : float
        At the start, in degrees counter-clockwise from the right.

    Returns
    -------
    starts, ends : (n, 2) float64 arrays of (x, y), y down
    levels : (n,) int array
        How many brackets are open round each step.
    """
    left = complex(math.cos(math.radians(angle)), -math.sin(math.radians(angle)))  # y points down
    right = left.conjugate()
    place, ahead = 0j, complex(math.cos(math.radians(heading)), -math.sin(math.radians(heading)))
    stack: list[tuple[complex, complex]] = []
    starts, ends, levels = [], [], []
    for letter in word:
        if letter in STEPS:
            starts.append(place)
            place += ahead
            ends.append(place)
            levels.append(len(stack))
        elif letter == "+":
            ahead *= left
        elif letter == "-":
            ahead *= right
        elif letter == "[":
            stack.append((place, ahead))
        elif letter == "]":
            place, ahead = stack.pop()
        elif letter == "|":
            ahead = -ahead
    first, last = np.array(starts, complex), np.array(ends, complex)
    return _pairs(first), _pairs(last), np.array(levels, np.int64)


def _draw_curve(
    shape: Shape,
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    levels: NDArray[np.int64],
    table: Image,
    width: float,
    ground: Image,
) -> Image:
    """Draw one line from end to end, in pieces of one colour that overlap by a step."""
    path = np.concatenate([starts, ends[-1:]])
    bounds = np.linspace(0, len(starts), min(GROUPS, len(starts)) + 1).astype(int)
    lines = [path[max(a - 1, 0) : b + 1] for a, b in pairwise(bounds)]
    colours = table[np.linspace(0, len(table) - 1, len(lines)).astype(int)]
    return draw_lines(shape, lines, colours, [width] * len(lines), ground)


def _draw_branches(
    shape: Shape,
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    levels: NDArray[np.int64],
    table: Image,
    width: float,
    ground: Image,
) -> Image:
    """Draw runs of steps of one level, the thick stem first and the thin twigs over it."""
    joined = (levels[1:] == levels[:-1]) & (np.abs(starts[1:] - ends[:-1]).max(axis=1) < 1e-6)
    bounds = np.concatenate([[0], np.flatnonzero(~joined) + 1, [len(starts)]])
    runs = sorted(pairwise(bounds), key=lambda run: levels[run[0]])
    depths = levels[[a for a, _ in runs]] / max(int(levels.max()), 1)
    lines = [np.concatenate([starts[a:b], ends[b - 1 : b]]) for a, b in runs]
    colours = table[np.asarray(depths * (len(table) - 1), int)]
    thickest = max(width, 0.006 * min(shape))
    widths = [float(width + (thickest - width) * (1 - d) ** 2) for d in depths]
    return draw_lines(shape, lines, colours, widths, ground)


def _pairs(z: NDArray[np.complex128]) -> NDArray[np.float64]:
    return np.stack([z.real, z.imag], axis=1)
