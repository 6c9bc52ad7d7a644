"""Settings, read once from the environment at the edge and passed down in parts."""

from __future__ import annotations

import getpass
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_data_dir() -> Path:
    return Path.home() / ".local" / "share" / "riparian"


class Settings(BaseSettings):
    """Every field is an environment variable `RIPARIAN_<FIELD>` (documented in `docs/settings.md`)."""

    model_config = SettingsConfigDict(env_prefix="RIPARIAN_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Where the catalog, vectors, lexical indexes, models and caches live.",
    )
    database_url: str = Field(
        default="",
        validation_alias=AliasChoices("RIPARIAN_DATABASE_URL", "DATABASE_URL"),
        description="SQLAlchemy URL; empty = an SQLite file in the data folder.",
    )
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N.")
    threads: int = Field(default=0, ge=0, description="Threads for encoding; 0 = the cores this process may use.")
    encoder: str = Field(default="sentence-transformers", description="Encoder of a new collection when none is named.")
    engine: str = Field(
        default="auto",
        pattern="^(auto|onnx|torch)$",
        description="Transformer engine: ONNX Runtime on CPU by default, torch on GPU.",
    )
    host: str = Field(default="127.0.0.1", description="Address to serve at.")
    port: int = Field(default=8642, ge=0, le=65535, description="Port to serve at; 0 picks a free one.")
    log_level: str = Field(default="WARNING", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field(default="text", pattern="^(text|json)$", description="text for people, json for machines.")
    reader_memory_mb: int = Field(
        default=1024, ge=128, description="Memory limit of the child process that reads one file."
    )
    reader_seconds: int = Field(default=60, ge=1, description="Time limit for reading one file.")
    user: str = Field(default="", description="Who makes edits of topics; empty = the name of the login.")
    hybrid_weight: float = Field(default=0.5, ge=0, le=1, description="Share of the semantic score in a hybrid search.")
    token_states: bool = Field(
        default=True,
        description="Keep the token states of new passages, about 20 kB each, for re-ranking by late interaction.",
    )
    rerank: str = Field(
        default="maxsim",
        pattern="^(maxsim|none|cross-encoder)$",
        description="How the best hits of a search are put in order once more where it does not say.",
    )
    calibrate: bool = Field(
        default=True,
        description="Measure what scores mean when a collection was indexed, and anew when it changed by a quarter.",
    )
    cross_encoder: str = Field(
        default="", description="Folder or hub id of the model that re-ranks with rerank=cross-encoder."
    )

    @property
    def author(self) -> str:
        """`user`, or the login's name; empty where the system has none."""
        try:
            return self.user or getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            return ""

    @property
    def catalog_url(self) -> str:
        """`database_url`, or the SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'catalog.sqlite'}"
