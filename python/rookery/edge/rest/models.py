"""What every operation of an edge service answers with."""

from __future__ import annotations

from pydantic import Field

from rookery.web.models import Row


class Done(Row):
    """It is done. A refused request has the number of the error, and the same for people."""

    error: int = Field(default=0, description="0, or what went wrong.", examples=[0])


class Refused(Row):
    """What every refused request gets."""

    error: int = Field(description="What went wrong, for programs.", examples=[2003])
    message: str = Field(description="The same for people.", examples=["there is no node plc"])
    message_zh: str | None = Field(
        default=None,
        description="Of deliveries: the same in Chinese, and `message` in English.",
        examples=[None],
    )
    index: int | None = Field(
        default=None,
        description="Of a list: the element that is wrong; those before it are kept (status 206).",
        examples=[None],
    )


DONE = Done()
