"""Every action with its default keys: data, without Textual, so that cheat-sheets start at once.

The order is the order of the footer and of the help. Titles are what a footer has room for; helps
are one sentence. Nothing may be reachable only by `/ ? [ ] ; ' , .`: on a Russian layout these
keys type something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from desk.text import N_


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does. `title` and `help` are msgids; `keys` is Textual's "key,key"."""

    id: str
    keys: str
    title: str
    help: str
    #: Offered in the footer; the rest is found in the help and in the palette.
    footer: bool = False
    #: Works before the focused widget sees the key.
    priority: bool = False

    @property
    def group(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]

    @property
    def method(self) -> str:
        """The part of the id after the dot: Textual calls `action_<method>`."""
        return self.id.partition(".")[2]


#: Group id → title (msgid), in the order of the help.
GROUPS: dict[str, str] = {
    "cards": N_("Cards on the board"),
    "board": N_("Board"),
    "card": N_("Card"),
    "form": N_("Form"),
    "list": N_("List"),
    "table": N_("Table"),
    "office": N_("Personal data"),
    "person": N_("Person"),
    "dialog": N_("Dialog"),
    "lock": N_("Lock screen"),
    "app": N_("Everywhere"),
}

ACTIONS: tuple[Action, ...] = (
    Action("cards.open", "enter,e", N_("Open"), N_("Open the selected card."), footer=True),
    Action(
        "board.act",
        "space",
        N_("Actions"),
        N_("Choose what to do with the card: take it, hand it off, return it, close it."),
        footer=True,
    ),
    Action(
        "cards.move_left",
        "H,shift+left",
        N_("Move left"),
        N_("Move the card to the stage on the left."),
    ),
    Action(
        "cards.move_right",
        "L,shift+right",
        N_("Move"),
        N_("Move the card to the stage on the right."),
        footer=True,
    ),
    Action("board.new", "n,insert", N_("New"), N_("Create a new card."), footer=True),
    Action(
        "board.filter",
        "f",
        N_("Filter"),
        N_("Show only the cards that match a condition."),
        footer=True,
    ),
    Action("board.sort", "s", N_("Sort"), N_("Change the order of the cards.")),
    # A capital: playbooks give small letters to transitions, and `b` is a return in freight.
    Action("board.next_board", "B", N_("Next board"), N_("Go to the board of the next kind.")),
    Action("board.mine", "m", N_("Only mine"), N_("Show only the cards you are responsible for.")),
    Action("board.hint", "i,question_mark", N_("Hint"), N_("Explain the stage under the cursor.")),
    Action("cards.up", "k,up", N_("Up"), N_("Go to the card above.")),
    Action("cards.down", "j,down", N_("Down"), N_("Go to the card below.")),
    Action("cards.left", "h,left", N_("Left"), N_("Go to the stage on the left.")),
    Action("cards.right", "l,right", N_("Right"), N_("Go to the stage on the right.")),
    Action("cards.page_up", "pageup,ctrl+u", N_("Page up"), N_("Go one page of cards up.")),
    Action("cards.page_down", "pagedown,ctrl+d", N_("Page down"), N_("Go one page of cards down.")),
    Action("cards.top", "g,home", N_("To the top"), N_("Go to the first card of the stage.")),
    Action("cards.bottom", "G,end", N_("To the end"), N_("Go to the last card of the stage.")),
    Action("card.edit", "e,enter", N_("Edit"), N_("Fill in the fields of the card."), footer=True),
    Action(
        "card.act",
        "space",
        N_("Actions"),
        N_("Choose what to do with the card: take it, hand it off, return it, close it."),
        footer=True,
    ),
    Action("card.comment", "c", N_("Comment"), N_("Write a comment on the card."), footer=True),
    Action("card.linked", "o", N_("Linked"), N_("Open the linked card."), footer=True),
    # Capitals: playbooks give small letters to transitions.
    Action(
        "card.call",
        "D",
        N_("Call"),
        N_("Have the person’s number dialled, also where it is masked for you."),
    ),
    Action(
        "card.look",
        "V",
        N_("Show masked"),
        N_("Show a masked field for half a minute, for a stated purpose; it is journaled."),
    ),
    Action(
        "card.consents",
        "P",
        N_("Consents"),
        N_("Write down a consent, its withdrawal or a request for erasure."),
    ),
    Action("card.hint", "i,question_mark", N_("Hint"), N_("Explain the stage of the card.")),
    Action("card.next", "J,ctrl+down", N_("Next card"), N_("Open the next card of the stage.")),
    Action(
        "card.previous",
        "K,ctrl+up",
        N_("Previous card"),
        N_("Open the previous card of the stage."),
    ),
    Action("card.close", "escape,q", N_("Back"), N_("Go back to the board."), footer=True),
    Action(
        "form.save",
        "ctrl+s,f2",
        N_("Save"),
        N_("Check the form and save it."),
        footer=True,
        priority=True,
    ),
    Action("form.revert", "f7", N_("Discard draft"), N_("Throw away what was not saved.")),
    Action("form.hint", "f12", N_("Hint"), N_("Explain the field under the cursor."), footer=True),
    Action(
        "form.close",
        "escape",
        N_("Back"),
        N_("Leave the form; what you typed is kept as a draft."),
        footer=True,
    ),
    Action("list.open", "enter,e", N_("Open"), N_("Open the selected line."), footer=True),
    Action("list.retry", "r", N_("Repeat"), N_("Send the action once more."), footer=True),
    Action(
        "list.copy",
        "c",
        N_("To a draft"),
        N_("Put your text into a draft of the card, so that you can send it anew."),
        footer=True,
    ),
    Action(
        "list.discard",
        "d,delete",
        N_("Discard"),
        N_("Take the action out of the list; the card stays as the hub has it."),
        footer=True,
    ),
    Action("list.close", "escape,q", N_("Back"), N_("Go back."), footer=True),
    Action("table.open", "enter,e", N_("Open"), N_("Open the selected line."), footer=True),
    Action("table.up", "k,up", N_("Up"), N_("Go to the line above.")),
    Action("table.down", "j,down", N_("Down"), N_("Go to the line below.")),
    Action("table.page_up", "pageup,ctrl+u", N_("Page up"), N_("Go one page up.")),
    Action("table.page_down", "pagedown,ctrl+d", N_("Page down"), N_("Go one page down.")),
    Action("table.top", "g,home", N_("To the top"), N_("Go to the first line.")),
    Action("table.bottom", "G,end", N_("To the end"), N_("Go to the last line.")),
    Action(
        "office.act",
        "space",
        N_("Actions"),
        N_("Choose what to do with the selected line, or with the person."),
        footer=True,
    ),
    Action(
        "office.filter",
        "f",
        N_("Filter"),
        N_("Choose which lines are shown, or look somebody up by phone or e-mail."),
        footer=True,
    ),
    Action(
        "office.next_page",
        "right,l",
        N_("Next section"),
        N_("Go to the next section of personal data."),
        footer=True,
    ),
    Action("office.close", "escape,q", N_("Back"), N_("Go back to the board."), footer=True),
    Action("office.new", "n,insert", N_("Incident"), N_("Write down a new incident."), footer=True),
    Action("office.reload", "r", N_("Reload"), N_("Ask the hub anew."), footer=True),
    Action(
        "office.previous_page",
        "left,h",
        N_("Previous section"),
        N_("Go to the previous section of personal data."),
    ),
    Action(
        "person.act",
        "space",
        N_("Actions"),
        N_("Choose what to do: write a demand down, answer it, erase, save a copy of the data."),
        footer=True,
    ),
    Action("person.reload", "r", N_("Reload"), N_("Ask the hub anew."), footer=True),
    Action("person.close", "escape,q", N_("Back"), N_("Go back to the list."), footer=True),
    Action("dialog.accept", "enter,ctrl+s", N_("Confirm"), N_("Do it."), footer=True),
    Action("dialog.cancel", "escape", N_("Cancel"), N_("Change nothing and go back."), footer=True),
    Action(
        "lock.other",
        "f7",
        N_("Another operator"),
        N_("Let another operator of this workstation open his own desk."),
    ),
    Action("app.help", "f1", N_("Help"), N_("Show every key that works here."), footer=True),
    Action(
        "app.search",
        "f3,ctrl+f,slash",
        N_("Search"),
        N_("Find a card by name, phone, e-mail or number."),
        footer=True,
    ),
    Action(
        "app.inbox", "f6", N_("Inbox"), N_("Actions the hub refused, and conflicts."), footer=True
    ),
    Action("app.sync", "f5,ctrl+r", N_("Sync"), N_("Exchange changes with the hub now.")),
    Action(
        "app.checkup",
        "ctrl+t",
        N_("State of the exchange"),
        N_("See what waits to be sent and why, and what can be done about it."),
    ),
    Action(
        "app.officer",
        "ctrl+o",
        N_("Personal data"),
        N_("Open the officer’s place: consents, requests, incidents, journal."),
    ),
    Action(
        "app.sessions",
        "ctrl+b",
        N_("Sessions and password"),
        N_("End your sessions on other devices, or change your password."),
    ),
    Action("app.stop", "ctrl+g", N_("Stop loading"), N_("Stop what is being loaded; F5 goes on.")),
    Action("app.offline", "f9", N_("Offline"), N_("Work without the network, or go back to it.")),
    Action("app.theme", "f4", N_("Theme"), N_("Switch between the dark and the light theme.")),
    Action("app.language", "f11", N_("Language"), N_("Switch between Russian and English.")),
    Action("app.palette", "ctrl+p,f8", N_("Commands"), N_("Find any action by its name.")),
    Action("app.lock", "ctrl+l", N_("Lock"), N_("Lock the desk; nothing typed is lost.")),
    Action("app.quit", "ctrl+q,f10", N_("Quit"), N_("Leave the desk."), priority=True),
)
