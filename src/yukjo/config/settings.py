"""What every table of settings is, and the types that several of them share."""

from typing import Annotated

from pydantic import ConfigDict, Field

from yukjo.records import Frozen

Share = Annotated[float, Field(ge=0, lt=1)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class Settings(Frozen):
    """A table of settings; its numbers are finite, so that a run can record them as JSON."""

    model_config = ConfigDict(allow_inf_nan=False)
