"""`Provider`, one Twilio account among several in a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi.runtime

from .errors import CallerIdError
from .phone_number import REGION_KEY
from .resource import refuse_unsendable
from .settings.sources import PROVIDER, SECRET, SOURCES, from_config, settle
from .shadowing import explained

REGION = "default_region"
KEYS = {REGION: REGION_KEY} | {name: f"twilio:{key}" for name, (key, _) in SOURCES.items()}


class Provider(pulumi.ProviderResource):
    """One Twilio account, for the resources that are given it: `opts=ResourceOptions(provider=...)`.

    The engine runs a process of its own for it. Unlike the stack's default it is declared in the program, so a stack
    may have several, and its credentials may come from other resources: a preview asks nobody until they are known.

    What is left out is taken from the stack's config (`twilio:...`), then from the environment (`TWILIO_...`), setting
    by setting. Credentials are never mixed: the first of the three with an auth token, or an API key and its secret, is
    used as a whole. The others may only add the `account_sid`. If config or environment names another account than
    `account_sid`, its credentials are not used. An `account_sid` that is an Output counts as another one than the
    config's. For the numbers of a subaccount, give the Provider the parent's auth token, and the resource the
    subaccount's `account_sid`.

    `refresh` and `destroy` use what the last `up` stored, unless they run the program (`--run-program`); variables of
    the environment are always the current ones. `auth_token`, `api_secret`, `callback_auth_tokens` and `notify` are
    encrypted in the state, whether the program marks them as secrets or not.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        account_sid: pulumi.Input[str] | None = None,
        auth_token: pulumi.Input[str] | None = None,
        api_key: pulumi.Input[str] | None = None,
        api_secret: pulumi.Input[str] | None = None,
        api_url: pulumi.Input[str] | None = None,
        callback_url: pulumi.Input[str] | None = None,
        callback_listen: pulumi.Input[str] | None = None,
        callback_auth_tokens: pulumi.Input[str | Sequence[pulumi.Input[str]]] | None = None,
        notify: pulumi.Input[str | Sequence[pulumi.Input[str]]] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        preflight: pulumi.Input[bool] | None = None,
        default_region: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare an account.

        :param resource_name: Its name in the stack.
        :param account_sid: The account, AC and 32 hexadecimal digits. Another one replaces the Provider: its numbers
            are verified in the new account, then deleted from the old one with the old credentials.
        :param auth_token: Its auth token.
        :param api_key: An API key of the account, SK and 32 hexadecimal digits, to make requests with in place of the
            token. A token beside it checks the signatures of callbacks, and is used for requests about subaccounts.
        :param api_secret: The secret of the API key.
        :param api_url: Another base URL of Twilio's API, such as a sandbox's.
        :param callback_url: The public URL of a tunnel or ingress that leads to `callback_listen`; at most 900
            characters. Without one, Twilio is asked every second how a call stands.
        :param callback_listen: `host:port` to receive callbacks at; 127.0.0.1:8585 where it is set nowhere. Each
            Provider, and the stack's default, needs an address of its own to receive any while another one waits.
        :param callback_auth_tokens: More auth tokens that may have signed callbacks: a list, or text with commas
            between them.
        :param notify: Apprise URLs that get the code and the outcome: a list, or text with spaces between them. An
            empty list: nobody is told.
        :param adopt: Whether numbers that are verified already are taken over, for resources that don't say.
        :param preflight: Whether previews ask Twilio which numbers are verified already.
        :param default_region: The country, such as DE, whose numbers may be written without country code.
        :param opts: Pulumi's options.

        Raises `pulumi.RunError` for a plain value that makes no sense. What is known later is checked, and what is
        missing is missed, when the first request to Twilio is to be made.

        Source: Twilio docs, usage/requests-to-twilio and iam/api-keys.
        """
        arguments = {
            "account_sid": account_sid,
            "auth_token": auth_token,
            "api_key": api_key,
            "api_secret": api_secret,
            "api_url": api_url,
            "callback_url": callback_url,
            "callback_listen": callback_listen,
            "callback_auth_tokens": callback_auth_tokens,
            "notify": notify,
            "adopt": adopt,
            "preflight": preflight,
            REGION: default_region,
        }
        refuse_unsendable("Provider", resource_name, arguments, secret=SECRET | {"api_url", "callback_url"})
        # Private, as a program may export the whole resource: these are in the clear.
        self._configuration = _Unshown(configuration(resource_name, arguments))
        secrets = {KEYS[name] for name in SECRET}
        props = {
            key: pulumi.Output.secret(value) if key in secrets or pulumi.runtime.is_config_secret(key) else value
            for key, value in self._configuration.items()
        }
        # Another account is another provider. Were it updated in place, what the old account has would be deleted with
        # the credentials of the new one, and refused.
        of_account = pulumi.ResourceOptions(replacement_trigger=props.get(KEYS["account_sid"]))
        super().__init__("pulumi-python", resource_name, props, pulumi.ResourceOptions.merge(of_account, opts))


class _Unshown(dict[str, Any]):
    """A dict that shows nothing of what is in it, where a program prints a Provider's attributes."""

    def __repr__(self) -> str:
        return "{...}"


def configuration_of(provider: Provider) -> dict[str, Any]:
    """What the provider's process is configured with, by config key, as far as the program knows it."""
    return dict(provider._configuration)


def is_plain(value: object) -> bool:
    """Whether a value is there while the program runs: no Output, nothing to wait for, and no list of such things."""
    if isinstance(value, (list, tuple)):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (str, bool, int, float))


def configuration(provider: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """By config key, the arguments and what of the stack's config completes them: the process gets no other config.

    Raises `pulumi.RunError` for a plain value that makes no sense.
    """
    config = pulumi.runtime.get_config
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in arguments.items()}
    given = {name: value for name, value in stripped.items() if not _is_unset(value)}
    in_stack = {**from_config(config), REGION: (config(KEYS[REGION]) or "").strip()}
    used, completing = settle(given, in_stack)
    inherited = {name: value for name, value in completing.items() if name not in used and not _is_unset(value)}
    for name, value in given.items():
        _refuse_senseless(name, value, f"Provider {provider}'s {name}")
    for name, value in inherited.items():
        _refuse_senseless(name, value, KEYS[name])
    return {PROVIDER: provider, **{KEYS[name]: value for name, value in {**inherited, **used}.items()}}


def _is_unset(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _refuse_senseless(name: str, value: object, label: str) -> None:
    if not is_plain(value):
        return
    try:
        with explained():
            from .settings.model import validate_setting  # late, with pydantic: most programs declare no Provider

            validate_setting(name, value, label)
    except CallerIdError as refused:
        raise pulumi.RunError(str(refused)) from None
