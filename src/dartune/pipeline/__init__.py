"""From a recipe to its report: the stages of a run, its folder, and studies over seeds and variants."""
