"""All settings: environment variables `GREENSTREAM_*`, then `greenstream.toml` in the working folder, then defaults.

Every threshold of `domain.limits` is a setting of the same name.
"""

from dataclasses import fields
from datetime import datetime
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
from greenstream.domain.evaluate import Site
from greenstream.domain.limits import Limits
from greenstream.ports import Lifetimes

CONFIG_FILE = "greenstream.toml"
ENV_PREFIX = "GREENSTREAM_"


class PlaceSettings(BaseSettings):
    """Where things are and how long they are kept; the thresholds are added below."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, toml_file=CONFIG_FILE, extra="forbid", frozen=True, env_ignore_empty=True
    )

    home: Path = Field(
        default=Path("greenstream-data"),
        description="folder of the embedded mode's state: raw-data, quarantine, analytics, postgres",
    )
    database_url: str | None = Field(default=None, description="a PostgreSQL of yours, instead of the embedded one")
    storage: str | None = Field(
        default=None, description="another store than the home: `file:///…` or `s3://bucket/prefix`"
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
            raise ValueError(f"{value!r} is no IANA time zone; take one such as Europe/Berlin")
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
    def storage_url(self) -> str:
        return self.storage or self.home.resolve().as_uri()


def _thresholds() -> dict[str, Any]:
    """The fields of Limits, as pydantic wants them."""
    return {
        f.name: (
            Annotated[AwareDatetime if f.type is datetime else f.type, Field(description=f.metadata["meaning"])],
            f.default,
        )
        for f in fields(Limits)
    }


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
        raise SettingsError(f"settings: {faults}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{CONFIG_FILE} can't be read: {error}") from error


def _fault(location: tuple[int | str, ...], message: str, given: object) -> str:
    name = f"{ENV_PREFIX}{str(location[0]).upper()}" if location else "together"
    what = "no such setting" if message.startswith("Extra inputs") else message.removeprefix("Value error, ")
    shown = "…" if "://" in str(given) else repr(given)  # a URL may hold a password
    return f"{name}={shown}: {what}" if location else what
