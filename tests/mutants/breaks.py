"""The fences of sync, each broken on purpose, and the tests that must notice.

A break is a textual patch: what stands in the code, and what is put in its place. A text that is
not found any more, or more than once, is an error: the break has to follow the code.
"""

from __future__ import annotations

from dataclasses import dataclass

SIMULATION = "tests/simulation/test_simulation.py"
PROMISES = "tests/simulation/test_promises.py"


@dataclass(frozen=True)
class Patch:
    """One text in one file, and what it becomes."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Break:
    """A fence that is down: its name, in a few words what it is, and the fewest tests that must
    fail then (arguments of pytest)."""

    name: str
    fence: str
    patches: tuple[Patch, ...]
    tests: tuple[str, ...]


def _break(name: str, fence: str, file: str, old: str, new: str, *tests: str) -> Break:
    return Break(name, fence, (Patch(file, old, new),), tests)


BREAKS: tuple[Break, ...] = (
    _break(
        "counter-early",
        "the counter row is taken last, in the transaction that writes",
        "desk/hub/changes.py",
        '    end = connection.execute(bump, {"more": len(changes)}).scalar_one()\n',
        "    with connection.engine.begin() as alone:\n"
        '        end = alone.execute(bump, {"more": len(changes)}).scalar_one()\n',
        "tests/hub/test_changes.py",
        "-k=concurrent_writers and postgresql",
    ),
    Break(
        "counter-first",
        "the counter row is taken after the work, not before it",
        (
            Patch(
                "desk/hub/operations.py",
                "        results = [judge.judge(one, self._now()) for one in asked]\n",
                "        first = changes.write_ahead(connection)\n"
                "        results = [judge.judge(one, self._now()) for one in asked]\n",
            ),
            Patch(
                "desk/hub/operations.py",
                "judge.log, at=self._last, who=self._session.actor.id)\n",
                "judge.log, at=self._last, who=self._session.actor.id, end=first)\n",
            ),
            Patch(
                "desk/hub/changes.py",
                "def write(\n",
                "def write_ahead(connection: Connection) -> int:\n"
                "    with connection.engine.begin() as alone:\n"
                '        return alone.execute(_BUMP, {"more": 50}).scalar_one()\n'
                "\n\ndef write(\n",
            ),
            Patch(
                "desk/hub/changes.py",
                "at: int, who: str | None = None\n) -> int:",
                "at: int, who: str | None = None, end: int = 0\n) -> int:",
            ),
            Patch(
                "desk/hub/changes.py",
                '    end = connection.execute(bump, {"more": len(changes)}).scalar_one()\n',
                '    more = {"more": len(changes)}\n'
                "    end = end or connection.execute(bump, more).scalar_one()\n",
            ),
        ),
        ("tests/faults/test_order.py", "-k=begun_earlier and postgresql"),
    ),
    _break(
        "cursor-before-rows",
        "a pull's cursor is stored with its rows",
        "desk/services/pull.py",
        "    def _apply(self, last: Page) -> None:\n",
        "    def _apply(self, last: Page) -> None:\n"
        "        with self._context.store.write() as connection:\n"
        "            settings.put(connection, settings.CURSOR, last.cursor)\n",
        PROMISES,
        "-k=disk_that_fails",
    ),
    _break(
        "pages-at-once",
        "the pages of a pull are applied together",
        "desk/services/pull.py",
        "                arrivals.stage(connection, page)\n",
        "                arrivals.stage(connection, page)\n"
        "                arrivals.land(connection, [page])\n",
        PROMISES,
        "-k=cut_off_anywhere",
    ),
    _break(
        "other-answer",
        "a page that answers another question is refused",
        "desk/services/pull.py",
        "            if page.asked != cursor or (page.more and page.cursor == cursor):\n",
        "            if False:\n",
        "tests/services/test_faults.py",
        "-k=comes_again",
    ),
    _break(
        "other-snapshot-page",
        "a page of a snapshot that answers another question is refused",
        "desk/services/bootstrap.py",
        "    if page.asked != after:\n        return False\n",
        "    return True\n",
        "tests/services/test_bootstrap.py",
        "-k=not_the_one_asked_for",
    ),
    _break(
        "snapshot-cursor-last",
        "a snapshot's cursor is the one from before its first page",
        "desk/services/bootstrap.py",
        "            begun = msgspec.structs.replace(begun, after=page.after)\n",
        "            begun = msgspec.structs.replace(begun, after=page.after)\n"
        "            begun = msgspec.structs.replace(begun, cursor=page.cursor)\n",
        "tests/services/test_bootstrap.py",
        "-k=what_others_do_meanwhile",
    ),
    _break(
        "bootstrap-in-place",
        "a whole copy is swapped in when it is whole",
        "desk/services/bootstrap.py",
        "            arrivals.put(connection, page, shadow.ROWS)\n",
        "            arrivals.put(connection, page, shadow.ROWS)\n"
        "            arrivals.put(connection, page)\n",
        "tests/services/test_bootstrap.py",
        "-k=until_it_replaces_them_all",
    ),
    _break(
        "body-hash",
        "a number sent again with another body is refused",
        "desk/hub/operations.py",
        "is_used = (stored.body_hash, stored.user_id) != mine",
        "is_used = stored.user_id != mine[1]",
        "tests/hub/test_push.py",
        "-k=another_body and sqlite",
    ),
    _break(
        "stored-answer",
        "what was answered is answered the same, not done again",
        "desk/hub/operations.py",
        "    if stored is not None:\n",
        "    if stored is not None and asked.number == 0:\n",
        "tests/hub/test_push.py",
        "-k=sent_again and sqlite",
    ),
    _break(
        "last-op-apart",
        "effect, answer and last_op are one transaction",
        "desk/hub/operations.py",
        "        self._advance(connection, asked[-1].number)\n",
        "        connection.commit()\n"
        "        connection.begin()\n"
        "        self._advance(connection, asked[-1].number)\n",
        "tests/hub/test_kill.py",
        "-k=wherever and sqlite",
    ),
    _break(
        "answer-first",
        "the answer is not stored before the effect stands",
        "desk/hub/operations.py",
        "        store.write_rows(connection, _ANSWER, answers)\n",
        "        with connection.engine.begin() as alone:\n"
        "            store.write_rows(alone, _ANSWER, answers)\n",
        "tests/hub/test_kill.py",
        "-k=wherever and postgresql",
    ),
    _break(
        "gap",
        "a gap in the numbers is refused",
        "desk/hub/operations.py",
        "    if asked.number > last_op + 1:\n",
        "    if asked.number > last_op + 1_000_000:\n",
        "tests/hub/test_push.py",
        "-k=gap and sqlite",
    ),
    _break(
        "blocked",
        "what builds on something not carried out is blocked",
        "desk/hub/judging.py",
        "        if not all(self._is_done.get(earlier, True) for earlier in wanted.after):\n",
        "        if False:\n",
        "tests/hub/test_causality.py",
        "-k=blocked and sqlite",
    ),
    _break(
        "grounds",
        "a desk says what an operation builds on",
        "desk/services/grounds.py",
        "    if isinstance(intent, Create):\n        return ()\n",
        "    return ()\n",
        "tests/services/test_causality.py",
    ),
    _break(
        "quarantine",
        "an operation that crashes the hub is set aside",
        "desk/hub/operations.py",
        "        if crashes is not None and crashes >= CRASHES:\n",
        "        if False:\n",
        "tests/hub/test_push.py",
        "-k=crashes_the_hub and sqlite",
    ),
    _break(
        "hub-time",
        "the hub's time is the truth, not the desk's",
        "desk/hub/judging.py",
        "        outcome = self._settle(scene, wanted, reader.actor, reader.playbook, now)\n",
        "        outcome = self._settle(scene, wanted, reader.actor, reader.playbook, wanted.at)\n",
        PROMISES,
        "-k=clocks",
    ),
    _break(
        "field-base",
        "a field that somebody else changed is a conflict",
        "desk/domain/edits.py",
        "        and row.field_versions.get(name, 0) > base[name]\n",
        "        and row.field_versions.get(name, 0) > base[name] + 1000\n",
        "tests/services/test_story.py",
        "-k=same_field",
    ),
    _break(
        "compare-and-set",
        "a move is compare-and-set on the stage that was seen",
        "desk/domain/transitions.py",
        "    if intent.seen_stage is not None and intent.seen_stage != item.stage:\n",
        "    if False:\n",
        "tests/services/test_story.py",
        "-k=another_changed_first",
    ),
    _break(
        "mask-only-on-pull",
        "a conflict's answer is masked like any other",
        "desk/hub/conflicts.py",
        "    return reader.item(scene.item)\n",
        "    return scene.item\n",
        "tests/faults/test_leaks.py",
        "-k=stored_answer and sqlite",
    ),
    _break(
        "stored-secret",
        "an answer given again is shown by today's rights",
        "desk/hub/operations.py",
        "        if result.theirs or result.changed:\n",
        "        if False:\n",
        "tests/faults/test_leaks.py",
        "-k=stored_answer and sqlite",
    ),
    _break(
        "task-out-of-sight",
        "a changed task is sent to those alone who see its item",
        "desk/hub/pull.py",
        'select(t.task).where(t.task.c.id.in_(_ids(log, "task")), reader.tasks)',
        'select(t.task).where(t.task.c.id.in_(_ids(log, "task")))',
        "tests/hub/test_changes.py",
        "-k=sqlite",
    ),
    _break(
        "entry-out-of-sight",
        "a new entry is sent to those alone who see its item",
        "desk/hub/pull.py",
        'select(t.entry).where(t.entry.c.id.in_(_ids(log, "entry")), reader.entries)',
        'select(t.entry).where(t.entry.c.id.in_(_ids(log, "entry")))',
        "tests/hub/test_changes.py",
        "-k=sqlite",
    ),
    _break(
        "subject-out-of-sight",
        "changed personal data is sent to those alone who see an item that speaks of it",
        "desk/hub/pull.py",
        "changed_subjects.where(reader.subjects)",
        "changed_subjects",
        "tests/hub/test_changes.py",
        "tests/hub/test_rights.py",
        "-k=sqlite",
    ),
    _break(
        "dependents",
        "an item that enters sight brings what belongs to it",
        "desk/hub/pull.py",
        "    rows.add_dependents(connection, sorted(there & missed))\n",
        "",
        "tests/hub/test_changes.py",
        "-k=enters_sight and sqlite",
    ),
    _break(
        "forget-first-only",
        "every change since the cursor counts for forgetting, not the first alone",
        "desk/hub/pull.py",
        "    saw = {row.id for row in changed if reader.saw(row.before_scope)}\n",
        "    earliest = {row.id: row for row in reversed(changed)}.values()\n"
        "    saw = {row.id for row in earliest if reader.saw(row.before_scope)}\n",
        "tests/hub/test_changes.py",
        "-k=came and sqlite",
    ),
    _break(
        "one-view",
        "head, rows and last_op are of one view of the database",
        "desk/hub/database.py",
        'isolation_level="REPEATABLE READ"',
        'isolation_level="READ COMMITTED"',
        "tests/hub/test_database.py",
        "-k=one_moment and postgresql",
    ),
    _break(
        "policy-in-cursor",
        "a cursor is void when the reader's role changed",
        "desk/hub/projection.py",
        "{epoch}.{self.playbook_version}.{self.policy_version}:{seq}",
        "{epoch}.{self.playbook_version}:{seq}",
        "tests/services/test_reconcile.py",
        "-k=role_that_shows_less",
    ),
    _break(
        "playbook-in-cursor",
        "a cursor is void when another playbook came into force",
        "desk/hub/projection.py",
        "{epoch}.{self.playbook_version}.{self.policy_version}:{seq}",
        "{epoch}.{self.policy_version}:{seq}",
        "tests/services/test_reconcile.py",
        "-k=masks_a_field",
    ),
    _break(
        "epoch-in-cursor",
        "a cursor is void when a backup was restored",
        "desk/hub/projection.py",
        "{epoch}.{self.playbook_version}.{self.policy_version}:{seq}",
        "e.{self.playbook_version}.{self.policy_version}:{seq}",
        "tests/hub/test_administration.py",
        "-k=new_epoch and sqlite",
    ),
    _break(
        "floor",
        "a cursor from before what the log keeps is void",
        "desk/hub/projection.py",
        "head.floor <= number <= head.seq",
        "number <= head.seq",
        "tests/hub/test_digests.py",
        "-k=before_what_the_log_keeps and sqlite",
    ),
    _break(
        "forget-inbox",
        "a card that left sight leaves nothing of itself in the inbox",
        "desk/services/arrivals.py",
        "    inbox.forget_values(connection, inbox_table.c.item_id.in_(items))\n",
        "",
        "tests/services/test_secrecy.py",
        "-k=left_sight",
    ),
    _break(
        "forget-drafts",
        "a card that left sight leaves nothing of itself in drafts",
        "desk/services/arrivals.py",
        "    drafts.forget_seen(connection, draft_table.c.item_id.in_(items))\n",
        "",
        "tests/services/test_secrecy.py",
        "-k=left_sight",
    ),
    _break(
        "forget-sent",
        "a card that left sight leaves nothing of itself among sent operations",
        "desk/services/arrivals.py",
        "    queue.forget_sent(connection, sent_table.c.item_id.in_(items))\n",
        "",
        "tests/services/test_secrecy.py",
        PROMISES,
        "-k=left_sight or leaves_sight",
    ),
    _break(
        "forget-subject",
        "the person goes with the last card that speaks of him",
        "desk/services/arrivals.py",
        "    SUBJECTS.delete(connection, subjects - still)\n",
        "",
        "tests/services/test_story.py",
        "-k=leaves_sight",
    ),
    _break(
        "forget-mask",
        "a narrowed mask is carried into inbox, drafts and what was sent",
        "desk/services/landing.py",
        "        sight.settle(connection, rulebook)\n",
        "",
        "tests/services/test_reconcile.py",
        "-k=role_that_shows_less or masks_a_field",
    ),
    _break(
        "scrub",
        "the log is emptied after something was deleted",
        "desk/services/exchange.py",
        "        if self._context.store.to_scrub:\n",
        "        if False:\n",
        "tests/services/test_secrecy.py",
        "-k=emptied",
    ),
    _break(
        "secure-delete",
        "what is deleted is overwritten",
        "desk/services/store.py",
        "secure_delete = ON",
        "secure_delete = OFF",
        "tests/services/test_secrecy.py",
        "-k=left_sight",
    ),
    _break(
        "overlay",
        "what waits is laid over the hub's rows again",
        "desk/services/landing.py",
        "        return touched | overlay.replay(connection, rulebook)\n",
        "        return touched\n",
        "tests/services/test_faults.py",
        "-k=lies_over",
    ),
    _break(
        "overlay-lifted",
        "the hub's rows are written under the overlay, not over it",
        "desk/services/landing.py",
        "        touched = overlay.restore(connection)\n",
        "        touched = set[str]()\n",
        "tests/services/test_story.py",
        PROMISES,
        "-k=while_a_pull_is_applied or disk",
    ),
    _break(
        "accepted-dropped",
        "an accepted operation stays laid over until a pull covers it",
        "desk/services/push.py",
        "        queue.accept(connection, done)\n",
        "        queue.remove(connection, done)\n        overlay.rebase(connection, context)\n",
        "tests/services/test_faults.py",
        "-k=stays_laid_over",
    ),
    _break(
        "401-drops",
        "an ended session drops nothing",
        "desk/services/push.py",
        "            pushed = client.push(Push(operations=batch))\n",
        "            with context.store.write() as connection:\n"
        "                queue.remove(connection, [one.operation.id for one in batch])\n"
        "            pushed = client.push(Push(operations=batch))\n"
        "            with context.store.write() as connection:\n"
        "                for one in batch:\n"
        "                    queue.add(connection, one.operation)\n",
        "tests/services/test_faults.py",
        "-k=session_that_ended_pauses",
    ),
    _break(
        "rejected-dropped",
        "what the hub did not carry out waits in the inbox",
        "desk/services/push.py",
        "            inbox.add(connection, context, sent[result.id], result)\n",
        "            pass\n",
        "tests/services/test_story.py",
        "-k=inbox",
    ),
    _break(
        "resend",
        "what a restored hub forgot is sent again",
        "desk/services/exchange.py",
        "        return last_op < known and resend(self._context, last_op) > 0\n",
        "        return False\n",
        "tests/services/test_reconcile.py",
        "-k=gets_again",
    ),
    _break(
        "clone",
        "a copied profile becomes a device of its own",
        "desk/services/network.py",
        "        except ClonedProfile:\n            session.become",
        "        except ZeroDivisionError:\n            session.become",
        "tests/services/test_faults.py",
        "-k=copied_profile",
    ),
    _break(
        "digest-counts",
        "a digest tells rows apart, not how many there are",
        "desk/protocol/digests.py",
        '        xor ^= int.from_bytes(one.digest(), "big")\n',
        "",
        "tests/services/test_reconcile.py",
        "-k=no_log_tells_of",
    ),
    _break(
        "digest-mask",
        "a digest tells how rows are shown",
        "desk/protocol/digests.py",
        "\\0{moment}\\0{mask}",
        "\\0{moment}",
        "tests/services/test_reconcile.py",
        "-k=masks_a_field or role_that_shows_less",
    ),
    _break(
        "reconcile-keeps",
        "a reconcile takes the rows that are no longer listed",
        "desk/services/reconcile.py",
        "        connection.exec_driver_sql(sql, (one.low, one.high, one.high))\n",
        "        pass\n",
        "tests/services/test_reconcile.py",
        "-k=role_that_shows_less or taken_and_given",
    ),
    _break(
        "spread",
        "waits are spread",
        "desk/services/backoff.py",
        "    return max(asked, SHORTEST_SECONDS) + chance() * (longest - SHORTEST_SECONDS)\n",
        "    return max(asked, SHORTEST_SECONDS) + 0.5 * (longest - SHORTEST_SECONDS)\n",
        "tests/services/test_backoff.py",
    ),
    _break(
        "retry-after",
        "the hub's wish to wait is the least",
        "desk/services/backoff.py",
        "    return max(asked, SHORTEST_SECONDS) + chance()",
        "    return SHORTEST_SECONDS + chance()",
        "tests/services/test_backoff.py",
    ),
    _break(
        "one-process",
        "one process at a time owns a profile",
        "desk/services/profile.py",
        "            lock.acquire()\n",
        "            pass\n",
        "tests/services/test_vault.py",
        "tests/services/test_faults.py",
        "-k=process or at_a_time or owner or twice",
    ),
    _break(
        "old-form",
        "operations of an older build are brought up to date",
        "desk/hub/upgrades.py",
        "    while form in _STEPS:\n",
        "    while False:\n",
        "tests/faults/test_versions.py",
        "-k=oldest and sqlite",
    ),
)
