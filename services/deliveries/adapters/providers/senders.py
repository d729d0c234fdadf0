"""The providers that the settings name."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.deliveries.adapters.providers.http import HttpSender, check_address, parse_secret
from services.deliveries.adapters.providers.mail import BadAddressError, read_mailbox
from services.deliveries.adapters.providers.mail_server import parse_mail_server
from services.deliveries.adapters.providers.smtp import SmtpSender
from services.deliveries.adapters.providers.twilio import TwilioSender, parse_twilio
from services.deliveries.application.messages.sending import Provider
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.pace import Pace
from shared.clock import Clock
from shared.settings import Settings


class ProviderSettingsError(Exception):
    """A provider's settings cannot be meant; the message is for the operator, and the process must not start."""


@dataclass
class Providers:
    """The providers by channel, and how to let go of their connections."""

    by_channel: dict[Channel, Provider] = field(default_factory=dict)
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def close(self) -> None:
        """Close every connection."""
        for close in self.closing:
            await close()


def make_providers(settings: Settings, clock: Clock) -> Providers:
    """Those that are set up. Raises `ProviderSettingsError`."""
    providers = Providers()
    _email(providers, settings, clock)
    _http(providers, settings, clock, Channel.SMS)
    _http(providers, settings, clock, Channel.PUSH)
    return providers


def _email(providers: Providers, settings: Settings, clock: Clock) -> None:
    if settings.smtp_url is None:
        return
    try:
        server = parse_mail_server(settings.smtp_url.get_secret_value())
    except ValueError as error:
        raise ProviderSettingsError(f"REGULARS_SMTP_URL: {error}") from None
    if settings.mail_from is None:
        raise ProviderSettingsError(
            "REGULARS_MAIL_FROM is not set: say who e-mails come from, such as Mugs & more <hello@example.com>"
        )
    try:
        sender = read_mailbox(settings.mail_from)
    except BadAddressError:
        raise ProviderSettingsError(
            "REGULARS_MAIL_FROM must look like hello@example.com, or Mugs & more <hello@example.com>"
        ) from None
    connections = settings.smtp_connections
    smtp = SmtpSender(server, sender, clock, connections=connections, cafile=settings.smtp_cafile)
    pace = pace_of(settings.email_per_second)
    providers.by_channel[Channel.EMAIL] = Provider(smtp, pace, connections)
    providers.closing.append(smtp.close)


def _http(providers: Providers, settings: Settings, clock: Clock, channel: Channel) -> None:
    if channel is Channel.SMS:
        url, secret, rate = settings.sms_url, settings.sms_secret, settings.sms_per_second
    else:
        url, secret, rate = settings.push_url, settings.push_secret, settings.push_per_second
    if url is None:
        return
    name, address = f"REGULARS_{channel.name}", url.get_secret_value()
    at_a_time = settings.provider_requests
    sender: HttpSender | TwilioSender
    try:
        if channel is Channel.SMS and address.startswith("twilio://"):
            sender = TwilioSender(parse_twilio(address), clock, requests=at_a_time)
        else:
            check_address(address)
            key = parse_secret(secret.get_secret_value() if secret else "")
            sender = HttpSender(address, key, clock, requests=at_a_time)
    except ValueError as error:
        raise ProviderSettingsError(f"{name}_URL and {name}_SECRET: {error}") from None
    providers.by_channel[channel] = Provider(sender, pace_of(rate), at_a_time)
    providers.closing.append(sender.close)


def pace_of(per_second: float) -> Pace:
    """A rate, of which a second's worth may go at once."""
    return Pace(per_second, max(int(per_second), 1))
