"""Speaks OPC UA with asyncua."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import Client, ua
from asyncua.common.subscription import Subscription
from asyncua.crypto import security_policies, uacrypto
from cryptography import x509

from rookery.edge.drivers.base import Driver, LinkLost, NoAnswer, Reading, Refused
from rookery.edge.drivers.opcua import settings
from rookery.edge.drivers.opcua.address import node_id
from rookery.edge.drivers.opcua.values import TYPES, tag_value, variant
from rookery.edge.errors import NOT_READY, READ_FAILURE, TYPE_MISMATCH
from rookery.edge.model import Browsed, Tag, Value
from rookery.words import Words

# It tells of every connection that is lost on its own.
logging.getLogger("asyncua").setLevel(logging.CRITICAL)

NODES_OF_READ_MAX = 500
BROWSED_MAX = 2000
ROOT = "ns=0;i=85"
"""The Objects folder."""

_POLICIES = {
    settings.BASIC256SHA256: security_policies.SecurityPolicyBasic256Sha256,
    settings.AES128: security_policies.SecurityPolicyAes128Sha256RsaOaep,
    settings.AES256: security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_UNREACHABLE = Words("{url} cannot be reached: {reason}", "无法连接 {url}：{reason}")
_LATE = Words("{url} does not answer", "{url} 无应答")
_REFUSED = Words("the server answered {reason}", "服务器应答 {reason}")
_CERTIFICATE = Words(
    "the certificate or the key cannot be used: {reason}", "证书或私钥无法使用：{reason}"
)
_NO_ID = Words("{id} is no node id", "{id} 不是节点 ID")
# Of the connection, not of a node.
_LOST = frozenset(
    {
        ua.StatusCodes.BadSessionIdInvalid,
        ua.StatusCodes.BadSessionClosed,
        ua.StatusCodes.BadSessionNotActivated,
        ua.StatusCodes.BadSecureChannelIdInvalid,
        ua.StatusCodes.BadSecureChannelClosed,
        ua.StatusCodes.BadConnectionClosed,
        ua.StatusCodes.BadServerHalted,
        ua.StatusCodes.BadShutdown,
    }
)


@dataclass(slots=True)
class Plan:
    """Nodes of a group, each with its tags."""

    tags: Sequence[Tag]
    nodes: Sequence[ua.NodeId]


class _Changes:
    """What the server has told."""

    def __init__(self) -> None:
        self.values: dict[ua.NodeId, ua.DataValue] = {}

    def datachange_notification(self, node: Any, _value: Any, data: Any) -> None:
        self.values[node.nodeid] = data.monitored_item.Value


class OpcUa(Driver[Plan]):
    """One session with one server."""

    def __init__(self, setting: Mapping[str, Any]) -> None:
        self._setting = setting
        self._url = setting["url"]
        self._client: Client | None = None
        self._is_told = setting["update_mode"] == settings.SUBSCRIBE
        self._changes = _Changes()
        self._subscription: Subscription | None = None
        self._told: dict[ua.NodeId, int] = {}
        self._variants: dict[ua.NodeId, ua.VariantType] = {}

    # -- connection ----------------------------------------------------------------------

    async def connect(self) -> None:
        setting = self._setting
        timeout_s = setting["timeout"] / 1000
        client = Client(self._url, timeout=timeout_s)
        if setting["username"]:
            client.set_user(setting["username"])
            client.set_password(setting["password"] or "")
        if setting["security_policy"] != settings.NONE:
            await self._secure(client)
        async with self._connecting():
            await client.connect()
        self._client = client

    async def _secure(self, client: Client) -> None:
        setting = self._setting
        certificate = base64.b64decode(setting["cert"])
        server = setting["server_cert"]
        try:
            found = await uacrypto.load_certificate(certificate, _format(certificate))
            client.application_uri = _application_uri(found) or client.application_uri
            key = base64.b64decode(setting["key"])
            pinned = base64.b64decode(server) if server else None
            arguments = (
                _POLICIES[setting["security_policy"]],
                uacrypto.CertProperties(certificate, _format(certificate)),
                uacrypto.CertProperties(key, _format(key)),
            )
        except (ValueError, TypeError) as error:
            raise LinkLost(_CERTIFICATE.format(reason=error)) from None
        async with self._connecting():
            await client.set_security(
                *arguments,
                server_certificate=(
                    uacrypto.CertProperties(pinned, _format(pinned)) if pinned else None
                ),
                mode=ua.MessageSecurityMode(setting["security_mode"]),
            )

    @contextlib.asynccontextmanager
    async def _connecting(self) -> AsyncIterator[None]:
        try:
            yield
        except TimeoutError:
            raise LinkLost(_LATE.format(url=self._url)) from None
        except ua.UaStatusCodeError as error:
            reason = _status(error.code)
            raise LinkLost(_UNREACHABLE.format(url=self._url, reason=reason)) from None
        except (OSError, ua.UaError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise LinkLost(_UNREACHABLE.format(url=self._url, reason=reason)) from None

    async def close(self) -> None:
        client, self._client = self._client, None
        self._subscription = None
        self._told.clear()
        self._changes.values.clear()
        self._variants.clear()
        if client is not None:
            with contextlib.suppress(OSError, ua.UaError, TimeoutError):
                async with asyncio.timeout(self._setting["timeout"] / 1000):
                    await client.disconnect()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Client]:
        client = self._client
        if client is None:
            raise LinkLost(_LATE.format(url=self._url))
        try:
            yield client
        except TimeoutError:
            raise NoAnswer(_LATE.format(url=self._url)) from None
        except ua.UaStatusCodeError as error:
            words = _REFUSED.format(reason=_status(error.code))
            raise (LinkLost if error.code in _LOST else Refused)(words) from None
        except (OSError, ua.UaError) as error:
            reason = str(error) or type(error).__name__
            raise LinkLost(_UNREACHABLE.format(url=self._url, reason=reason)) from None

    # -- read ----------------------------------------------------------------------------

    def plan(self, tags: Sequence[Tag]) -> Plan:
        return Plan(tags, [ua.NodeId.from_string(node_id(tag)) for tag in tags])

    async def read(self, plan: Plan) -> Reading:
        if self._is_told:
            await self._listen(plan)
            known = self._changes.values
            found = [known.get(node) or self._refusal(node) for node in plan.nodes]
            with self._asking() as client:
                await client.check_connection()
        else:
            found = []
            with self._asking() as client:
                for start in range(0, len(plan.nodes), NODES_OF_READ_MAX):
                    part = list(plan.nodes[start : start + NODES_OF_READ_MAX])
                    found += await client.uaclient.read_attributes(part, ua.AttributeIds.Value)
        reading = Reading()
        for tag, data in zip(plan.tags, found, strict=True):
            _take(tag, data, reading)
        return reading

    def _refusal(self, node: ua.NodeId) -> ua.DataValue | None:
        """What the server said instead of watching a node; none where a value is on its way."""
        code = self._told.get(node, 0)
        return ua.DataValue(StatusCode_=ua.StatusCode(code)) if code else None

    async def _listen(self, plan: Plan) -> None:
        """Have the server tell of nodes that nobody asked for yet."""
        fresh = list(dict.fromkeys(node for node in plan.nodes if node not in self._told))
        if not fresh:
            return
        sampling_ms = self._setting["sampling_interval"]
        with self._asking() as client:
            if self._subscription is None:
                self._subscription = await client.create_subscription(sampling_ms, self._changes)
            for start in range(0, len(fresh), NODES_OF_READ_MAX):
                part = fresh[start : start + NODES_OF_READ_MAX]
                nodes = [client.get_node(node) for node in part]
                made = await self._subscription.subscribe_data_change(
                    nodes, queuesize=1, sampling_interval=sampling_ms
                )
                for node, handle in zip(
                    part, made if isinstance(made, list) else [made], strict=True
                ):
                    refused = isinstance(handle, ua.StatusCode)
                    self._told[node] = handle.value if refused else 0

    # -- write ---------------------------------------------------------------------------

    async def write(self, tag: Tag, value: Value) -> None:
        with self._asking() as client:
            node = client.get_node(node_id(tag))
            kind = self._variants.get(node.nodeid)
            if kind is None:
                kind = await node.read_data_type_as_variant_type()
                self._variants[node.nodeid] = kind
            try:
                data = ua.DataValue(variant(value, kind))
            except (ValueError, TypeError) as error:
                raise Refused(str(error)) from None
            await node.write_attribute(ua.AttributeIds.Value, data)

    # -- browse --------------------------------------------------------------------------

    async def browse(self, parent: str) -> Sequence[Browsed]:
        with self._asking() as client:
            try:
                node = client.get_node(parent or ROOT)
            except ua.UaStringParsingError:
                raise Refused(_NO_ID.format(id=parent)) from None
            found = await node.get_references(
                refs=ua.ObjectIds.HierarchicalReferences,
                direction=ua.BrowseDirection.Forward,
                nodeclassmask=ua.NodeClass.Object | ua.NodeClass.Variable,
            )
            found = found[:BROWSED_MAX]
            variables = [one.NodeId for one in found if one.NodeClass is ua.NodeClass.Variable]
            kinds = await _attributes(client, variables, ua.AttributeIds.DataType)
            levels = await _attributes(client, variables, ua.AttributeIds.UserAccessLevel)
        return [_browsed(one, kinds, levels) for one in found]


async def _attributes(
    client: Client, nodes: list[ua.NodeId], attribute: ua.AttributeIds
) -> dict[ua.NodeId, Any]:
    if not nodes:
        return {}
    found = await client.uaclient.read_attributes(nodes, attribute)
    return {
        node: data.Value.Value
        for node, data in zip(nodes, found, strict=True)
        if data.Value is not None and data.StatusCode.is_good()
    }


def _browsed(
    one: ua.ReferenceDescription, kinds: Mapping[Any, Any], levels: Mapping[Any, Any]
) -> Browsed:
    kind = kinds.get(one.NodeId)
    number = kind.Identifier if kind is not None and kind.NamespaceIndex == 0 else 0
    is_object = one.NodeClass is ua.NodeClass.Object
    writable = 1 << ua.AccessLevel.CurrentWrite
    return Browsed(
        id=one.NodeId.to_string()
        if one.NodeId.NamespaceIndex
        else f"ns=0;{one.NodeId.to_string()}",
        name=one.DisplayName.Text or one.BrowseName.Name or "",
        has_children=is_object,
        type=None if is_object else TYPES.get(number),
        is_writable=bool((levels.get(one.NodeId) or 0) & writable),
    )


def _take(tag: Tag, data: ua.DataValue | None, reading: Reading) -> None:
    if data is None:
        reading.errors[tag.name] = NOT_READY.number
        return
    status = data.StatusCode
    if status is not None and not status.is_good() and not status.is_uncertain():
        reading.errors[tag.name] = READ_FAILURE.number
        return
    value = None if data.Value is None else tag_value(tag.type, data.Value.Value)
    if value is None:
        reading.errors[tag.name] = TYPE_MISMATCH.number
    else:
        reading.values[tag.name] = value


def _status(code: int) -> str:
    return str(ua.status_codes.get_name_and_doc(code)[0])


def _format(content: bytes | None) -> str:
    return "pem" if content is not None and content.lstrip().startswith(b"-----BEGIN") else "der"


def _application_uri(certificate: x509.Certificate) -> str:
    """The server compares what the client calls itself with what its certificate says."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ""
    found = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    return found[0] if found else ""
