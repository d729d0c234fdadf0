"""Every setting of Regulars, read from the environment once, at start."""

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Service = Literal["ingest", "scoring", "rewards", "deliveries"]


class Settings(BaseSettings):
    """What a process of Regulars can be told from outside.

    A setting named `REGULARS_X` is `x` here; `DATABASE_URL` and the `KAFKA_*` ones keep the names that operators know.
    """

    model_config = SettingsConfigDict(
        env_prefix="REGULARS_", populate_by_name=True, extra="ignore", env_ignore_empty=True
    )

    home: Path = Path(".regulars")
    """Folder of the embedded database, of the secret, and of logs."""

    secret: SecretStr | None = None
    """At least 32 characters. Pseudonyms and the keys that seal personal data derive from it: losing it loses
    them. Unset, `regulars up` makes one and keeps it in `home`."""

    phone_region: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    """The country (ISO 3166, such as US) of telephone numbers without a country code. Set it before the first event and
    leave it: the same number read in another way is another customer's."""

    host: str = "127.0.0.1"
    ingest_port: int = Field(8001, ge=0, le=65535)
    scoring_port: int = Field(8002, ge=0, le=65535)
    rewards_port: int = Field(8003, ge=0, le=65535)
    worker_port: int | None = Field(None, ge=0, le=65535)
    """Where a worker process answers health and metrics."""

    api_key: SecretStr | None = None
    """If set, a key with all scopes exists from the first start."""

    public_url: str | None = Field(None, pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")
    """Where customers reach the API of rewards: what the links in messages (unsubscribing, preferences, counted clicks)
    begin with, such as https://mail.example.com. Unset, it is the address that rewards listens on."""

    tracking: bool = True
    """Whether messages note that they were opened and which links were followed."""

    program: Path | None = None
    """The program file to load; unset, the one that ships with rewards."""

    sentiment: str = "vader"
    """What tells how texts sound: `vader`, or a callable that makes an engine, as `package.module:callable`."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    partitions: int = Field(32, ge=1, le=1024)
    """Partitions of each stream; fixed once the streams exist. `regulars up` on the embedded database sets 4."""

    batch_records: int = Field(1000, ge=1, le=10_000)
    """The most records that a worker handles in one transaction."""

    pool_size: int = Field(10, ge=1, le=200)
    """Database connections per process."""

    history_months: int = Field(36, ge=1, le=1200)
    """How long rewards keeps the records of what customers did: explanations show them, simulations play them. So long
    runs of campaigns are kept, too. Points, tiers and entries stay for ever."""

    messages_months: int = Field(24, ge=3, le=1200)
    """How long deliveries keeps messages that were sent, skipped or have failed, with their attempts, opens and clicks.
    The links in a message, to unsubscribe too, are good for as long."""

    smtp_url: SecretStr | None = None
    """The mail server: `smtp://name:password@mail.example.com:587` (STARTTLS) or `smtps://…:465`. Unset, e-mails
    are held until there is one, or they expire."""

    smtp_cafile: Path | None = None
    """Certificates of authorities (PEM) by which the mail server proves itself; unset, those of the system."""

    mail_from: str | None = None
    """Who writes: `Mugs & more <hello@example.com>`. Needed with `smtp_url`; bounces come back there too."""

    smtp_connections: int = Field(4, ge=1, le=100)
    """Connections to the mail server, per worker."""

    email_per_second: float = Field(50, gt=0, le=10_000)
    """The most e-mails per second, over all workers."""

    sms_url: SecretStr | None = None
    """Who sends SMS: `https://…` takes the JSON of docs/providers.md,
    `twilio://SID:TOKEN@api.twilio.com?from=+15005550006` is Twilio. Unset, SMS are held."""

    sms_secret: SecretStr | None = None
    """Signs what goes to an `https://` SMS provider: `whsec_…`, as of Standard Webhooks."""

    sms_per_second: float = Field(10, gt=0, le=10_000)

    push_url: SecretStr | None = None
    """Who sends push messages, as `sms_url`: `https://…`."""

    push_secret: SecretStr | None = None
    push_per_second: float = Field(50, gt=0, le=10_000)

    provider_requests: int = Field(8, ge=1, le=100)
    """Requests to each HTTP provider at a time, per worker."""

    webhook_private_networks: str = ""
    """Networks beside the public internet that webhooks may go to, and by plain http too: `10.1.0.0/16, fd00:1::/32`.
    Whoever may add an endpoint can reach everything in them."""

    database_url: str | None = Field(None, validation_alias="DATABASE_URL")

    kafka_bootstrap_servers: str | None = Field(None, validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", validation_alias="KAFKA_SASL_MECHANISM"
    )
    kafka_sasl_username: str | None = Field(None, validation_alias="KAFKA_SASL_USERNAME")
    kafka_sasl_password: SecretStr | None = Field(None, validation_alias="KAFKA_SASL_PASSWORD")
    kafka_ssl_cafile: Path | None = Field(None, validation_alias="KAFKA_SSL_CAFILE")
    kafka_ssl_certfile: Path | None = Field(None, validation_alias="KAFKA_SSL_CERTFILE")
    kafka_ssl_keyfile: Path | None = Field(None, validation_alias="KAFKA_SSL_KEYFILE")
    kafka_replication_factor: int = Field(1, ge=1, le=32767, validation_alias="KAFKA_REPLICATION_FACTOR")
    """Of the topics that Regulars creates when they are missing."""

    @field_validator("webhook_private_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        for each in filter(None, (part.strip() for part in text.split(","))):
            ip_network(each)
        return text

    @property
    def public_address(self) -> str:
        """What the links in messages begin with, without a slash at its end."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  # any of ours: say one
        return (self.public_url or f"http://{host}:{self.rewards_port}").rstrip("/")

    @property
    def on_kafka(self) -> bool:
        """Whether the streams live on Kafka; else they live in PostgreSQL."""
        return self.kafka_bootstrap_servers is not None
