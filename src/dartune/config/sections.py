"""What every part of a recipe is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A number of things, as pools store it."""
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""What every library takes as a seed."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
"""What can name a folder on any system."""


class Section(BaseModel):
    """A part of a recipe: frozen, closed to unknown keys and to numbers that are none."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
