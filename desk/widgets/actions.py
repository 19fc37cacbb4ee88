"""The registry of actions: what a person can do with a key, in one table.

`action_table.ACTIONS` feeds bindings, footer, help, command palette and cheat-sheets. A user's
`keys.toml` changes keys for all of them at once. An action that is not possible now stays where it
is, dimmed, and says why when its key is pressed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.actions import ActionParseResult
from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode

from desk.text import _
from desk.widgets.action_table import ACTIONS, GROUPS, Action
from desk.widgets.keynames import read_keys

if TYPE_CHECKING:
    from textual.screen import Screen

_BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

__all__ = ["ACTIONS", "GROUPS", "Acting", "Action", "ActionApp", "Live", "bind", "bindings", "live"]


def bindings(*groups: str) -> list[BindingType]:
    """The `BINDINGS` of a widget or screen that carries out the actions of `groups`.

    An action `board.move_left` calls the method `action_move_left`. Titles are msgids: they are
    translated where they are shown.
    """
    unknown = set(groups) - GROUPS.keys()
    if unknown:
        raise ValueError(f"no such groups of actions: {', '.join(sorted(unknown))}")
    return [
        Binding(
            action.keys,
            action.method,
            action.title,
            show=action.footer,
            priority=action.priority,
            tooltip=action.help,
            id=action.id,
        )
        for action in ACTIONS
        if action.group in groups
    ]


def bind(
    node: DOMNode,
    keys: str,
    action: str,
    title: str,
    help: str = "",  # noqa: A002
    *,
    footer: bool = True,
) -> None:
    """Bind `keys` on one `node` to what its data offers (a playbook's transition with a hotkey).

    `action` is Textual's action string; `title` and `help` are shown as they are.
    """
    for binding in Binding.make_bindings([Binding(keys, action, title, show=footer, tooltip=help)]):
        node._bindings.key_to_bindings.setdefault(binding.key, []).append(binding)  # pyright: ignore[reportPrivateUsage]


class Acting:
    """Mixin of a widget or screen that carries out actions and knows which are not possible now.

    Not a `DOMNode` itself: Textual would take default CSS from it instead of from the widget.
    """

    #: The groups whose actions this node carries out; give them to `bindings` too.
    ACTION_GROUPS: ClassVar[tuple[str, ...]] = ()

    def why_not(self, action: str) -> str | None:
        """Why the action with the id `action` is not possible now, translated; `None` if it is.

        Called for every action whenever keys are shown: answer from memory.
        """
        del action
        return None


@dataclass(frozen=True, slots=True)
class Live:
    """An action as it can be reached right now."""

    keys: tuple[str, ...]
    title: str
    help: str
    group: str
    footer: bool
    #: Why it is not possible now; `None` if it is.
    reason: str | None
    #: Textual's action string and the node that carries it out.
    action: str
    node: DOMNode
    #: Its id in the registry; `None` for what a playbook offers.
    id: str | None = None


def live(screen: Screen[object]) -> list[Live]:
    """Every action that a key reaches on `screen`, the nearest to the focus first."""
    found: dict[tuple[int, str], Live] = {}
    for key, active in screen.active_bindings.items():
        binding, node = active.binding, active.node
        if binding.system or not binding.description or _is_textuals_own(node):
            continue
        known = _BY_ID.get(binding.id or "")
        place = (id(node), binding.id or binding.action)
        if place in found:
            found[place] = replace(found[place], keys=(*found[place].keys, key))
            continue
        found[place] = Live(
            keys=(key,),
            title=_(known.title) if known else binding.description,
            help=_(known.help) if known else binding.tooltip,
            group=_(GROUPS[known.group]) if known else "",
            footer=known.footer if known else binding.show,
            reason=reason_of(node, binding.action, active.enabled),
            action=binding.action,
            node=node,
            id=known.id if known else None,
        )
    return list(found.values())


def _is_textuals_own(node: DOMNode) -> bool:
    """Whether the bindings are those of a ready-made widget, whose words are English only."""
    return type(node).__module__.startswith("textual.")


def reason_of(node: DOMNode, action: str, enabled: bool = True) -> str | None:
    """Why `node` cannot carry out `action` (a method's name) now; `None` if it can."""
    if isinstance(node, Acting):
        for group in node.ACTION_GROUPS:
            if f"{group}.{action}" in _BY_ID:
                return node.why_not(f"{group}.{action}")
    return None if enabled else _("Not possible now")


class ActionApp(App[None]):
    """An application whose disabled actions say why, and whose keys a person may change."""

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Carry out `action`, or say why it is not possible."""
        if isinstance(action, str) and isinstance(default_namespace, Acting):
            reason = reason_of(default_namespace, action)
            if reason is not None:
                self.say_why(reason)
                return True
        return await super().run_action(action, default_namespace, namespaces)

    def use_keys(self, path: Path) -> None:
        """Take the keys of a user's file, or say in one line what is wrong with it."""
        keymap, problem = read_keys(path)
        self.set_keymap(keymap)
        if problem:
            self.notify(problem, severity="error", timeout=15)

    def say_why(self, reason: str) -> None:
        """Tell the reason why the pressed key does nothing."""
        self.notify(reason, severity="warning", timeout=4)
