"""What a schema cannot say of a recipe: small checks, each over a recipe and the nodes it came from.

A new check is one function in one of these files and one line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.recipe.checks import (
    amounts,
    comparisons,
    effects,
    films,
    own_names,
    pictures,
    prompt_signs,
    references,
    schedules,
    sizes,
    trainings,
    weights,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

RECIPE_CHECKS: tuple[Callable[[Recipe, Node, Findings], None], ...] = (
    own_names.names_can_be_seen,
    own_names.steps_have_folders_of_their_own,
    references.models_exist,
    references.adapters_exist,
    references.trainings_go_on_from_adapters,
    references.films_join_steps,
    references.steps_do_not_go_round,
    sizes.step_sizes_are_spelled_once,
    films.step_holds_last_a_frame,
    films.steps_can_be_heard,
    films.films_can_be_written,
    trainings.data_sets_have_one_source,
    pictures.data_sets_have_keys_of_their_kind,
    pictures.revisions_are_of_the_hub,
    pictures.captions_have_one_placeholder,
    pictures.keys_have_what_they_need,
    pictures.prior_data_is_pictures,
    pictures.prior_data_has_no_epoch,
    pictures.texts_are_trained_with_loras,
    pictures.whole_models_are_not_worn,
    trainings.data_sets_exist,
    trainings.what_is_scored_was_not_learnt,
    trainings.trainings_end_once,
    schedules.schedules_use_their_keys,
    trainings.full_trainings_have_no_adapter,
    trainings.text_encoders_are_trained_where_they_have_a_rate,
    trainings.the_best_needs_a_judge,
    trainings.adapters_are_saved_where_there_are_some,
    trainings.layers_are_named_by_expressions,
    comparisons.comparisons_are_of_one_sort,
    comparisons.bests_are_by_a_figure,
    prompt_signs.signs_of_others_are_told,
    amounts.pictures_can_be_waited_for,
    weights.weights_go_on_in_order,
    effects.settings_have_effect,
    effects.what_is_named_is_used,
)
