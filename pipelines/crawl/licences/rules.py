"""The table `[crawl.licences]`: which licences a corpus may have."""

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from pipelines.config import StageConfig
from pipelines.crawl.licences.expressions import is_allowed, permissive, spelled


def _spelled(expression: str) -> str:
    found = spelled(expression)
    if expression and not found:
        raise ValueError("no SPDX expression, such as `MIT`, `Apache-2.0 OR MIT` or `LicenseRef-OurTerms`: "
                         "see https://spdx.org/licenses")  # fmt: skip
    return found


StatedLicence = Annotated[str, AfterValidator(_spelled)]  # what the user says of a source; may be empty


class LicenceRules(StageConfig):
    permissive_only: bool = False  # whether repositories under any other licence are dropped
    permissive: tuple[str, ...] = Field(default_factory=permissive)  # by default Blue Oak Council's list
    keep_unknown: bool = False  # whether `permissive_only` keeps repositories of which no licence is known

    @field_validator("permissive")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if spelled(name) != name]
        if unknown:
            hint = f"; SPDX writes it {found}" if (found := spelled(unknown[0])) else ": see https://spdx.org/licenses"
            raise ValueError(f"{unknown[0]!r} is no identifier of the SPDX list{hint}")
        return names

    def refuse(self, expression: str) -> bool:
        """Whether a repository under `expression` (empty: unknown) stays out of the corpus."""
        if not self.permissive_only:
            return False
        if not expression:
            return not self.keep_unknown
        return not is_allowed(spelled(expression) or expression, self.permissive)
