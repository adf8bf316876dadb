"""Defines `Provider`, which gives a program one Twilio account among several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi.runtime

from .errors import CallerIdError
from .settings.sources import PROVIDER, SETTINGS, Given, from_config, given_in, merge
from .shadowing import explained


class Provider(pulumi.ProviderResource):
    """One Twilio account, for the resources that are given it: `opts=ResourceOptions(provider=...)`.

    A stack may have several. Their credentials may be Outputs of other resources; while they are not known, a preview
    makes no request to Twilio. Pulumi runs a process for each Provider.

    Each setting that is left out comes from the stack's config (`twilio:...`), else from the environment
    (`TWILIO_...`). Credentials are never mixed: the first of the three that has an auth token, or an API key and its
    secret, is used as a whole. The others may only add the `account_sid`. If one of them names another account than
    `account_sid`, its credentials are not used. An `account_sid` that is an Output counts as another account than the
    config's. For the numbers of a subaccount, give the Provider the parent's auth token, and the resource the
    subaccount's `account_sid`.

    `refresh` and `destroy` use what the last `up` stored, unless they run the program (`--run-program`). Variables of
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
        :param account_sid: The account, AC and 32 hexadecimal digits. Changing it replaces the Provider: its numbers
            are verified in the new account, then deleted from the old one with the old credentials.
        :param auth_token: Its auth token.
        :param api_key: An API key of the account, SK and 32 hexadecimal digits, to make requests with in place of the
            token. If there is a token too, it checks the signatures of callbacks and is used for subaccounts.
        :param api_secret: The secret of the API key.
        :param api_url: Another base URL of Twilio's API, such as a sandbox's.
        :param callback_url: The public URL of a tunnel or ingress that leads to `callback_listen`; at most 900
            characters. Without one, Twilio is asked every second how a call stands.
        :param callback_listen: `host:port` to receive callbacks at; 127.0.0.1:8585 if it is set nowhere. Providers that
            wait for phone calls at the same time each need their own address, and so does the stack's default provider.
        :param callback_auth_tokens: More auth tokens that may have signed callbacks: a list, or text with commas
            between them.
        :param notify: Apprise URLs that get the code and the outcome: a list, or text with spaces between them. With an
            empty list, nobody is notified.
        :param adopt: Whether to take over numbers that are verified already, for resources that don't say.
        :param preflight: Whether previews ask Twilio which numbers are verified already.
        :param default_region: The country, such as DE, whose numbers may be written without country code.
        :param opts: Pulumi's options.

        Raises `pulumi.RunError` for a plain value that is not valid. Outputs and missing settings are checked before
        the first request to Twilio.

        Source: Twilio docs, usage/requests-to-twilio and iam/api-keys.
        """
        values = locals()
        arguments = {name: values[name] for name in SETTINGS}
        self._configuration = _Unprinted(configuration(resource_name, arguments))
        secret_keys = {setting.key for setting in SETTINGS.values() if setting.secret}
        props = {
            key: pulumi.Output.secret(value) if key in secret_keys or pulumi.runtime.is_config_secret(key) else value
            for key, value in self._configuration.items()
        }
        # Changing the account replaces the provider. If the provider were updated in place, Pulumi would delete the old
        # account's numbers with the credentials of the new account, which Twilio refuses.
        of_account = pulumi.ResourceOptions(replacement_trigger=props.get(SETTINGS["account_sid"].key))
        super().__init__("pulumi-python", resource_name, props, pulumi.ResourceOptions.merge(of_account, opts))


class _Unprinted(dict[str, Any]):
    """A dict that does not print its values: they are secrets in the clear, and a program may print all attributes."""

    def __repr__(self) -> str:
        return "{...}"


def configuration_of(provider: Provider) -> dict[str, Any]:
    """What the provider's process is configured with, by config key, as far as the program knows it."""
    return dict(provider._configuration)


def configuration(provider: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, and the stack's settings that complete them, by config key: the process gets no other config.

    Raises `pulumi.RunError` for a plain value that is not valid.
    """
    explicit = given_in(f"Provider {provider}", arguments)
    settings = merge(explicit, from_config(pulumi.runtime.get_config))
    for name, given in {**settings, **explicit}.items():
        if is_plain(given.value):
            _validate(name, given)
    return {PROVIDER: provider, **{SETTINGS[name].key: given.value for name, given in settings.items()}}


def _validate(name: str, given: Given) -> None:
    try:
        with explained():
            from .settings.model import validate_setting  # late, with pydantic: most programs declare no Provider

            validate_setting(name, given)
    except CallerIdError as refused:
        raise pulumi.RunError(str(refused)) from None


def is_plain(value: object) -> bool:
    """Whether the program knows the value while it runs: it is no Output, nothing to wait for, and no list of these."""
    if isinstance(value, (list, tuple)):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (str, bool, int, float))
