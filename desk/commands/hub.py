"""The company's server: `hub init`, `hub serve`, `hub user add`, `hub import`."""

from __future__ import annotations

import errno
import re
from argparse import Namespace
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from desk.commands import asking, output
from desk.commands.failure import DONE, REFUSED, UNREACHABLE, USAGE, Failure
from desk.text import N_, _, format_number

if TYPE_CHECKING:
    from desk.domain.playbook_check import PlaybookError
    from desk.hub.importing import Report

_SETUP: Mapping[str, str] = {
    "not_set_up": N_(
        "This database holds no hub yet. Make one: desk hub init --db URL --case NAME"
    ),
    "already_set_up": N_("This database holds a hub already. Nothing was changed."),
    "unreachable": N_("The database cannot be reached. Check the URL and whether it is running."),
    "unsupported_url": N_(
        "This is no database Desk knows. Write sqlite:///PATH or postgresql://USER@HOST/NAME."
    ),
    "user_exists": N_("There is a user “{user}” already. Choose another name."),
    "bad_user_name": N_("A user's name takes small Latin letters, digits, dots and dashes."),
    "unknown_role": N_("There is no role “{role}”. Choose one of: {possible}."),
    "no_such_user": N_("There is no user “{user}”. See: desk hub devices --db URL"),
    "no_such_holder": N_(
        "There is no user and no device “{holder}”. See: desk hub devices --db URL"
    ),
    "tls_needed": N_(
        "On {host} the hub needs TLS: name a certificate by --tls-cert and --tls-key, or say"
        " --behind-proxy where a TLS proxy stands before it. Without it, it listens on 127.0.0.1."
    ),
    "tls_files": N_(
        "The certificate or its key cannot be read. Name two PEM files by --tls-cert and --tls-key;"
        " the key must not have a passphrase."
    ),
    "weak_password": N_("This password is not taken: {why}. Choose another one."),
    "stages_in_use": N_(
        "Cards stand at stages that this playbook does not have: {stages}. Move them first, or"
        " keep the stages."
    ),
    "text_changed": N_(
        "The text of the purpose {purpose} has changed, but its version {version} has not. Give it"
        " the next version: people agreed to the old text."
    ),
    "roles_in_use": N_(
        "People have roles that this playbook does not have: {roles}. Give them others first:"
        " desk hub user role NAME ROLE --db URL"
    ),
    "reader_role_needed": N_(
        "The database role desk_reader is missing. Let an administrator of PostgreSQL run: CREATE"
        " ROLE desk_reader NOLOGIN; GRANT desk_reader TO the hub's user"
    ),
    "unknown_kind": N_("This playbook has no kind “{kind}”."),
    "file_exists": N_("There is a file {file} already. Choose another name."),
    "file_unwritable": N_("The file {file} cannot be written. Check the path."),
    "key_needed": N_(
        "The hub's master key is not given. Put it into DESK_HUB_KEY, or the path of its file into"
        " DESK_HUB_KEY_FILE."
    ),
    "key_missing": N_(
        "The master key in {file} cannot be read. Put it back from where it is kept; without it"
        " nobody can read the personal data of this hub."
    ),
    "key_readable": N_("Others may read the master key in {file}. Run: chmod 600 {file}"),
    "key_broken": N_("{where} holds no master key: 32 bytes in Base64 are needed."),
    "key_wrong": N_(
        "This is not the master key of this hub. Put back the one it was set up with; nothing was"
        " changed."
    ),
    "key_next_needed": N_(
        "The key to change to is not given. Put it into DESK_HUB_KEY_NEXT for every process of the"
        " hub, then repeat."
    ),
    "keys_missing": N_(
        "The key store of this hub is not there. Put it back from the last backup; without it"
        " nobody can read the personal data."
    ),
    "keys_of_another": N_(
        "The key store here belongs to another hub. Move it away, or put back this hub's own."
    ),
}

#: Why a password is not taken.
WEAK: Mapping[str, str] = {
    "short": N_("it is shorter than 10 characters"),
    "long": N_("it is longer than 1024 characters"),
    "name": N_("the user's name stands in it"),
    "common": N_("it is one of the most common"),
    "same": N_("it is the old one"),
}

#: Words of a place in a playbook that are not names of the playbook itself.
_PLACES = (N_("line"), N_("character"))
_PLACE = re.compile(rf"\b({'|'.join(_PLACES)}) (\d+)")


def no_command(options: Namespace) -> int:
    """Say what commands there are."""
    options.hub_parser.print_help()
    return USAGE


def init(options: Namespace) -> int:
    """Make the tables, the keys, and install a playbook. JSON: hub (its id), key_file (or null)."""
    source, name = chosen_playbook(options)
    with problems():
        from desk.hub.database import Database
        from desk.hub.setup import init as set_up

        with Database(options.db) as database:
            hub = set_up(database, source, playbook_name=name)
            key_file = database.keys.key_file
            if options.enrolment is not None:
                from desk.hub.sessions import demand

                demand(database, options.enrolment, None)
    if options.json:
        output.put_json({"hub": hub, "key_file": str(key_file) if key_file else None})
    else:
        if key_file:
            output.put(
                _(
                    "The master key is in {file}. Keep a copy where the database's backups are not:"
                    " without the key nobody can read the personal data."
                ).format(file=output.shown(str(key_file)))
            )
        output.put(_("The hub is ready. Add people: desk hub user add NAME --role R --db URL"))
    return DONE


def serve(options: Namespace) -> int:
    """Answer desks until a signal; the first line is `ready URL`."""
    with problems():
        from desk.hub.server import serve as run_server

        serve_or_say(
            lambda: run_server(
                options.db,
                options.host,
                options.port,
                tls_cert=options.tls_cert,
                tls_key=options.tls_key,
                behind_proxy=options.behind_proxy,
                on_ready=lambda serving: output.put(f"ready {serving.url}"),
            ),
            options.host,
            options.port,
        )
    return DONE


def serve_or_say(run: Callable[[], None], host: str, port: int) -> None:
    """Run a server until Ctrl+C or SIGTERM; an address that cannot be had becomes a `Failure`."""
    import signal

    # The server ends in good order, then raises its signal anew for whoever is above it: here.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        run()
    except KeyboardInterrupt:
        return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            line = _("The port {port} of {host} is in use. Choose another --port.").format(
                host=host, port=port
            )
        else:
            line = _("The address {host}:{port} cannot be used ({why}). Choose another --port.")
            line = line.format(host=host, port=port, why=error.strerror or type(error).__name__)
        raise Failure(UNREACHABLE, line) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def add_user(options: Namespace) -> int:
    """Add a user. JSON: user, name, role."""
    password = (
        asking.secret_from_file(options.password_file)
        if options.password_file
        else asking.ask_new_password(options.name)
    )
    with problems():
        from desk.hub.database import Database
        from desk.hub.passwords import weakness
        from desk.hub.setup import add_user as add

        with Database(options.db) as database:
            person = add(
                database,
                options.name,
                name=options.full_name or options.name,
                role=options.role,
                password=password,
            )
        why = weakness(password, person.id, person.name)
    if why:
        output.tell(
            _("The password is weak: {why}. Let the user change it: desk password").format(
                why=_(WEAK[why])
            )
        )
    if options.json:
        output.put_json({"user": person.id, "name": person.name, "role": person.role})
    else:
        output.put(
            _("{user} was added as {role}.").format(
                user=output.shown(person.id), role=output.shown(person.role)
            )
        )
    return DONE


def import_file(options: Namespace) -> int:
    """Cards from a CSV file, gzip too. Refused rows do not fail the import: they are counted.

    JSON: rows, imported, present (imported before), refused (array of code, field, rows, line of
    the first), refused_file (or null), dry_run.
    """
    with problems():
        from desk.hub.database import Database
        from desk.hub.importing import import_csv
        from desk.hub.importing_errors import SENTENCES, ImportFailed

        try:
            with Database(options.db) as database:
                report = import_csv(
                    database,
                    Path(options.file),
                    find_mapping(options.map),
                    dry_run=options.dry_run,
                    refused=Path(options.refused) if options.refused else None,
                    on_progress=_show_import,
                )
        except ImportFailed as failed:
            line = _(SENTENCES[failed.code]).format(
                **{name: _(value) for name, value in failed.fill.items()}
            )
            raise Failure(REFUSED, output.shown(line)) from failed
        finally:
            output.end_progress()
    if options.json:
        output.put_json(report)
    else:
        _put_report(report)
    return DONE


def find_mapping(name: str) -> Path:
    """The mapping's file; a bare name such as `bank` or `bank.toml` may be a shipped one."""
    from desk.resources import playbooks_dir

    path = Path(name)
    if not path.exists() and path.parent == Path():
        shipped = playbooks_dir() / "maps" / f"{path.stem}.toml"
        if shipped.is_file():
            return shipped
    return path


@contextmanager
def problems() -> Generator[None]:
    """Turn what a hub says is wrong with it into one line."""
    try:
        from desk.domain.playbook_check import PlaybookError
        from desk.hub.errors import SetupError
    except ImportError as error:
        raise _no_hub() from error
    try:
        yield
    except ImportError as error:
        raise _no_hub() from error
    except SetupError as error:
        fill = dict(error.arguments)
        weak = WEAK.get(fill.get("why", ""))
        if weak is not None:
            fill["why"] = _(weak)
        line = _(_SETUP.get(error.code, error.code)).format(**fill)
        code = UNREACHABLE if error.code == "unreachable" else REFUSED
        raise Failure(code, output.shown(line)) from error
    except PlaybookError as error:
        raise Failure(REFUSED, playbook_line(error)) from error


def playbook_line(error: PlaybookError) -> str:
    """Where a playbook is wrong, and the mend."""
    said = [_(one).format(**error.fill) for one in (error.sentence, error.mend) if one]
    sentences = [one if one.endswith((".", "?")) else f"{one}." for one in said]
    where = _PLACE.sub(lambda found: f"{_(found[1])} {found[2]}", error.where)
    return output.shown(f"{where}: {' '.join(sentences)}")


def playbook_source(case: str) -> str:
    """The text of a shipped playbook."""
    from desk.resources import playbooks_dir

    known = sorted(path.stem for path in playbooks_dir().glob("*.toml"))
    if case not in known:
        raise Failure(
            USAGE,
            _("There is no case “{case}”. Choose one of: {known}.").format(
                case=output.shown(case, 40), known=", ".join(known)
            ),
        )
    return (playbooks_dir() / f"{case}.toml").read_text(encoding="utf-8")


def chosen_playbook(options: Namespace) -> tuple[str, str]:
    """The text of the playbook that --case or a file names, and what errors call it."""
    if bool(options.playbook) == bool(options.case):
        raise Failure(USAGE, _("Name a playbook: either a shipped one by --case, or a file."))
    if options.case:
        return playbook_source(options.case), f"{options.case}.toml"
    path = Path(options.playbook)
    try:
        return path.read_text(encoding="utf-8-sig"), path.name
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            USAGE, _("The file {file} cannot be read. Check the path.").format(file=path)
        ) from error


def _no_hub() -> Failure:
    return Failure(USAGE, _('The hub is not installed here. Install it: pip install "desk[hub]"'))


def _show_import(done: int, total: int) -> None:
    output.progress(
        _("{done} of {total} rows").format(done=format_number(done), total=format_number(total))
    )


def _put_report(report: Report) -> None:
    done = _("To be imported") if report.dry_run else _("Imported")
    output.put_table(
        (_("Rows"), format_number(report.rows)),
        [
            (done, format_number(report.imported)),
            (_("Imported before"), format_number(report.present)),
            (_("Refused"), format_number(sum(one.rows for one in report.refused))),
        ],
        right=(1,),
    )
    if report.refused:
        output.put()
        output.put_table(
            (_("Why refused"), _("Rows"), _("First line")),
            [(_refused_text(one.code, one.args), str(one.rows), str(one.line))
             for one in report.refused],
            right=(1, 2),
        )  # fmt: skip
    if report.refused_file:
        output.tell(_("The refused rows are in {file}.").format(file=report.refused_file))


def _refused_text(code: str, args: Mapping[str, str]) -> str:
    from desk.domain.refusals import SENTENCES
    from desk.hub.importing_errors import ROW_SENTENCES

    return _(ROW_SENTENCES.get(code) or SENTENCES.get(code, code)).format(**args)
