# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Loading of pipelines: from a folder, the hub, a shipped file or a registered class.

Every source becomes the dictionary that `Pipeline.from_pretrained` of pyannote.audio
takes. A folder or repository holds `config.yaml` (layout of pyannote.audio) or
`config.toml` (layout of DiariZen, see `original_config`), and may hold presets:
`presets/<name>.yaml`, hyper-parameters for one kind of recordings, in the format of
`hparams_file` of pyannote.audio.
"""

import math
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from inspect import signature
from numbers import Real
from pathlib import Path
from typing import Any

import yaml
from pyannote.audio import Pipeline
from pyannote.audio.core.pipeline import expand_subfolders
from pyannote.audio.utils.hf_hub import AssetFileName
from pyannote.core.utils.helper import get_class_by_name
from pyannote.pipeline.parameter import Integer, LogUniform, Uniform

from pyannote_diarizen import plugins
from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.models.original_checkpoint import CONFIG, OriginalConfig
from pyannote_diarizen.pipelines.components import (
    clustering_name,
    clustering_names,
    default_parameters,
)
from pyannote_diarizen.pipelines.original_config import PIPELINE, original_config
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.resources import PUBLISHED, bundled_pipelines, published_config

HOST_CONFIG = AssetFileName.Pipeline.value
PRESET_FOLDER = "presets"


def load_pretrained(
    checkpoint: Path | str | Mapping[str, Any],
    revision: str | None = None,
    hparams_file: Path | str | None = None,
    subfolder: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
    preset: str | None = None,
    **options: Any,
) -> Pipeline:
    """Load a pipeline in the layout of pyannote.audio or of DiariZen.

    In the layout of DiariZen, the embedding comes from `embedding/` beside
    `config.toml`, from `options`, or else from the hub.

    Parameters
    ----------
    checkpoint, revision, subfolder, token, cache_dir, weights_only
        See `pretrained_config`.
    hparams_file : Path or str, optional
        File of hyper-parameters that take precedence.
    preset : str, optional
        Name of such a file in `presets/` of the pipeline, as in "meeting".
    **options
        Arguments of `DiariZen` that take precedence, such as `embedding`,
        `compatibility` or `rttm_out_dir`.

    Returns
    -------
    pipeline : DiariZen
        An instance of another class if the configuration names one.

    Examples
    --------
    >>> pipeline = DiariZen.from_pretrained(         # doctest: +SKIP
    ...     "BUT-FIT/diarizen-wavlm-large-s80-md-v2", rttm_out_dir="diarized"
    ... )
    """
    if preset is not None:
        if hparams_file is not None or isinstance(checkpoint, Mapping):
            raise ValueError(
                "`preset` is one of a folder or repository, and takes the place of "
                "`hparams_file`: give one of them."
            )
        hparams_file = find_preset(
            checkpoint, preset, subfolder, revision, token, cache_dir
        )
    config = pretrained_config(
        checkpoint,
        subfolder=subfolder,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        weights_only=weights_only,
        **options,
    )
    pipeline = Pipeline.from_pretrained(
        config, hparams_file=hparams_file, token=token, cache_dir=cache_dir
    )
    check_hyper_parameters(pipeline, config)
    return pipeline


def pretrained_config(
    checkpoint: Path | str | Mapping[str, Any],
    subfolder: str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
    **options: Any,
) -> dict[str, Any]:
    """Read the configuration of a pipeline, with all its references expanded.

    Parameters
    ----------
    checkpoint : Path, str or Mapping
        Folder or configuration file; name of a bundled or published pipeline,
        as in "diarizen-tiny", or of a registered class of pipelines; owner/name
        on the Hugging Face Hub; or the content of a `config.yaml`.
    subfolder, revision, token, cache_dir : optional
        See `Repository`.
    weights_only : bool, optional
        Refuse models that hold more than weights. False runs the code they hold.
        Defaults to True.
    **options
        Arguments of the pipeline that take precedence over the configuration.
        `clustering_options` are added to those of the configured clustering.

    Returns
    -------
    config : dict
        Argument of `pyannote.audio.Pipeline.from_pretrained`.

    Raises
    ------
    FileNotFoundError
        If the pipeline does not exist.
    ValueError
        If its configuration cannot be read, or lacks the name of the pipeline.
    """
    if isinstance(checkpoint, Mapping):
        config = deepcopy(dict(checkpoint))
    else:
        config = _read(checkpoint, subfolder, revision, token, cache_dir)
    _check_named(config, "The configuration")
    config["pipeline"]["name"] = _dotted_path(config["pipeline"]["name"])
    params = config["pipeline"].setdefault("params", {})
    for given in (params, options):
        if "clustering" in given:
            given["clustering"] = clustering_name(given["clustering"])
    # before options override the configured clustering
    _change_clustering(config, options)
    params.update(options)
    if config["pipeline"]["name"] == PIPELINE:
        _check_options(params)
    if config.get("preprocessors") is not None:
        config["preprocessors"] = _preprocessors(config["preprocessors"])
    if not weights_only:
        for role in {"segmentation", "embedding"} & set(params):
            params[role] = _trusted(params[role])
    return config


def _preprocessors(given: Any) -> dict[str, Any]:
    """Complete names of classes, and refuse what pyannote.audio cannot call."""
    if not isinstance(given, Mapping):
        raise ValueError(
            f"`preprocessors` should map keys of a file to classes, got {given!r}."
        )
    completed = {}
    for key, value in given.items():
        found = {"name": value} if isinstance(value, str) else value
        is_database = isinstance(value, str) and value.endswith((".yml", ".yaml"))
        if not is_database:
            if not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
                raise ValueError(
                    f"`preprocessors` should hold the `name` of a class for '{key}', "
                    f"and its `params`, got {value!r}."
                )
            _check_preprocessor(found["name"], key)
        completed[key] = value if is_database else dict(found)
    return completed


def _check_preprocessor(name: str, key: str) -> None:
    """Refuse what pyannote.audio would call, although it is no preprocessor."""
    found = None
    # modules of Python may do harm when they are imported
    if name.partition(".")[0] not in sys.stdlib_module_names:
        try:
            found = get_class_by_name(name, default_module_name="pyannote.audio")
        except (AttributeError, ImportError, ValueError) as error:
            raise ValueError(
                f"`preprocessors`: there is no class '{name}' for '{key}': {error}."
            ) from error
    if not (isinstance(found, type) and issubclass(found, Callable)):  # type: ignore[arg-type]
        raise ValueError(
            f"`preprocessors`: '{name}' for '{key}' should be a class whose instances "
            "are called with a file, such as 'pyannote.database.FileFinder'."
        )


def check_hyper_parameters(pipeline: Pipeline, config: Mapping[str, Any]) -> None:
    """Refuse hyper-parameters that are no numbers, or only some of them.

    If one is missing, pyannote.audio sets all of them to their defaults.

    Parameters
    ----------
    pipeline : Pipeline
        Pipeline that `config` made.
    config : Mapping
        Argument of `Pipeline.from_pretrained`. May set no hyper-parameters at all.

    Raises
    ------
    ValueError
        If one is missing, or no finite number where a number is expected.
    """
    wanted, given = (
        pipeline._flatten(pipeline.parameters(instantiated=instantiated))
        for instantiated in (False, True)
    )
    missing = set(wanted) - set(given)
    if config.get("params") and missing:
        raise ValueError(
            f"`params` lacks {', '.join(sorted(missing)).replace('>', '.')}."
        )
    for name, value in given.items():
        numeric = isinstance(wanted.get(name), (Uniform, LogUniform, Integer))
        if numeric and not (isinstance(value, Real) and math.isfinite(value)):
            raise ValueError(
                f"`params`: {name.replace('>', '.')} should be a number, got {value!r}."
            )


def find_preset(
    checkpoint: Path | str,
    name: str,
    subfolder: str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
) -> Path:
    """Find the file of a preset.

    Parameters
    ----------
    checkpoint : Path or str
        Folder or configuration file of a pipeline, or owner/name on the Hugging Face
        Hub.
    name : str
        Name of the preset, as in "meeting".
    subfolder, revision, token, cache_dir : optional
        See `Repository`.

    Returns
    -------
    path : Path
        File of hyper-parameters.

    Raises
    ------
    FileNotFoundError
        If the pipeline has no such preset; the message lists the presets of a folder.
    """
    if _is_name(checkpoint):
        raise FileNotFoundError(f"'{checkpoint}' has no preset called '{name}'.")
    repository = _repository(checkpoint, subfolder, revision, token, cache_dir)
    found = repository.find(f"{PRESET_FOLDER}/{name}.yaml")
    if found is None:
        folder = repository.folder
        known = [] if folder is None else preset_names(folder / (subfolder or ""))
        raise FileNotFoundError(
            f"'{repository}' has no preset called '{name}'"
            + (f", only {', '.join(known)}." if known else ".")
        )
    return found


def preset_names(folder: Path) -> list[str]:
    """Names of the presets of the pipeline in `folder`."""
    return sorted(path.stem for path in (folder / PRESET_FOLDER).glob("*.yaml"))


def _read(checkpoint: Path | str, *where: Any) -> dict[str, Any]:
    if _is_name(checkpoint):
        if checkpoint in PUBLISHED:
            return published_config(str(checkpoint))
        return {"pipeline": {"name": checkpoint}}
    checkpoint = bundled_pipelines().get(str(checkpoint), checkpoint)
    repository = _repository(checkpoint, *where)
    path = expand_home(checkpoint)
    if not path.is_file():
        path = repository.file(CONFIG, HOST_CONFIG)
    if path.suffix == Path(CONFIG).suffix:
        return original_config(OriginalConfig.read(path), repository)
    config = _read_yaml(path)
    # "$model/plda" becomes the arguments that load the subfolder `plda`
    expand_subfolders(
        config,
        repository.folder or repository.checkpoint,
        parent_subfolder=repository.subfolder,
        parent_revision=repository.revision,
        token=repository.token,
        cache_dir=repository.cache_dir,
    )
    return config


def _repository(checkpoint: Path | str, *where: Any) -> Repository:
    path = expand_home(checkpoint)
    return Repository(path.parent) if path.is_file() else Repository(checkpoint, *where)


def _is_name(checkpoint: Path | str) -> bool:
    """Whether `checkpoint` names a published pipeline or a registered class."""
    names = (*PUBLISHED, *plugins.component_names("pipelines"))
    return checkpoint in names and not Path(checkpoint).exists()


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' is not YAML: {error}") from error
    _check_named(config, f"'{path}'")
    return config


def _check_named(config: Any, source: str) -> None:
    pipeline = config.get("pipeline") if isinstance(config, dict) else None
    if not isinstance(pipeline, dict) or "name" not in pipeline:
        raise ValueError(
            f"{source} describes no pipeline: it lacks `pipeline` with a `name`."
        )


def _dotted_path(name: str) -> str:
    """Complete the name of a registered class of pipelines; keep a dotted path."""
    if "." in name or name not in plugins.component_names("pipelines"):
        return name
    registered = plugins.load_component("pipelines", name)
    if PIPELINE.endswith(f".{name}"):
        return PIPELINE
    return f"{registered.__module__}.{registered.__qualname__}"


def _change_clustering(config: dict[str, Any], options: dict[str, Any]) -> None:
    """Start from the hyper-parameters of another clustering, or of other options.

    Options of the configured clustering are added to the configured ones, in `options`.
    """
    clustering = options.get("clustering")
    clustering_options = options.get("clustering_options")
    if clustering is None and clustering_options is None:
        return
    params = config["pipeline"]["params"]
    known = signature(get_class_by_name(config["pipeline"]["name"])).parameters
    default = known["clustering"].default if "clustering" in known else None
    configured = params.get("clustering", default)
    name = clustering or configured
    # `DiariZen` refuses an unknown name, beside its other options
    if ("." not in name and name not in clustering_names()) or (
        name == configured and clustering_options is None
    ):
        return
    if name == configured:
        kept = params.get("clustering_options") or {}
        clustering_options = {**kept, **(clustering_options or {})}
        options["clustering_options"] = clustering_options
    parameters = default_parameters(name, clustering_options)
    values = config.setdefault("params", {})
    if name == configured:
        # the options may add hyper-parameters to the configured ones
        parameters |= values.get("clustering", {})
    else:
        params.pop("clustering_options", None)
    values["clustering"] = parameters


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that `DiariZen` does not have."""
    if "use_auth_token" in options:
        raise ValueError("`use_auth_token` is called `token`.")
    known = signature(get_class_by_name(PIPELINE)).parameters
    if unknown := [name for name in options if name not in known]:
        raise ValueError(unknown_keys("among the options of DiariZen", unknown, known))


def _trusted(model: Any) -> Any:
    if isinstance(model, (str, Path)):
        return {"checkpoint": model, "weights_only": False}
    return {**model, "weights_only": False} if isinstance(model, Mapping) else model
