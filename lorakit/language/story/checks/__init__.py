"""What a schema cannot say of a storyboard: small checks, each over a board and the nodes it came from.

A new check is one function in one of these files and one line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.checks import (
    characters,
    effects,
    films,
    formats,
    motions,
    prompt_signs,
    scenes,
    sizes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

BOARD_CHECKS: tuple[Callable[[Storyboard, Node, Findings], None], ...] = (
    characters.ids_are_words,
    characters.names_mean_one_character,
    characters.names_are_no_pronouns,
    characters.anchors_are_used,
    characters.weights_go_on_in_order,
    scenes.names_are_unique,
    scenes.starts_lead_somewhere,
    scenes.starts_do_not_go_round,
    scenes.repeats_have_something_to_repeat,
    prompt_signs.signs_of_others_are_told,
    effects.settings_have_effect,
    sizes.sizes_are_spelled_once,
    formats.board_s_film_can_be_written,
    films.holds_last_a_frame,
    films.transitions_fit_their_holds,
    motions.motions_move,
    films.board_can_be_heard,
    films.words_and_pins_go_together,
)
