"""A run as a page: the film, the pictures, the trainings, the tables, the account, the documents. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from lorakit.execute.past_action import PastAction
from lorakit.execute.past_run import WholeRun
from lorakit.pages import run_account, run_figures
from lorakit.pages.links import token
from lorakit.pages.parts import (
    Compare,
    Fact,
    Film,
    Page,
    Paragraph,
    Part,
    PictureStrip,
    Section,
    Tone,
)
from lorakit.pages.run_files import RunFiles
from lorakit.pages.run_pictures import Pictures
from lorakit.plan import numbers

_SAMPLE = re.compile(r"/samples-(\d+)\.\d+\Z")
_TRAININGS = ("train-image", "train-text")
_ENDINGS = {"done": "Done in", "failed": "Failed after", "interrupted": "Interrupted after"}


def page_of(run: WholeRun, files: RunFiles, compare: Compare | None = None) -> Page:
    """The page of a run."""
    lines = run_account.document_ids(run)
    pictures = Pictures(run, files, lines)
    film = _film(pictures)
    sections = _sections(pictures, film, compare)
    return Page(
        title=f"{run.recipe} {run.name}",
        kicker=" ".join(filter(None, (f"{run.recipe}, run {run.name}", _date(run.began)))),
        heading=film.title if film else run.recipe,
        lead=_ending(run),
        tone=tone_of(run.ending),
        facts=list(_facts(run)),
        hero=film,
        sections=[s for s in sections if s.parts],
        foot=run.machine,
    )


def _date(began: str) -> str:
    try:
        at = datetime.fromisoformat(began)
    except ValueError:
        return ""
    return f"on {at.day} {at:%B %Y at %H:%M} {at.tzname() or ''}".rstrip()


def _ending(run: WholeRun) -> str:
    words = _ENDINGS.get(run.ending, "")
    return f"{words} {numbers.duration(run.seconds)}" if words else "It has not ended"


def tone_of(ending: str) -> Tone:
    """The mark of how a run ended; of one that was killed `ending` is empty."""
    tones: dict[str, Tone] = {"done": "made", "failed": "failed"}
    return tones.get(ending, "skipped")


def _facts(run: WholeRun) -> Iterator[Fact]:
    """The few figures that matter most."""

    def count(word: str) -> int:
        return sum(a.outcome == word for a in run.actions)

    drawn = sum(bool(a.file("picture")) and a.succeeded for a in run.actions)
    if drawn:
        yield Fact("Pictures", f"{drawn:,}")
    yield Fact("Made", f"{count('made'):,}")
    yield Fact("Kept", f"{count('cached'):,}")
    for word in ("failed", "skipped"):
        if count(word):
            yield Fact(word.capitalize(), f"{count(word):,}")
    if run.expected_seconds and run.seconds:
        yield Fact("Took", numbers.duration(run.seconds))
        yield Fact("Expected", numbers.duration(run.expected_seconds))


def _film(pictures: Pictures) -> Film | None:
    """The last film, with the first picture of its step as what stands there before it plays."""
    actions = pictures.run.actions
    films = [a for a in actions if a.file("film") in pictures.files.bytes]
    if not films:
        return None
    last = next(a for a in films if a.step == films[-1].step)  # of several formats the first
    poster = next((a.file("picture") for a in actions if a.step == last.step), "")
    return pictures.film(last, poster)


def _sections(pictures: Pictures, hero: Film | None, compare: Compare | None) -> Iterator[Section]:
    run = pictures.run
    yield Section("failures", "What failed", list(run_account.failures(run)), "Failures")
    for step, actions in run_account.by_step(run).items():
        parts = list(_parts(pictures, actions, hero))
        if parts:
            title = next((a.title for a in actions if a.title), "") or step
            if hero and title == hero.title:
                title = "Scenes"
            note = "" if title == step else step
            yield Section(f"step-{token(step)}", title, parts, step, note)
    if compare:
        note = f"Run {run.name} over another run of {run.recipe}"
        yield Section("beside", "Beside another run", [compare], "Compare", note)
    measures = run_account.measures(run)
    yield Section("estimate", "Expected, and what came", [measures] if measures else [], "Estimate")
    yield Section(
        "why", "What was made, and why", list(run_account.reasons(run, pictures.lines)), "Why"
    )
    warnings: list[Part] = [*run_account.findings(run), *(Paragraph(text) for text in run.notes)]
    yield Section("warnings", "What was told", warnings, "Warnings")
    documents: list[Part] = [*run_account.documents(run)]
    yield Section("documents", "The documents, as they were", documents, "Documents")
    yield Section("machine", "Where it was made", [run_account.environment(run)], "Machine")


def _parts(pictures: Pictures, actions: Sequence[PastAction], hero: Film | None) -> Iterator[Part]:
    """What a step has to show."""
    files = pictures.files
    drawn = {a.id for a in actions if a.frame.prompt or a.file("picture")}
    for action in actions:
        film = pictures.film(action, "")
        if film and (hero is None or film.src != hero.src):
            yield film
        if action.kind in _TRAININGS:
            yield from _training(action, files)
        text = files.tables.get(action.id)
        title = "The members" if action.kind == "sweep-table" else "Figures"
        table = run_figures.table(title, text) if text else None
        if table:
            yield table
    listed = _samples(actions) or [(a, r) for a in actions for r in _rows(a, drawn)]
    shown = {id_ for _, (_, pictures) in listed for id_, _ in pictures}
    yield from pictures.strips([row for _, row in listed])
    for action in actions:
        if shown and {id_ for _, ps in action.rows for id_, _ in ps} <= shown:
            continue  # its pictures stand there one by one
        sheet = pictures.sheet(action, f"{action.step}: {action.kind.replace('-', ' ')}")
        if sheet:
            yield sheet
    rest = [a for a in actions if a.id in drawn and a.id not in shown]
    if rest:
        yield from _unlisted(pictures, rest)


_Row = tuple[str, Sequence[tuple[str, str]]]


def _rows(action: PastAction, drawn: set[str]) -> Iterator[_Row]:
    """The rows of a sheet, as far as they show pictures of its own step."""
    for title, pictures in action.rows:
        own = [picture for picture in pictures if picture[0] in drawn]
        if own:
            yield "" if title == action.step else title, own


def _samples(actions: Sequence[PastAction]) -> list[tuple[PastAction, _Row]]:
    """The samples of a training, a row for each of the steps they were drawn after."""
    rows: dict[int, list[PastAction]] = {}
    for action in actions:
        found = _SAMPLE.search(action.id)
        if found and action.group == "samples":
            rows.setdefault(int(found[1]), []).append(action)
    return [
        (drawn[0], (f"After {numbers.count(at, 'step')}", [(a.id, a.frame.prompt) for a in drawn]))
        for at, drawn in sorted(rows.items())
    ]


def _training(action: PastAction, files: RunFiles) -> Iterator[Part]:
    figures = files.figures.get(action.id, {})
    member = action.id.split("/")[1] if action.id.count("/") > 1 else ""
    which = f", {member}" if member else ""
    yield from run_figures.training(f"Loss{which}", files.logs.get(action.id, ()), figures)
    table = run_figures.classification(f"What was said of the held-out texts{which}", figures)
    if table:
        yield table


def _unlisted(pictures: Pictures, actions: Sequence[PastAction]) -> Iterator[PictureStrip]:
    """Pictures that no sheet shows, by the folder they are in."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for action in actions:
        groups.setdefault(action.id.rpartition("/")[0], []).append((action.id, ""))
    yield from pictures.strips(list(groups.items()))
