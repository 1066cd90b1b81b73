"""Published sets of responses as pools, to be analysed and trained on beside those that dartune sampled."""

from dartune.importing.run import ImportReport, import_pool
from dartune.importing.schemas import SCHEMAS

__all__ = ["SCHEMAS", "ImportReport", "import_pool"]
