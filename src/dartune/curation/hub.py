"""Training sets on the Hugging Face hub: the folder as it stands, its card included."""

from collections.abc import Mapping
from pathlib import Path

from dartune.curation.manifest import FILE_NAME
from dartune.errors import ConfigError, DataError, MissingExtra, WriteError

_FORBIDDEN = {401, 403}


def push_sets(sets: Mapping[str, Path], repo: str, *, is_private: bool = True) -> dict[str, str]:
    """Upload the folder of each set to the dataset `<repo>-<method>`, in one commit each; their addresses.

    A dataset that is there is brought to the folder's state: what the folder has not is deleted. The hub and the token
    are those of huggingface_hub (HF_ENDPOINT, HF_TOKEN, `hf auth login`).

    Args:
        sets: Method -> folder, as `curate` wrote it.
        repo: "owner/name".
        is_private: Whether a dataset that is made is private; one that is there stays as it is.

    Raises:
        DataError: A folder holds no complete set.
        ConfigError: The name cannot be, or the hub does not know the token or allow it this.
        WriteError: The hub does not answer or take the files; run it again, files that arrived are not sent again.
        MissingExtra: huggingface_hub is not installed.
    """
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError:
        raise MissingExtra("huggingface_hub", "datasets") from None
    for folder in sets.values():
        if not (folder / FILE_NAME).exists():
            raise DataError(f"{folder}: expected a training set with its {FILE_NAME}; run 'dartune curate' again")
    api = huggingface_hub.HfApi()
    addresses = {}
    for method, folder in sets.items():
        name = f"{repo}-{method}"
        try:
            addresses[method] = str(api.create_repo(name, repo_type="dataset", private=is_private, exist_ok=True))
            api.upload_folder(
                repo_id=name,
                repo_type="dataset",
                folder_path=folder,
                ignore_patterns=[".*"],
                delete_patterns=["*"],
                commit_message=f"Training set {method}",
            )
        except errors.HFValidationError as error:
            raise ConfigError(f"--push-to-hub: expected owner/name, got {repo!r} ({error})") from None
        except (errors.HTTPError, OSError) as error:  # type: ignore[attr-defined]  # of whichever client it is built on
            raise _refused(name, error) from error
    return addresses


def _refused(name: str, error: Exception) -> ConfigError | WriteError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in _FORBIDDEN:
        return ConfigError(
            f"{name}: the hub refuses the token (HTTP {status}); give one that may write there, by HF_TOKEN or "
            "'hf auth login'"
        )
    said = f"HTTP {status}" if status else type(error).__name__
    return WriteError(f"{name}: could not be uploaded ({said}); run the same command again")
