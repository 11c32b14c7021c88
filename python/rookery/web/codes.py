"""Every error code of the REST interface: its usual HTTP status and what it means.

EMQX's codes keep EMQX's meaning. ``GET /error_codes`` shows this table, the OpenAPI document and
``rookery.web.errors`` read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ErrorCode(NamedTuple):
    """One code."""

    status: int
    description: str


ERROR_CODES: Mapping[str, ErrorCode] = {
    # Who asks.
    "AUTHORIZATION_HEADER_ERROR": ErrorCode(401, "No usable Authorization header"),
    "BAD_API_KEY_OR_SECRET": ErrorCode(401, "Bad API key or secret"),
    "API_KEY_NOT_ALLOW": ErrorCode(401, "API keys may not do this; sign in as a user"),
    "BAD_TOKEN": ErrorCode(401, "The token is not known, or was revoked"),
    "TOKEN_TIME_OUT": ErrorCode(401, "The token has expired; sign in again"),
    "BAD_USERNAME_OR_PWD": ErrorCode(401, "Bad username or password"),
    "BAD_SSO_CODE": ErrorCode(401, "The sign-in code is not known, was used, or has expired"),
    "LOGIN_LOCKED": ErrorCode(401, "Too many bad passwords; try again later"),
    "PASSWORD_CHANGE_REQUIRED": ErrorCode(403, "Change the password first"),
    "UNAUTHORIZED_ROLE": ErrorCode(403, "The role of the caller does not allow this"),
    "FORBIDDEN": ErrorCode(403, "This is not allowed"),
    "CROSS_ORIGIN": ErrorCode(403, "Pages of other origins may not use this interface"),
    # What is asked.
    "BAD_REQUEST": ErrorCode(400, "Request parameters are invalid"),
    "INVALID_PARAMS": ErrorCode(400, "Parameters are invalid"),
    "INVALID_PARAMETER": ErrorCode(400, "A parameter is invalid"),
    "BAD_CONFIG": ErrorCode(400, "The configuration cannot be used"),
    "BAD_CONFIG_SCHEMA": ErrorCode(400, "The configuration does not fit its schema"),
    "BAD_NODE_NAME": ErrorCode(400, "Bad node name"),
    "BAD_RPC": ErrorCode(400, "A node could not be asked"),
    "BAD_TOPIC": ErrorCode(400, "Topic syntax error, or no such topic name"),
    "INVALID_TOPIC_NAME": ErrorCode(400, "That is no topic name"),
    "INVALID_NODE": ErrorCode(400, "There is no such node"),
    "BAD_PLUGIN_INFO": ErrorCode(400, "The archive is no plugin"),
    "BAD_LISTENER_ID": ErrorCode(400, "Bad listener id"),
    "MOVE_FAILED": ErrorCode(400, "The plugin cannot be moved there"),
    "PLUGIN_FAILED": ErrorCode(400, "The plugin does not start, or refuses"),
    "ALREADY_INSTALLED": ErrorCode(400, "The plugin is installed already"),
    "ERROR_PWD_NOT_MATCH": ErrorCode(400, "The old password is wrong"),
    "INVALID_ID": ErrorCode(400, "Bad id"),
    "MESSAGE_ID_SCHEMA_ERROR": ErrorCode(400, "Bad message id"),
    "INVALID_ACCEPT": ErrorCode(400, "No form of the answer that is asked for"),
    "NO_DEFAULT_VALUE": ErrorCode(400, "There is no default value to go back to"),
    "DEPENDENCY_EXISTS": ErrorCode(400, "Something else depends on it"),
    "TEST_FAILED": ErrorCode(400, "The test of the settings failed"),
    "UPDATE_FAILED": ErrorCode(400, "The update was refused"),
    "NOT_ALLOWED": ErrorCode(400, "This cannot be done to this one"),
    "NOT_MATCH": ErrorCode(412, "The conditions do not match"),
    "EXCEED_LIMIT": ErrorCode(413, "More than the limit allows"),
    "UNSUPPORTED_MEDIA_TYPE": ErrorCode(415, "The body has a content type that is not taken here"),
    "METHOD_NOT_ALLOWED": ErrorCode(405, "The path is known, the method is not"),
    # What is there.
    "NOT_FOUND": ErrorCode(404, "Not found"),
    "CLIENTID_NOT_FOUND": ErrorCode(404, "Client id not found"),
    "CLIENT_NOT_FOUND": ErrorCode(404, "Client not found"),
    "MESSAGE_ID_NOT_FOUND": ErrorCode(404, "Message id not found"),
    "MESSAGE_NOT_FOUND": ErrorCode(404, "No message waits for that topic"),
    "RESOURCE_NOT_FOUND": ErrorCode(404, "Resource not found"),
    "TOPIC_NOT_FOUND": ErrorCode(404, "Topic not found"),
    "USER_NOT_FOUND": ErrorCode(404, "User not found"),
    "UNREGISTERED": ErrorCode(410, "The agent was removed; it needs a new registration token"),
    "ALREADY_EXISTS": ErrorCode(409, "It exists already"),
    "DUPLICATE_CONDITION": ErrorCode(409, "There is one about the same already"),
    "CONFLICT": ErrorCode(409, "What is there stands against it"),
    # The node.
    "INTERNAL_ERROR": ErrorCode(500, "Server internal error; the log says more"),
    "RESET_FAILED": ErrorCode(500, "The reset failed"),
    "NOT_AVAILABLE": ErrorCode(501, "Known, but not part of this version"),
    "SERVICE_UNAVAILABLE": ErrorCode(503, "Service unavailable"),
    "SOURCE_ERROR": ErrorCode(503, "A source of data failed"),
    "NODE_EVACUATING": ErrorCode(503, "The node is being emptied"),
    "CLIENT_NOT_RESPONSE": ErrorCode(504, "The client does not answer"),
    "TIMEOUT": ErrorCode(504, "The answer did not come in time"),
}
