"""What is said about a condition that cannot be understood."""

from collections.abc import Mapping


class ConditionError(ValueError):
    """The source is not a condition over the given names.

    `message` and `mend` (what to write instead; may be empty) are msgids, both to be filled with
    `args`; `position` counts characters of the source from 0. Texts quoted in the source are never
    repeated: they may be personal data.
    """

    def __init__(
        self, message: str, position: int, mend: str = "", args: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, position)
        self.message = message
        self.position = position
        self.mend = mend
        self._fill = dict(args or {})

    @property
    def args(self) -> dict[str, str]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What fills the braces of `message` and `mend`: names and operators of the source."""
        return self._fill

    def __str__(self) -> str:
        """The English sentence, with the position counted from 1 as people do."""
        text = f"{self.message.format(**self.args)} (character {self.position + 1})"
        return f"{text}. {self.mend.format(**self.args)}" if self.mend else text
