"""What may be written after `desk`: every command with its options and its help."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, HelpFormatter, Namespace
from collections.abc import Sequence
from typing import NoReturn

from desk import __version__, text
from desk.commands.failure import USAGE
from desk.text import N_, _

#: What argparse says: it asks gettext for these, and marking them puts them in the catalogue.
ARGPARSE = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("show this help message and exit"),
    N_("show program's version number and exit"),
    N_("unrecognized arguments: %s"),
    N_("the following arguments are required: %s"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("expected one argument"),
    N_("expected at least one argument"),
    N_("not allowed with argument %s"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
)


class _Parser(ArgumentParser):
    """One line about what is wrong, and where to read more."""

    def error(self, message: str) -> NoReturn:
        line = _("{message}. Help: {command} --help").format(message=message, command=self.prog)
        print(line, file=sys.stderr)
        sys.exit(USAGE)


class _Formatter(HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)


def parse(arguments: Sequence[str]) -> Namespace:
    """What the words ask for: `handler` names the module and the function of the command.

    Raises `SystemExit` where they ask for help, or for nothing that there is.
    """
    return _parser().parse_args(arguments, _defaults())


def _parser() -> ArgumentParser:
    common = _common()
    parser = _Parser(
        prog="desk",
        description=_("Boards and cards of a call center; without a command, the application."),
        parents=[common],
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"desk {__version__}")
    parser.set_defaults(handler="application:run")
    commands = _Commands(parser, common)
    _add_account(commands)
    _add_cards(commands)
    _add_work(commands)
    _add_persons(commands)
    commands.add("keys", "application:keys", _("the keys of the application, as Markdown"))
    _add_vault(commands)
    _add_demo(commands)
    _add_hub(commands)
    return parser


def _common() -> _Parser:
    """Options that stand before or after the command; only what was given is set."""
    common = _Parser(add_help=False, argument_default=SUPPRESS)
    common.add_argument("--profile", metavar="DIR", help=_("the desk's folder (or DESK_HOME)"))
    common.add_argument("--lang", choices=text.LANGUAGES, help=_("language"))
    common.add_argument("--json", action="store_true", help=_("print the result as JSON"))
    return common


def _defaults() -> Namespace:
    """What counts where an option was given nowhere.

    Not the parser's own defaults: the commands share these options, and would set them again.
    """
    return Namespace(profile=None, lang=None, json=False)


class _Commands:
    """The commands of one parser, each with the common options."""

    def __init__(self, parser: ArgumentParser, common: _Parser) -> None:
        self.common = common
        self._commands = parser.add_subparsers(metavar=_("COMMAND"), parser_class=_Parser)

    def add(self, name: str, handler: str, summary: str, more: str = "") -> ArgumentParser:
        parser = self._commands.add_parser(
            name,
            help=summary,
            description=f"{summary}. {more}" if more else summary,
            parents=[self.common],
            formatter_class=_Formatter,
        )
        parser.set_defaults(handler=handler)
        return parser


def _add_account(commands: _Commands) -> None:
    login = commands.add("login", "account:login", _("sign in at a hub"))
    login.add_argument("--hub", metavar="URL", help=_("the hub's address"))
    login.add_argument("--user", metavar="NAME", help=_("your name at the hub"))
    login.add_argument("--password-file", metavar="F", help=_("file with the password"))
    login.add_argument("--enrolment-file", metavar="F", help=_("file with the device's code"))
    login.add_argument("--code-file", metavar="F", help=_("file with the authenticator's code"))
    login.add_argument("--ca-file", metavar="F", help=_("the company's certificate authority, PEM"))
    commands.add("logout", "account:logout", _("end the session; cards and unsent work stay"))
    sessions = _group(commands, "sessions", _("your sessions at the hub"), handler="own:sessions")
    revoke = sessions.add("revoke", "own:revoke", _("end one of your sessions"))
    revoke.add_argument("id", metavar="ID", help=_("the session's id or its beginning"))
    password = commands.add("password", "own:password", _("change your password"))
    password.add_argument("--password-file", metavar="F", help=_("file with the password"))
    password.add_argument("--new-password-file", metavar="F", help=_("file with the new one"))
    factor = commands.add("second-factor", "own:second_factor", _("set up an authenticator"))
    factor.add_argument("--password-file", metavar="F", help=_("file with the password"))
    sync = commands.add(
        "sync",
        "exchange:sync",
        _("send what waits and fetch what is new"),
        _("Goes on until nothing waits and nothing more comes. Ctrl+C ends it and loses nothing."),
    )
    sync.add_argument("--once", action="store_true", help=_("one exchange, whatever comes of it"))
    sync.add_argument("--verbose", action="store_true", help=_("tell each step on stderr"))
    commands.add("status", "account:status", _("who, where, and what waits"))
    doctor = commands.add(
        "doctor",
        "doctor:doctor",
        _("why work waits, and what to do about it"),
        _("Ends with 0 if nothing stands in the way, else with 3, 4 or 5 by what does."),
    )
    doctor.add_argument(
        "--repair", action="store_true", help=_("send, fetch, compare with the hub and mend")
    )


def _add_cards(commands: _Commands) -> None:
    cards = commands.add("list", "cards:list_cards", _("cards of the local copy"))
    _select(cards)
    cards.add_argument("--sort", metavar="FIELD", help=_("order; -FIELD turns it round"))
    cards.add_argument("--limit", metavar="N", type=_positive, help=_("at most so many"))
    find = commands.add("find", "cards:find", _("cards by a word of title, id or person"))
    find.add_argument("text", metavar=_("TEXT"))
    find.add_argument("--limit", metavar="N", type=_positive, help=_("at most so many"))
    count = commands.add("count", "cards:count", _("how many cards"))
    _select(count)
    count.add_argument("--by", metavar="FIELD", help=_("for each value of a field"))
    show = commands.add("show", "cards:show", _("one card with all that belongs to it"))
    _card(show)


def _add_work(commands: _Commands) -> None:
    do = commands.add("do", "work:do", _("move a card"))
    do.add_argument("transition", metavar=_("TRANSITION"), help=_("such as hand_off or accept"))
    _card(do)
    _fields(do)
    do.add_argument("--comment", metavar="TEXT", help=_("a comment, or the reason"))
    do.add_argument("--to", metavar="USER", help=_("the colleague it goes to"))
    new = commands.add("new", "work:new", _("make a card"))
    new.add_argument("kind", metavar=_("KIND"))
    new.add_argument("title", metavar=_("TITLE"))
    _fields(new)
    edit = commands.add("edit", "work:edit", _("change fields of a card"))
    _card(edit)
    _fields(edit, required=True)
    note = commands.add("note", "work:note", _("write a note on a card's timeline"))
    _card(note)
    note.add_argument("text", metavar=_("TEXT"))
    inbox = commands.add(
        "inbox",
        "inbox:entries",
        _("what the hub did not carry out"),
        _("Without a command, all of it: what you wanted, what stands there, and what it was."),
    )
    decide = _Commands(inbox, commands.common)
    _entry(decide.add("retry", "inbox:retry", _("ask for one entry once more")))
    _entry(decide.add("discard", "inbox:discard", _("drop one entry for good")))


def _add_persons(commands: _Commands) -> None:
    persons = _group(commands, "pd", _("personal data"))
    show = persons.add(
        "show",
        "persons:show",
        _("a person's data, as far as you may see it"),
        _("The look stands in the journal with its purpose."),
    )
    show.add_argument("subject", metavar="SUBJECT", help=_("the person's id or its beginning"))
    show.add_argument(
        "--purpose", metavar="TEXT", required=True, help=_("one of the playbook's purposes")
    )
    find = persons.add(
        "find",
        "persons:find",
        _("people by a whole phone or e-mail"),
        _("Write - and type it afterwards: the shell keeps what stands in a command."),
    )
    find.add_argument("contact", metavar="PHONE|EMAIL|-")
    consents = persons.add("consents", "persons:consents", _("what a person agreed to"))
    consents.add_argument("subject", metavar="SUBJECT", help=_("the person's id or its beginning"))
    for name, handler, summary in (
        ("give", "persons:give", _("write down that a person agreed to a purpose")),
        ("withdraw", "persons:withdraw", _("write down that he takes it back, or objects")),
    ):
        said = persons.add(name, handler, summary)
        _card(said)
        said.add_argument("purpose", metavar="PURPOSE", help=_("one of the playbook's purposes"))
        _said(said)
    demand = persons.add(
        "demand", "persons:demand", _("write down that a person demands to be erased")
    )
    _card(demand)
    _said(demand)


def _add_vault(commands: _Commands) -> None:
    commands.add("lock", "vault:lock", _("lock the application that runs with this profile"))
    vault = _group(commands, "vault", _("the desk's encrypted copy"))
    vault.add("status", "vault:status", _("what opens it and how it stands"))
    rotate = vault.add("rotate", "vault:rotate", _("renew its keys, or change the passphrase"))
    rotate.add_argument(
        "--new-passphrase", action="store_true", help=_("ask for another passphrase")
    )
    rotate.add_argument(
        "--new-passphrase-file", metavar="F", help=_("file with another passphrase")
    )
    vault.add(
        "recover",
        "vault:recover",
        _("save what you did from a damaged copy"),
        _("Unsent actions, the inbox and drafts are kept; cards are fetched from the hub anew."),
    )
    wipe = commands.add("wipe", "vault:wipe", _("remove everything this desk holds"))
    wipe.add_argument("--yes", action="store_true", help=_("do not ask"))


def _add_demo(commands: _Commands) -> None:
    demo = commands.add("demo", "demo:demo", _("a hub and a desk with invented cards"))
    demo.add_argument("--case", help=_("which company"))
    demo.add_argument("--role", default="marketer", help=_("as whom to work"))
    demo.add_argument("--leads", metavar="N", type=_positive, help=_("how many; 20000 at first"))
    demo.add_argument("--seed", metavar="N", type=int, help=_("another invented world"))
    demo.add_argument("--attached", action="store_true", help=SUPPRESS)
    demo.add_argument("--dir", metavar="DIR", help=_("where the demo is kept"))
    demo.add_argument("--port", metavar="N", type=_port, default=0, help=_("the hub's port"))
    demo.add_argument("--fresh", action="store_true", help=_("forget what was done in the demo"))
    demo.add_argument(
        "--serve-only", action="store_true", help=_("only the hub, until it is interrupted")
    )


def _add_hub(commands: _Commands) -> None:
    parts = _group(commands, "hub", _("the company's server"))
    init = parts.add("init", "hub:init", _("make the tables and install a playbook"))
    _database(init)
    init.add_argument("--case", metavar="NAME", help=_("a shipped playbook"))
    init.add_argument("--playbook", metavar="FILE", help=_("a playbook of your own"))
    _enrolment(init)
    serve = parts.add("serve", "hub:serve", _("answer desks"))
    _database(serve)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", metavar="N", type=_port, default=8765)
    serve.add_argument("--tls-cert", metavar="F", help=_("the certificate with its chain, PEM"))
    serve.add_argument("--tls-key", metavar="F", help=_("the certificate's key, PEM"))
    serve.add_argument(
        "--behind-proxy", action="store_true", help=_("a TLS proxy stands before the hub")
    )
    user = _group(parts, "user", _("the people"))
    add = user.add("add", "hub:add_user", _("add a user"))
    add.add_argument("name", metavar="NAME", help=_("to sign in by: Latin letters and digits"))
    add.add_argument("--role", required=True)
    add.add_argument("--full-name", metavar="TEXT", help=_("as colleagues know him"))
    add.add_argument("--password-file", metavar="F", help=_("file with the password"))
    _database(add)
    role = user.add("role", "hub_admin:role", _("give a user another role"))
    role.add_argument("name", metavar="NAME", help=_("to sign in by"))
    role.add_argument("role", metavar="ROLE", help=_("a role of the playbook"))
    _database(role)
    password = user.add("password", "hub_people:password", _("give a user another password"))
    password.add_argument("name", metavar="NAME", help=_("to sign in by"))
    password.add_argument("--password-file", metavar="F", help=_("file with the password"))
    _database(password)
    for word, summary in (
        ("disable", _("keep a user out and end his sessions")),
        ("enable", _("let a user in again")),
    ):
        one = user.add(word, f"hub_people:{word}", summary)
        one.add_argument("name", metavar="NAME", help=_("to sign in by"))
        _database(one)
    _add_entrance(parts)
    load = parts.add("import", "hub:import_file", _("cards from a CSV file"))
    load.add_argument("file", metavar="FILE")
    load.add_argument("--map", metavar="MAP.toml", required=True, help=_("what goes where"))
    load.add_argument("--dry-run", action="store_true", help=_("only check, write nothing"))
    load.add_argument("--refused", metavar="FILE", help=_("where refused rows are written"))
    _database(load)
    _add_administration(parts)


def _add_entrance(parts: _Commands) -> None:
    security = parts.add(
        "security",
        "hub_people:security",
        _("what a sign-in needs beside the password"),
        _("Without options it only says so."),
    )
    _enrolment(security)
    security.add_argument(
        "--totp", metavar=_("ROLES"), help=_("roles that need a second factor; or all, or none")
    )
    _database(security)
    enroll = parts.add("enroll", "hub_people:enroll", _("a code for a user's new device"))
    enroll.add_argument("name", metavar="USER", help=_("to sign in by"))
    _database(enroll)
    totp = _group(parts, "totp", _("second factors"))
    reset = totp.add("reset", "hub_people:totp_reset", _("forget one whose device is lost"))
    reset.add_argument("name", metavar="USER", help=_("to sign in by"))
    _database(reset)


def _enrolment(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--enrolment",
        choices=("open", "code"),
        help=_("a new device needs the password alone (open), or a code too"),
    )


def _add_administration(parts: _Commands) -> None:
    token = _group(parts, "token", _("the sessions"))
    revoke = token.add(
        "revoke",
        "hub_admin:revoke",
        _("end sessions: of a user or a device"),
        _("Such a desk keeps its cards and what it has to send, and has to sign in again."),
    )
    revoke.add_argument("holder", metavar="USER|DEVICE", help=_("a user's name or a device's id"))
    _database(revoke)
    device = _group(parts, "device", _("one desk"))
    wipe = device.add(
        "wipe",
        "hub_admin:wipe_device",
        _("order a desk to remove everything it holds"),
        _("It obeys with its next exchange, or when it needs the hub to open."),
    )
    wipe.add_argument("device", metavar="DEVICE", help=_("its id, as desk hub devices lists it"))
    _database(wipe)
    devices = parts.add("devices", "hub_admin:devices", _("what people work on"))
    devices.add_argument("user", metavar="USER", nargs="?", help=_("only this user's"))
    _database(devices)
    log = parts.add(
        "log",
        "hub_admin:log",
        _("what changed, in ids alone"),
        _("Where more follows, go on with --since and the number of the last line."),
    )
    log.add_argument(
        "--since", metavar="SEQ", type=_number, default=0, help=_("after this number of the log")
    )
    log.add_argument("--limit", metavar="N", type=_positive, help=_("at most so many; 1000"))
    _database(log)
    journal = _group(parts, "journal", _("who did what with personal data"))
    verify = journal.add(
        "verify",
        "hub_journal:verify",
        _("find what was tampered with"),
        _("Ends with 1 if entries were removed, edited, put in, moved or cut off."),
    )
    _database(verify)
    playbook = _group(parts, "playbook", _("the company's process"))
    install = playbook.add(
        "install",
        "hub_admin:install_playbook",
        _("put a changed one in force"),
        _("Refused while cards stand at stages, or people have roles, that it does not have."),
    )
    install.add_argument("playbook", metavar="FILE", nargs="?", help=_("a playbook of your own"))
    install.add_argument("--case", metavar="NAME", help=_("a shipped playbook"))
    _database(install)
    export = _group(parts, "export", _("rows for other systems"))
    leads = export.add(
        "leads",
        "hub_export:leads",
        _("leads without personal data, as CSV"),
        _("Cards, persons and colleagues have made-up names that stay the same."),
    )
    leads.add_argument("--out", metavar="FILE", required=True, help=_("a new file"))
    _database(leads)
    persons = _group(parts, "pd", _("personal data"))
    erase = persons.add(
        "erase",
        "hub_subjects:erase",
        _("erase a person"),
        _("Desks drop him when they next ask; those that have not confirmed are listed."),
    )
    erase.add_argument("subject", metavar="SUBJECT", help=_("the person's id"))
    erase.add_argument("--by", metavar="NAME", help=_("who decided it, for the act"))
    erase.add_argument(
        "--reason", metavar="TEXT", default="", help=_("why, for the act; name no person")
    )
    _database(erase)
    export = persons.add("export", "hub_persons:export", _("all that is kept of a person"))
    export.add_argument("subject", metavar="SUBJECT", help=_("the person's id"))
    export.add_argument("--out", metavar="FILE", help=_("a .json or .pdf file; stdout otherwise"))
    _database(export)
    key = _group(parts, "key", _("the master key"))
    rotate = key.add(
        "rotate",
        "hub_keys:rotate",
        _("change the master key"),
        _("Hubs that run go on meanwhile. Cut short, repeat it: it goes on where it stopped."),
    )
    _database(rotate)
    epoch = parts.add(
        "epoch",
        "hub_admin:epoch",
        _("after a backup was restored"),
        _("Desks then compare their cards with the hub and send again what it has forgotten."),
    )
    _database(epoch)


def _group(
    commands: _Commands, name: str, summary: str, handler: str = "hub:no_command"
) -> _Commands:
    """A command that holds others; ``handler`` is what it does without one."""
    group = commands.add(name, handler, summary)
    group.set_defaults(hub_parser=group)
    return _Commands(group, commands.common)


def _select(parser: ArgumentParser) -> None:
    parser.add_argument("--kind", metavar="K", help=_("such as lead or qualification"))
    parser.add_argument("--filter", metavar="EXPR", help=_('condition: stage = "new"'))


def _card(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_("the card's id or its beginning"))


def _said(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--channel",
        required=True,
        metavar="CHANNEL",
        help="site, phone, email, messenger, paper, other",
    )
    parser.add_argument("--evidence", metavar="TEXT", default="", help=_("what proves it"))


def _entry(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help=_("the entry's id or its beginning"))


def _fields(parser: ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument(
        "--set",
        metavar=_("FIELD=VALUE"),
        action="append",
        default=None if required else [],
        required=required,
        help=_("a field's value; may be repeated"),
    )


def _database(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--db", metavar="URL", required=True, help="sqlite:///hub.db, postgresql://…"
    )


def _positive(word: str) -> int:
    if word.isascii() and word.isdigit() and int(word) > 0:
        return int(word)
    raise ArgumentTypeError(_("a number above 0 is needed"))


def _number(word: str) -> int:
    if word.isascii() and word.isdigit() and len(word) < 19:
        return int(word)
    raise ArgumentTypeError(_("a number from 0 on is needed"))


def _port(word: str) -> int:
    if word.isascii() and word.isdigit() and int(word) < 65536:
        return int(word)
    raise ArgumentTypeError(_("a port is a number from 0 to 65535"))
