"""The one explicit list of all restoration methods.

A method is one file and one line here. The name fixes both: method ``median`` of task ``denoise`` is the function
``denoise_median`` in ``anew/restoration/denoising/median.py``. The module is imported when the method is first used,
so listing the methods loads nothing. The command line, the docs table, the benchmark and the contract tests read this
list and nothing else; the first method of a task is its default.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from anew.options import checked_options, require_options
from anew.restoration.by_name import find_method


@dataclass(frozen=True)
class Task:
    """What the methods of one task have in common.

    Attributes
    ----------
    verb : str
        The name people type: the public function, the command, the prefix of every method's function.
    folder : str
        Where the methods live under ``anew/restoration``.
    inputs : tuple of str
        What a method takes after the image, positionally.
    summary : str
        One line for help and tables.
    """

    verb: str
    folder: str
    inputs: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class Method:
    """The facts of one method.

    Attributes
    ----------
    name, task : str
        What people type; they give the file and the function.
    summary : str
        What it does, in one line.
    paper : str
        Where it was published.
    library : str
        Whose implementation it is: ``"anew"`` or the library that it calls.
    inputs : tuple of str, optional
        What it takes after the image, if not what its task says (a blind method needs no ``psf``).
    trains : bool
        Whether it trains a network on the image at hand. That takes minutes and needs torch, so such a method runs
        only when it is named.
    measures : bool
        Whether it measures more of the noise than it is told. What it measures follows each picture, so that Stein's
        estimate of its error, which takes a denoiser for fixed, is too good.
    """

    name: str
    task: str
    summary: str
    paper: str
    library: str = "anew"
    inputs: tuple[str, ...] | None = None
    trains: bool = False
    measures: bool = False

    @property
    def takes(self) -> tuple[str, ...]:
        """What the function takes after the image, positionally."""
        return TASKS[self.task].inputs if self.inputs is None else self.inputs

    @property
    def blind(self) -> bool:
        """Whether it finds by itself what it takes first, unless told."""
        parameters = list(inspect.signature(self.function).parameters.values())
        return len(self.takes) > 0 and parameters[1].default is None

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function itself: float32 (H, W) or (H, W, C) in, the same out."""
        task = TASKS[self.task]
        return find_method(task.verb, task.folder, self.name)

    @property
    def use(self) -> str:
        """When to use it: the paragraph of the function's docstring that begins so; empty without docstrings."""
        paragraphs = (inspect.getdoc(self.function) or "").split("\n\n")
        return next((" ".join(p.split()) for p in paragraphs if p.startswith("Use it ")), "")

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """The method's own options: the keyword-only parameters of its function."""
        signature = inspect.signature(self.function)
        return {n: p for n, p in signature.parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check options by name and type, and give them as their types; one without a default must be there.

        Raises
        ------
        ValueError
            In one line that names the option.
        """
        owner = f"{self.task} by {self.name}"
        result = checked_options(owner, self.function, self.parameters, options)
        require_options(owner, self.parameters, result)
        return result


class Registry:
    """An ordered set of methods; a duplicate is an error. ``copy`` one to add your own."""

    def __init__(self, methods: tuple[Method, ...] = ()) -> None:
        self._methods: dict[tuple[str, str], Method] = {}
        for method in methods:
            self.add(method)

    def add(self, method: Method) -> None:
        """Add a method at the end of its task."""
        key = (method.task, method.name)
        if method.task not in TASKS:
            raise ValueError(f"unknown task {method.task!r}; tasks are {', '.join(TASKS)}")
        if key in self._methods:
            raise ValueError(f"{method.task} already has a method named {method.name!r}")
        self._methods[key] = method

    def copy(self) -> Registry:
        """Give an independent copy."""
        return Registry(tuple(self))

    def names(self, task: str) -> list[str]:
        """Give the names of a task's methods, default first."""
        if task not in TASKS:
            raise ValueError(f"unknown task {task!r}; tasks are {', '.join(TASKS)}")
        return [name for of, name in self._methods if of == task]

    def get(self, task: str, name: str) -> Method:
        """Give one method; ``"auto"`` is the task's default."""
        names = self.names(task)
        if name == "auto":
            return self._methods[task, names[0]]
        if name not in names:
            raise ValueError(f"{task} has no method {name!r}; it has {', '.join(names)}")
        return self._methods[task, name]

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods.values())

    def __len__(self) -> int:
        return len(self._methods)


def methods(task: str) -> list[str]:
    """Give the names of the methods of a task, the default first.

    Parameters
    ----------
    task : {"denoise", "inpaint", "deblur", "upscale", "deblock", "relight", "unwarp"}
    """
    return METHODS.names(task)


TASKS = {
    task.verb: task
    for task in (
        Task("denoise", "denoising", ("sigma",), "remove noise"),
        Task("inpaint", "inpainting", ("mask",), "fill missing or damaged pixels"),
        Task("deblur", "deblurring", ("psf", "sigma"), "undo blur"),
        Task("upscale", "upscaling", ("scale",), "enlarge"),
        Task("deblock", "deblocking", ("quality",), "remove JPEG artefacts"),
        Task("relight", "relighting", (), "mend light and colour"),
        Task("unwarp", "unwarping", (), "straighten geometry"),
    )
}

METHODS = Registry(
    (
        # -- denoise: (image, sigma) -----------------------------------------------------------------------------
        Method("unet", "denoise", "a U-Net that we trained, told the noise level", "Zhang et al., IEEE TPAMI 44 (2022)"),
        Method("camera", "denoise", "a U-Net that we trained on the noise of cameras, which it judges by the pixels", "Zhang et al., IEEE TPAMI 44 (2022); Brooks et al., CVPR 2019"),
        Method("bm3d", "denoise", "filter groups of similar blocks together", "Dabov, Foi, Katkovnik and Egiazarian, IEEE TIP 16 (2007)"),
        Method("nlm", "denoise", "non-local means: average pixels whose surroundings look alike", "Buades, Coll and Morel, CVPR 2005"),
        Method("tv", "denoise", "total variation: the smoothest image in budget, edges kept", "Rudin, Osher and Fatemi, Physica D 60 (1992); Chambolle, JMIV 20 (2004)"),
        Method("wavelet", "denoise", "BayesShrink: soft-threshold wavelet coefficients, cycle-spun", "Chang, Yu and Vetterli, IEEE TIP 9 (2000)", library="PyWavelets"),
        Method("bilateral", "denoise", "average neighbours that are near in place and in value", "Tomasi and Manduchi, ICCV 1998", library="OpenCV"),
        Method("guided", "denoise", "local linear model of the image on itself", "He, Sun and Tang, IEEE TPAMI 35 (2013)"),
        Method("wiener", "denoise", "shrink each pixel towards its local mean by local variance", "Lee, IEEE TPAMI 2 (1980)"),
        Method("perona-malik", "denoise", "anisotropic diffusion that stops at edges", "Perona and Malik, IEEE TPAMI 12 (1990)"),
        Method("coherence", "denoise", "coherence-enhancing diffusion along the structure tensor", "Weickert, IJCV 31 (1999)"),
        Method("mean", "denoise", "box average", "Gonzalez and Woods, Digital Image Processing"),
        Method("gaussian", "denoise", "Gaussian average", "Gonzalez and Woods, Digital Image Processing"),
        Method("median", "denoise", "median of a window", "Tukey, Exploratory Data Analysis (1977)"),
        Method("adaptive-median", "denoise", "median with a growing window, only where an impulse is found", "Hwang and Haddad, IEEE TIP 4 (1995)"),
        Method("poisson-gaussian", "denoise", "noise that grows with brightness: stabilise it, then denoise", "Makitalo and Foi, IEEE TIP 22 (2013)", measures=True),
        Method("luma-chroma", "denoise", "noise that the channels share, as after JPEG: brightness and colour apart", "Dabov, Foi, Katkovnik and Egiazarian, ICIP 2007", measures=True),
        Method("recorrupted", "denoise", "train a small network on this image alone, for white or correlated noise; takes minutes", "Pang, Zheng, Quan and Ji, CVPR 2021", trains=True),
        Method("deep-image-prior", "denoise", "fit an untrained network to this image and stop at the noise; takes many minutes", "Ulyanov, Vedaldi and Lempitsky, CVPR 2018", trains=True),
        Method("custom", "denoise", "convolve with any kernel that you give", "Gonzalez and Woods, Digital Image Processing"),
        # -- inpaint: (image, mask) ------------------------------------------------------------------------------
        Method("biharmonic", "inpaint", "the smoothest surface through the border", "Damelin and Hoang, IJMMS (2018)"),
        Method("telea", "inpaint", "fast marching from the border inwards", "Telea, J. Graphics Tools 9 (2004)", library="OpenCV"),
        Method("navier-stokes", "inpaint", "carry isophotes into the hole like a fluid", "Bertalmio, Bertozzi and Sapiro, CVPR 2001", library="OpenCV"),
        Method("diffusion", "inpaint", "solve Laplace's equation, or edge-stopping diffusion, in the hole", "Bertalmio et al., SIGGRAPH 2000"),
        Method("exemplar", "inpaint", "texture and structure from elsewhere in the picture; for big holes and objects to remove", "Wexler, Shechtman and Irani, IEEE TPAMI 29 (2007); Barnes et al., SIGGRAPH 2009"),
        Method("criminisi", "inpaint", "copy patches, strong edges first; exact on straight edges, astray in busy scenes", "Criminisi, Perez and Toyama, IEEE TIP 13 (2004)"),
        # -- deblur: (image, psf, sigma) -------------------------------------------------------------------------
        Method("bm3d", "deblur", "invert boldly, then filter the coloured noise of that by BM3D", "Dabov, Foi, Katkovnik and Egiazarian, SPIE 6812 (2008)"),
        Method("tv", "deblur", "total-variation deconvolution", "Wang, Yang, Yin and Zhang, SIAM J. Imaging Sci. 1 (2008)"),
        Method("wiener", "deblur", "Wiener deconvolution with a natural-image spectrum", "Wiener (1949); Orieux et al., JOSA A 27 (2010)"),
        Method("richardson-lucy", "deblur", "maximum likelihood for Poisson noise", "Richardson, JOSA 62 (1972); Lucy, AJ 79 (1974)"),
        Method("unsharp", "deblur", "unsharp mask: add back what a blur took away", "Gonzalez and Woods, Digital Image Processing", inputs=("sigma",)),
        Method("shock", "deblur", "shock filter: inverse diffusion towards edges", "Osher and Rudin, SIAM J. Num. Anal. 27 (1990); Alvarez and Mazorra (1994)", inputs=("sigma",)),
        # -- upscale: (image, scale) -----------------------------------------------------------------------------
        Method("compact", "upscale", "compact nets that we trained for x2, x3 and x4, consistent with the small image", "Zhang, Zeng and Zhang, ACM MM 2021; Irani and Peleg, CVGIP 53 (1991)"),
        Method("robust", "upscale", "repair blur, noise and compression with a U-Net that we trained, then enlarge", "Zhang, Liang, Van Gool and Timofte, ICCV 2021; Zhang et al., IEEE TPAMI 44 (2022)"),
        Method("lanczos", "upscale", "windowed sinc of three lobes, consistent with the small image", "Duchon, J. Applied Meteorology 18 (1979); Irani and Peleg, CVGIP 53 (1991)"),
        Method("bicubic", "upscale", "cubic convolution, a = -0.5", "Keys, IEEE TASSP 29 (1981)"),
        Method("bilinear", "upscale", "linear interpolation", "Gonzalez and Woods, Digital Image Processing"),
        Method("nearest", "upscale", "repeat the nearest pixel", "Gonzalez and Woods, Digital Image Processing"),
        # -- deblock: (image, quality) ---------------------------------------------------------------------------
        Method("unet", "deblock", "a U-Net that we trained, told the quality or blind", "Zhang et al., IEEE TPAMI 44 (2022); Zakhor, IEEE TCSVT 2 (1992)"),
        Method("reapplication", "deblock", "average the image recompressed on shifted grids", "Nosratinia, JVCI 13 (2002)"),
        Method("sa-filter", "deblock", "smooth block borders only, by a low-pass that adapts to activity", "List et al., IEEE TCSVT 13 (2003)"),
        # -- relight: (image) ------------------------------------------------------------------------------------
        Method("curve", "relight", "stretch levels and set the mid-tone", "Gonzalez and Woods, Digital Image Processing"),
        Method("clahe", "relight", "contrast-limited adaptive histogram equalisation", "Zuiderveld, Graphics Gems IV (1994)"),
        Method("retinex", "relight", "Retinex: divide by the local illumination, as far as the picture is dark", "Jobson, Rahman and Woodell, IEEE TIP 6 (1997); Guo, Li and Ling, IEEE TIP 26 (2017)"),
        Method("white-balance", "relight", "remove a colour cast", "van de Weijer, Gevers and Gijsenij, IEEE TIP 16 (2007)"),
        Method("fading", "relight", "bring back the dyes of a faded print, channel by channel", "Gschwind and Frey, J. Imaging Sci. Tech. 38 (1994)"),
        # -- unwarp: (image) -------------------------------------------------------------------------------------
        Method("tilt", "unwarp", "rotate by a given angle", "Gonzalez and Woods, Digital Image Processing"),
        Method("keystone", "unwarp", "undo perspective from four corners", "Hartley and Zisserman, Multiple View Geometry"),
        Method("lens", "unwarp", "undo barrel and pincushion distortion", "Brown, Photogrammetric Engineering 37 (1971)"),
    )
)  # fmt: skip
