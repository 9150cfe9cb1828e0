"""All settings: environment variables `GREENSTREAM_*`, then `greenstream.toml` in the working folder, then defaults.

Every threshold of `domain.limits` is a setting of the same name.
"""

import re
from dataclasses import fields
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, create_model, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from greenstream.domain.errors import SettingsError
from greenstream.domain.lake.lifetimes import Lifetimes
from greenstream.domain.limits import MOST_KW, MOST_TERMS, Limits, QueryLimits
from greenstream.domain.site import Site

CONFIG_FILE = "greenstream.toml"
ENV_PREFIX = "GREENSTREAM_"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_STORE = re.compile(r"file://(localhost)?/.*|s3://[A-Za-z0-9._-]+(/[^?#]*)?|memory:///.*", re.DOTALL)


class PlaceSettings(BaseSettings):
    """Where things are and how long they are kept; the thresholds are added below."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        toml_file=CONFIG_FILE,
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(
        default=Path("greenstream-data"),
        description="folder of the embedded mode's state: raw-data, quarantine, analytics, postgres",
    )
    database_url: SecretStr | None = Field(
        default=None, description="a PostgreSQL of yours, instead of the embedded one. Secret"
    )
    reader_url: SecretStr | None = Field(
        default=None,
        description="the same PostgreSQL of yours, as a role that only reads: what `query` connects as. Secret",
    )
    storage: str | None = Field(
        default=None, description="another store than the home: `file:///…` or `s3://bucket/prefix`, without keys"
    )
    storage_group: str | None = Field(
        default=None,
        description="a group (name or number) whose members may drop files into the landing zone, such as SFTP users",
    )
    timezone: str = Field(default="UTC", description="the site's time zone; can't change once readings are stored")
    retention_days: int = Field(default=90, ge=1, description="how long raw files and database days are kept, in days")
    findings_retention_days: int = Field(
        default=1095, ge=1, description="how long findings in `data_quality_log` are kept, in days"
    )
    quarantine_retention_days: int = Field(
        default=365, ge=1, description="how long rejected rows and the copies of rejected files are kept, in days"
    )
    ledger_retention_days: int = Field(
        default=1095, ge=1, description="how long lines of `source_files` are kept, and the counts by file, in days"
    )
    alert_urls: SecretStr | None = Field(
        default=None,
        description="where alerts are sent: apprise URLs, separated by blanks; in the file a list too. Secret",
    )
    alert_interval_minutes: int = Field(
        default=60, ge=1, description="how often a channel hears of the same alert at most, in minutes"
    )
    alert_max_per_hour: int = Field(
        default=20,
        ge=1,
        description="how many messages a channel gets in an hour at most; the last one sums up the rest",
    )
    query_max_seconds: int = Field(
        default=600, ge=1, le=2_000_000, description="how long a `query` may take, the reading of its answer included"
    )
    query_max_rows: int = Field(
        default=10_000_000, ge=1, description="how many rows a `query` may answer with; one with more is an error"
    )
    query_max_memory_mb: int = Field(
        default=512,
        ge=64,
        le=2_000_000,
        description="how much memory a `query --lake` may take, in MiB; on PostgreSQL each sort and hash an eighth",
    )
    query_max_temp_mb: int = Field(
        default=4096, ge=1, le=2_000_000, description="how much a `query` may put into temporary files, in MiB"
    )
    metrics_port: int = Field(
        default=9464,
        ge=0,
        le=65535,
        description="where `up` and `worker` serve `/metrics` for Prometheus; 0 turns it off",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="the address that `/metrics` listens on; `0.0.0.0` for other machines"
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("this is no IANA time zone; take one such as Europe/Berlin")
        return value

    @field_validator("storage")
    @classmethod
    def _storage_holds_no_keys(cls, value: str | None) -> str | None:
        if value is not None and _SCHEME.match(value) and not _STORE.fullmatch(value):
            raise ValueError("give file:///folder or s3://bucket/prefix; keys of S3 belong into the variables AWS_*")
        return value

    @field_validator("alert_urls", mode="before")
    @classmethod
    def _urls_are_one_text(cls, value: object) -> object:
        return " ".join(map(str, value)) if isinstance(value, list) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _what_is_kept_about_readings_outlives_them(self) -> Self:
        for name in ("findings", "quarantine", "ledger"):
            if getattr(self, f"{name}_retention_days") < self.retention_days:
                raise ValueError(f"{name}_retention_days must not be less than retention_days {self.retention_days}")
        return self

    @model_validator(mode="after")
    def _interval_divides_the_hour(self) -> Self:
        interval = getattr(self, "interval_minutes", 15)
        if interval < 1 or 60 % interval:
            raise ValueError(f"interval_minutes {interval} must divide 60")
        return self

    @model_validator(mode="after")
    def _limits_can_be_kept_exactly(self) -> Self:
        limits = self.limits
        if not 0 < limits.max_abs_kw <= MOST_KW:
            raise ValueError(f"max_abs_kw {limits.max_abs_kw} must be above 0 and at most {MOST_KW}")
        for name in ("stuck_window_slots", "spike_window_slots", "reliability_window_slots"):
            if not 0 < getattr(limits, name) < MOST_TERMS:
                raise ValueError(f"{name} {getattr(limits, name)} must be above 0 and below {MOST_TERMS}")
        for name in ("stuck_max_variance", "max_missing_share"):
            if not isfinite(getattr(limits, name)):
                raise ValueError(f"{name} {getattr(limits, name)} must be a finite number")
        return self

    @property
    def limits(self) -> Limits:
        return Limits(**{f.name: getattr(self, f.name) for f in fields(Limits)})

    @property
    def site(self) -> Site:
        return Site(timezone=self.timezone, limits=self.limits)

    @property
    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            readings=self.retention_days,
            findings=self.findings_retention_days,
            quarantine=self.quarantine_retention_days,
            ledger=self.ledger_retention_days,
        )

    @property
    def query_limits(self) -> QueryLimits:
        return QueryLimits(
            seconds=self.query_max_seconds,
            rows=self.query_max_rows,
            memory_mb=self.query_max_memory_mb,
            temp_mb=self.query_max_temp_mb,
        )

    @property
    def storage_url(self) -> str:
        return self.storage or self.home.resolve().as_uri()


def _thresholds() -> dict[str, Any]:
    """The fields of Limits, as pydantic wants them."""
    return {
        f.name: (
            Annotated[
                AwareDatetime if f.type is datetime else f.type,
                Field(description=f.metadata["meaning"], le=f.metadata["most"]),
            ],
            f.default,
        )
        for f in fields(Limits)
    }


MAY_HOLD_SECRETS = ("database_url", "reader_url", "alert_urls", "storage")
"""Settings whose value is never shown; what is no setting of ours may be one of them with a wrong name."""

Settings: type[PlaceSettings] = create_model("Settings", __base__=PlaceSettings, **_thresholds())


def load_settings() -> PlaceSettings:
    """Read the settings from the environment and `greenstream.toml`.

    Raises:
        SettingsError: naming each setting that can't be used, and what was given.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(_fault(each["loc"], each["msg"], each.get("input")) for each in error.errors())
        # Without the cause: its text has the names as they stand in the file, and one may be a misplaced URL.
        raise SettingsError(f"settings: {faults}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{CONFIG_FILE} can't be read: {error}") from error


def _fault(location: tuple[int | str, ...], message: str, given: object) -> str:
    if not location:
        return message.removeprefix("Value error, ")
    name = str(location[0])
    known = name in Settings.model_fields
    what = message.removeprefix("Value error, ") if known else "no such setting"
    shown = repr(given) if known and name not in MAY_HOLD_SECRETS and "://" not in str(given) else "…"
    return f"{ENV_PREFIX}{name.upper() if name.isidentifier() else '…'}={shown}: {what}"
