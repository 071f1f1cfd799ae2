"""A story as an editor's timeline, by OpenTimelineIO and its adapters."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lorakit.diagnostics import Diagnostic, LorakitError
from lorakit.doors.cut import Cut, CutShot

if TYPE_CHECKING:
    from collections.abc import Iterator

# what the adapter of Final Cut's XML has a frame's length for
FINAL_CUT_RATES = (24, 25, 30, 50, 60)
_INSTALL = 'pip install "lorakit[editors]"'


def otio_json(cut: Cut) -> str:
    """OpenTimelineIO's own form: shots, crossfades, sentences as markers.

    Raises LorakitError.
    """
    otio = _library()
    timeline = _timeline(otio, cut, fading=True)
    text: str = otio.adapters.write_to_string(timeline, adapter_name="otio_json")
    return text


def fcpxml(cut: Cut) -> tuple[str, tuple[Diagnostic, ...]]:
    """Final Cut Pro X's XML, and what it does not carry. Raises LorakitError."""
    otio = _library()
    if cut.fps not in FINAL_CUT_RATES:
        rates = ", ".join(map(str, FINAL_CUT_RATES))
        raise LorakitError(
            f"Final Cut's XML has no {cut.fps} frames a second: write video: fps: as one of {rates}, "
            "or export --format otio, which has all"
        )
    try:
        timeline = _timeline(otio, cut, fading=False)
        text: str = otio.adapters.write_to_string(timeline, adapter_name="fcpx_xml")
    except otio.exceptions.OTIOError as error:
        raise LorakitError(f"otio-fcpx-xml-adapter is missing or broken; {_INSTALL}") from error
    return text, tuple(_not_carried(cut))


def _library() -> ModuleType:
    try:
        import opentimelineio
    except ImportError as error:
        raise LorakitError(f"editors' timelines need opentimelineio: {_INSTALL}") from error
    library: ModuleType = opentimelineio
    return library


def _not_carried(cut: Cut) -> Iterator[Diagnostic]:
    fading = [shot for shot in cut.shots if shot.fade]
    if fading:
        cuts = f"{len(fading)} crossfade{'' if len(fading) == 1 else 's'}"
        yield Diagnostic(
            "not-carried",
            f"the adapter of Final Cut's XML writes no transitions: {cuts} stand as cuts, at the same frames",
            fading[0].place,
            hints=("export --format otio carries them",),
        ).as_warning()


def _timeline(otio: Any, cut: Cut, *, fading: bool) -> Any:
    timeline = otio.schema.Timeline(name=cut.title)
    rate = float(cut.fps)
    timeline.global_start_time = otio.opentime.RationalTime(0, rate)
    track = otio.schema.Track(name="pictures", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    # a crossfade shows a shot before it begins and after it ends: so much more of it there is
    reach = max((shot.fade for shot in cut.shots), default=0) if fading else 0
    longest: dict[str, int] = {}
    for shot in cut.shots:
        longest[shot.address] = max(longest.get(shot.address, 0), shot.frames)
    for number, shot in enumerate(cut.shots, 1):
        clip = otio.schema.Clip(name=f"{number:04d}", metadata={"lorakit": _told(shot)})
        clip.source_range = _span(otio, reach, shot.frames, rate)
        if shot.caption:
            where = _span(otio, reach, 1, rate)
            clip.markers.append(otio.schema.Marker(name=shot.caption, marked_range=where))
        # the adapter of Final Cut's XML invents a file for a clip without one: better one that says so
        url = shot.picture.as_uri() if shot.picture else "" if fading else _missing(shot)
        if url:
            clip.media_reference = otio.schema.ExternalReference(
                target_url=url,
                available_range=_span(otio, 0, longest[shot.address] + 2 * reach, rate),
            )
        track.append(clip)
        if fading and shot.fade:
            track.append(_crossfade(otio, shot.fade, rate))
    return timeline


def _missing(shot: CutShot) -> str:
    return f"file:///missing/{quote(shot.address)}.png"


def _told(shot: CutShot) -> dict[str, str]:
    """What a shot is; names are numbers, since the adapters look shots up by them."""
    told = {"address": shot.address, "scene": shot.scene, "caption": shot.caption}
    if shot.task is not None:
        told |= {"prompt": shot.task.prompt, "seed": str(shot.task.seed)}
    return told


def _span(otio: Any, first: int, frames: int, fps: float) -> Any:
    time = otio.opentime.RationalTime
    return otio.opentime.TimeRange(time(first, fps), time(frames, fps))


def _crossfade(otio: Any, frames: int, fps: float) -> Any:
    """A dissolve centred on a cut; of an odd one the frame in the middle lies behind it."""
    time = otio.opentime.RationalTime
    return otio.schema.Transition(
        name="crossfade",
        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
        in_offset=time(frames // 2, fps),
        out_offset=time(frames - frames // 2, fps),
    )
