"""Defines `Provider`: one Twilio account, for programs that use several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi.runtime

from .errors import CallerIdError
from .settings import sources
from .settings.sources import PROVIDER_NAME_KEY, SETTINGS, SourcedValue
from .shadowing import explain_shadowing


class Provider(pulumi.ProviderResource):
    """One Twilio account, for the resources that name it: `opts=ResourceOptions(provider=...)`.

    A stack may have several. Their credentials may be Outputs of other resources. A preview that does not know them
    yet makes no request to Twilio. Pulumi runs a process for each Provider.

    A setting that is left out comes from the stack's config (`twilio:...`), or else from the environment
    (`TWILIO_...`). Credentials (an auth token, or an API key and its secret) come from one source: the first of
    arguments, config and environment that has them. Only the `account_sid` may come from another source. Credentials
    are ignored if their source names another `account_sid` than the one in effect. If `account_sid` is an Output, pass
    the credentials as arguments too: it can't be compared with the config's. For a subaccount's numbers, give the
    Provider the parent's auth token, and the resource the subaccount's `account_sid`.

    Unless they run the program (`--run-program`), `refresh` and `destroy` use the settings that the latest `up` stored.
    Environment variables are not stored: every command reads the current ones. The state encrypts `auth_token`,
    `api_secret`, `callback_auth_tokens` and `notify`, whether the program marks them as secrets or not.
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
        unverified: pulumi.Input[str] | None = None,
        preflight: pulumi.Input[bool] | None = None,
        default_region: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare an account.

        :param resource_name: The Provider's name in the stack.
        :param account_sid: The account, AC and 32 hexadecimal digits. Changing it replaces the Provider: its numbers
            are verified in the new account, then deleted from the old one with the old credentials.
        :param auth_token: The account's auth token.
        :param api_key: An API key of the account, SK and 32 hexadecimal digits. Requests use it in place of the auth
            token. An auth token beside it verifies callbacks' signatures, and is used for subaccounts.
        :param api_secret: The secret of the API key.
        :param api_url: Another base URL of Twilio's API, such as a sandbox's.
        :param callback_url: The public URL of a tunnel or ingress that leads to `callback_listen`; at most 900
            characters. Without this URL, Twilio is asked every second how a phone call stands.
        :param callback_listen: `host:port` to receive callbacks at. Default: 127.0.0.1:8585. Providers that wait for
            phone calls at the same time each need their own address, and so does the stack's default provider.
        :param callback_auth_tokens: Further auth tokens that may have signed callbacks: a list, or text with commas
            between them.
        :param notify: Apprise URLs that get the code and the outcome: a list, or text with spaces between them. An
            empty list overrides the stack's config: nobody is notified.
        :param adopt: Whether to take over numbers that are verified already, if a resource has no `adopt` of its own.
        :param unverified: What becomes of a number that nobody verifies: `fail` (default), or `await`. With `await`,
            the rest of the stack is deployed, and the next `pulumi up` takes the number over or calls again.
        :param preflight: Whether previews ask Twilio which numbers are verified already.
        :param default_region: The country, such as DE, whose numbers may be written without country code.
        :param opts: Pulumi's options.

        Raises `pulumi.RunError` for a plain value that is not valid. Outputs and missing settings are checked before
        the first request to Twilio.

        Source: Twilio docs, usage/requests-to-twilio and iam/api-keys.
        """
        values = locals()
        arguments = {name: values[name] for name in SETTINGS}
        self._config = _UnprintedDict(resolve_config(resource_name, arguments))
        secret_keys = {setting.key for setting in SETTINGS.values() if setting.secret}
        props = {
            key: pulumi.Output.secret(value) if key in secret_keys or pulumi.runtime.is_config_secret(key) else value
            for key, value in self._config.items()
        }
        # Changing the account replaces the provider. If the provider were updated in place, Pulumi would delete the old
        # account's numbers with the credentials of the new account, which Twilio refuses.
        replace_with_account = pulumi.ResourceOptions(replacement_trigger=props.get(SETTINGS["account_sid"].key))
        opts = pulumi.ResourceOptions.merge(replace_with_account, opts)
        super().__init__("pulumi-python", resource_name, props, opts)  # the package of dynamic providers


class _UnprintedDict(dict[str, Any]):
    """A dict that does not print its values: they may be plain secrets, and a program may print all attributes."""

    def __repr__(self) -> str:
        return "{...}"


def config_of(provider: Provider) -> dict[str, Any]:
    """Return a Provider's settings by config key. Outputs stay Outputs."""
    return dict(provider._config)


def resolve_config(provider_name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of the provider's plugin process: the arguments, completed from the stack's config.

    It also has the provider's name, for messages. Raises `pulumi.RunError` for a plain value that is not valid.
    """
    explicit = sources.sourced_values(sources.config_source(provider_name), arguments)
    settings = sources.merge(explicit, sources.from_config(pulumi.runtime.get_config))
    for name, given in {**settings, **explicit}.items():  # `merge` drops unused credentials: they are validated too
        if is_plain(given.value):
            _validate(name, given)
    return {PROVIDER_NAME_KEY: provider_name, **{SETTINGS[name].key: given.value for name, given in settings.items()}}


def _validate(name: str, given: SourcedValue) -> None:
    try:
        with explain_shadowing():
            from .settings.model import validate_setting  # late, with pydantic: most programs declare no Provider

            validate_setting(name, given)
    except CallerIdError as refused:
        raise pulumi.RunError(str(refused)) from None


def is_plain(value: object) -> bool:
    """Whether the program knows the value while it runs: it is no Output or awaitable, nor a list with one in it."""
    if isinstance(value, (list, tuple)):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (str, bool, int, float))
