"""Call sites of a Python file, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from registry.inventory.catalogue import NO_MODELS, OWN_PACKAGES, SDKS, Sdk, sdk_of
from registry.inventory.endpoints import model_api
from registry.inventory.governing import Gateways
from registry.inventory.python_addresses import Address, address_of
from registry.inventory.python_names import Names, Scope, dotted, read_names, root_of
from registry.inventory.sites import CallSite, shortened
from registry.inventory.suppressions import python_reasons, reason_for

_ADDRESS_ARGUMENTS = (
    "base_url", "api_base", "openai_api_base", "anthropic_api_url", "azure_endpoint", "endpoint_url", "endpoint", "host", "url",
    "server_url", "inference_server_url",
)  # fmt: skip
_HTTP_VERBS = frozenset(
    {"post", "request", "stream", "urlopen", "Request", "put", "fetch", "send", "ws_connect"}
)
_UNKNOWN = "Send it through a gateway: set base_url to Promptstore's serving address."


@dataclass(frozen=True, slots=True)
class _Match:
    """What a call is: the API in words, and the expression whose arguments say where it goes."""

    api: str
    provider: str
    client: ast.Call | None
    governed: bool = False


def python_sites(source: str, path: str, gateways: Gateways) -> list[CallSite]:
    """Every place of the file that asks a model, in order. Raises what `ast.parse` raises for what is no Python."""
    tree = ast.parse(source)
    names = read_names(tree)
    reader = _Reader(names, gateways)
    lines, reasons = source.splitlines(), python_reasons(source)
    found = []
    for call, scope in names.calls:
        match = reader.match(call, scope)
        if match is None:
            continue
        governed, why = (
            (True, "promptstore client") if match.governed else reader.governed(match, call, scope)
        )
        last = call.end_lineno or call.lineno
        found.append(
            CallSite(
                path=path,
                line=call.lineno,
                column=call.col_offset + 1,
                symbol=scope.symbol,
                api=match.api,
                snippet=shortened(" ".join(lines[call.lineno - 1 : min(last, call.lineno + 4)])),
                governed=governed,
                why=why,
                ignored=reason_for(reasons, call.lineno, last),
            )
        )
    return sorted(found, key=lambda site: (site.line, site.column))


class _Reader:
    """Decides calls of one file."""

    def __init__(self, names: Names, gateways: Gateways) -> None:
        self._names = names
        self._gateways = gateways
        imported = {found[0].name for full in names.imports.values() if (found := sdk_of(full))}
        self._imported = [sdk for sdk in SDKS if sdk.name in imported]

    def match(self, call: ast.Call, scope: Scope) -> _Match | None:
        name = dotted(call.func)
        if not name:
            return None
        full = self._names.full(name)
        if full:
            return self._own(full) or self._of_package(call, full) or self._raw(call, name, scope)
        return self._of_client(call, name, scope) or self._raw(call, name, scope)

    def governed(self, match: _Match, call: ast.Call, scope: Scope) -> tuple[bool, str]:
        """Whether the call's own arguments, or those that made its client, name a gateway; and how, or what to do."""
        for where in (call, match.client):
            if where is None:
                continue
            address = self._address(where, scope)
            if address is not None:
                if self._is_gateway(address):
                    return True, "the address is a gateway's"
                return False, _UNKNOWN
        if self._gateways.by_default(match.provider):
            return True, "the SDK's own variable holds a gateway's address"
        return False, _UNKNOWN

    @staticmethod
    def _own(full: str) -> _Match | None:
        """Our own client, where it is made."""
        package, _, name = full.rpartition(".")
        is_ours = any(package == own or package.startswith(f"{own}.") for own in OWN_PACKAGES)
        return (
            _Match("promptstore client", "promptstore", None, governed=True)
            if is_ours and name[:1].isupper()
            else None
        )

    def _of_package(self, call: ast.Call, full: str) -> _Match | None:
        """A function or a model class of an imported package, or a method of a client made on the spot."""
        found = sdk_of(full)
        if found is None:
            return None
        sdk, rest = found
        if rest in sdk.functions:
            return _Match(f"{sdk.name} {rest}", sdk.name, None)
        last = rest.rpartition(".")[2]
        is_model = last in sdk.models or (
            last.startswith(sdk.model_prefixes) if sdk.model_prefixes else False
        )
        if is_model and last not in NO_MODELS:
            return _Match(f"{sdk.name} {last}", sdk.name, call)
        return None

    def _of_client(self, call: ast.Call, name: str, scope: Scope) -> _Match | None:
        made, sdk, method = self._client(call, name, scope)
        if sdk is not None:
            return _Match(f"{sdk.name} {method}", sdk.name, made) if method in sdk.methods else None
        tail = name.partition(".")[2]
        for one in SDKS:
            known = one.distinct | (one.methods if one in self._imported else frozenset())
            fitting = [end for end in known if tail == end or tail.endswith(f".{end}")]
            # `chat` and `generate` are everybody's words: a client that is not seen being made does not count for those.
            if (
                fitting
                and (longest := max(fitting, key=len))
                and ("." in longest or "_" in longest or longest == "converse")
            ):
                return _Match(f"{one.name} {longest}", one.name, None)
        return None

    def _client(self, call: ast.Call, name: str, scope: Scope) -> tuple[ast.Call | None, Sdk | None, str]:
        """Of `client.a.b(…)`: the call that made `client`, its SDK, and `a.b`."""
        root = root_of(call.func)
        if isinstance(root, ast.Call):  # OpenAI().chat.completions.create(…)
            made, sdk = self._made(root, scope)
            return made, sdk, name.removeprefix("().")
        parts = name.split(".")
        for size in range(len(parts) - 1, 0, -1):
            found = scope.lookup(".".join(parts[:size]))
            if found is not None:
                made, sdk = self._made(found[0], found[1])
                if sdk is not None:
                    return made, sdk, ".".join(parts[size:])
        return None, None, ""

    def _made(self, value: ast.expr, scope: Scope) -> tuple[ast.Call | None, Sdk | None]:
        """The constructor call behind a value, through awaits, `with_options` and names, and the SDK it belongs to."""
        for _ in range(12):
            if isinstance(value, ast.Await):
                value = value.value
            elif isinstance(value, ast.Name | ast.Attribute):
                found = scope.lookup(dotted(value))
                if found is None or found[0] is value:
                    return None, None
                value, scope = found
            elif isinstance(value, ast.Call):
                full = self._names.full(dotted(value.func))
                sdk = sdk_of(full) if full else None
                if sdk is not None:
                    is_client = sdk[1].rpartition(".")[2] in sdk[0].clients or sdk[1] in {"client", "Session"}
                    return (value, sdk[0]) if is_client else (None, None)
                if not isinstance(value.func, ast.Attribute):
                    return None, None
                value = value.func.value
            else:
                return None, None
        return None, None

    def _raw(self, call: ast.Call, name: str, scope: Scope) -> _Match | None:
        """A request that is sent to a model API or a gateway by hand."""
        if name.rpartition(".")[2] not in _HTTP_VERBS:
            return None
        for argument in [*call.args[:2], *(one.value for one in call.keywords if one.arg == "url")]:
            address = address_of(argument, scope)
            provider = model_api(address.text)
            if provider:
                return _Match(f"http {provider}", "", None)
            whole = _whole_text(argument)
            if self._gateways.is_model_url(address.text) or (
                any(map(self._gateways.is_gateway_variable, address.variables)) and "/v1/" in whole
            ):
                return _Match("http promptstore", "", None, governed=True)
        return None

    def _address(self, call: ast.Call, scope: Scope) -> Address | None:
        for keyword in call.keywords:
            if keyword.arg in _ADDRESS_ARGUMENTS and not _is_none(keyword.value):
                return address_of(keyword.value, scope)
        return None

    def _is_gateway(self, address: Address) -> bool:
        return any(
            map(self._gateways.is_gateway_variable, address.variables)
        ) or self._gateways.is_gateway_url(address.text)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _whole_text(node: ast.expr) -> str:
    """The constant parts of an expression, joined: enough to see which path an address ends in."""
    return "".join(_texts(node))


def _texts(node: ast.expr) -> Iterator[str]:
    pending: list[ast.AST] = [node]
    for _ in range(200):
        if not pending:
            return
        one = pending.pop()
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        pending.extend(reversed(list(ast.iter_child_nodes(one))))
