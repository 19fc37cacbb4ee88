"""`desk demo`: a hub with an invented company, and a desk that works with it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from desk.commands import output
from desk.commands.failure import DONE, REFUSED, UNREACHABLE, USAGE, Failure
from desk.commands.hub import playbook_source, problems, serve_or_say
from desk.commands.session import DEMO_SECRET
from desk.services.profile import DEMO_MARK
from desk.text import _, format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filelock import FileLock

    from desk.domain.model import Person
    from desk.hub.demo.build import Parameters
    from desk.hub.demo.running import Running
    from desk.hub.server import Serving

_DEFAULT_CASE = "freight"


def demo(options: Namespace) -> int:
    """Start the demo or join the one that runs, and open the application in it."""
    with problems():
        folder = _folder(options)
        if options.serve_only:
            return _serve_only(options, folder)
        return _work(options, folder)


def _work(options: Namespace, folder: Path) -> int:
    from desk.hub.demo import running
    from desk.hub.demo.build import made_of, staff

    with running.starting(folder):
        hub = running.find(folder)
        made = made_of(folder)
        people = staff(made.case if hub and made else _parameters(options, made).case)
        users = _users(options, people)
        if hub is None:
            hub = _start(options, folder)
        else:
            output.tell(_("Joining the demo at {url}.").format(url=hub.url))
            if options.fresh or made != _parameters(options, made):
                output.tell(_("It is of other leads; close its desks first to have those anew."))
        user, lock = _claim(options.role, folder, users)
    with lock:
        _put_accounts(people, hub.url)
        output.put(_("You work as {user}.").format(user=user))
        return _open(options, folder, user, hub)


def _open(options: Namespace, folder: Path, user: str, hub: Running) -> int:
    from desk.app import run
    from desk.hub.demo.build import PASSWORD
    from desk.hub.demo.running import desk_folder
    from desk.services.desk import Desk

    profile = Path(options.profile) if options.profile else desk_folder(folder, user)
    profile.mkdir(mode=0o700, parents=True, exist_ok=True)
    account = (hub.url, user, PASSWORD)
    mark = "\n".join((user, hub.url, hub.hub))
    if _mark_of(profile) != mark:
        if (profile / "local.db").exists():
            # It was signed in somewhere else, which the application would take for good.
            with Desk.open(profile, DEMO_SECRET) as desk:
                desk.sign_in(*account)
        (profile / DEMO_MARK).write_text(mark, encoding="utf-8")
    return run(profile, passphrase=DEMO_SECRET, sign_in=account, lang=options.lang)


def _mark_of(profile: Path) -> str:
    """Who works with the profile in which demo."""
    mark = profile / DEMO_MARK
    return mark.read_text(encoding="utf-8") if mark.is_file() else ""


def _start(options: Namespace, folder: Path) -> Running:
    """Make the demo where it is not made yet, and start its hub."""
    from desk.hub.demo import running

    _prepare(options, folder)
    last = running.last_known(folder)
    # The port of last time, so that desks find their hub again.
    ports = [options.port] if options.port else [last.port if last else 0, 0]
    for number, port in enumerate(ports, start=1):
        arguments = [
            "demo",
            "--serve-only",
            "--attached",
            "--dir",
            str(folder),
            "--port",
            str(port),
        ]
        try:
            return running.spawn(folder, arguments)
        except running.DidNotStart as error:
            if number == len(ports):
                if port and _is_taken(port):
                    line = _("The port {port} of {host} is in use. Choose another --port.")
                    line = line.format(port=port, host="127.0.0.1")
                    raise Failure(UNREACHABLE, line) from error
                raise Failure(
                    UNREACHABLE,
                    _("The demo's hub did not start. Its log: {log}").format(log=error.log),
                ) from error
    raise AssertionError


def _is_taken(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _serve_only(options: Namespace, folder: Path) -> int:
    """Just the hub, in the foreground."""
    from desk.hub.demo import running
    from desk.hub.demo.build import database_url
    from desk.hub.server import serve

    def ready(serving: Serving) -> None:
        running.announce(folder, serving)
        output.put(f"ready {serving.url}")
        if options.attached:
            running.stop_with_last_desk(folder, serving)
        else:
            _put_accounts(_people(folder), serving.url, aside=True)

    if not options.attached:
        with running.starting(folder):
            there = running.find(folder)
            if there:
                raise Failure(
                    REFUSED,
                    _("The demo runs already at {url}. Join it, or choose another --dir.").format(
                        url=there.url
                    ),
                )
            _prepare(options, folder)
    serve_or_say(
        lambda: serve(database_url(folder), "127.0.0.1", options.port, on_ready=ready),
        "127.0.0.1",
        options.port,
    )
    return DONE


def _prepare(options: Namespace, folder: Path) -> None:
    """Make the demo's data, unless it is there as asked for."""
    from desk.hub.demo import build, running
    from desk.services.desk import wall_clock

    there = build.made_of(folder)
    wanted = _parameters(options, there)
    if wanted == there and not options.fresh:
        return
    if running.desks_at_work(folder):
        raise Failure(
            REFUSED, _("Desks of the earlier demo are still open. Close them, then repeat.")
        )
    running.forget_desks(folder)
    build.build(
        folder, wanted, playbook_source(wanted.case), wall_clock(), on_progress=_show_progress
    )
    output.end_progress()


def _parameters(options: Namespace, there: Parameters | None) -> Parameters:
    """What is asked for; what is not said stays as it was made."""
    from desk.hub.demo.build import CASES, Parameters

    before = there or Parameters()
    case = options.case or before.case
    if case not in CASES:
        raise Failure(
            USAGE,
            _("There is no demo of the case “{case}”. Choose one of: {known}.").format(
                case=output.shown(case, 40), known=", ".join(CASES)
            ),
        )
    return Parameters(
        case=case,
        leads=before.leads if options.leads is None else options.leads,
        seed=before.seed if options.seed is None else options.seed,
    )


def _users(options: Namespace, people: Sequence[Person]) -> list[str]:
    """Whom one may be in the role, first the one to whom the profile belongs."""
    users = [person.id for person in people if person.role == options.role]
    if not users:
        roles = dict.fromkeys(person.role for person in people)
        raise Failure(
            USAGE,
            _("There is no role “{role}” here. Choose one of: {roles}.").format(
                role=output.shown(options.role, 40), roles=", ".join(roles)
            ),
        )
    if options.profile:
        owner = _mark_of(Path(options.profile)).partition("\n")[0]
        users.sort(key=lambda user: user != owner)
    return users


def _claim(role: str, folder: Path, users: Sequence[str]) -> tuple[str, FileLock]:
    """A user whom nobody works as here."""
    from desk.hub.demo.running import claim

    claimed = claim(folder, users)
    if claimed is None:
        raise Failure(
            REFUSED,
            _("All of the role “{role}” are at work: {users}. Close one of their desks.").format(
                role=role, users=", ".join(users)
            ),
        )
    return claimed


def _folder(options: Namespace) -> Path:
    if options.dir:
        return Path(options.dir).expanduser().absolute()
    from desk.services.profile import default_folder

    return default_folder().expanduser().absolute() / "demo"


def _people(folder: Path) -> list[Person]:
    from desk.hub.demo.build import made_of, staff

    made = made_of(folder)
    return staff(made.case if made else _DEFAULT_CASE)


def _put_accounts(people: Sequence[Person], url: str, *, aside: bool = False) -> None:
    """Who may sign in, on stdout or ``aside`` of it."""
    from desk.hub.demo.build import PASSWORD

    by_role: dict[str, list[str]] = {}
    for person in people:
        by_role.setdefault(person.role, []).append(person.id)
    put = output.tell if aside else output.put
    put(
        _("Demo at {url}. Password of everybody, and passphrase of every desk: {password}").format(
            url=url, password=PASSWORD
        )
    )
    width = max(map(len, by_role))
    for role, users in by_role.items():
        put(f"  {role.ljust(width)}  {', '.join(users)}")


def _show_progress(done: int, total: int) -> None:
    output.progress(
        _("Inventing the company: {done} of {total} leads").format(
            done=format_number(done), total=format_number(total)
        )
    )
