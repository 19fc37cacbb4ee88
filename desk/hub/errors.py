"""What can be wrong with a request or with the hub itself, as a code with arguments."""

from collections.abc import Mapping


class HubProblem(Exception):
    """A request that is not answered; ``code`` is one of ``desk.protocol.problems``."""

    def __init__(
        self,
        status: int,
        code: str,
        args: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.arguments = dict(args or {})
        self.headers = dict(headers or {})


class SetupError(Exception):
    """A hub that cannot be set up or used so.

    Codes: ``not_set_up``, ``already_set_up``, ``unreachable``, ``unsupported_url``,
    ``user_exists``, ``bad_user_name``, ``unknown_role``, ``no_such_user``, ``no_such_holder``,
    ``stages_in_use``, ``roles_in_use``, ``text_changed``, ``weak_password``; of the keys:
    ``key_needed``, ``key_missing``, ``key_readable``, ``key_broken``, ``key_wrong``,
    ``key_next_needed``, ``keys_missing``, ``keys_of_another``, ``reader_role_needed``,
    ``unknown_kind``, ``file_exists``, ``file_unwritable``.
    """

    def __init__(self, code: str, args: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.arguments = dict(args or {})


def where(error: BaseException) -> str:
    """Type and place of an error, without its text: values and personal data stay out of logs."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} in {place}" if place else type(error).__name__
