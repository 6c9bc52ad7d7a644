"""Model folders by hub id: from the local hub cache first, from the network only where that is allowed."""

from __future__ import annotations

from pathlib import Path

from riparian.errors import ModelNotInstalled

# no pickled weights, no code: only these are ever fetched
_WANTED = [
    "*.json",
    "model*.safetensors",
    "vocab.txt",
    "merges.txt",
    "*.model",
    "1_Pooling/*",
    "0_Transformer/*.json",
    "0_Transformer/model*.safetensors",
    "0_Transformer/*.txt",
]


def fetch(name: str) -> Path:
    """The folder of the model `name` ("owner/model"), downloaded when it is not in the hub cache.

    Raises ModelNotInstalled where it is neither there nor can be fetched (offline, unknown, private, pickled weights).
    """
    return _cached(name) or _downloaded(name)


def _cached(name: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=_WANTED, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise ModelNotInstalled(name, _line(error)) from error
    return folder if _is_whole(folder) else None


def _downloaded(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        folder = Path(snapshot_download(name, allow_patterns=_WANTED))
    except HfHubHTTPError as error:
        raise ModelNotInstalled(name, _line(error)) from error
    except OSError as error:  # LocalEntryNotFoundError: the hub was not reached; its cause says why
        offline = isinstance(error.__cause__, OfflineModeIsEnabled) or isinstance(error, OfflineModeIsEnabled)
        why = "offline mode is on" if offline else "the model hub cannot be reached"
        raise ModelNotInstalled(name, why) from error
    if not _is_whole(folder):  # without network the hub's library answers with whatever part it has
        raise ModelNotInstalled(name, "it has no safetensors weights, or only a part of it was downloaded")
    return folder


def _is_whole(folder: Path) -> bool:
    """An interrupted download leaves a folder without weights."""
    return any(folder.rglob("model*.safetensors"))


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".:")
