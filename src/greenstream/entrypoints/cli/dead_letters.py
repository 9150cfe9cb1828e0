"""`dead-letters`: files that failed and need a person."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, UsageError, command, open_place, stop

if TYPE_CHECKING:
    from greenstream.application.loading import dead_letters as application
    from greenstream.domain.reports.loading import ReplayedLetter
    from greenstream.domain.reports.rows import DeadLetter
    from greenstream.wiring import Place

dead_letters = typer.Typer(
    help="Files that failed and need a person: look at them, replay them, give them up.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
IDS = typer.Argument(metavar="ID", show_default=False, help="Which, as `dead-letters list` numbers them.")
FATES = ("rows", "stored", "duplicate", "rejected")


def register(app: typer.Typer) -> None:
    app.add_typer(dead_letters, name="dead-letters")


@command(
    dead_letters, "list", example="greenstream dead-letters list\ngreenstream dead-letters list --json | jq '.[].error'"
)
def list_(
    console: Console,
    closed: Annotated[bool, typer.Option("--all", help="Also those that were replayed or discarded.")] = False,
    json: Json = False,
) -> None:
    """List the files that failed and wait for a person, the latest first, with the error."""
    found = open_place(console).reports.dead_letters(closed=closed)
    if json:
        console.emit(found)
    elif found:
        console.table(("id", "source_file", "attempts", "failed", "state", "error"), [_row(letter) for letter in found])
    else:
        console.say("no dead letter" if closed else "no dead letter waits")


@command(dead_letters, "show", example="greenstream dead-letters show 17")
def show(
    console: Console, letter: Annotated[int, typer.Argument(metavar="ID", show_default=False)], json: Json = False
) -> None:
    """Show a dead letter with its traceback."""
    found = open_place(console).reports.dead_letter(letter)
    if json:
        console.emit(found)
        return
    console.entries(found, 15, but=("traceback",))
    console.write(f"\n{found.traceback.rstrip()}")


@command(
    dead_letters, "replay", example="greenstream dead-letters replay 17\ngreenstream dead-letters replay --all --json"
)
def replay(
    console: Console,
    ids: Annotated[list[int] | None, IDS] = None,
    every: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    json: Json = False,
) -> None:
    """Process the files of dead letters again, now.

    One that fails again stays the same dead letter, with one attempt more and the new error. With --json, one object a
    line and file. Exit 0 if every file is loaded or a duplicate, else 1.
    """
    place = open_place(console)
    chosen, troubles = _chosen(place, ids, every=every)
    done: list[ReplayedLetter] = []
    try:
        for letter in chosen:
            done.append(_answer(place.loading.replay_dead_letter(letter.id, letter.source_file)))
            if json:
                console.emit(done[-1])
    finally:
        if done and not json:
            console.table(("id", "file", "outcome", "reason", *FATES), [_outcome(each) for each in done])
    troubles += [f"dead letter {each.id}, {each.source_file}: {each.error}" for each in done if each.error]
    _end(console, troubles)


@command(dead_letters, "discard", example="greenstream dead-letters discard 17 --reason 'a test file'")
def discard(
    console: Console,
    ids: Annotated[list[int], typer.Argument(metavar="ID", show_default=False)],
    reason: Annotated[str | None, typer.Option(help="Why; kept with them.")] = None,
    json: Json = False,
) -> None:
    """Give dead letters up: they wait no longer. Their files stay in the landing zone."""
    from greenstream.domain.reports.loading import DiscardedLetters

    loading = open_place(console).loading
    done = [each for each in dict.fromkeys(ids) if loading.discard_dead_letter(each, reason)]
    if json:
        console.emit(DiscardedLetters(discarded=done))
    else:
        console.write(f"{len(done)} discarded")
    _end(console, _not_waiting(each for each in dict.fromkeys(ids) if each not in done))


def _chosen(place: "Place", ids: list[int] | None, *, every: bool) -> "tuple[Sequence[DeadLetter], list[str]]":
    """The letters that wait, the first to fail first, and what is wrong with the IDs."""
    if bool(ids) == every:
        raise UsageError("name the dead letters by their IDs, or all with --all")
    waiting = {letter.id: letter for letter in reversed(place.reports.dead_letters())}
    if every:
        return list(waiting.values()), []
    wanted = dict.fromkeys(ids or ())
    return [waiting[each] for each in wanted if each in waiting], _not_waiting(
        each for each in wanted if each not in waiting
    )


def _not_waiting(ids: Any) -> list[str]:
    return [f"no dead letter {each} waits; see `greenstream dead-letters list --all`" for each in ids]


def _answer(replayed: "application.ReplayedLetter") -> "ReplayedLetter":
    from greenstream.domain.reports.loading import ReplayedLetter

    result = replayed.result
    return ReplayedLetter(
        id=replayed.dead_letter_id,
        source_file=replayed.source_file,
        outcome=result.outcome if result else None,
        reason=result.reason if result else None,
        **{fate: getattr(result.ledger, fate) if result else None for fate in FATES},
        error=replayed.error,
    )


def _end(console: Console, troubles: Sequence[str]) -> None:
    for trouble in troubles:
        console.warn(trouble)
    if troubles:
        stop(ExitCode.TROUBLE)


def _outcome(letter: "ReplayedLetter") -> tuple[object, ...]:
    fates = (getattr(letter, fate) for fate in FATES)
    return letter.id, letter.source_file, letter.outcome, letter.reason, *fates


def _row(letter: "DeadLetter") -> tuple[object, ...]:
    state = "replayed" if letter.replayed_at else "discarded" if letter.discarded_at else "waits"
    failed = f"{letter.failed_at:%Y-%m-%d %H:%M}"
    return letter.id, letter.source_file, letter.attempts, failed, state, letter.error
