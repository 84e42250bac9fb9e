"""What computes a model: ONNX Runtime on a processor or a graphics card, or OpenVINO where it is installed.

OpenVINO computes in bfloat16 on processors that can, several times faster; what that costs in quality is measured by
``benchmarks/providers.py``: of the denoiser 0.01 dB at sigma 15, but 0.03 dB at sigma 5, where little noise is left to
hide the rounding. So ``"auto"`` takes it for denoisers, from ``BFLOAT16_FROM`` on.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from anew.errors import Unavailable
from anew.inference.card import BadModel
from anew.threads import asked_threads

VARIABLE = "ANEW_PROVIDER"  # of the environment
PROVIDERS = ("auto", "cpu", "cuda", "openvino", "openvino-bf16")
ONNX_RUNTIME = ("CUDAExecutionProvider", "CPUExecutionProvider")  # the first that is there
BFLOAT16_FROM = 10 / 255  # noise levels from which the rounding costs less than 0.02 dB
CARD_KEY = "anew:card"  # in the metadata of a file of ours


def chosen_provider(name: str | None) -> str:
    """Give the provider that was asked for, or the one that the environment names, or ``"auto"``.

    Raises
    ------
    Unavailable
        If there is none of this name, or it is not installed.
    """
    name = name or os.environ.get(VARIABLE) or "auto"
    if name not in PROVIDERS:
        raise Unavailable(f"unknown provider {name!r} ({VARIABLE}); there are {', '.join(PROVIDERS)}")
    if name == "cuda":
        import onnxruntime

        if ONNX_RUNTIME[0] not in onnxruntime.get_available_providers():
            raise Unavailable("provider 'cuda' is not there: pip install onnxruntime-gpu in place of onnxruntime")
    if name.startswith("openvino") and find_spec("openvino") is None:
        raise Unavailable(f"provider {name!r} is not installed: pip install openvino")
    if name == "openvino-bf16" and not computes_bfloat16():
        raise Unavailable("provider 'openvino-bf16': this processor does not compute in bfloat16; take 'openvino'")
    return name


def computes_bfloat16() -> bool:
    """Tell whether OpenVINO is there and computes in bfloat16 on this processor."""
    if find_spec("openvino") is None:
        return False
    import openvino  # type: ignore[import-not-found, unused-ignore]

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def make_session(path: Path, provider: str = "auto") -> Any:
    """Open any ONNX file, with as many threads as ``OMP_NUM_THREADS`` allows.

    Parameters
    ----------
    path : path
    provider : str
        One of ``PROVIDERS``; ``"auto"`` is ONNX Runtime on the best device that is there.

    Returns
    -------
    an object with ``run(output names or None, {input name: array}) -> list of arrays``

    Raises
    ------
    BadModel
        If the runtime cannot open it.
    """
    if provider.startswith("openvino"):
        return OpenVinoSession(path, "bf16" if provider == "openvino-bf16" else "f32")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # for each size of tile it keeps a block of memory; without, runs are as quick
    options.intra_op_num_threads = asked_threads() or 0  # 0: as many as the runtime finds best
    available = onnxruntime.get_available_providers()
    wanted = [p for p in ONNX_RUNTIME if p in available and (provider != "cpu" or p == ONNX_RUNTIME[1])]
    try:
        return onnxruntime.InferenceSession(str(path), options, wanted)
    except Exception as error:  # the runtime raises its own classes, which share no root
        raise BadModel(f"{path}: not a model that ONNX Runtime can open ({first_line(error)})") from None


def lean_run(session: Any) -> tuple[Any, ...]:
    """Give what a session must be told so that it gives its working memory back after a run.

    For what runs once a picture: the next run has to ask for it again, which makes it 15% slower.
    """
    if isinstance(session, OpenVinoSession):
        return ()
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return (options,)


def on_processor(session: Any) -> bool:
    """Tell whether an open session computes on the CPU."""
    return isinstance(session, OpenVinoSession) or session.get_providers()[0] == ONNX_RUNTIME[1]


def card_text(session: Any) -> str | None:
    """Give the JSON of the card inside an open model, if there is one."""
    if isinstance(session, OpenVinoSession):
        return session.card_text
    text: str | None = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    return text


class OpenVinoSession:
    """A model in OpenVINO, run like one in ONNX Runtime.

    Parameters
    ----------
    path : path
    precision : {"f32", "bf16"}
    """

    def __init__(self, path: Path, precision: str) -> None:
        import openvino  # type: ignore[import-not-found, unused-ignore]

        core = openvino.Core()
        settings: dict[str, str | int] = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        if threads := asked_threads():
            settings["INFERENCE_NUM_THREADS"] = threads
        try:
            model = core.read_model(path)
            self._compiled = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise BadModel(f"{path}: not a model that OpenVINO can open ({first_line(error)})") from None
        place = ["framework", CARD_KEY]
        self.card_text: str | None = model.get_rt_info(place).astype(str) if model.has_rt_info(place) else None

    def run(self, names: list[str] | None, feeds: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the model; ``names`` are those of the outputs, all of them if None."""
        request = self._compiled.create_infer_request()  # one for each call: calls may come from several threads
        results = request.infer(feeds)
        return [results[name].copy() for name in names or range(len(self._compiled.outputs))]


def first_line(error: Exception) -> str:
    """Give what a runtime says of a failure, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
